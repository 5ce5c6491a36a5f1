/* The web's requests at the judge, see the header. Role judge. */
#include "gateway/proc/judge_web.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "certstore/admin_proto.h"
#include "certstore/store_session.h"
#include "gateway/base/encode.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/admin_json.h"
#include "gateway/proc/judge_admin_user.h"
#include "gateway/proc/judge_public.h"
#include "gateway/proc/judge_sign_in.h"
#include "gateway/proc/permit.h"
#include "gateway/proc/web_settings.h"

struct judge_web {
	struct loop *loop;
	struct judge_admin *ja;
	const struct judge_web_ops *ops;
	struct ipc_chan *chan;
};

/* NOBODY: without a token or session. "web.*" and "sign-in.*" are answered here. What is not here does not exist for
 * the web: keys and the store never go there. */
static const struct {
	const char *verb;
	enum store_user_role least;
} verbs[] = {
    {"web.alive", STORE_USER_NOBODY},
    {"web.tls", STORE_USER_NOBODY},
    {"sign-in.salt", STORE_USER_NOBODY},
    {"sign-in", STORE_USER_NOBODY},
    {"sign-out", STORE_USER_NOBODY},
    {"web.me", STORE_USER_VIEWER},
    {"web.permit", STORE_USER_VIEWER},
    {"status", STORE_USER_VIEWER},
    {"partner.list", STORE_USER_VIEWER},
    {"partner.show", STORE_USER_VIEWER},
    {"cert.list", STORE_USER_VIEWER},
    {"cert.show", STORE_USER_VIEWER},
    {"statement.pending", STORE_USER_VIEWER},
    {"rule.list", STORE_USER_VIEWER},
    {"anchor.list", STORE_USER_VIEWER},
    {"bundle.list", STORE_USER_VIEWER},
    {"bundle.show", STORE_USER_VIEWER},
    {"domain.list", STORE_USER_VIEWER},
    {"domain.show", STORE_USER_VIEWER},
    {"domain.records", STORE_USER_VIEWER},
    {"explain", STORE_USER_OPERATOR},
    {"lookup", STORE_USER_OPERATOR},
    {"trace", STORE_USER_OPERATOR},
    {"audit.list", STORE_USER_OPERATOR},
    {"audit.verify", STORE_USER_OPERATOR},
    {"partner.add", STORE_USER_TRUST},
    {"partner.set", STORE_USER_TRUST},
    {"partner.remove", STORE_USER_TRUST},
    {"partner.release", STORE_USER_TRUST},
    {"statement.approve", STORE_USER_TRUST},
    {"statement.refuse", STORE_USER_TRUST},
    {"statement.compromised", STORE_USER_TRUST},
    {"statement.set", STORE_USER_TRUST},
    {"statement.fetch", STORE_USER_TRUST},
    {"proposal.list", STORE_USER_VIEWER},
    {"proposal.confirm", STORE_USER_TRUST},
    {"proposal.drop", STORE_USER_TRUST},
    {"cert.preview", STORE_USER_TRUST},
    {"cert.import", STORE_USER_TRUST},
    {"import.begin", STORE_USER_TRUST},
    {"import.list", STORE_USER_TRUST},
    {"import.show", STORE_USER_TRUST},
    {"import.confirm", STORE_USER_TRUST},
    {"import.cancel", STORE_USER_TRUST},
    {"cert.accept", STORE_USER_TRUST},
    {"cert.remove", STORE_USER_TRUST},
    {"anchor.add", STORE_USER_TRUST},
    {"anchor.remove", STORE_USER_TRUST},
    {"bundle.add", STORE_USER_TRUST},
    {"bundle.refresh", STORE_USER_TRUST},
    {"bundle.remove", STORE_USER_TRUST},
    {"rule.add", STORE_USER_TRUST},
    {"rule.set", STORE_USER_TRUST},
    {"rule.remove", STORE_USER_TRUST},
    {"pkcs12.open", STORE_USER_ADMIN},
    {"domain.add", STORE_USER_ADMIN},
    {"domain.tls", STORE_USER_ADMIN},
    {"domain.install", STORE_USER_ADMIN},
    {"domain.rollover", STORE_USER_ADMIN},
    {"domain.retire", STORE_USER_ADMIN},
    {"settings.show", STORE_USER_ADMIN},
    {"user.list", STORE_USER_ADMIN},
    {"user.add", STORE_USER_ADMIN},
    {"user.remove", STORE_USER_ADMIN},
    {"user.token", STORE_USER_ADMIN},
    {"user.revoke", STORE_USER_ADMIN},
    {"user.sign-out", STORE_USER_ADMIN},
    {"user.sessions", STORE_USER_ADMIN},
    {"user.session-end", STORE_USER_ADMIN},
};

/* What the relay may be asked, which has no users: with a permit that is given here. */
static const struct {
	const char *verb;
	enum store_user_role least;
	bool search; /* stands in the audit log */
} relayed[] = {
    {"status", STORE_USER_VIEWER, false},
    {"message.counts", STORE_USER_VIEWER, false},
    {"message.find", STORE_USER_OPERATOR, true},
    {"message.show", STORE_USER_OPERATOR, true},
    {"queue.list", STORE_USER_OPERATOR, false},
    {"queue.show", STORE_USER_OPERATOR, false},
    {"queue.hold", STORE_USER_OPERATOR, false},
    {"queue.release", STORE_USER_OPERATOR, false},
    {"queue.retry", STORE_USER_OPERATOR, false},
    {"queue.delete", STORE_USER_OPERATOR, false},
    {"recipient.check", STORE_USER_OPERATOR, false},
};

/* UNREAD_MAX: octets of answers that wait for the web process before it is given up. */
enum { IDLE = 1800, LONGEST = 12 * 3600, TOUCH = 60, UNREAD_MAX = 16 * 1024 * 1024, CERTS_MAX = 4 * 65536 };

/* Who asks. */
struct asker {
	char user[STORE_USER_NAME_MAX + 1], how[48];
	enum store_user_role role;
	bool session;
};

int judge_web_least(const char *verb, bool relay)
{
	for (size_t i = 0; !relay && i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].verb, verb) == 0)
			return (int)verbs[i].least;
	for (size_t i = 0; relay && i < sizeof relayed / sizeof *relayed; i++)
		if (strcmp(relayed[i].verb, verb) == 0)
			return (int)relayed[i].least;
	return -1;
}

static int64_t clock_of(const struct judge_admin *ja)
{
	return ja->now ? ja->now() : (int64_t)time(NULL);
}

static int by_token(struct judge_admin *ja, const char *token, struct asker *a_r, struct problem *pr)
{
	uint8_t hash[STORE_USER_HASH];
	struct store_user_token t;

	judge_admin_user_hash(token, hash);
	if (store_user_token_find(ja->store, hash, clock_of(ja), &t, pr) < 0)
		return -1;
	memcpy(a_r->user, t.user, sizeof t.user);
	a_r->role = t.role;
	(void)snprintf(a_r->how, sizeof a_r->how, "token %lld", (long long)t.id);
	return 0;
}

void judge_web_over(const struct judge_admin *ja, int64_t *began_r, int64_t *used_r)
{
	int64_t now = clock_of(ja);

	*began_r = now - (ja->session_max ? ja->session_max : LONGEST);
	*used_r = now - (ja->session_idle ? ja->session_idle : IDLE);
}

/* background: a page asked by itself, which keeps no session alive. */
static int by_session(
    struct judge_admin *ja, const char *value, bool background, struct asker *a_r, struct problem *pr)
{
	int64_t now = clock_of(ja), began, used;
	uint8_t hash[STORE_USER_HASH];
	struct store_session n;

	judge_admin_user_hash(value, hash);
	judge_web_over(ja, &began, &used);
	if (store_session_find(ja->store, hash, began, used, &n, pr) < 0)
		return -1;
	memcpy(a_r->user, n.user, sizeof n.user);
	a_r->role = n.role;
	a_r->session = true;
	(void)snprintf(a_r->how, sizeof a_r->how, "session");
	if (n.role != STORE_USER_NOBODY && !background && now - n.used > TOUCH)
		return store_session_touch(ja->store, hash, now, pr);
	return 0;
}

/* NULL, or the reply that refuses. */
static char *look_at(struct judge_admin *ja, const json_t *request, enum store_user_role least, struct asker *a_r)
{
	const char *token = json_string_value(json_object_get(request, "token"));
	const char *session = json_string_value(json_object_get(request, "session"));
	bool background = json_is_true(json_object_get(request, "background"));
	struct problem pr = {0};

	memset(a_r, 0, sizeof *a_r);
	if (least == STORE_USER_NOBODY)
		return NULL;
	if (!token && !session)
		return admin_json_error("unauthorized", "sign in, or send a token (postern user token)");
	if ((token ? by_token(ja, token, a_r, &pr) : by_session(ja, session, background, a_r, &pr)) < 0)
		return admin_json_error("unavailable", pr.text);
	if (a_r->role == STORE_USER_NOBODY)
		return admin_json_error("unauthorized",
		    token ? "the token is unknown, or it has run out" : "the session is over: sign in again");
	if (a_r->role < least)
		return admin_json_error("forbidden",
		    token ? "the token's role does not suffice for this" : "your role does not suffice for this");
	return NULL;
}

static char *me(const struct asker *a)
{
	json_t *o = json_object();

	admin_json_set(o, "user", admin_json_text(a->user));
	admin_json_set(o, "role", admin_json_text(store_user_role_word(a->role)));
	admin_json_set(o, "session", json_boolean(a->session));
	return admin_json_ok(o);
}

static char *sign_out(struct judge_admin *ja, const json_t *request)
{
	const char *session = json_string_value(json_object_get(request, "session"));
	uint8_t hash[STORE_USER_HASH];
	struct problem pr = {0};

	if (session) {
		judge_admin_user_hash(session, hash);
		if (store_session_end(ja->store, hash, &pr) < 0)
			return admin_json_error("unavailable", pr.text);
	}
	return admin_json_ok(json_object());
}

/* A session that the browser had before does not go on. */
static char *sign_in(struct judge_admin *ja, const json_t *request, const char *from)
{
	char *reply = judge_sign_in(ja, json_object_get(request, "args"), from), why[640];
	json_t *data = admin_json_data(reply, why);

	if (data)
		free(sign_out(ja, request));
	json_decref(data);
	return reply;
}

static void name_of(const struct asker *a, const char *from, char who[JUDGE_WEB_WHO])
{
	(void)snprintf(who, JUDGE_WEB_WHO, "%s (%s) from %.40s", a->user, a->how, from);
}

/* NULL, or the reply that says why the search cannot be made. */
static char *audit_search(struct judge_admin *ja, const char *verb, const json_t *args, const char *who)
{
	char *what = json_dumps(args, JSON_COMPACT | JSON_ENCODE_ANY), *text, *reply, why[640], said[900];
	json_t *o = json_pack(
	    "{s:s, s:{s:s, s:s}}", "verb", "message.audit", "args", "what", verb, "search", what ? what : "");
	json_t *data;
	int fd;

	text = o ? json_dumps(o, JSON_COMPACT) : NULL;
	if (!text)
		log_fatal("out of memory: JSON");
	reply = judge_admin(ja, NULL, text, who, &fd);
	data = admin_json_data(reply, why);
	json_decref(o);
	free(what);
	free(text);
	free(reply);
	if (data) {
		json_decref(data);
		return NULL;
	}
	(void)snprintf(said, sizeof said, "the search was not made, because it stands in the audit log: %s", why);
	return admin_json_error("usage", said);
}

static char *permit(struct judge_admin *ja, const json_t *args, const struct asker *a, const char *from)
{
	const char *verb = json_string_value(json_object_get(args, "verb"));
	const json_t *inner = json_object_get(args, "args");
	char who[JUDGE_WEB_WHO], text[PERMIT_TEXT], *refused = NULL;
	size_t i = 0, n = sizeof relayed / sizeof *relayed;
	json_t *o;

	while (verb && i < n && strcmp(relayed[i].verb, verb) != 0)
		i++;
	if (!verb || i == n || !json_is_object(inner))
		return admin_json_error("forbidden", "the web does not ask this");
	if (a->role < relayed[i].least)
		return admin_json_error("forbidden", "your role does not suffice for this");
	name_of(a, from, who);
	if (relayed[i].search)
		refused = audit_search(ja, verb, inner, who);
	if (refused)
		return refused;
	permit_give(verb, inner, who, clock_of(ja), text);
	o = json_object();
	admin_json_set(o, "permit", admin_json_text(text));
	admin_json_set(o, "who", admin_json_text(who));
	return admin_json_ok(o);
}

/* What its own TLS is made of: public. */
static char *tls(struct judge_admin *ja)
{
	const char *host = web_settings_host(ja->world->conf);
	char key_id[KEYS_ID_MAX + 1] = "", *b64;
	struct problem pr = {0};
	json_t *o = json_object();
	struct buf certs;

	buf_init(&certs, CERTS_MAX);
	if (judge_public_tls(ja->world, ja->store, host, clock_of(ja), key_id, &certs, &pr) < 0) {
		buf_clear(&certs);
		json_decref(o);
		return admin_json_error("unavailable", pr.text);
	}
	b64 = mem_new(4 * (certs.len / 3) + 8);
	(void)encode_b64((const uint8_t *)certs.p, certs.len, b64);
	admin_json_set(o, "host", admin_json_text(host));
	admin_json_set(o, "key", admin_json_text(key_id));
	admin_json_set(o, "certificates", admin_json_text(b64));
	free(b64);
	buf_clear(&certs);
	return admin_json_ok(o);
}

static char *own(
    struct judge_admin *ja, const char *verb, const json_t *request, const struct asker *a, const char *from)
{
	const json_t *args = json_object_get(request, "args");

	if (strcmp(verb, "sign-in.salt") == 0)
		return judge_sign_in_salt(ja, args, from);
	if (strcmp(verb, "sign-in") == 0)
		return sign_in(ja, request, from);
	if (strcmp(verb, "sign-out") == 0)
		return sign_out(ja, request);
	if (strcmp(verb, "web.me") == 0)
		return me(a);
	if (strcmp(verb, "web.tls") == 0)
		return tls(ja);
	if (strcmp(verb, "web.permit") == 0)
		return permit(ja, args, a, from);
	return strncmp(verb, "web.", 4) == 0 ? admin_json_ok(json_object()) : NULL;
}

/* What the judge's verbs get of it: without what it was let in by. */
static char *passed_on(json_t *request)
{
	char *text;

	(void)json_object_del(request, "token");
	(void)json_object_del(request, "session");
	(void)json_object_del(request, "background");
	text = json_dumps(request, JSON_COMPACT);
	if (!text)
		log_fatal("out of memory: JSON");
	return text;
}

char *judge_web_look(
    struct judge_admin *ja, const char *request_json, const char *from, char who_r[JUDGE_WEB_WHO], char **text_r)
{
	json_t *request = json_loads(request_json, JSON_REJECT_DUPLICATES, NULL);
	const char *verb = json_string_value(json_object_get(request, "verb"));
	struct asker a;
	char *reply = NULL;

	*text_r = NULL;
	for (size_t i = 0; verb && !reply && !*text_r && i < sizeof verbs / sizeof *verbs; i++)
		if (strcmp(verbs[i].verb, verb) == 0) {
			reply = look_at(ja, request, verbs[i].least, &a);
			if (!reply)
				reply = own(ja, verb, request, &a, from);
			if (!reply) {
				name_of(&a, from, who_r);
				*text_r = passed_on(request);
			}
		}
	json_decref(request);
	return reply || *text_r ? reply : admin_json_error("forbidden", "the web does not ask this");
}

char *judge_web_answer(struct judge_admin *ja, const char *request_json, const char *from)
{
	char who[JUDGE_WEB_WHO], *text, *reply = judge_web_look(ja, request_json, from, who, &text);
	int fd = -1;

	if (text) {
		reply = judge_admin(ja, NULL, text, who, &fd);
		mem_free_secret(text, strlen(text));
	}
	if (fd >= 0) /* no verb of the table gives one */
		(void)close(fd);
	return reply;
}

void judge_web_reply(struct judge_web *w, uint32_t id, char *text)
{
	struct admin_reply rp = {.text = text};
	struct ipc_out o;
	int made = -1;

	if (!w->chan)
		return;
	ipc_out_init(&o, ADMIN_PROTO_REPLY, id);
	if (admin_reply_put(&o, &rp, &made) != 0) {
		ipc_out_clear(&o);
		log_warn(NULL, "judge", "cannot-answer to=web");
	} else if (ipc_chan_send(w->chan, &o) != 0) {
		log_warn(NULL, "judge", "cannot-answer to=web");
	}
	if (made >= 0)
		close(made);
}

/* Stands in the log, in the audit log and in permits. */
static void check_from(char *from)
{
	if (from[0] == '\0' || from[strspn(from, "0123456789abcdefABCDEF.:")] != '\0')
		memcpy(from, "?", 2);
}

static void on_msg(void *ctx, struct ipc_chan *ch, struct ipc_in *in)
{
	struct judge_web *w = ctx;
	struct admin_request rq = {.text = NULL};
	char who[JUDGE_WEB_WHO], *text, *reply;

	if (ipc_chan_waiting(ch) > UNREAD_MAX) {
		log_error(NULL, "judge", "alarm=web why=\"the web process asks and does not read the answers\"");
		ipc_chan_free(w->chan);
		w->chan = NULL;
		w->ops->gone();
		return;
	}
	if (in->type != ADMIN_PROTO_REQUEST || admin_request_get(in, &rq) != 0) {
		/* it speaks to strangers: its end, not ours */
		log_error(NULL, "judge", "alarm=web why=\"the web process sent a request that cannot be read\"");
		ipc_chan_free(w->chan);
		w->chan = NULL;
		w->ops->gone();
		return;
	}
	check_from(rq.who);
	reply = judge_web_look(w->ja, rq.text, rq.who, who, &text);
	mem_free_secret(rq.text, strlen(rq.text));
	if (text)
		w->ops->run(in->id, text, who);
	else
		judge_web_reply(w, in->id, reply);
	if (reply)
		mem_free_secret(reply, strlen(reply)); /* may hold the value of a session */
}

static void on_close(void *ctx, struct ipc_chan *ch, const char *why)
{
	struct judge_web *w = ctx;

	(void)why;
	ipc_chan_free(ch);
	w->chan = NULL;
	w->ops->gone();
}

void judge_web_channel(struct judge_web *w, int fd)
{
	static const struct ipc_chan_ops chan_ops = {on_msg, on_close};

	if (w->chan) {
		ipc_chan_free(w->chan);
		w->ops->gone();
	}
	w->chan = ipc_chan_new(w->loop, fd, &chan_ops, w);
}

struct judge_web *judge_web_new(struct loop *l, struct judge_admin *ja, const struct judge_web_ops *ops, int fd)
{
	struct judge_web *w = mem_new(sizeof *w);

	*w = (struct judge_web){.loop = l, .ja = ja, .ops = ops};
	if (fd >= 0)
		judge_web_channel(w, fd);
	return w;
}
