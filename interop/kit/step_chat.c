#include "step_chat.h"

#include <stdlib.h>
#include <string.h>

#include "step_mail.h"

struct chat {
	struct play *p;
	struct smtp *smtp;
	struct reply last;
	bool unread; /* something was sent whose reply was not read yet */
};

static int chat_send(struct chat *c, const struct stmt *st, const char *text)
{
	struct buf line = {0};
	int rc;

	buf_addf(&line, "%s%s", text, strcmp(st->verb, "send") ? "" : "\r\n");
	buf_addf(&c->p->s->transcript, "C: %s\n", text);
	rc = smtp_raw(c->smtp, line.p, line.n);
	buf_free(&line);
	return rc;
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

static void chat_reply(struct chat *c, const struct stmt *st)
{
	const char *wanted = stmt_word(st, 0, "250");
	bool fits;

	smtp_reply(c->smtp, &c->last);
	fits = play_code_fits(c->last.code, wanted);
	if (c->last.code == 0)
		scene_found(c->p->s, fits ? PASSED : FAILED, st->line,
		    "the gateway closed the connection; wanted: %s", wanted);
	else
		scene_found(c->p->s, fits ? PASSED : FAILED, st->line, "answered \"%.*s\"; wanted: %s",
		    (int)strcspn(c->last.text.p, "\r\n"), c->last.text.p, wanted);
	c->p->reply.code = c->last.code;
	buf_clear(&c->p->reply.text);
	buf_add(&c->p->reply.text, c->last.text.p, c->last.text.n);
}

/* has/lacks "text": in the last reply */
static void chat_holds(struct chat *c, const struct stmt *st, const char *text)
{
	bool has = octets_find(c->last.text.p, c->last.text.n, text) != NULL, wanted = !strcmp(st->verb, "has");

	scene_found(
	    c->p->s, has == wanted ? PASSED : FAILED, st->line, "the reply %s \"%s\"", has ? "has" : "lacks", text);
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
	else if (!strcmp(st->verb, "send") || !strcmp(st->verb, "raw"))
		chat_send(c, st, text);
	else if (!strcmp(st->verb, "file"))
		chat_file(c, st);
	else if (!strcmp(st->verb, "reply"))
		chat_reply(c, st);
	else if (!strcmp(st->verb, "has") || !strcmp(st->verb, "lacks"))
		chat_holds(c, st, text);
	else if (!strcmp(st->verb, "pause"))
		chat_pause(c, st);
	else if (!strcmp(st->verb, "closed"))
		scene_found(c->p->s, smtp_reply(c->smtp, &c->last) == 0 || c->last.code == 421 ? PASSED : FAILED,
		    st->line, "the gateway closes the connection");
	else if (!strcmp(st->verb, "starttls") && smtp_starttls(c->smtp, NULL, &why) < 0)
		scene_found(c->p->s, FAILED, st->line, "%s", why.p);
	free(text);
	buf_free(&why);
}

static int greet(struct chat *c, const struct stmt *st, struct buf *why)
{
	bool tls = !strcmp(stmt_attribute(st, "tls", "no"), "yes");

	if (c->last.code != 220)
		return fail(why, "the greeting was %d", c->last.code);
	if (!tls)
		return 0;
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
		for (size_t i = 0; i < st->n_below; i++)
			chat_line(&c, &st->below[i]);
	smtp_close(c.smtp);
	buf_free(&c.last.text);
	buf_free(&why);
}
