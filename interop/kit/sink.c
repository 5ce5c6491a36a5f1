#include "sink.h"

#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "sink_session.h"

#define CONNECTIONS_MAX 300

struct door {
	struct session_of of;
	int fd;
	pthread_t thread;
	struct sink *sink;
};

struct sink {
	struct sink_store *store;
	SSL_CTX *tls;
	struct door doors[2];
	atomic_bool stop;
	atomic_int open;
};

struct visit {
	struct door *door;
	int fd;
};

static void *serve(void *arg)
{
	struct visit *v = arg;

	sink_session(&v->door->of, v->fd);
	atomic_fetch_sub(&v->door->sink->open, 1);
	free(v);
	return NULL;
}

static void take(struct door *d, int fd)
{
	struct visit *v = need(sizeof(*v));
	pthread_attr_t a;
	pthread_t t;

	*v = (struct visit){d, fd};
	pthread_attr_init(&a);
	pthread_attr_setdetachstate(&a, PTHREAD_CREATE_DETACHED);
	if (atomic_fetch_add(&d->sink->open, 1) >= CONNECTIONS_MAX || pthread_create(&t, &a, serve, v) != 0) {
		atomic_fetch_sub(&d->sink->open, 1);
		close(fd);
		free(v);
	}
	pthread_attr_destroy(&a);
}

static void *listen_loop(void *arg)
{
	struct door *d = arg;

	while (!atomic_load(&d->sink->stop)) {
		struct pollfd p = {.fd = d->fd, .events = POLLIN};
		int fd;

		if (poll(&p, 1, 200) <= 0)
			continue;
		fd = accept4(d->fd, NULL, NULL, SOCK_CLOEXEC);
		if (fd >= 0)
			take(d, fd);
	}
	return NULL;
}

static int listen_at(const char *address, struct buf *why)
{
	struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE}, *a = NULL;
	char *host, *port;
	int fd, on = 1;

	if (kit_address(address, &host, &port) < 0)
		return fail(why, "%s is not host:port", address);
	if (getaddrinfo(host, port, &hints, &a) != 0)
		a = NULL;
	free(host);
	free(port);
	if (!a)
		return fail(why, "%s is not an address of this machine", address);
	fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (fd < 0 || bind(fd, a->ai_addr, a->ai_addrlen) < 0 || listen(fd, 128) < 0) {
		fail(why, "cannot listen at %s: %s", address, strerror(errno));
		if (fd >= 0)
			close(fd);
		fd = -1;
	}
	freeaddrinfo(a);
	return fd;
}

static SSL_CTX *tls_of(struct world *w)
{
	const struct credential *c = world_credential(w, NULL, "tls", 0);
	SSL_CTX *t;

	if (!c || !c->key)
		return NULL;
	t = SSL_CTX_new(TLS_server_method());
	if (!t || SSL_CTX_use_certificate(t, c->cert) != 1 || SSL_CTX_use_PrivateKey(t, c->key) != 1) {
		SSL_CTX_free(t);
		return NULL;
	}
	for (int i = 0; i < sk_X509_num(c->chain); i++)
		SSL_CTX_add1_chain_cert(t, sk_X509_value(c->chain, i));
	return t;
}

static int open_door(struct sink *s, const struct kit *k, enum side side, struct buf *why)
{
	struct door *d = &s->doors[side];

	d->sink = s;
	d->of = (struct session_of){.store = s->store, .kit = k, .tls = s->tls, .side = side};
	d->fd = listen_at(side == INSIDE ? k->inside_sink : k->outside_sink, why);
	if (d->fd < 0)
		return -1;
	if (pthread_create(&d->thread, NULL, listen_loop, d) == 0)
		return 0;
	close(d->fd);
	d->fd = -1;
	return fail(why, "no thread for the sink");
}

struct sink *sink_open(const struct kit *k, struct world *w, struct buf *why)
{
	struct sink *s = need(sizeof(*s));

	s->store = sink_store_new();
	s->tls = tls_of(w);
	s->doors[OUTSIDE].fd = s->doors[INSIDE].fd = -1;
	if (open_door(s, k, OUTSIDE, why) < 0 || open_door(s, k, INSIDE, why) < 0) {
		sink_close(s);
		return NULL;
	}
	return s;
}

void sink_close(struct sink *s)
{
	if (!s)
		return;
	atomic_store(&s->stop, true);
	for (int i = 0; i < 2; i++)
		if (s->doors[i].fd >= 0) {
			pthread_join(s->doors[i].thread, NULL);
			close(s->doors[i].fd);
		}
	for (int i = 0; i < 50 && atomic_load(&s->open) > 0; i++) /* sessions that are just ending */
		pause_ms(20);
	if (atomic_load(&s->open) > 0)
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
