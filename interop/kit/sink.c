#include "interop/kit/sink.h"

#include <stdlib.h>

#include "interop/kit/door.h"
#include "interop/kit/sink_session.h"

struct sink {
	struct sink_store *store;
	SSL_CTX *tls;
	struct session_of of[2];
	struct door *doors[2];
};

static void visit(void *arg, int fd)
{
	sink_session(arg, fd);
}

static int open_door(struct sink *s, const struct kit *k, enum side side, struct buf *why)
{
	s->of[side] = (struct session_of){.store = s->store, .kit = k, .tls = s->tls, .side = side};
	s->doors[side] = door_open(side == INSIDE ? k->inside_sink : k->outside_sink, visit, &s->of[side], why);
	return s->doors[side] ? 0 : -1;
}

struct sink *sink_open(const struct kit *k, struct world *w, struct buf *why)
{
	struct sink *s = need(sizeof(*s));

	s->store = sink_store_new();
	s->tls = door_tls(w);
	if (open_door(s, k, OUTSIDE, why) < 0 || open_door(s, k, INSIDE, why) < 0) {
		sink_close(s);
		return NULL;
	}
	return s;
}

void sink_close(struct sink *s)
{
	if (!s || door_close(s->doors[OUTSIDE]) < 0 || door_close(s->doors[INSIDE]) < 0)
		return; /* a peer holds its session open: what it uses stays, the program ends soon */
	SSL_CTX_free(s->tls);
	sink_store_free(s->store);
	free(s);
}

const struct mail *sink_wait(struct sink *s, enum side side, const char *to, unsigned after, int64_t wait_ms,
    bool (*test)(const struct mail *, void *), void *arg)
{
	return sink_store_wait(s->store, side, to, after, wait_ms, test, arg);
}

void sink_statement(struct sink *s, const char *domain, const struct buf *der)
{
	sink_store_statement(s->store, domain, der);
}

int sink_put(struct sink *s, const char *domain, int64_t wait_ms, struct buf *der)
{
	return sink_store_wait_got(s->store, domain, wait_ms, der);
}
