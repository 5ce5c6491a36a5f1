/*
 * Role web.
 * holds:   nothing: passwords, tokens and sessions pass through it, and are looked at by the judge
 * may:     accept connections on its one listener; ask judge (gateway/proc/judge_web.h) and relay
 *          (gateway/proc/relay_admin.h); ask the keeper to sign with the TLS key of its own host
 * accepts: HTTP requests, inside TLS where they are not of this machine; replies of certstore/admin_proto.h from
 * judge and relay never:   files, connections of its own, message content, private keys, the store, exec, ptrace
 */
#include "gateway/base/log.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/proc.h"
#include "gateway/proc/https_tls.h"
#include "gateway/proc/web_http.h"
#include "gateway/proc/web_tls.h"

static struct {
	struct loop *loop;
	struct admin_peer judge, relay;
	int listen_fd;
} me = {.listen_fd = -1};

static void setup_once(void)
{
	if (me.loop)
		return;
	admin_json_init();
	me.loop = loop_new();
	admin_peer_init(&me.judge, me.loop, "judge");
	admin_peer_init(&me.relay, me.loop, "relay");
}

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;

	(void)c;
	setup_once();
	if (in->type == CONTROL_STOP) {
		loop_stop(me.loop);
		return 0;
	}
	if ((in->type != CONTROL_PEER && in->type != CONTROL_LISTEN) || control_peer_get(in, &p) != 0)
		return -1;
	if (in->type == CONTROL_LISTEN)
		me.listen_fd = p.fd;
	else if (p.role == ROLE_JUDGE)
		admin_peer_attach(&me.judge, p.fd);
	else if (p.role == ROLE_RELAY)
		admin_peer_attach(&me.relay, p.fd);
	else if (p.role == ROLE_KEEPER)
		https_tls_keeper(p.fd);
	else
		log_fatal("the parent connected a role that has no business here");
	return 0;
}

static int run(struct child *c)
{
	const struct sandbox s = {.net = SANDBOX_NET_TCP_ACCEPT, .threads = true};
	bool tls = web_settings_tls(c->conf);
	struct problem pr = {0};
	struct web_http *http;

	setup_once();
	if (me.listen_fd < 0)
		log_fatal("the web listener was given no socket");
	if (tls)
		https_tls_begin("web");
	child_control(c, me.loop, &proc_web_role);
	child_sandbox(c, &s);
	http = web_http_new(me.loop, me.listen_fd, conf_section(c->conf, "web"), tls, &me.judge, &me.relay, &pr);
	if (!http)
		log_fatal("%s", pr.text);
	if (tls)
		web_tls_new(me.loop, &me.judge);
	child_ready(c);
	loop_run(me.loop);
	web_http_free(http);
	return 0;
}

const struct child_role proc_web_role = {message, run};
