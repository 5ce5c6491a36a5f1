/* Asking judge or relay. Role admin. They are ours: a reply of theirs that cannot be read ends this process, not
 * theirs; the parent starts it anew. */
#include "gateway/proc/admin_peer.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"

struct admin_ask {
	struct admin_ask *next;
	struct admin_peer *of;
	uint32_t id;
	struct loop_timer *timer;
	const char *why; /* of giving up, when the timer fires */
	admin_peer_done *done;
	void *ctx;
};

static const char away[] =
    "is not running at the moment: try again in a few seconds; \"postern status\" shows what is wrong";
static const char stopped[] = "stopped before it answered: look whether the change was made before you try again";
static const char slow[] = "did not answer in time: look whether the change was made before you try again";

static struct admin_ask *take(struct admin_peer *p, uint32_t id)
{
	for (struct admin_ask **q = &p->asks; *q != NULL; q = &(*q)->next)
		if ((*q)->id == id) {
			struct admin_ask *a = *q;

			*q = a->next;
			return a;
		}
	return NULL;
}

static void end(struct admin_ask *a, const struct admin_reply *r, const char *why)
{
	admin_peer_done *done = a->done;
	void *ctx = a->ctx;

	loop_timer_free(a->timer);
	free(a);
	done(ctx, r, why);
}

static void on_timer(void *ctx)
{
	struct admin_ask *a = ctx;
	char text[200];

	(void)take(a->of, a->id);
	(void)snprintf(text, sizeof text, "the %s %s", a->of->name, a->why);
	end(a, NULL, text);
}

/* From the loop, never from inside whoever found out. */
static void give_up(struct admin_ask *a, const char *why)
{
	a->why = why;
	loop_timer_set(a->timer, 0);
}

static void drop_channel(struct admin_peer *p)
{
	ipc_chan_free(p->chan);
	p->chan = NULL;
	for (struct admin_ask *a = p->asks; a != NULL; a = a->next)
		give_up(a, stopped);
}

static void on_msg(void *ctx, struct ipc_chan *ch, struct ipc_in *in)
{
	struct admin_peer *p = ctx;
	struct admin_reply r;
	struct admin_ask *a;
	uint32_t id = in->id;

	(void)ch;
	if (in->type != ADMIN_PROTO_REPLY || admin_reply_get(in, &r) != 0)
		log_fatal("a reply of the %s cannot be read", p->name);
	a = take(p, id);
	if (a != NULL) /* else it was given up */
		end(a, &r, NULL);
	for (int i = 0; i < r.nfds; i++)
		close(r.fds[i]);
	free(r.text);
}

static void on_close(void *ctx, struct ipc_chan *ch, const char *why)
{
	struct admin_peer *p = ctx;

	(void)ch;
	log_warn(NULL, "admin", "away role=%s why=\"%s\"", p->name, why);
	drop_channel(p);
}

void admin_peer_init(struct admin_peer *p, struct loop *l, const char *name)
{
	*p = (struct admin_peer){.loop = l, .name = name};
}

void admin_peer_attach(struct admin_peer *p, int fd)
{
	static const struct ipc_chan_ops ops = {on_msg, on_close};

	drop_channel(p);
	p->chan = ipc_chan_new(p->loop, fd, &ops, p);
}

/* 0 / -1 */
static int send_request(struct admin_peer *p, uint32_t id, const struct admin_request *rq)
{
	struct ipc_out o;
	int made, err;

	if (p->chan == NULL)
		return -1;
	ipc_out_init(&o, ADMIN_PROTO_REQUEST, id);
	err = admin_request_put(&o, rq, &made);
	if (err == 0)
		err = ipc_chan_send(p->chan, &o);
	else
		ipc_out_clear(&o);
	if (made >= 0)
		close(made);
	return err;
}

void admin_peer_ask(
    struct admin_peer *p, const struct admin_request *rq, int64_t patience_ms, admin_peer_done *done, void *ctx)
{
	struct admin_ask *a = mem_new(sizeof *a);

	a->of = p;
	a->id = ++p->last_id;
	a->done = done;
	a->ctx = ctx;
	a->timer = loop_timer_new(p->loop, on_timer, a);
	a->next = p->asks;
	p->asks = a;
	if (send_request(p, a->id, rq) == 0) {
		a->why = slow;
		loop_timer_set(a->timer, patience_ms);
	} else {
		give_up(a, away);
	}
}
