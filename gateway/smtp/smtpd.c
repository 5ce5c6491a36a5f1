/*
 * The SMTP server session: the table of verbs, who reads what comes, time, greeting and end. Role relay. RFC 5321,
 * 2920 (replies in order, commands behind one that waits for its answer wait too), 2034. The verbs are in
 * smtpd_<verb>.c; opinions about mail are the application's.
 *
 * All work is done in rounds (work()) that the loop starts: octets came, output drained, the application answered,
 * time is up. One command is done at a time; its state is checked when its turn comes, not when it was read.
 */
#include "gateway/smtp/smtpd.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/lex.h"
#include "gateway/smtp/smtpd_bdat.h"
#include "gateway/smtp/smtpd_content.h"
#include "gateway/smtp/smtpd_data.h"
#include "gateway/smtp/smtpd_ehlo.h"
#include "gateway/smtp/smtpd_help.h"
#include "gateway/smtp/smtpd_mail.h"
#include "gateway/smtp/smtpd_noop.h"
#include "gateway/smtp/smtpd_proxy.h"
#include "gateway/smtp/smtpd_quit.h"
#include "gateway/smtp/smtpd_rcpt.h"
#include "gateway/smtp/smtpd_reply.h"
#include "gateway/smtp/smtpd_rset.h"
#include "gateway/smtp/smtpd_session.h"
#include "gateway/smtp/smtpd_starttls.h"
#include "gateway/smtp/smtpd_unknown.h"
#include "gateway/smtp/smtpd_vrfy.h"
#include "gateway/smtp/smtpd_xsmg.h"

enum {
	INPUT_MAX = 64 * 1024,
	SKIPPED_MAX = 64 * 1024, /* of one command line without end */
	ROUND_MAX = 256,	 /* commands or pieces of content until others have their turn */
	LINGER_MS = 5000,
	LATE_MS = 10 * 60 * 1000, /* for a commit that has begun: as long as a client waits (RFC 5321 4.5.3.2.6) */
};

enum { NEEDS_TLS = 1, NEEDS_HELO = 2, NEEDS_MAIL = 4, NO_MAIL = 8 };

struct verb {
	const char *name;
	void (*fn)(struct smtpd *s, const char *arg, size_t n);
	unsigned flags;
};

static const struct verb verbs[] = {
    {"EHLO", smtpd_ehlo, 0},
    {"HELO", smtpd_ehlo_helo, 0},
    {"MAIL", smtpd_mail, NEEDS_TLS | NEEDS_HELO | NO_MAIL},
    {"RCPT", smtpd_rcpt, NEEDS_TLS | NEEDS_HELO | NEEDS_MAIL},
    {"DATA", smtpd_data, 0}, /* checks by itself: what follows a refused one is special */
    {"BDAT", smtpd_bdat, 0}, /* checks by itself: a chunk follows whatever is said */
    {"RSET", smtpd_rset, 0},
    {"NOOP", smtpd_noop, 0},
    {"QUIT", smtpd_quit, 0},
    {"VRFY", smtpd_vrfy, NEEDS_TLS},
    {"HELP", smtpd_help, 0},
    {"STARTTLS", smtpd_starttls, 0},
    {"XSMG", smtpd_xsmg, 0}, /* checks by itself: not everywhere known */
    {"EXPN", smtpd_unknown_known, 0},
    {"TURN", smtpd_unknown_known, 0},
    {"ETRN", smtpd_unknown_known, 0},
    {"SEND", smtpd_unknown_known, 0},
    {"SOML", smtpd_unknown_known, 0},
    {"SAML", smtpd_unknown_known, 0},
    {"AUTH", smtpd_unknown_known, 0},
    {"GET", smtpd_unknown_http, 0},
    {"POST", smtpd_unknown_http, 0},
    {"PUT", smtpd_unknown_http, 0},
    {"HEAD", smtpd_unknown_http, 0},
    {"OPTIONS", smtpd_unknown_http, 0},
    {"CONNECT", smtpd_unknown_http, 0},
};

static const struct verb *find_verb(const char *p, size_t n)
{
	static const struct verb unknown = {"", smtpd_unknown, 0};

	for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
		if (lex_same(p, n, verbs[i].name))
			return &verbs[i];
	}
	return &unknown;
}

/* Answers and returns false when the session is not where the verb may stand. */
static bool in_order(struct smtpd *s, unsigned flags)
{
	if ((flags & NEEDS_TLS) && s->ls->tls_required && !conn_is_tls(s->conn))
		smtpd_session_error(s, 530, "5.7.0", "STARTTLS must come first."); /* RFC 3207 4 */
	else if ((flags & NEEDS_HELO) && !s->greeted)
		smtpd_session_error(s, 503, "5.5.1", "EHLO or HELO must come first.");
	else if ((flags & NEEDS_MAIL) && !s->mail_ok)
		smtpd_session_error(s, 503, "5.5.1", "MAIL must come first.");
	else if ((flags & NO_MAIL) && s->in_mail)
		smtpd_session_error(s, 503, "5.5.1", "A transaction is under way; RSET ends it.");
	else
		return true;
	return false;
}

static void dispatch(struct smtpd *s, const char *p, size_t n)
{
	const char *blank = n ? memchr(p, ' ', n) : NULL;
	size_t len = blank ? (size_t)(blank - p) : n;
	const struct verb *v = find_verb(p, len);

	p += len;
	n -= len;
	while (n > 0 && *p == ' ') {
		p++;
		n--;
	}
	if (in_order(s, v->flags))
		v->fn(s, p, n);
}

/* Ends a session that has gone on too long in either way. */
static bool worn_out(struct smtpd *s)
{
	if (++s->commands > s->set->commands_max)
		smtpd_session_bye(s, 421, "4.7.0", "Too many commands without a message, closing the connection.",
		    "too many commands");
	else if (!s->in_mail && loop_now_ms() - s->began > s->set->session_max)
		smtpd_session_bye(
		    s, 421, "4.3.2", "The session has lasted long enough; connect again.", "session too long");
	return s->phase == SMTPD_CLOSING;
}

static bool step_command(struct smtpd *s)
{
	const struct buf *in = conn_in(s->conn);
	struct smtpd_line_got got;
	size_t n = in->len - s->off;

	if (n == 0)
		return false;

	int r = smtpd_line_take(&s->line, in->p + s->off, n, (size_t)s->set->command_line_max, &got);

	s->off += got.used;
	if (r == 0) {
		if (s->line.skipped > SKIPPED_MAX)
			smtpd_session_bye(
			    s, 421, "4.7.0", "A command line without end, closing the connection.", "endless line");
		return false;
	}
	if (worn_out(s))
		return true;
	if (r < 0)
		smtpd_session_error(s, 500, "5.5.2", got.why);
	else
		dispatch(s, got.p, got.n);
	if (!s->wait)
		s->since = loop_now_ms();
	return true;
}

/* ---- before the first command ---- */

/* RFC 5321 3.1, 4.3.1: a client waits for the greeting; programs that only pour out mail do not. */
static bool speaks_early(const struct smtpd *s)
{
	char c;

	return conn_in(s->conn)->len > s->off || recv(conn_fd(s->conn), &c, 1, MSG_PEEK | MSG_DONTWAIT) > 0;
}

static void refuse_early(struct smtpd *s)
{
	smtpd_session_bye(s, 554, "5.5.1", "You spoke before you were greeted; this server is not for you.",
	    "spoke before the greeting");
	if (s->client)
		smtpd_client_count(s->client, SMTPD_RATE_ERRORS, loop_now_ms());
}

static void greet(struct smtpd *s)
{
	char text[300];

	s->phase = SMTPD_COMMAND;
	s->since = loop_now_ms();
	snprintf(text, sizeof text, "%s ESMTP Postern", s->ls->hostname);
	smtpd_session_say(s, 220, "", text);
}

/* RFC 5321 3.1: 220, or 554, or 421 (4.2.3); RFC 2034 4: without enhanced codes. */
static void welcome(struct smtpd *s)
{
	struct problem pr = {0};
	char text[sizeof pr.text + 300];

	s->phase = SMTPD_GREETING;
	s->since = s->progress = loop_now_ms();
	s->known = true;
	if (s->ls->ops->connected(s->ls->app, s, &pr) < 0) {
		snprintf(text, sizeof text, "%s %s", s->ls->hostname, pr.text);
		smtpd_session_bye(s, smtpd_reply_code(&pr) < 500 ? 421 : 554, "", text, "refused");
	} else if (s->ls->side == SMTPD_OUTSIDE && speaks_early(s)) {
		refuse_early(s);
	} else if (s->ls->side == SMTPD_INSIDE || s->set->greeting_delay == 0) {
		greet(s);
	}
}

static bool step_greeting(struct smtpd *s)
{
	if (speaks_early(s))
		refuse_early(s);
	return false;
}

static bool step_proxy(struct smtpd *s)
{
	const struct buf *in = conn_in(s->conn);
	struct smtpd_proxy proxy;
	int r = smtpd_proxy_parse(in->p + s->off, in->len - s->off, &proxy);

	if (r == 0)
		return false;
	if (r < 0) {
		log_warn(s->id, "smtpd", "proxy-refused balancer=%s why=\"%s\"", s->peer, proxy.why);
		smtpd_session_bye(s, 554, "5.5.1", proxy.why, "no PROXY header");
		return false;
	}
	s->off += proxy.used;
	if (!proxy.local) {
		log_info(s->id, "smtpd", "proxied balancer=%s client=%s port=%u", s->peer, proxy.peer, proxy.port);
		snprintf(s->peer, sizeof s->peer, "%s", proxy.peer);
	}
	welcome(s);
	return true;
}

static bool step_nothing(struct smtpd *s)
{
	(void)s;
	return false;
}

static bool (*const steps[SMTPD_PHASES])(struct smtpd *s) = {
    [SMTPD_PROXY] = step_proxy,
    [SMTPD_GREETING] = step_greeting,
    [SMTPD_COMMAND] = step_command,
    [SMTPD_CONTENT] = smtpd_data_content,
    [SMTPD_CHUNK] = smtpd_bdat_content,
    [SMTPD_STATEMENT] = smtpd_xsmg_content,
    [SMTPD_HANDSHAKE] = step_nothing,
    [SMTPD_CLOSING] = step_nothing,
};

/* A message handed over still gets its answer; everything else is worth nothing before its 250. */
static void stop(struct smtpd *s)
{
	if (s->wait == SMTPD_WAIT_END)
		return;
	if (s->phase == SMTPD_HANDSHAKE) {
		snprintf(s->why, sizeof s->why, "shutdown");
		s->gone = true; /* there are no words for it inside a handshake */
		s->phase = SMTPD_CLOSING;
	}
	smtpd_session_bye(s, 421, "4.3.2", "The service is being shut down; try again later.", "shutdown");
}

/* One thing done: returns whether there may be another. */
static bool step(struct smtpd *s)
{
	if (s->over)
		smtpd_session_end_mail(s);
	if (s->xsmg_over)
		smtpd_session_end_xsmg(s);
	if (s->stopping)
		stop(s);
	if (s->wait || s->stuffed)
		return false;
	return steps[s->phase](s);
}

/* Several replies share a packet while the commands of a group wait for their answers one after another (RFC
 * 2920 3.2). */
static void cork(struct smtpd *s)
{
	bool group = s->wait != SMTPD_WAIT_NONE && s->wait != SMTPD_WAIT_END;

	conn_cork(s->conn, group && conn_in(s->conn)->len > 0);
}

static void process(struct smtpd *s)
{
	int left = ROUND_MAX;

	s->busy = true;
	while (s->phase != SMTPD_CLOSING && step(s)) {
		if (--left == 0) {
			conn_again(s->conn);
			break;
		}
	}
	s->busy = false;
	if (s->phase == SMTPD_CLOSING)
		return;
	buf_drop(conn_in(s->conn), s->off);
	s->off = 0;
	cork(s);
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

/* For who is waited for: the client. A slow one holds its session until then and no longer. */
static int64_t client_deadline(const struct smtpd *s)
{
	int64_t d = s->since + (s->phase == SMTPD_HANDSHAKE ? s->set->tls_timeout : s->set->command_timeout);

	if (s->chunked) /* between two chunks of one message */
		d = least(d, s->data_began + s->set->data_deadline);
	if (smtpd_session_busy(s))
		d = least(d, s->progress + s->set->busy_timeout);
	return d;
}

static int64_t deadline(const struct smtpd *s)
{
	if (s->phase == SMTPD_PROXY)
		return s->since + s->set->proxy_timeout;
	if (s->phase == SMTPD_GREETING)
		return s->since + s->set->greeting_delay;
	if (s->phase == SMTPD_CONTENT || s->phase == SMTPD_CHUNK)
		return smtpd_content_deadline(s);
	if (s->phase == SMTPD_STATEMENT && !s->wait)
		return s->data_began + s->set->xsmg_timeout;
	if (s->wait == SMTPD_WAIT_XSMG)
		return s->since + s->set->xsmg_deadline;
	if (s->wait == SMTPD_WAIT_END)
		return s->since + (s->late ? LATE_MS : s->set->end_deadline);
	if (s->wait)
		return s->since + s->set->answer_deadline;
	return client_deadline(s);
}

/* The timer is only set when it would ring too late; one that rings early looks again. */
static void arm(struct smtpd *s)
{
	int64_t d = deadline(s), ms = d - loop_now_ms();

	if (s->armed_for && s->armed_for <= d)
		return;
	s->armed_for = d;
	loop_timer_set(s->timer, ms > 0 ? ms : 0);
}

/* The last call of all: s is gone afterwards. */
static void finish(struct smtpd *s)
{
	const struct smtpd_listener *ls = s->ls;

	smtpd_session_end_mail(s);
	smtpd_session_end_xsmg(s);
	log_info(s->id, "smtpd", "disconnect listener=%s client=%s helo=%s mails=%lld errors=%lld why=\"%s\"",
	    ls->name, s->peer, s->helo[0] ? s->helo : "-", (long long)s->mails, (long long)s->errors, s->why);
	if (s->known)
		ls->ops->closed(ls->app, s);
	loop_timer_free(s->timer);
	if (s->gone)
		conn_free(s->conn);
	else
		conn_linger(s->conn, LINGER_MS);
	free(s);
}

static void work(struct smtpd *s)
{
	process(s);
	if (s->phase == SMTPD_CLOSING)
		finish(s);
	else
		arm(s);
}

/* RFC 5321 4.5.3.2; who is waited for decides what is said. */
static void time_out(struct smtpd *s)
{
	if (s->wait == SMTPD_WAIT_END && s->late) { /* 451 or 250 would be a guess; who gets neither sends again */
		smtpd_session_bye(
		    s, 421, "4.3.0", "The message may have been stored; no answer in time.", "commit without end");
		return;
	}
	if (s->wait == SMTPD_WAIT_END && s->ls->ops->late != NULL && !s->ls->ops->late(s->ls->app, s)) {
		log_warn(s->id, "smtpd", "end-deadline client=%s waiting=\"it is being stored\"", s->peer);
		s->late = true;
		return;
	}
	if (s->wait == SMTPD_WAIT_END) {
		log_warn(s->id, "smtpd", "end-deadline client=%s", s->peer);
		smtpd_session_say(s, 451, "4.3.0", "No decision on the message in time; try again later.");
		s->since = loop_now_ms();
		smtpd_session_end_mail(s);
		return;
	}
	if (s->wait == SMTPD_WAIT_XSMG || s->phase == SMTPD_STATEMENT) {
		smtpd_xsmg_time_out(s);
		return;
	}
	if (s->wait)
		smtpd_session_bye(s, 421, "4.3.0", "No decision in time; try again later.", "answer deadline");
	else if (s->phase == SMTPD_CONTENT || s->phase == SMTPD_CHUNK)
		smtpd_session_bye(
		    s, 421, "4.4.2", "The message comes too slowly, closing the connection.", "message too slow");
	else if (s->phase == SMTPD_COMMAND && smtpd_session_busy(s))
		smtpd_session_bye(s, 421, "4.3.2", "All sessions are in use and this one is idle; try again later.",
		    "idle while sessions are scarce");
	else if (s->phase == SMTPD_COMMAND)
		smtpd_session_bye(s, 421, "4.4.2", "No command in time, closing the connection.", "command timeout");
	else if (s->phase == SMTPD_PROXY)
		smtpd_session_bye(
		    s, 421, "4.4.2", "No PROXY header in time, closing the connection.", "no PROXY header in time");
	else if (s->phase == SMTPD_GREETING)
		greet(s);
	if (s->phase == SMTPD_HANDSHAKE) {
		snprintf(s->why, sizeof s->why, "TLS handshake timeout");
		s->gone = true;
		s->phase = SMTPD_CLOSING;
	}
}

static void on_timer(void *ctx)
{
	struct smtpd *s = ctx;

	s->armed_for = 0;
	if (loop_now_ms() >= deadline(s))
		time_out(s);
	work(s);
}

static void on_input(void *ctx, struct conn *c)
{
	(void)c;
	work(ctx);
}

static void on_drained(void *ctx, struct conn *c)
{
	struct smtpd *s = ctx;

	(void)c;
	s->stuffed = false;
	work(s);
}

static void on_tls(void *ctx, struct conn *c, const char *why)
{
	(void)c;
	smtpd_starttls_done(ctx, why);
	work(ctx);
}

static void on_closed(void *ctx, struct conn *c, const char *why)
{
	struct smtpd *s = ctx;

	(void)c;
	s->gone = true;
	s->phase = SMTPD_CLOSING;
	snprintf(s->why, sizeof s->why, "%s", why);
	finish(s);
}

static const struct conn_ops conn_ops = {
    .on_input = on_input, .on_drained = on_drained, .on_tls = on_tls, .on_closed = on_closed};

static void make_id(struct smtpd *s)
{
	static atomic_uint count;

	snprintf(
	    s->id, sizeof s->id, "%08llx%04x", (unsigned long long)time(NULL), atomic_fetch_add(&count, 1u) & 0xffff);
}

struct smtpd *smtpd_new(struct loop *l, int fd, const struct smtpd_listener *ls)
{
	struct smtpd *s = mem_new(sizeof *s);

	make_id(s);
	s->loop = l;
	s->ls = ls;
	s->set = ls->set;
	s->began = s->since = s->progress = loop_now_ms();
	s->timer = loop_timer_new(l, on_timer, s);
	s->conn = conn_new(l, fd, true, INPUT_MAX, &conn_ops, s);
	snprintf(s->peer, sizeof s->peer, "%s", conn_peer(s->conn));
	smtpd_line_init(&s->line);
	buf_init(&s->content, 0);
	s->phase = SMTPD_PROXY;
	if (!ls->ops->proxied || !ls->ops->proxied(ls->app, s))
		welcome(s);
	if (s->phase == SMTPD_CLOSING)
		conn_again(s->conn);
	else
		arm(s);
	return s;
}

void smtpd_shutdown(struct smtpd *s)
{
	s->stopping = true;
	if (s->phase != SMTPD_HANDSHAKE && !s->gone)
		conn_again(s->conn);
	else
		loop_timer_set(s->timer, 0);
}

void smtpd_hurry(struct smtpd *s)
{
	if (!s->busy && s->phase != SMTPD_CLOSING)
		arm(s);
}

const char *smtpd_id(const struct smtpd *s)
{
	return s->id;
}

const char *smtpd_client(const struct smtpd *s)
{
	return s->peer;
}

const char *smtpd_helo(const struct smtpd *s)
{
	return s->helo;
}

bool smtpd_esmtp(const struct smtpd *s)
{
	return s->esmtp;
}

/* The certificate the client showed: by its hash, for a name in it is whatever its owner wrote there. */
static void client_words(const struct smtpd *s, char *words, size_t cap)
{
	SSL *ssl = conn_ssl(s->conn);
	X509 *x = SSL_get0_peer_certificate(ssl);
	uint8_t hash[EVP_MAX_MD_SIZE];
	char hex[2 * EVP_MAX_MD_SIZE + 1];
	unsigned n = 0;

	if (!x || X509_digest(x, EVP_sha256(), hash, &n) != 1)
		return;
	encode_hex(hash, n, hex);
	snprintf(words, cap, ", client certificate SHA256:%s %s", hex,
	    SSL_get_verify_result(ssl) == X509_V_OK ? "verified" : "not verified");
}

bool smtpd_tls(const struct smtpd *s, char *words, size_t cap)
{
	size_t n;

	conn_tls_words(s->conn, words, cap);
	n = strlen(words);
	if (conn_is_tls(s->conn))
		client_words(s, words + n, cap - n);
	return conn_is_tls(s->conn);
}

bool smtpd_gone(const struct smtpd *s)
{
	return s->gone || conn_gone(s->conn);
}

const struct smtpd_listener *smtpd_where(const struct smtpd *s)
{
	return s->ls;
}

void smtpd_set_client(struct smtpd *s, struct smtpd_client *c)
{
	s->client = c;
}

bool smtpd_limited(const struct smtpd *s)
{
	return s->client != NULL;
}

void smtpd_set_xsmg(struct smtpd *s, void *xsmg)
{
	s->xsmg = xsmg;
}

void *smtpd_xsmg_of(const struct smtpd *s)
{
	return s->xsmg;
}

void smtpd_set_user(struct smtpd *s, void *user)
{
	s->user = user;
}

void *smtpd_user(const struct smtpd *s)
{
	return s->user;
}
