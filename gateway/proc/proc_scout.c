/*
 * Role scout.
 * holds:   the DNS resolver
 * may:     ask DNS; answer relay
 * accepts: gateway/scout/scout_proto.h from relay, DNS answers from the network
 * never:   message content, keys, the store, opinions, exec, ptrace
 */
#include <stdlib.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/proc.h"
#include "gateway/scout/dns.h"

static struct {
	struct loop *loop;
	struct dns *dns;
	struct ipc_chan *relay;
	int relay_fd;
	uint64_t generation; /* of the channel: answers to an older one are thrown away */
} me = {.relay_fd = -1};

struct question {
	uint32_t id;
	uint64_t generation;
};

static void answer(void *ctx, const struct scout_hosts *h)
{
	struct question *q = ctx;
	struct ipc_out o;

	if (me.relay != NULL && q->generation == me.generation) {
		scout_proto_put_hosts(&o, q->id, h);
		if (ipc_chan_send(me.relay, &o) != 0)
			log_warn(NULL, "scout", "cannot-answer to=relay");
	}
	free(q);
}

static void from_relay(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct scout_ask ask;
	struct question *q = mem_new(sizeof(*q));

	(void)ctx;
	(void)c;
	q->id = in->id;
	q->generation = me.generation;
	if (scout_proto_get_ask(in, &ask) != 0)
		log_fatal("the relay's question cannot be read");
	dns_ask(me.dns, &ask, answer, q);
}

static void relay_gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	me.relay = NULL;
}

static const struct ipc_chan_ops ops = {from_relay, relay_gone};

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;

	(void)c;
	if (in->type == CONTROL_STOP) {
		loop_stop(me.loop);
		return 0;
	}
	if (in->type != CONTROL_PEER || control_peer_get(in, &p) != 0)
		return -1;
	if (p.role != ROLE_RELAY)
		log_fatal("the parent connected a role that has no business here");
	if (me.loop == NULL) {
		me.relay_fd = p.fd;
		return 0;
	}
	ipc_chan_free(me.relay);
	me.generation++;
	me.relay = ipc_chan_new(me.loop, p.fd, &ops, NULL);
	return 0;
}

static int run(struct child *c)
{
	struct problem pr = {0};
	const struct sandbox s = {.net = SANDBOX_NET_CLIENT};

	me.loop = loop_new();
	me.dns = dns_new(me.loop, conf_section(c->conf, "dns"), &pr);
	if (me.dns == NULL)
		log_fatal("%s", pr.text);
	child_control(c, me.loop, &proc_scout_role);
	child_sandbox(c, &s);
	if (me.relay_fd >= 0)
		me.relay = ipc_chan_new(me.loop, me.relay_fd, &ops, NULL);
	child_ready(c);
	loop_run(me.loop);
	return 0;
}

const struct child_role proc_scout_role = {message, run};
