#include "interop/kit/step_chat.h"

#include <stdlib.h>
#include <string.h>

#include "interop/kit/step_mail.h"

#define TIMES_MAX 2000000

struct chat {
	struct play *p;
	struct smtp *smtp;
	struct reply last;
	bool ended;    /* a handshake that may fail failed */
	bool greeting; /* last is the greeting, which no `reply` has taken yet */
};

/* Octets of `raw`: a text, or base64="...", so many times. */
static void chat_raw(struct chat *c, const struct stmt *st, const char *text)
{
	const char *base64 = stmt_attribute(st, "base64", NULL);
	struct buf one = {0}, all = {0};
	long times;

	if (number_read(stmt_attribute(st, "times", "1"), 1, TIMES_MAX, &times) < 0 ||
	    (base64 && base64_read(base64, strlen(base64), &one) < 0)) {
		scene_found(
		    c->p->s, NOT_RUN, st->line, "raw: times= is a number to %d, base64= is base64", TIMES_MAX);
		buf_free(&one);
		return;
	}
	if (!base64)
		buf_adds(&one, text);
	for (long i = 0; i < times && all.n < 64u * 1024 * 1024; i++)
		buf_add(&all, one.p, one.n);
	buf_addf(&c->p->s->transcript, "C: (raw, %zu octets) %.*s\n", all.n, (int)(one.n < 300 ? one.n : 300), one.p);
	smtp_raw(c->smtp, all.p, all.n);
	buf_free(&one);
	buf_free(&all);
}

static void chat_send(struct chat *c, const char *text)
{
	char *line = text_make("%s\r\n", text);

	buf_addf(&c->p->s->transcript, "C: %s\n", text);
	smtp_raw(c->smtp, line, strlen(line));
	free(line);
}

static void chat_file(struct chat *c, const struct stmt *st)
{
	struct buf *b = step_octets(c->p, st, stmt_word(st, 0, "")), out = {0};
	bool begin = true;

	for (size_t i = 0; b && i < b->n; i++) {
		if (begin && b->p[i] == '.')
			buf_adds(&out, ".");
		buf_add(&out, b->p + i, 1);
		begin = b->p[i] == '\n';
	}
	if (b)
		smtp_raw(c->smtp, out.p, out.n);
	buf_free(&out);
}

/* contains= and lacks=: of the text of the reply. */
static void chat_text(struct chat *c, const struct stmt *st)
{
	static const char *const names[] = {"contains", "lacks"};

	for (size_t i = 0; i < 2; i++) {
		const char *value = stmt_attribute(st, names[i], NULL);
		struct buf why = {0};
		char *text = value ? scene_text(c->p->s, value, &why) : NULL;
		bool has = text && octets_find(c->last.text.p, c->last.text.n, text);

		if (value && !text)
			scene_found(c->p->s, NOT_RUN, st->line, "%s", why.p);
		else if (value)
			scene_found(c->p->s, has == (i == 0) ? PASSED : FAILED, st->line, "the reply %s \"%s\"",
			    has ? "has" : "lacks", text);
		free(text);
		buf_free(&why);
	}
}

static void chat_reply(struct chat *c, const struct stmt *st)
{
	const char *wanted = stmt_word(st, 0, "250");
	bool fits;

	if (!c->greeting)
		smtp_reply(c->smtp, &c->last);
	c->greeting = false;
	fits = play_reply_fits(&c->last, wanted);
	if (c->last.code == 0)
		scene_found(
		    c->p->s, fits ? PASSED : FAILED, st->line, "%s; wanted: %s", play_silence(&c->last), wanted);
	else
		scene_found(c->p->s, fits ? PASSED : FAILED, st->line, "answered \"%.*s\"; wanted: %s",
		    (int)strcspn(c->last.text.p, "\r\n"), c->last.text.p, wanted);
	chat_text(c, st);
	c->p->reply.code = c->last.code;
	c->p->reply.closed = c->last.closed;
	buf_clear(&c->p->reply.text);
	buf_add(&c->p->reply.text, c->last.text.p, c->last.text.n);
}

static void chat_closed(struct chat *c, const struct stmt *st)
{
	smtp_reply(c->smtp, &c->last);
	if (c->last.code > 0)
		scene_found(c->p->s, c->last.code == 421 ? PASSED : FAILED, st->line,
		    "wanted that the gateway closes the connection; it answered %d", c->last.code);
	else
		scene_found(c->p->s, c->last.closed ? PASSED : FAILED, st->line,
		    "wanted that the gateway closes the connection; %s", play_silence(&c->last));
}

static void chat_starttls(struct chat *c, const struct stmt *st)
{
	struct buf why = {0};
	int rc = smtp_handshake(c->smtp, NULL, &why);
	bool any = !strcmp(stmt_word(st, 0, ""), "any");

	c->ended = rc < 0;

	scene_found(c->p->s, rc == 0 || any ? PASSED : FAILED, st->line, "%s",
	    rc == 0 ? "the TLS handshake was done" : why.p);
	buf_free(&why);
}

static void chat_pause(struct chat *c, const struct stmt *st)
{
	int64_t ms;

	if (span_read(stmt_word(st, 0, "1s"), &ms) < 0 || ms > 120000)
		scene_found(c->p->s, NOT_RUN, st->line, "pause takes a time to 120s");
	else
		pause_ms(ms);
}

static void chat_line(struct chat *c, const struct stmt *st)
{
	struct buf why = {0};
	char *text = scene_text(c->p->s, stmt_word(st, 0, ""), &why);

	if (!text)
		scene_found(c->p->s, NOT_RUN, st->line, "%s", why.p);
	else if (!strcmp(st->verb, "send"))
		chat_send(c, text);
	else if (!strcmp(st->verb, "raw"))
		chat_raw(c, st, text);
	else if (!strcmp(st->verb, "file"))
		chat_file(c, st);
	else if (!strcmp(st->verb, "reply"))
		chat_reply(c, st);
	else if (!strcmp(st->verb, "pause"))
		chat_pause(c, st);
	else if (!strcmp(st->verb, "closed"))
		chat_closed(c, st);
	else if (!strcmp(st->verb, "starttls"))
		chat_starttls(c, st);
	else
		scene_found(c->p->s, NOT_RUN, st->line, "unknown line of a chat: %s", st->verb);
	free(text);
	buf_free(&why);
}

static int greet(struct chat *c, const struct stmt *st, struct buf *why)
{
	c->greeting = strcmp(stmt_attribute(st, "tls", "no"), "yes") != 0;
	if (c->greeting)
		return 0;
	if (c->last.code != 220)
		return fail(why, "the greeting was %d", c->last.code);
	if (smtp_command(c->smtp, &c->last, "EHLO %s", c->p->s->kit->host) != 250)
		return fail(why, "EHLO was answered %d", c->last.code);
	return smtp_starttls(c->smtp, NULL, why);
}

void step_chat(struct play *p, const struct stmt *st)
{
	struct chat c = {.p = p};
	struct buf why = {0};
	enum side side;

	if (play_side(p, st, &side) < 0)
		return;
	buf_addf(&p->s->transcript, "== line %d: chat\n", st->line);
	c.smtp = smtp_open(side == INSIDE ? p->s->kit->gateway_inside : p->s->kit->gateway_outside, 60000,
	    &p->s->transcript, &c.last, &why);
	if (!c.smtp || greet(&c, st, &why) < 0)
		scene_found(p->s, NOT_RUN, st->line, "chat: %s", why.p);
	else
		for (size_t i = 0; i < st->n_below && !c.ended; i++)
			chat_line(&c, &st->below[i]);
	smtp_close(c.smtp);
	buf_free(&c.last.text);
	buf_free(&why);
}
