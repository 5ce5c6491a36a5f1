/*
 * One connection of the SMTP client: connect, greeting, EHLO (HELO), STARTTLS, EHLO again, then mails (smtpc_send.c),
 * QUIT. Role relay. RFC 5321 3, 4.5.3.2; RFC 3207. Which host, and what becomes of mail that did not get through, is
 * the pool's business.
 *
 * Replies are only believed when they are expected: octets that come while no command is outstanding end the
 * connection. Otherwise a server (or someone in between, before TLS) could answer questions before they are asked,
 * and a "250" could be taken for the acceptance of a message that nobody has.
 *
 * Callbacks of conn may end the connection; `depth` keeps the memory until they have returned.
 */
#include "gateway/smtp/smtpc.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/smtp/smtpc_send.h"
#include "gateway/smtp/smtpc_state.h"
#include "gateway/smtp/smtpc_xsmg.h"

enum { IN_MAX = 16 * 1024, LINE_MAX_OUT = 1024 };

static enum smtpc_demand demand(const struct smtpc *c)
{
	return c->tls == SMTPC_TLS_DANE	     ? SMTPC_DEMAND_DANE
	       : c->tls == SMTPC_TLS_VERIFY  ? SMTPC_DEMAND_VERIFIED
	       : c->tls == SMTPC_TLS_ENCRYPT ? SMTPC_DEMAND_TLS
					     : SMTPC_DEMAND_NONE;
}

const char *smtpc_state_id(const struct smtpc *c)
{
	return c->mail ? c->mail->id : NULL;
}

static void release(struct smtpc *c)
{
	loop_timer_free(c->turn);
	smtpc_chat_clear(&c->chat);
	free(c->batch);
	free(c->accepted);
	free(c);
}

static void enter(struct smtpc *c)
{
	c->depth++;
}

static void leave(struct smtpc *c)
{
	if (--c->depth == 0 && c->dead)
		release(c);
}

/* A new ticket may have come any time since the handshake (RFC 8446 4.6.1): so it is kept at the end. */
static void keep_session(struct smtpc *c)
{
	if (c->conn && conn_is_tls(c->conn) && c->state >= SMTPC_READY)
		smtpc_tls_keep(c->sessions, c->session, (int)c->tls, c->ctx, conn_ssl(c->conn));
}

static void close_now(struct smtpc *c)
{
	keep_session(c);
	smtpc_xsmg_end(c);
	conn_free(c->conn);
	c->conn = NULL;
	c->dead = true;
	loop_timer_off(c->turn);
}

void smtpc_state_end(struct smtpc *c, const struct smtpc_trouble *t)
{
	if (c->dead)
		return;
	/* only from inside callbacks, which release it when they return */
	REQUIRE(c->depth > 0);
	if (t)
		log_info(smtpc_state_id(c), "smtpc", "trouble remote=%s dsn=%s why=\"%s\"", c->remote, t->pr.enh,
		    t->pr.text);
	smtpc_xsmg_lost(c, t);
	if (t && c->mail)
		smtpc_send_failed(c, t);
	close_now(c);
	c->ops->gone(c->opctx, c, t);
}

enum smtpc_stage smtpc_state_stage(const struct smtpc *c)
{
	static const enum smtpc_stage stages[SMTPC_STATES] = {
	    [SMTPC_CONNECTING] = SMTPC_STAGE_CONNECT,
	    [SMTPC_GREETING] = SMTPC_STAGE_GREETING,
	    [SMTPC_EHLO] = SMTPC_STAGE_EHLO,
	    [SMTPC_HELO] = SMTPC_STAGE_EHLO,
	    [SMTPC_STARTTLS] = SMTPC_STAGE_STARTTLS,
	    [SMTPC_HANDSHAKE] = SMTPC_STAGE_TLS,
	    [SMTPC_CONTENT] = SMTPC_STAGE_CONTENT,
	    [SMTPC_END] = SMTPC_STAGE_END,
	    [SMTPC_PUT] = SMTPC_STAGE_XSMG,
	    [SMTPC_PUT_LINES] = SMTPC_STAGE_XSMG,
	};

	if (c->state == SMTPC_ENVELOPE || c->state == SMTPC_READY)
		return smtpc_send_stage(c);
	return stages[c->state];
}

/* What goes wrong between STARTTLS and its answer is a failure of the TLS that is demanded, whoever made it. */
static void end_at_stage(struct smtpc *c, struct smtpc_trouble *t)
{
	if (c->state == SMTPC_STARTTLS && demand(c) != SMTPC_DEMAND_NONE)
		t->unprotected = true;
	smtpc_state_end(c, t);
}

void smtpc_state_lost(struct smtpc *c, const char *why)
{
	struct smtpc_trouble t;

	smtpc_trouble_lost(&t, smtpc_state_stage(c), c->remote, why);
	end_at_stage(c, &t);
}

void smtpc_state_malformed(struct smtpc *c, const char *why)
{
	struct smtpc_trouble t;

	smtpc_trouble_malformed(&t, smtpc_state_stage(c), c->remote, why);
	end_at_stage(c, &t);
}

static void refused(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;

	smtpc_trouble_reply(&t, smtpc_state_stage(c), c->remote, r);
	end_at_stage(c, &t);
}

void smtpc_state_command(struct smtpc *c, const char *line)
{
	char out[LINE_MAX_OUT + 3];
	size_t n = strlen(line);

	REQUIRE(n <= LINE_MAX_OUT);
	smtpc_chat_log_command(smtpc_state_id(c), c->remote, line);
	snprintf(out, sizeof out, "%s\r\n", line);
	/* A failed write shows up as on_closed. */
	(void)conn_write(c->conn, out, n + 2);
}

static void await(struct smtpc *c, enum smtpc_state s, int64_t ms)
{
	c->state = s;
	conn_timeout(c->conn, ms);
}

static void say_hello(struct smtpc *c, enum smtpc_state s)
{
	char line[300];

	snprintf(line, sizeof line, "%s %.255s", s == SMTPC_EHLO ? "EHLO" : "HELO", c->helo);
	smtpc_state_command(c, line);
	await(c, s, c->set->ehlo_timeout);
}

/* The class of a reply that must be 2yz, 4yz or 5yz here; 3yz ends the connection and gives 0. */
static int reply_class(struct smtpc *c, const struct smtpc_reply *r)
{
	if (r->code / 100 != 3)
		return r->code / 100;
	smtpc_state_malformed(c, "an intermediate reply (3yz) to a command that has none");
	return 0;
}

static void greeting_came(struct smtpc *c, const struct smtpc_reply *r)
{
	int k = reply_class(c, r);

	if (k == 2)
		say_hello(c, SMTPC_EHLO);
	else if (k)
		refused(c, r);
}

void smtpc_state_ready(struct smtpc *c)
{
	c->state = SMTPC_READY;
	c->mail = NULL;
	conn_timeout(c->conn, 0);
	c->ops->ready(c->opctx, c);
	if (!c->dead && c->state == SMTPC_READY && !c->mail)
		loop_timer_set(c->turn, c->set->idle_time);
}

/* After EHLO or HELO: TLS first, where it is wanted and not there yet. */
static void greeted(struct smtpc *c)
{
	struct smtpc_trouble t;

	if (c->tls == SMTPC_TLS_NONE || conn_is_tls(c->conn)) {
		smtpc_state_ready(c);
	} else if (c->ehlo.starttls) {
		smtpc_state_command(c, "STARTTLS");
		await(c, SMTPC_STARTTLS, c->set->tls_timeout);
	} else if (c->tls == SMTPC_TLS_MAY) {
		smtpc_state_ready(c);
	} else {
		smtpc_trouble_no_tls(&t, c->remote, demand(c), NULL);
		smtpc_state_end(c, &t);
	}
}

/* RFC 5321 3.2: a server that refuses EHLO for good may still know HELO. */
static void ehlo_came(struct smtpc *c, const struct smtpc_reply *r)
{
	int k = reply_class(c, r);

	if (k == 2) {
		smtpc_ehlo_read(&c->ehlo, r);
		greeted(c);
	} else if (k == 5) {
		say_hello(c, SMTPC_HELO);
	} else if (k) {
		refused(c, r);
	}
}

static void helo_came(struct smtpc *c, const struct smtpc_reply *r)
{
	int k = reply_class(c, r);

	if (k == 2) {
		c->ehlo = (struct smtpc_ehlo){0};
		greeted(c);
	} else if (k) {
		refused(c, r);
	}
}

static void tls_failed(struct smtpc *c, const char *why)
{
	struct smtpc_trouble t;

	smtpc_tls_forget(c->sessions, c->session, (int)c->tls, c->ctx);
	smtpc_trouble_tls(&t, c->remote, demand(c), why, c->note.words);
	smtpc_state_end(c, &t);
}

static void start_tls(struct smtpc *c)
{
	await(c, SMTPC_HANDSHAKE, c->set->tls_timeout);
	/* with DANE the name to send and the names to find come with the records */
	conn_start_tls(c->conn, c->ctx, false, c->tls == SMTPC_TLS_DANE ? NULL : c->host);

	SSL *ssl = conn_ssl(c->conn);

	if (!ssl)
		return; /* on_tls will say why */
	if (c->tls == SMTPC_TLS_DANE && smtpc_dane_use(c->dane, ssl) < 0) {
		tls_failed(c, "its TLSA records cannot be used");
		return;
	}
	smtpc_tls_watch(ssl, &c->note);
	smtpc_tls_resume(c->sessions, c->session, (int)c->tls, c->ctx, ssl);
}

static void starttls_came(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;

	if (r->code == 220) {
		start_tls(c);
	} else if (r->code / 100 < 4) {
		smtpc_state_malformed(c, "neither 220 nor a refusal");
	} else if (r->code == 421) {
		refused(c, r);
	} else if (c->tls == SMTPC_TLS_MAY) {
		log_info(NULL, "smtpc", "starttls-refused remote=%s code=%d", c->remote, r->code);
		smtpc_state_ready(c);
	} else {
		smtpc_trouble_no_tls(&t, c->remote, demand(c), r);
		smtpc_state_end(c, &t);
	}
}

static void (*const on_reply[SMTPC_STATES])(struct smtpc *c, const struct smtpc_reply *r) = {
    [SMTPC_GREETING] = greeting_came,
    [SMTPC_EHLO] = ehlo_came,
    [SMTPC_HELO] = helo_came,
    [SMTPC_STARTTLS] = starttls_came,
    [SMTPC_ENVELOPE] = smtpc_send_envelope_reply,
    [SMTPC_CONTENT] = smtpc_send_content_reply,
    [SMTPC_END] = smtpc_send_end_reply,
    [SMTPC_PUT] = smtpc_xsmg_put_reply,
    [SMTPC_PUT_LINES] = smtpc_xsmg_lines_reply,
};

/* Between mails a server may only say that it closes; whatever it is, the connection has no future. */
static void unasked(struct smtpc *c)
{
	log_info(NULL, "smtpc", "idle-closed remote=%s", c->remote);
	smtpc_state_end(c, NULL);
}

size_t smtpc_state_outstanding(const struct smtpc *c)
{
	bool over = !c->asking && c->got <= SMTPC_STEP_XSMG && c->sent > SMTPC_STEP_XSMG;

	return c->sent - c->got - (over ? 1 : 0);
}

static bool pipelined(const struct smtpc *c)
{
	if (c->bdat.on && (c->state == SMTPC_CONTENT || c->state == SMTPC_END))
		return c->bdat.sent - c->bdat.got > 1;
	return c->state == SMTPC_ENVELOPE && smtpc_state_outstanding(c) + (c->bdat.early ? c->bdat.sent : 0) > 1;
}

/* One reply: 1 when there may be another one, 0 when not. */
static int take_reply(struct smtpc *c)
{
	struct buf *in = conn_in(c->conn);
	size_t used;
	bool more = pipelined(c);

	c->chat.may_be_long = smtpc_xsmg_awaited(c);

	int r = smtpc_chat_feed(&c->chat, in->p, in->len, &used);

	buf_drop(in, used);
	if (r < 0)
		smtpc_state_malformed(c, c->chat.why);
	if (r <= 0)
		return 0;
	smtpc_chat_log_reply(smtpc_state_id(c), c->remote, &c->chat.reply);
	on_reply[c->state](c, &c->chat.reply);
	/* What else was there already cannot be the answer to what is only being asked now. */
	if (!c->dead && !more && c->state != SMTPC_READY && conn_in(c->conn)->len > 0)
		smtpc_state_malformed(c, "an answer before its question");
	return !c->dead;
}

static void on_input(void *ctx, struct conn *conn)
{
	struct smtpc *c = ctx;
	int more = 1;

	(void)conn;
	enter(c);
	while (more && !c->dead && c->state != SMTPC_HANDSHAKE && conn_in(c->conn)->len > 0) {
		if (!on_reply[c->state]) {
			unasked(c);
			break;
		}
		more = take_reply(c);
	}
	leave(c);
}

static void on_drained(void *ctx, struct conn *conn)
{
	struct smtpc *c = ctx;

	(void)conn;
	enter(c);
	if (c->state == SMTPC_CONNECTING)
		await(c, SMTPC_GREETING, c->set->greeting_timeout);
	else if (c->state == SMTPC_CONTENT)
		smtpc_send_content(c);
	leave(c);
}

static void on_tls(void *ctx, struct conn *conn, const char *why)
{
	struct smtpc *c = ctx;
	char words[128];

	enter(c);
	if (!why && c->tls == SMTPC_TLS_VERIFY)
		(void)!smtpc_tls_verified(conn_ssl(conn), c->host, &c->note, &why);
	if (!why && c->tls == SMTPC_TLS_DANE)
		(void)!smtpc_dane_verified(conn_ssl(conn), &c->note, &why);
	if (why) {
		tls_failed(c, why);
	} else {
		log_debug(NULL, "smtpc", "tls remote=%s resumed=%d words=\"%s\"", c->remote,
		    SSL_session_reused(conn_ssl(conn)), conn_tls_words(conn, words, sizeof words));
		/* RFC 3207 4.2: what was learned in the clear is forgotten */
		c->ehlo = (struct smtpc_ehlo){0};
		say_hello(c, SMTPC_EHLO);
	}
	leave(c);
}

static void on_closed(void *ctx, struct conn *conn, const char *why)
{
	struct smtpc *c = ctx;

	(void)conn;
	enter(c);
	c->hung_up = strcmp(why, "timeout") != 0;
	if (c->state == SMTPC_READY && !c->mail)
		unasked(c);
	else if (c->state == SMTPC_HANDSHAKE)
		tls_failed(c, why);
	else
		smtpc_state_lost(c, why);
	leave(c);
}

static const struct conn_ops conn_ops = {
    .on_input = on_input,
    .on_drained = on_drained,
    .on_tls = on_tls,
    .on_closed = on_closed,
};

/* RFC 5321 4.1.1.10: QUIT before closing; its reply is not needed, conn waits for the close. */
static void say_quit(struct smtpc *c)
{
	smtpc_state_command(c, "QUIT");
	keep_session(c);
	smtpc_xsmg_end(c);
	conn_linger(c->conn, c->set->quit_timeout);
	c->conn = NULL;
	c->dead = true;
	loop_timer_off(c->turn);
}

static void on_turn(void *ctx)
{
	struct smtpc *c = ctx;

	enter(c);
	if (c->mail && c->unfit.pr.cls != PROBLEM_NONE) {
		say_quit(c);
		c->ops->gone(c->opctx, c, &c->unfit);
	} else if (c->mail) {
		smtpc_state_ready(c); /* nothing of it was to be sent */
	} else if (smtpc_put_waits(c)) {
		smtpc_put(c);
	} else {
		say_quit(c);
		c->ops->gone(c->opctx, c, NULL);
	}
	leave(c);
}

static void set_remote(struct smtpc *c, const struct sockaddr_storage *ss)
{
	char text[INET6_ADDRSTRLEN] = "?";
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;
	unsigned port = ss->ss_family == AF_INET6 ? ntohs(in6->sin6_port) : ntohs(in4->sin_port);

	if (ss->ss_family == AF_INET6)
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof text);
	else
		inet_ntop(AF_INET, &in4->sin_addr, text, sizeof text);
	snprintf(c->remote, sizeof c->remote, "%s[%s]:%u", c->host, text, port);
}

/* -1 with errno. *connected_r: it stands already. */
static int open_socket(const struct sockaddr_storage *ss, bool *connected_r)
{
	int fd = socket(ss->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	socklen_t n = ss->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	if (fd < 0)
		return -1;
	*connected_r = connect(fd, (const struct sockaddr *)ss, n) == 0;
	if (!*connected_r && errno != EINPROGRESS) {
		int err = errno;

		close(fd);
		errno = err;
		return -1;
	}
	return fd;
}

static struct smtpc *make(struct loop *l, const struct smtpc_settings *set, const struct smtpc_way *way)
{
	struct smtpc *c = mem_new(sizeof *c);

	c->loop = l;
	c->set = set;
	c->tls = way->tls;
	c->ctx = way->ctx;
	c->dane = way->dane;
	c->name_sure = way->name_sure;
	c->sessions = way->sessions;
	REQUIRE(mem_copy_str(c->host, sizeof c->host, way->host) == 0);
	REQUIRE(c->tls == SMTPC_TLS_NONE || c->ctx);
	REQUIRE(c->tls != SMTPC_TLS_DANE || c->dane);
	/* a session was verified by the records of its time: under others it is not resumed */
	snprintf(c->session, sizeof c->session, "%s %s", c->host,
	    c->tls == SMTPC_TLS_DANE ? smtpc_dane_mark(c->dane) : "");
	set_remote(c, way->addr);
	smtpc_chat_init(&c->chat, (size_t)set->reply_line, (size_t)set->reply_lines);
	c->batch = mem_new((size_t)set->recipients * sizeof *c->batch);
	c->accepted = mem_new((size_t)set->recipients * sizeof *c->accepted);
	c->turn = loop_timer_new(l, on_turn, c);
	return c;
}

struct smtpc *smtpc_new(struct loop *l, const struct smtpc_settings *set, const char *helo,
    const struct smtpc_way *way, const struct smtpc_ops *ops, void *ctx, struct smtpc_trouble *t_r)
{
	struct smtpc *c = make(l, set, way);
	bool connected;
	int fd = open_socket(way->addr, &connected);

	if (fd < 0) {
		smtpc_trouble_lost(t_r, SMTPC_STAGE_CONNECT, c->remote, strerror(errno));
		release(c);
		return NULL;
	}
	c->helo = helo;
	c->ops = ops;
	c->opctx = ctx;
	c->conn = conn_new(l, fd, connected, IN_MAX, &conn_ops, c);
	if (connected)
		await(c, SMTPC_GREETING, set->greeting_timeout);
	else
		await(c, SMTPC_CONNECTING, set->connect_timeout);
	return c;
}

void smtpc_free(struct smtpc *c)
{
	if (!c || c->dead)
		return;
	enter(c);
	close_now(c);
	leave(c);
}

void smtpc_quit(struct smtpc *c)
{
	REQUIRE(!c->dead && c->state == SMTPC_READY && !c->mail);
	enter(c);
	say_quit(c);
	leave(c);
}

void smtpc_mail(struct smtpc *c, struct smtpc_mail *m)
{
	REQUIRE(!c->dead && c->state == SMTPC_READY && !c->mail);
	loop_timer_off(c->turn);
	c->mail = m;
	smtpc_send_begin(c);
}

bool smtpc_idle(const struct smtpc *c)
{
	return !c->dead && c->state == SMTPC_READY && !c->mail;
}

bool smtpc_verified(const struct smtpc *c)
{
	return (c->tls == SMTPC_TLS_VERIFY || c->tls == SMTPC_TLS_DANE) && c->name_sure && c->conn &&
	       conn_is_tls(c->conn);
}

const char *smtpc_remote(const struct smtpc *c)
{
	return c->remote;
}

const char *smtpc_tls_words(const struct smtpc *c, char *out, size_t cap)
{
	REQUIRE(cap > 0);
	out[0] = 0;
	return c->conn ? conn_tls_words(c->conn, out, cap) : out;
}
