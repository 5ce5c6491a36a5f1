/*
 * Role judge.
 * holds:   the store: certificates, partners, anchors, rules, audit log
 * may:     answer relay (verdicts, trust, identities) and admin (verbs); ask the keeper to make and certify keys, and
 *          the scout to look something up
 * accepts: certstore/judge_proto.h from relay, certstore/admin_proto.h from admin and web, certstore/source.h from
 * scout never:   network, message content, private keys, exec, ptrace
 */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "certstore/find_settings.h"
#include "certstore/judge_proto.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_chores.h"
#include "gateway/proc/judge_conf.h"
#include "gateway/proc/judge_harvest.h"
#include "gateway/proc/judge_identities.h"
#include "gateway/proc/judge_learn.h"
#include "gateway/proc/judge_mass.h"
#include "gateway/proc/judge_opener.h"
#include "gateway/proc/judge_public.h"
#include "gateway/proc/judge_web.h"
#include "gateway/proc/permit.h"
#include "gateway/proc/trust_settings.h"
#include "gateway/proc/web_settings.h"
#include "gateway/proc/judge_resolve.h"
#include "gateway/proc/judge_scout.h"
#include "gateway/proc/judge_signers.h"
#include "gateway/proc/judge_traces.h"
#include "gateway/proc/judge_xsmg_daily.h"
#include "gateway/proc/judge_xsmg_fetch.h"
#include "gateway/proc/judge_xsmg_relay.h"
#include "gateway/proc/judge_xsmg_tend.h"
#include "gateway/proc/judge_xsmg_use.h"
#include "gateway/proc/proc.h"
#include "gateway/proc/public_settings.h"
#include "gateway/smtp/smtpd_settings.h"

enum { ANSWER_MEMORY = 4 * 1024 * 1024, LOOK_MS = 1000, KEEPER_MS = 60000 };

static struct {
	struct loop *loop;
	struct store *store;
	struct keys_client *keys;
	struct ipc_chan *relay, *admin;
	int relay_fd, admin_fd, scout_fd, public_fd, web_fd; /* given before the loop stands */
	struct judge_public *shown;
	struct judge_web *web;
	struct judge_opener *opener;
	struct child *child;
	struct judge_scout *scout;
	const struct find_settings *find;
	struct judge_world world;
	struct judge_believing believing;
	struct judge_admin verbs;
	char dir[300];
	uint64_t seen_version, known_version; /* as the relay was told; as our own changes left it */
	char concerns[256];		      /* whom the changes since seen_version concern */
	struct loop_timer *look;
} me = {.relay_fd = -1, .admin_fd = -1, .scout_fd = -1, .public_fd = -1, .web_fd = -1};

/* A packet of the relay, kept until it is answered. */
struct relay_question {
	uint16_t type;
	uint32_t id;
	size_t n;
	uint8_t p[];
};
struct admin_question {
	uint32_t id;
	bool web;
	struct admin_request rq;
};

/* ---- relay ---- */

static void send_relay(struct ipc_out *o)
{
	if (me.relay == NULL)
		ipc_out_clear(o);
	else if (ipc_chan_send(me.relay, o) != 0)
		log_warn(NULL, "judge", "cannot-answer to=relay");
}

/* What was changed here concerns these; two of them are anybody. */
static void changed_here(const char *whose)
{
	uint64_t v = store_version(me.store);

	if (v == me.known_version)
		return;
	if (store_version_others(me.known_version, v))
		whose = "";
	if (me.known_version == me.seen_version || strcmp(me.concerns, JUDGE_NOBODY) == 0)
		snprintf(me.concerns, sizeof(me.concerns), "%s", whose);
	else if (strcmp(whose, JUDGE_NOBODY) != 0 && strcmp(whose, me.concerns) != 0)
		me.concerns[0] = '\0';
	me.known_version = v;
}

/* A statement may have made somebody believed from now on: false when none did. */
static bool changed_by_statement(void)
{
	char domain[256];

	if (!judge_cache_changed_take(me.world.cache, domain))
		return false;
	changed_here(domain);
	return true;
}

/* What was written here changes nothing that anybody was told: whom a partner's certificate was believed by. Told all
 * the same, the first mail to each new partner would make the relay forget everything. */
static void noted_here(void)
{
	uint64_t v = store_version(me.store);

	if (v == me.known_version)
		return;
	if (store_version_others(me.known_version, v)) {
		changed_here("");
		return;
	}
	if (me.seen_version == me.known_version)
		me.seen_version = v;
	me.known_version = v;
}

/* What another process changed meanwhile may concern anybody. */
static void changed_elsewhere(void)
{
	if (store_version(me.store) == me.known_version)
		return;
	me.known_version = store_version(me.store);
	me.concerns[0] = '\0';
}

static void answer_resolve(struct ipc_in *in, struct source_run *run)
{
	struct judge_resolve rq;
	struct judge_verdict *v = mem_new(sizeof(*v));
	struct arena *a = arena_new(ANSWER_MEMORY);
	struct ipc_out o;

	REQUIRE(judge_resolve_get(in, &rq) == 0);

	uint64_t revocations = judge_cache_revocations(me.world.cache);
	int rc;

	changed_elsewhere();
	rc = judge_resolve(me.store, &me.world, run, &rq, time(NULL), a, v);
	/* what was found to be revoked concerns others, too */
	if (revocations != judge_cache_revocations(me.world.cache))
		changed_here("");
	else if (!changed_by_statement())
		noted_here();

	if (run->pending == 0) {
		if (rc != 0)
			log_warn(NULL, "judge", "uncertain trace=%s from=<%s> to=<%s> why=\"%s\"", v->trace,
			    rq.sender, rq.recipient, v->pr.text);
		ipc_out_init(&o, JUDGE_VERDICT, in->id);
		judge_verdict_put(&o, v);
		send_relay(&o);
	}
	arena_free(a);
	free(v);
}

static void answer_identities(uint32_t id)
{
	struct judge_identity_list *l = mem_new(sizeof(*l));
	size_t at = 0;
	bool more = true;

	judge_cache_begin(me.world.cache, me.store);
	while (more) {
		struct arena *a = arena_new(ANSWER_MEMORY);
		struct problem pr = {0};
		struct ipc_out o;

		if (judge_identities(me.world.cache, me.store, &at, a, l, &pr) != 0) {
			log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
			arena_free(a);
			break;
		}
		more = l->more;
		ipc_out_init(&o, JUDGE_IDENTITY_LIST, id);
		judge_identity_list_put(&o, l);
		send_relay(&o);
		arena_free(a);
	}
	free(l);
}

static void answer_signers(struct ipc_in *in, struct source_run *run)
{
	struct judge_signers *rq = mem_new(sizeof(*rq));
	struct judge_trust *t = mem_new(sizeof(*t));
	struct arena *a = arena_new(ANSWER_MEMORY);
	struct ipc_out o;

	REQUIRE(judge_signers_get(in, a, rq) == 0);
	judge_signers(me.store, &me.world, run, rq, time(NULL), a, t);
	if (run->pending == 0) {
		changed_elsewhere();
		if (rq->n > 0) {
			judge_learn(me.store, &me.world, rq, t, time(NULL));
			judge_harvest(me.store, &me.world, run, rq, t, time(NULL));
		}
		changed_here(JUDGE_NOBODY); /* how mail is written changes, not who is believed */
		ipc_out_init(&o, JUDGE_TRUST, in->id);
		judge_trust_put(&o, t);
		send_relay(&o);
	}
	arena_free(a);
	free(rq);
	free(t);
}

static void take_statement(struct ipc_in *in, struct source_run *run)
{
	changed_elsewhere();
	judge_xsmg_relay_came_packet(&me.world, me.store, run, in, time(NULL));
	if (!changed_by_statement())
		changed_here(JUDGE_NOBODY);
}

static void run_relay(void *question, struct source_run *run)
{
	struct relay_question *q = question;
	struct ipc_in in = {.type = q->type, .id = q->id, .p = q->p, .n = q->n};

	if (q->type == JUDGE_RESOLVE)
		answer_resolve(&in, run);
	else if (q->type == JUDGE_STATEMENT_CAME)
		take_statement(&in, run);
	else
		answer_signers(&in, run);
}

/* Whose certificates it is about; "" when it cannot be read. */
static void whom_of(const struct relay_question *q, char domain[256])
{
	struct ipc_in in = {.type = q->type, .id = q->id, .p = q->p, .n = q->n};
	struct judge_signers *s = mem_new(sizeof(*s));
	struct arena *a = arena_new(ANSWER_MEMORY);
	struct judge_statement_came c;
	struct judge_resolve r;
	const char *who = "", *at;

	if (q->type == JUDGE_STATEMENT_CAME && judge_statement_came_get(&in, a, &c) == 0)
		who = c.domain;
	else if (q->type == JUDGE_RESOLVE && judge_resolve_get(&in, &r) == 0)
		who = r.recipient;
	else if (q->type == JUDGE_SIGNERS && judge_signers_get(&in, a, s) == 0)
		who = s->from;
	else
		log_fatal("the relay's question cannot be read");
	at = strrchr(who, '@');
	(void)snprintf(domain, 256, "%s", at == NULL ? who : at + 1);
	arena_free(a);
	free(s);
}

static void ask_relay(struct ipc_in *in)
{
	static const struct judge_park_ops ops = {run_relay, free};
	struct relay_question *q = mem_new(sizeof(*q) + in->n);
	char whom[256];

	q->type = in->type;
	q->id = in->id;
	q->n = in->n;
	if (in->n > 0)
		memcpy(q->p, in->p, in->n);
	whom_of(q, whom);
	judge_park_ask(judge_scout_park(me.scout), &ops, q, sizeof(*q) + q->n, &me.relay, whom, me.find->timeout);
}

/* The relay keeps in mind what it noted, and would not say it again. */
static void forget_note(void)
{
	struct ipc_out o;

	ipc_out_init(&o, JUDGE_CHANGED, 0);
	judge_changed_put(&o, JUDGE_NOBODY);
	send_relay(&o);
}

static void note_seen(struct ipc_in *in)
{
	char domain[256];
	struct problem pr = {0};

	if (judge_seen_get(in, domain) != 0)
		log_fatal("the relay's note cannot be read");
	changed_elsewhere();
	if (judge_xsmg_use_left(me.store, domain, time(NULL))) {
		log_info(NULL, "judge", "not-bound of=%s why=\"it withdrew its statement just now\"", domain);
		forget_note();
		return;
	}
	if (store_seen_protected(me.store, domain, time(NULL), &pr) != 0)
		log_error(NULL, "judge", "alarm=store why=\"%s\"", pr.text);
	changed_here(JUDGE_NOBODY); /* it binds us, and makes nobody believed */
}

static void answer_xsmg(struct ipc_in *in)
{
	struct ipc_out o;

	changed_elsewhere();
	if (judge_xsmg_relay_packet(&me.world, me.store, in, time(NULL), &o))
		send_relay(&o);
	changed_here(JUDGE_NOBODY);
}

static void from_relay(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	(void)ctx;
	(void)c;
	switch (in->type) {
	case JUDGE_RESOLVE:
	case JUDGE_SIGNERS:
	case JUDGE_STATEMENT_CAME:
		ask_relay(in);
		break;
	case JUDGE_STATEMENT_GET:
	case JUDGE_XSMG_DUE:
	case JUDGE_XSMG_NOTE:
		answer_xsmg(in);
		break;
	case JUDGE_IDENTITIES:
		answer_identities(in->id);
		break;
	case JUDGE_SEEN:
		note_seen(in);
		break;
	default:
		log_fatal("the relay sent a message of unknown type %u", in->type);
	}
}

/* The store changed, by a verb or by another process: everybody forgets what he was told. */
static void look(void *ctx)
{
	uint64_t v = store_version(me.store);
	struct ipc_out o;

	(void)ctx;
	loop_timer_set(me.look, LOOK_MS);
	if (v == me.seen_version)
		return;
	if (me.shown != NULL)
		judge_public_look(me.shown, time(NULL));
	changed_elsewhere();
	me.seen_version = me.known_version = v;
	ipc_out_init(&o, JUDGE_CHANGED, 0);
	judge_changed_put(&o, me.concerns);
	send_relay(&o);
}

static void tended(bool keys_changed)
{
	changed_here(keys_changed ? "" : JUDGE_NOBODY);
	look(NULL);
}

/* ---- admin ---- */

static void reply_admin(uint32_t id, const struct admin_reply *rp)
{
	struct ipc_out o;
	int made;

	ipc_out_init(&o, ADMIN_PROTO_REPLY, id);
	if (admin_reply_put(&o, rp, &made) != 0 || me.admin == NULL || ipc_chan_send(me.admin, &o) != 0)
		log_warn(NULL, "judge", "cannot-answer to=admin");
	ipc_out_clear(&o);
	if (made >= 0)
		close(made);
}

static void run_admin(void *question, struct source_run *run)
{
	struct admin_question *q = question;
	struct admin_reply rp = {0};
	int fd = -1;
	uint64_t revocations = judge_cache_revocations(me.world.cache);

	changed_elsewhere();
	rp.text = judge_admin(&me.verbs, run, q->rq.text, q->rq.who, &fd);
	if (run->pending == 0) {
		changed_here(revocations == judge_cache_revocations(me.world.cache) ? me.verbs.concerns : "");
		look(NULL);		/* the relay hears of a change before the admin hears that it is made */
		if (fd >= 0 && !q->web) /* no descriptor goes to the web */
			rp.fds[rp.nfds++] = fd;
		if (q->web)
			judge_web_reply(me.web, q->id, rp.text);
		else
			reply_admin(q->id, &rp);
	}
	if (fd >= 0)
		close(fd);
	free(rp.text);
}

static void free_admin(void *question)
{
	struct admin_question *q = question;

	mem_free_secret(q->rq.text, strlen(q->rq.text)); /* may have held a key on its way to the keeper */
	free(q);
}

static const struct judge_park_ops admin_park = {run_admin, free_admin};

static void run_web(uint32_t id, char *text, const char *who)
{
	struct admin_question *q = mem_new(sizeof(*q));

	q->id = id;
	q->web = true;
	q->rq.text = text;
	(void)snprintf(q->rq.who, sizeof(q->rq.who), "%s", who);
	judge_park_ask(judge_scout_park(me.scout), &admin_park, q, sizeof(*q) + strlen(text), &me.web, "web",
	    me.find->admin_timeout);
}

static void from_web(uint32_t id, char *text, const char *who)
{
	if (!judge_opener_take(me.opener, id, text, who))
		run_web(id, text, who);
}

static void opener_reply(uint32_t id, char *text)
{
	judge_web_reply(me.web, id, text);
}

static void opener_ask(void)
{
	struct ipc_out o;

	ipc_out_init(&o, CONTROL_OPENER, 0);
	child_tell(me.child, &o);
}

static const struct judge_opener_ops opener_ops = {opener_ask, opener_reply, run_web};

static void web_gone(void)
{
	judge_opener_drop(me.opener);
	judge_park_drop(judge_scout_park(me.scout), &me.web);
}

static void from_admin(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct admin_question *q = mem_new(sizeof(*q));

	(void)ctx;
	(void)c;
	q->id = in->id;
	if (in->type != ADMIN_PROTO_REQUEST || admin_request_get(in, &q->rq) != 0)
		log_fatal("the admin process sent a request that cannot be read");
	judge_park_ask(judge_scout_park(me.scout), &admin_park, q, sizeof(*q) + strlen(q->rq.text), &me.admin,
	    "admin", me.find->admin_timeout);
}

static void relay_gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	me.relay = NULL;
	judge_park_drop(judge_scout_park(me.scout), &me.relay);
}

static void admin_gone(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)ctx;
	(void)why;
	ipc_chan_free(c);
	me.admin = NULL;
	judge_park_drop(judge_scout_park(me.scout), &me.admin);
}

static const struct judge_web_ops web_ops = {from_web, web_gone};
static const struct ipc_chan_ops relay_ops = {from_relay, relay_gone}, admin_ops = {from_admin, admin_gone};

static void channel(struct ipc_chan **place, int *given, int fd, const struct ipc_chan_ops *ops)
{
	if (me.loop == NULL) {
		if (*given >= 0)
			close(*given);
		*given = fd;
		return;
	}
	ipc_chan_free(*place);
	judge_park_drop(judge_scout_park(me.scout), place);
	*place = ipc_chan_new(me.loop, fd, ops, NULL);
}

static void scout_channel(int fd)
{
	if (me.scout != NULL)
		judge_scout_channel(me.scout, fd);
	else
		me.scout_fd = fd;
}

static void public_channel(int fd)
{
	if (me.shown != NULL) {
		judge_public_channel(me.shown, fd);
		return;
	}
	if (me.public_fd >= 0)
		close(me.public_fd);
	me.public_fd = fd;
}

static void web_channel(int fd)
{
	if (me.web != NULL) {
		judge_web_channel(me.web, fd);
		return;
	}
	if (me.web_fd >= 0)
		close(me.web_fd);
	me.web_fd = fd;
}

static void peer(const struct control_peer *p)
{
	if (p->role == ROLE_RELAY)
		channel(&me.relay, &me.relay_fd, p->fd, &relay_ops);
	else if (p->role == ROLE_ADMIN)
		channel(&me.admin, &me.admin_fd, p->fd, &admin_ops);
	else if (p->role == ROLE_SCOUT)
		scout_channel(p->fd);
	else if (p->role == ROLE_PUBLIC)
		public_channel(p->fd);
	else if (p->role == ROLE_WEB)
		web_channel(p->fd);
	else if (p->role == ROLE_OPENER && me.opener != NULL)
		judge_opener_channel(me.opener, p->fd);
	else if (p->role == ROLE_OPENER) /* an earlier judge asked for it */
		close(p->fd);
	else if (p->role == ROLE_KEEPER && me.keys == NULL)
		me.keys = keys_client_new(p->fd);
	else if (p->role == ROLE_KEEPER)
		keys_client_replace(me.keys, p->fd);
	else
		log_fatal("the parent connected a role that has no business here");
}

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;
	struct control_file file;

	(void)c;
	if (in->type == CONTROL_STOP) {
		loop_stop(me.loop);
		return 0;
	}
	if (in->type == CONTROL_PERMIT_KEY) {
		if (control_file_get(in, &file) != 0)
			return -1;
		permit_key(file.p, file.n);
		return 0;
	}
	if (in->type == CONTROL_STATUS_REPLY) {
		if (control_file_get(in, &file) != 0)
			return -1;
		free(me.verbs.processes);
		me.verbs.processes = mem_raw(file.n + 1);
		memcpy(me.verbs.processes, file.p, file.n);
		me.verbs.processes[file.n] = '\0';
		return 0;
	}
	if (in->type != CONTROL_PEER || control_peer_get(in, &p) != 0)
		return -1;
	peer(&p);
	me.verbs.keys = me.keys;
	return 0;
}

/* ---- start ---- */

static void fetched(void)
{
	if (!changed_by_statement())
		changed_here(JUDGE_NOBODY);
}

static void tend(const struct conf *conf)
{
	static struct statement_settings set;
	const struct smtpd_settings *server = conf_section(conf, "smtp-server");

	set = *(const struct statement_settings *)conf_section(conf, "statement");
	if (!conf_top(conf)->xsmg)
		return;
	me.world.own = judge_xsmg_own_new(&me.world, me.store, &set, &me.keys, (uint64_t)server->message_max);
	judge_conf_served(conf, me.world.own, &set);
	(void)judge_xsmg_tend_new(me.loop, me.world.own, me.store, &set, tended);
}

static int run(struct child *c)
{
	const struct trust_settings *trust;
	const struct web_settings *web;
	struct problem pr = {0};
	struct sandbox s = {.net = SANDBOX_NET_NONE, .rw_dirs = {me.dir}};

	snprintf(me.dir, sizeof(me.dir), "%s/store", conf_top(c->conf)->data_directory);
	me.store = store_open(me.dir, &pr);
	if (me.store == NULL)
		log_fatal("%s", pr.text);
	judge_conf_world(c->conf, &me.world, &me.believing);
	me.verbs = (struct judge_admin){.store = me.store, .world = &me.world, .keys = me.keys, .directory = me.dir};
	if (me.keys != NULL)
		keys_client_timeout(me.keys, KEEPER_MS);
	me.loop = loop_new();
	me.find = conf_section(c->conf, "find");
	me.scout = judge_scout_new(me.loop, me.find);
	me.verbs.scout = me.scout;
	web = conf_section(c->conf, "web");
	trust = conf_section(c->conf, "trust");
	me.verbs.two_person = (int)trust->two_person;
	me.verbs.two_person_expiry = trust->two_person_expiry / 1000;
	me.verbs.session_idle = web->session_idle / 1000;
	me.verbs.session_max = web->session_max / 1000;
	me.child = c;
	me.opener = judge_opener_new(me.loop, &opener_ops);
	me.verbs.mass = judge_mass_new(me.loop, &me.world, me.store, (size_t)trust->import_max, NULL);
	child_control(c, me.loop, &proc_judge_role);
	json_object_seed(0); /* opens a file */
	child_sandbox(c, &s);
	if (me.scout_fd >= 0)
		judge_scout_channel(me.scout, me.scout_fd);
	if (me.relay_fd >= 0)
		me.relay = ipc_chan_new(me.loop, me.relay_fd, &relay_ops, NULL);
	if (me.admin_fd >= 0)
		me.admin = ipc_chan_new(me.loop, me.admin_fd, &admin_ops, NULL);
	me.seen_version = me.known_version = store_version(me.store);
	me.look = loop_timer_new(me.loop, look, NULL);
	loop_timer_set(me.look, LOOK_MS);
	(void)judge_chores_new(me.loop, &me.world, me.store, judge_scout_park(me.scout), &me.keys);
	me.world.fetch = judge_xsmg_fetch_new(
	    me.loop, &me.world, me.store, judge_scout_park(me.scout), changed_elsewhere, fetched);
	(void)judge_xsmg_daily_new(
	    me.loop, &me.world, me.store, judge_scout_park(me.scout), changed_elsewhere, fetched);
	tend(c->conf);
	me.shown = judge_public_new(me.loop, &me.world, me.store, public_settings_host(c->conf), me.public_fd);
	me.web = judge_web_new(me.loop, &me.verbs, &web_ops, me.web_fd);
	child_ready(c);
	loop_run(me.loop);
	store_close(me.store);
	return 0;
}

const struct child_role proc_judge_role = {message, run};
