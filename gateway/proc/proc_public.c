/*
 * Role public.
 * holds:   the statements and certificates of our domains, as anybody may have them
 * may:     accept connections on its one listener; ask the keeper to sign with a TLS key
 * accepts: HTTPS requests from anybody; certstore/public_proto.h from judge; nothing goes to judge
 * never:   files, connections of its own, message content, private keys, the store, exec, ptrace
 */
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/proc/proc.h"
#include "gateway/proc/public_http.h"
#include "gateway/proc/https_tls.h"

static struct {
	struct loop *loop;
	struct ipc_chan *judge;
	int judge_fd, listen_fd; /* given before the loop stands */
	struct public_shelf *shelf;
} me = {.judge_fd = -1, .listen_fd = -1};

static void from_judge(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct public_item i;

	(void)ctx;
	(void)c;
	if (public_proto_get(in, &i) != 0)
		log_fatal("what the judge says cannot be read");
	if (i.msg == PUBLIC_TLS)
		https_tls_certificate(i.name, i.body.p, i.body.n);
	else
		public_shelf_take(me.shelf, &i);
}

/* What it said last is still served. */
static void judge_gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	me.judge = NULL;
}

static void judge_channel(int fd)
{
	static const struct ipc_chan_ops ops = {from_judge, judge_gone};

	if (me.loop == NULL) {
		me.judge_fd = fd;
		return;
	}
	ipc_chan_free(me.judge);
	me.judge = ipc_chan_new(me.loop, fd, &ops, NULL);
}

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;

	(void)c;
	if (in->type == CONTROL_STOP) {
		loop_stop(me.loop);
		return 0;
	}
	if ((in->type != CONTROL_PEER && in->type != CONTROL_LISTEN) || control_peer_get(in, &p) != 0)
		return -1;
	if (in->type == CONTROL_LISTEN)
		me.listen_fd = p.fd;
	else if (p.role == ROLE_JUDGE)
		judge_channel(p.fd);
	else if (p.role == ROLE_KEEPER)
		https_tls_keeper(p.fd);
	else
		log_fatal("the parent connected a role that has no business here");
	return 0;
}

static int run(struct child *c)
{
	const struct sandbox s = {.net = SANDBOX_NET_TCP_ACCEPT, .threads = true};
	struct public_http *http;
	struct problem pr = {0};

	if (me.listen_fd < 0)
		log_fatal("the public listener was given no socket");
	me.loop = loop_new();
	me.shelf = public_shelf_new();
	https_tls_begin("public");
	child_control(c, me.loop, &proc_public_role);
	child_sandbox(c, &s);
	http = public_http_new(me.loop, me.listen_fd, conf_section(c->conf, "public"), me.shelf, &pr);
	if (http == NULL)
		log_fatal("%s", pr.text);
	if (me.judge_fd >= 0)
		judge_channel(me.judge_fd);
	child_ready(c);
	loop_run(me.loop);
	public_http_free(http);
	return 0;
}

const struct child_role proc_public_role = {message, run};
