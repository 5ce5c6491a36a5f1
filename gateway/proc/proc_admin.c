/*
 * Role admin.
 * holds:   the control socket; nothing of its own
 * may:     accept local clients, ask judge and relay, ask the parent for its state and the sealed key files
 * accepts: requests of certstore/admin_proto.h from local clients; their replies from judge and relay; from the
 * parent peers, the socket, states never:   network, files, private keys, message content, the store, exec, ptrace
 */
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/proc/admin.h"
#include "gateway/proc/admin_alert.h"
#include "gateway/proc/admin_client.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/proc.h"

static struct admin me = {.listener = -1};

static void setup_once(struct child *c)
{
	if (me.loop != NULL)
		return;
	admin_json_init();
	me.loop = loop_new();
	admin_parent_init(&me.parent, me.loop, c);
	admin_peer_init(&me.judge, me.loop, "judge");
	admin_peer_init(&me.relay, me.loop, "relay");
}

static void attach(const struct control_peer *p)
{
	if (p->role == ROLE_JUDGE)
		admin_peer_attach(&me.judge, p->fd);
	else if (p->role == ROLE_RELAY)
		admin_peer_attach(&me.relay, p->fd);
	else
		log_fatal("the parent connected a role that has no business here");
}

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;

	setup_once(c);
	switch (in->type) {
	case CONTROL_PEER:
		if (control_peer_get(in, &p) != 0)
			return -1;
		attach(&p);
		return 0;
	case CONTROL_LISTEN:
		if (me.listener >= 0 || control_peer_get(in, &p) != 0)
			return -1;
		me.listener = p.fd;
		return 0;
	case CONTROL_STOP:
		loop_stop(me.loop);
		return 0;
	default:
		return admin_parent_message(&me.parent, in);
	}
}

static int run(struct child *c)
{
	const struct sandbox s = {.net = SANDBOX_NET_UNIX_ACCEPT};

	setup_once(c);
	if (me.listener < 0)
		log_fatal("the parent gave no control socket");
	child_control(c, me.loop, &proc_admin_role);
	child_sandbox(c, &s);
	admin_client_accept(&me);
	admin_alert_start(&me, conf_section(c->conf, "alerts"));
	child_ready(c);
	loop_run(me.loop);
	admin_client_close_all(&me);
	return 0;
}

const struct child_role proc_admin_role = {message, run};
