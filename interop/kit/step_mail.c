#include "interop/kit/step_mail.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/make_message.h"

/* It is made when it is first used: it may need what was seen before. */
void step_message(struct play *p, const struct stmt *st)
{
	if (st->n_words < 1)
		scene_found(p->s, NOT_RUN, st->line, "message needs a name");
	else
		scene_name(p->s, st->words[0], st);
}

static const struct stmt *message_of(const struct play *p, const char *name)
{
	for (size_t i = 0; i < p->s->c->n_stmts; i++)
		if (!strcmp(p->s->c->stmts[i].verb, "message") && !strcmp(stmt_word(&p->s->c->stmts[i], 0, ""), name))
			return &p->s->c->stmts[i];
	return NULL;
}

struct buf *step_octets(struct play *p, const struct stmt *st, const char *name)
{
	const struct stmt *from = message_of(p, name);
	struct buf *b = scene_named(p->s, name), why = {0};

	if (b && b->n == 0 && from && make_message(p->s, from, b, &why) < 0) {
		scene_found(p->s, NOT_RUN, from->line, "the kit could not make this message: %s", why.p ? why.p : "");
		p->stop = true;
		b = NULL;
	} else if (!b || b->n == 0) {
		scene_found(p->s, NOT_RUN, st->line, "%s: there is no message \"%s\"", st->verb, name);
		b = NULL;
	}
	buf_free(&why);
	return b;
}

static bool is_eight_bit(const char *s)
{
	for (; *s; s++)
		if (*s & 0x80)
			return true;
	return false;
}

/* A user's message, as a mail program would write it. 0 or -1 with why. */
static int compose(
    struct play *p, const struct stmt *st, const char *from, const char *to, struct buf *out, struct buf *why)
{
	const char *body =
	    st->text ? st->text : "Dear colleague,\r\n\r\nplease find the findings of {nonce} below.\r\n";
	char *subject = scene_text(p->s, stmt_attribute(st, "subject", "{case} {nonce}"), why),
	     *text = scene_text(p->s, body, why);
	int rc = -1;

	if (!subject || !text)
		goto out;
	buf_addf(out, "From: <%s>\r\nTo: ", from);
	for (const char *at = to; *at; at += strcspn(at, ",") + (at[strcspn(at, ",")] == ','))
		buf_addf(out, "%s<%.*s>", at == to ? "" : ",\r\n ", (int)strcspn(at, ","), at);
	buf_addf(out, "\r\nSubject: %s\r\nDate: ", subject);
	time_add_rfc5322(out, time(NULL));
	buf_addf(out, "\r\nMessage-ID: <%s.%s@%s>\r\nMIME-Version: 1.0\r\n", p->s->nonce, p->s->c->id,
	    p->s->kit->gateway_domain);
	buf_addf(out, "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: %s\r\n",
	    is_eight_bit(text) ? "8bit" : "7bit");
	for (size_t i = 0; i < st->n_below; i++) {
		char *field = scene_text(p->s, stmt_word(&st->below[i], 0, ""), why);

		if (!field || strcmp(st->below[i].verb, "header") != 0) {
			free(field);
			fail(why, "line %d: only header may stand below submit", st->below[i].line);
			goto out;
		}
		buf_addf(out, "%s\r\n", field);
		free(field);
	}
	buf_addf(out, "\r\n%s", text);
	rc = 0;
out:
	free(subject);
	free(text);
	return rc;
}

/* Remembers whom it is for, and sends. */
static void send_to(struct play *p, const struct stmt *st, const char *address, const char *from, char **to, size_t n,
    const struct buf *data)
{
	bool tls = !strcmp(stmt_attribute(st, "tls", "no"), "yes");
	struct buf why = {0};
	int code;

	play_list_free(p->to, p->n_to);
	free(p->codes);
	p->to = need(n * sizeof(*p->to));
	p->codes = need(n * sizeof(*p->codes));
	for (p->n_to = 0; p->n_to < n; p->n_to++)
		p->to[p->n_to] = text_copy(to[p->n_to]);
	buf_clear(&p->reply.text);
	p->reply.code = 0;
	buf_addf(&p->s->transcript, "== line %d: %s\n", st->line, st->verb);
	code = smtp_send(address, p->s->kit->host, tls, strcmp(from, "<>") != 0 ? from : "", to, n, data->p, data->n,
	    &p->s->transcript, &p->reply, p->codes, NULL, &why);
	if (code < 0) {
		scene_found(p->s, NOT_RUN, st->line, "%s: %s", st->verb, why.p);
		p->stop = true;
	} else {
		play_reply(p, st, "250");
	}
	buf_free(&why);
}

void step_submit(struct play *p, const struct stmt *st)
{
	const char *to = stmt_attribute(st, "to", NULL), *bcc = stmt_attribute(st, "bcc", NULL),
		   *made = stmt_attribute(st, "message", NULL);
	struct buf why = {0};
	char *from = scene_text(p->s, stmt_attribute(st, "from", "alice@{own}"), &why),
	     *shown = scene_text(p->s, to ? to : "", &why), **list;
	char *all = text_make("%s%s%s", to ? to : "", bcc ? "," : "", bcc ? bcc : "");
	size_t n = 0;

	list = play_list(p, st, all, &n);
	buf_clear(&p->sent);
	if (made) {
		struct buf *b = step_octets(p, st, made);

		if (b)
			buf_add(&p->sent, b->p, b->n);
	} else if (from && shown && compose(p, st, from, shown, &p->sent, &why) < 0) {
		buf_clear(&p->sent);
	}
	if (!to || why.n > 0)
		scene_found(p->s, NOT_RUN, st->line, "submit: %s", to ? why.p : "to= is missing");
	if (to && from && why.n == 0 && list && p->sent.n > 0) {
		scene_keep(p->s, "submitted.eml", p->sent.p, p->sent.n);
		send_to(p, st, p->s->kit->gateway_inside, from, list, n, &p->sent);
	}
	play_list_free(list, n);
	free(all);
	free(from);
	free(shown);
	buf_free(&why);
}

void step_deliver(struct play *p, const struct stmt *st)
{
	const char *to = stmt_attribute(st, "to", "user@{own}");
	struct buf *data = st->n_words == 1 ? step_octets(p, st, st->words[0]) : NULL, why = {0};
	char *from = scene_text(p->s, stmt_attribute(st, "from", "bob@{p}"), &why), **list;
	size_t n;

	if (!data || !from) {
		if (st->n_words != 1 || !from)
			scene_found(
			    p->s, NOT_RUN, st->line, "deliver: %s", from ? "needs the name of one message" : why.p);
		p->stop = true;
	} else if ((list = play_list(p, st, to, &n))) {
		scene_keep(p->s, "delivered.eml", data->p, data->n);
		send_to(p, st, p->s->kit->gateway_outside, from, list, n, data);
		play_list_free(list, n);
	}
	free(from);
	buf_free(&why);
}

static bool has_once(const struct stmt *st)
{
	for (size_t i = 0; i < st->n_below; i++)
		if (!strcmp(st->below[i].verb, "once"))
			return true;
	return false;
}

static void await_one(struct play *p, const struct stmt *st, enum side side, const char *to, int64_t within)
{
	unsigned *seen = play_seen(p, side, to), number;
	const struct mail *m = sink_wait(p->s->sink, side, to, *seen, within, play_fits, p->s);

	if (!m) {
		scene_found(p->s, FAILED, st->line, "no message for %s came %s within %lld s", to,
		    side == INSIDE ? "inside" : "outside", (long long)within / 1000);
		return;
	}
	*seen = number = m->number;
	scene_found(p->s, PASSED, st->line, "a message for %s came %s", to, side == INSIDE ? "inside" : "outside");
	scene_keep(p->s, side == INSIDE ? "came-inside.eml" : "came-outside.eml", m->data.p, m->data.n);
	scene_keep(p->s, "came.smtp", m->transcript.p, m->transcript.n);
	expect_message(p->s, st, m, &p->sent);
	if (has_once(st))
		play_later(p, st, side, to, number);
}

void step_await(struct play *p, const struct stmt *st)
{
	const char *within = stmt_attribute(st, "within", NULL);
	int64_t ms = p->s->kit->within_ms;
	enum side side;
	char **to;
	long count;
	size_t n;

	if (play_side(p, st, &side) < 0)
		return;
	if ((within && span_read(within, &ms) < 0) ||
	    number_read(stmt_attribute(st, "count", "1"), 1, 100, &count) < 0) {
		scene_found(p->s, NOT_RUN, st->line, "await: within= or count= is wrong");
		return;
	}
	to = play_list(p, st, stmt_attribute(st, "to", side == INSIDE ? "user@{own}" : "bob@{p}"), &n);
	for (size_t i = 0; to && i < n; i++)
		for (long j = 0; j < count; j++)
			await_one(p, st, side, to[i], ms);
	play_list_free(to, n);
}
