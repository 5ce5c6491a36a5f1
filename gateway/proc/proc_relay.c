/*
 * Role relay.
 * holds:   SMTP in and out, the queue database, the schedule
 * may:     accept on the inherited listeners, connect to next hops, files below queue/; ask judge, scout, keeper (TLS
 * handshakes, wrapping), sealers
 * accepts: SMTP from anybody; answers of its peers; gateway verbs on the queue from admin
 * never:   private keys, the store, MIME, CMS and ASN.1 of messages, exec, ptrace
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/permit.h"
#include "gateway/proc/proc.h"
#include "gateway/proc/relay_accept.h"
#include "gateway/proc/relay_admin.h"
#include "gateway/proc/relay_alert.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_closed.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_failures.h"
#include "gateway/proc/relay_held.h"
#include "gateway/proc/relay_hops.h"
#include "gateway/proc/relay_jobs.h"
#include "gateway/proc/relay_rcpts.h"
#include "gateway/proc/relay_tls.h"
#include "gateway/proc/relay_tls_server.h"
#include "gateway/proc/relay_trust.h"
#include "gateway/proc/relay_xsmg.h"
#include "gateway/queue/history.h"
#include "gateway/queue/queue_settings.h"
#include "gateway/smtp/conn.h"

enum { ACCEPT_ANYWAY_MS = 10000, PENDING_MAX = 128, STOP_LOOK_MS = 50, STOP_MAX_MS = 20000, KEEPER_MS = 5000 };

static struct relay me = {.keeper = KEYS_UNREACHABLE, .spool_dir = -1};
static bool running;
static struct loop_timer *stopping, *anyway;
static int64_t stop_since;

/* What the parent gives before the parts stand. */
static struct control_peer pending[PENDING_MAX];
static struct control_peer listeners[PENDING_MAX];
static struct control_peer maps[PENDING_MAX];
static size_t npending, nlisteners, nmaps;

static void peer(const struct control_peer *p)
{
	switch (p->role) {
	case ROLE_JUDGE:
		relay_ask_channel(me.ask, p->fd);
		break;
	case ROLE_SCOUT:
		relay_hops_channel(me.hops, p->fd);
		break;
	case ROLE_SEALER:
		relay_jobs_channel(me.jobs, p->index, p->fd);
		break;
	case ROLE_KEEPER:
		keys_client_replace(me.keys, p->fd);
		break;
	case ROLE_ADMIN:
		relay_admin_channel(&me, RELAY_ADMIN, p->fd);
		break;
	case ROLE_WEB:
		relay_admin_channel(&me, RELAY_WEB, p->fd);
		break;
	default:
		log_fatal("the parent connected a role that has no business here");
	}
}

static void later(struct control_peer *list, size_t *n, const struct control_peer *p)
{
	if (*n == PENDING_MAX)
		log_fatal("too many presents before GO");
	list[(*n)++] = *p;
}

/* ---- shutdown: 421 to idle sessions, answers for what was handed over, then the end; what was not answered 250 is
 * not kept ---- */

static void look_if_done(void *ctx)
{
	(void)ctx;
	bool busy = relay_accept_sessions(me.accept) > 0 || conn_lingering() > 0 ||
		    relay_deliver_active(me.deliver) > 0 || me.opening > 0;

	if (!busy || loop_now_ms() - stop_since > STOP_MAX_MS) {
		loop_stop(me.loop);
		return;
	}
	loop_timer_set(stopping, STOP_LOOK_MS);
}

static void stop(void)
{
	if (me.stopping || !running) {
		if (!running)
			exit(0);
		return;
	}
	me.stopping = true;
	stop_since = loop_now_ms();
	log_info(NULL, "relay", "stopping sessions=%zu deliveries=%zu", relay_accept_sessions(me.accept),
	    relay_deliver_active(me.deliver));
	relay_accept_stop(me.accept);
	stopping = loop_timer_new(me.loop, look_if_done, NULL);
	loop_timer_set(stopping, STOP_LOOK_MS);
}

/* ---- the parent speaks ---- */

static void keeper_state(const struct control_state *st)
{
	me.keeper = (enum keys_state)st->state;
	if (!running)
		return;
	if (me.keeper != KEYS_UNREACHABLE)
		relay_accept_begin(me.accept);
	if (me.keeper != KEYS_READY)
		return;
	relay_accept_identities(me.accept);
	relay_deliver_kick(me.deliver);
	relay_held_mended(me.held);
}

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;
	struct control_file permit;
	struct control_state st;

	(void)c;
	if (in->type == CONTROL_STOP) {
		stop();
		return 0;
	}
	if (in->type == CONTROL_PERMIT_KEY) {
		if (control_file_get(in, &permit) != 0)
			return -1;
		permit_key(permit.p, permit.n);
		return 0;
	}
	if (in->type == CONTROL_STATE) {
		if (control_state_get(in, &st) != 0)
			return -1;
		keeper_state(&st);
		return 0;
	}
	if ((in->type != CONTROL_PEER && in->type != CONTROL_LISTEN && in->type != CONTROL_RCPT_MAP) ||
	    control_peer_get(in, &p) != 0)
		return -1;
	if (in->type == CONTROL_LISTEN)
		later(listeners, &nlisteners, &p);
	else if (in->type == CONTROL_RCPT_MAP)
		later(maps, &nmaps, &p);
	else if (running)
		peer(&p);
	else
		later(pending, &npending, &p);
	return 0;
}

/* ---- start ---- */

static void on_identities(void *ctx)
{
	(void)ctx;
	if (me.keeper == KEYS_READY)
		relay_accept_identities(me.accept);
}

static void on_change(void *ctx, const char *domain)
{
	(void)ctx;
	relay_held_changed(me.held, domain);
}

static void accept_anyway(void *ctx)
{
	(void)ctx;
	if (!me.stopping)
		relay_accept_begin(me.accept);
}

static size_t count_sealers(void)
{
	size_t n = 0;

	for (size_t i = 0; i < npending; i++)
		if (pending[i].role == ROLE_SEALER && pending[i].index + 1 > n)
			n = pending[i].index + 1;
	return n;
}

static void read_client_cas(void)
{
	struct problem pr;

	me.client_cas = mem_new((conf_listeners(me.conf) + 1) * sizeof(*me.client_cas));
	for (size_t i = 0; i < conf_listeners(me.conf); i++) {
		const struct conf_listener *l = conf_listener(me.conf, i, NULL);

		if (l->client_certificates != CONF_CLIENT_CERTS_REQUIRE)
			continue;
		me.client_cas[i] = relay_tls_server_cas(l->client_ca_file, &pr);
		if (me.client_cas[i] == NULL)
			log_error(NULL, "relay", "alarm=tls why=\"%s: no client is let in there\"", pr.text);
	}
}

/* Before the sandbox: what reads files from elsewhere. */
static void make_early(struct child *c)
{
	struct problem pr = {0};

	me.loop = loop_new();
	me.conf = c->conf;
	me.top = conf_top(c->conf);
	me.keys = keys_client_new(-1);
	keys_client_timeout(me.keys, KEEPER_MS);
	me.datakeys = datakeys_new(me.keys);
	read_client_cas();
	me.tls_any = relay_tls_client(NULL, &pr);
	me.tls_verify = relay_tls_client(me.top->tls_ca_file, &pr);
	if (me.tls_verify == NULL)
		log_warn(NULL, "relay", "tls why=\"%s; hosts with TLS verify will not be reached\"", pr.text);
	else
		me.tls_sts = relay_tls_client_sts(me.tls_verify);
}

static void closed(const struct problem *pr)
{
	int fds[PENDING_MAX];

	for (size_t i = 0; i < nlisteners; i++)
		fds[i] = listeners[i].fd;
	relay_closed(me.loop, me.top->hostname, &(struct relay_closed_listeners){fds, nlisteners}, pr);
}

/* In the sandbox: the queue starts its writer thread, and threads come after the filter. */
static void make_parts(struct child *c, const char *dir)
{
	struct problem pr = {0};
	char spool[400];

	me.queue = queue_open(dir, conf_section(c->conf, "queue"), me.loop, &pr);
	if (me.queue == NULL)
		closed(&pr);
	relay_alert_init(dir);
	me.history = history_open(dir, conf_section(c->conf, "history"), me.loop);
	snprintf(spool, sizeof(spool), "%s/spool", dir);
	me.spool_dir = open(spool, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (me.spool_dir < 0)
		log_fatal("%s: %s", spool, strerror(errno));
	me.pool = smtpc_pool_new(me.loop, conf_section(c->conf, "smtp-client"), me.top->hostname);
	me.ask = relay_ask_new(me.loop, on_identities, NULL);
	me.hops = relay_hops_new(&me);
	me.rcpts = relay_rcpts_new(&me);
	me.jobs = relay_jobs_new(me.loop, count_sealers(), me.spool_dir);
	me.trust = relay_trust_new();
	me.failures = relay_failures_new(me.top->open_failures_max);
	me.crashes = relay_failures_new(me.top->crashes_max);
	me.xsmg = relay_xsmg_new(&me);
	me.accept = relay_accept_new(&me);
	me.deliver = relay_deliver_new(&me);
	me.held = relay_held_new(&me);
	relay_ask_on_change(me.ask, on_change, NULL);
}

static int run(struct child *c)
{
	char dir[300];
	struct sandbox s = {.net = SANDBOX_NET_SMTP, .rw_dirs = {dir}, .threads = true};

	snprintf(dir, sizeof(dir), "%s/queue", conf_top(c->conf)->data_directory);
	make_early(c);
	child_control(c, me.loop, &proc_relay_role);
	child_sandbox(c, &s);
	make_parts(c, dir);
	running = true;
	for (size_t i = 0; i < nmaps; i++)
		relay_rcpts_map_came(me.rcpts, maps[i].index, maps[i].fd);
	for (size_t i = 0; i < npending; i++)
		peer(&pending[i]);
	for (size_t i = 0; i < nlisteners; i++)
		relay_accept_listen(me.accept, listeners[i].index, listeners[i].fd);
	/* While the keeper starts, clients wait in the backlog for a moment rather than be told 421. */
	if (me.keeper != KEYS_UNREACHABLE)
		relay_accept_begin(me.accept);
	anyway = loop_timer_new(me.loop, accept_anyway, NULL);
	loop_timer_set(anyway, ACCEPT_ANYWAY_MS);
	child_ready(c);
	loop_run(me.loop);
	smtpc_pool_free(me.pool);
	queue_close(me.queue);
	history_close(me.history);
	log_info(NULL, "relay", "stopped");
	return 0;
}

const struct child_role proc_relay_role = {message, run};
