#include "statement_steps.h"

#include <stdlib.h>
#include <string.h>

#include "http_get.h"
#include "statement_check.h"
#include "statement_make.h"
#include "step_mail.h"
#include "web.h"

void step_statement(struct play *p, const struct stmt *st)
{
	struct buf *der = scene_name(p->s, stmt_word(st, 0, ""), st), why = {0};

	if (statement_make(p->s, st, der, &why) < 0) {
		scene_found(p->s, NOT_RUN, st->line, "the kit could not make this statement: %s", why.p ? why.p : "");
		p->stop = true;
	} else {
		scene_keep(p->s, "statement.der", der->p, der->n);
	}
	buf_free(&why);
}

/* Statements alone; everything else was published by init. publish and unpublish have the word "statement" first,
 * republish the name alone. */
void step_publish(struct play *p, const struct stmt *st)
{
	bool again = !strcmp(st->verb, "republish"), away = !strcmp(st->verb, "unpublish");
	const char *name = stmt_word(st, again ? 0 : 1, ""), *by = stmt_attribute(st, "by", "https,xsmg"),
		   *domain = world_domain(p->s->world, p->s->c, "p");
	struct buf *der = away ? NULL : scene_named(p->s, name);
	char *path;

	if (!again && strcmp(stmt_word(st, 0, ""), "statement") != 0)
		return;
	if (!domain || (!away && !der)) {
		scene_found(p->s, NOT_RUN, st->line, "%s: there is no statement \"%s\"", st->verb, name);
		p->stop = true;
		return;
	}
	path = text_make("/.well-known/smg/%s", domain);
	if (text_is_word_in("https", by))
		web_put(path, "application/cms", der);
	if (text_is_word_in("xsmg", by))
		sink_statement(p->s->sink, domain, der);
	free(path);
}

static void expect_member(struct scene *s, const struct stmt *e, json_t *o)
{
	const char *name = stmt_word(e, 0, ""), *at;
	json_t *j = o;
	char *rest = text_copy(name);

	for (at = rest; j && at;) {
		char *dot = strchr(at, '.');

		if (dot)
			*dot = 0;
		j = json_object_get(j, at);
		at = dot ? dot + 1 : NULL;
	}
	free(rest);
	scene_found(s, j ? PASSED : FAILED, e->line, "the statement %s the member \"%s\"", j ? "has" : "lacks", name);
}

static void expect_lists(struct scene *s, const struct stmt *e, json_t *o)
{
	const char *wanted = stmt_word(e, 0, "");
	json_t *list = json_object_get(o, "certificates"), *entry;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *use = json_string_value(json_object_get(entry, "use"));

		found = found ||
			(use && (!strcmp(use, wanted) || (!strcmp(use, "both") && strcmp(wanted, "statement") != 0)));
	}
	scene_found(s, found ? PASSED : FAILED, e->line, "the statement lists %s certificate to %s",
	    found ? "a" : "no", wanted);
}

static void expect_statement(struct scene *s, const struct stmt *st, const struct buf *der, const char *domain)
{
	struct buf why = {0};
	size_t signers = 0;
	json_t *o = statement_check(der, domain, &signers, &why);
	char id[44] = "", other[44] = "";

	if (!o)
		scene_found(s, FAILED, st->line, "the statement of %s does not hold: %s", domain, why.p);
	for (size_t i = 0; o && i < st->n_below; i++) {
		const struct stmt *e = &st->below[i];

		if (!strcmp(e->verb, "valid"))
			scene_found(
			    s, PASSED, e->line, "the statement of %s passes every check of section 4", domain);
		else if (!strcmp(e->verb, "signed-once"))
			scene_found(s, signers == 1 ? PASSED : FAILED, e->line, "%zu SignerInfos", signers);
		else if (!strcmp(e->verb, "member"))
			expect_member(s, e, o);
		else if (!strcmp(e->verb, "lists"))
			expect_lists(s, e, o);
		else if (!strcmp(e->verb, "fresh"))
			scene_found(s,
			    now_ms() - json_integer_value(json_object_get(o, "serial")) < 48LL * 3600000 ? PASSED
													 : FAILED,
			    e->line, "the statement was made within 48 hours");
		else if (!strcmp(e->verb, "same-id-as"))
			scene_found(s,
			    scene_named(s, stmt_word(e, 0, "")) && statement_id(der, id) == 0 &&
				    statement_id(scene_named(s, stmt_word(e, 0, "")), other) == 0 &&
				    !strcmp(id, other)
				? PASSED
				: FAILED,
			    e->line, "its id is that of %s", stmt_word(e, 0, ""));
		else if (!strcmp(e->verb, "other-id-than"))
			scene_found(s,
			    scene_named(s, stmt_word(e, 0, "")) && statement_id(der, id) == 0 &&
				    statement_id(scene_named(s, stmt_word(e, 0, "")), other) == 0 &&
				    strcmp(id, other) != 0
				? PASSED
				: FAILED,
			    e->line, "its id is not that of %s", stmt_word(e, 0, ""));
		else if (strcmp(e->verb, "current") != 0 && strcmp(e->verb, "mime-type") != 0)
			scene_found(s, NOT_RUN, e->line, "unknown expectation of a statement: %s", e->verb);
	}
	json_decref(o);
	buf_free(&why);
}

/* "250-2.0.0 statement ID OCTETS", base64 lines, "250 2.0.0 end". -1: no statement in it. */
static int from_reply(const struct reply *r, struct buf *der)
{
	struct buf text = {0};
	const char *p = r->text.p ? strchr(r->text.p, '\n') : NULL;
	int rc;

	if (r->code != 250 || !p || strncmp(r->text.p, "250-2.0.0 statement ", 20) != 0)
		return -1;
	for (p++; !strncmp(p, "250-2.0.0 ", 10) && strchr(p, '\n'); p = strchr(p, '\n') + 1)
		buf_add(&text, p + 10, strcspn(p + 10, "\r\n"));
	rc = !strncmp(p, "250 2.0.0 end", 13) ? base64_read(text.p, text.n, der) : -1;
	buf_free(&text);
	return rc;
}

/* `current` alone may stand below an answer without a statement. */
static bool about_statement(const struct stmt *st)
{
	for (size_t i = 0; i < st->n_below; i++)
		if (strcmp(st->below[i].verb, "current") != 0)
			return true;
	return false;
}

static void expect_current(struct play *p, const struct stmt *st)
{
	for (size_t i = 0; i < st->n_below; i++)
		if (!strcmp(st->below[i].verb, "current")) {
			bool is = p->reply.text.p && !strncmp(p->reply.text.p, "250 2.0.0 current ", 18);

			scene_found(p->s, is ? PASSED : FAILED, st->below[i].line,
			    "the answer is%s that what is held is the newest", is ? "" : " not");
		}
}

static void get(struct play *p, const struct stmt *st, struct smtp *smtp, const char *domain)
{
	const char *have = stmt_attribute(st, "have", NULL), *as = stmt_attribute(st, "as", "statement");
	struct buf *held = have ? scene_named(p->s, have) : NULL, *der;
	char id[44] = "";

	if (held && statement_id(held, id) < 0)
		memset(id, 'A', 43);
	smtp_command(smtp, &p->reply, "XSMG GET %s%s%s", domain, *id ? " " : "", id);
	play_reply(p, st, "250");
	expect_current(p, st);
	der = scene_name(p->s, as, st);
	if (from_reply(&p->reply, der) == 0) {
		scene_keep(p->s, "got.der", der->p, der->n);
		expect_statement(p->s, st, der, domain);
	} else if (about_statement(st)) {
		scene_found(p->s, FAILED, st->line, "the reply has no statement");
	}
}

static void put(struct play *p, const struct stmt *st, struct smtp *smtp, const char *domain)
{
	struct buf *der = step_octets(p, st, stmt_word(st, 1, "")), text = {0};

	if (!der)
		return;
	if (smtp_command(smtp, &p->reply, "XSMG PUT %s %zu", domain, der->n) == 354) {
		base64_add(&text, der->p, der->n, 76);
		buf_adds(&text, ".\r\n");
		buf_addf(&p->s->transcript, "-- %zu characters\n", text.n);
		if (smtp_raw(smtp, text.p, text.n) < 0)
			p->reply.code = 0;
		else
			smtp_reply(smtp, &p->reply);
	}
	play_reply(p, st, "250");
	buf_free(&text);
}

void step_xsmg(struct play *p, const struct stmt *st)
{
	bool tls = strcmp(stmt_attribute(st, "tls", "yes"), "no") != 0, is_get = !strcmp(stmt_word(st, 0, ""), "get");
	struct buf why = {0};
	char *domain = scene_text(p->s, stmt_attribute(st, "domain", is_get ? "{own}" : "{p}"), &why);
	struct smtp *smtp =
	    domain ? smtp_open(p->s->kit->gateway_outside, 60000, &p->s->transcript, &p->reply, &why) : NULL;

	if (!smtp || smtp_command(smtp, &p->reply, "EHLO %s", p->s->kit->host) != 250 ||
	    (tls && (smtp_starttls(smtp, NULL, &why) < 0 ||
			smtp_command(smtp, &p->reply, "EHLO %s", p->s->kit->host) != 250)))
		scene_found(p->s, NOT_RUN, st->line, "xsmg: no session with the gateway%s%s", why.n ? ": " : "",
		    why.n ? why.p : "");
	else if (is_get)
		get(p, st, smtp, domain);
	else
		put(p, st, smtp, domain);
	smtp_close(smtp);
	free(domain);
	buf_free(&why);
}

static void expect_type(struct scene *s, const struct stmt *st, const char *type)
{
	for (size_t i = 0; i < st->n_below; i++)
		if (!strcmp(st->below[i].verb, "mime-type")) {
			const char *wanted = stmt_word(&st->below[i], 0, "");
			bool is = !strncmp(type, wanted, strlen(wanted)) && strchr("; ", type[strlen(wanted)]);

			scene_found(s, is ? PASSED : FAILED, st->below[i].line,
			    "its media type is \"%s\"; wanted: %s", type, wanted);
		}
}

void step_fetch(struct play *p, const struct stmt *st)
{
	struct buf why = {0}, type = {0}, *body = scene_name(p->s, stmt_attribute(st, "as", "fetched"), st);
	char *url = scene_text(p->s, stmt_word(st, 0, ""), &why), *wanted;
	long status = 0;

	buf_adds(&type, "");
	if (!url || http_get(url, *p->s->kit->gateway_web ? p->s->kit->gateway_web : NULL, &status, &type, body,
			&p->s->transcript, &why) < 0) {
		scene_found(p->s, NOT_RUN, st->line, "fetch: %s", why.p);
	} else {
		wanted = text_make("%ld", status);
		scene_found(p->s, text_is_word_in(wanted, stmt_attribute(st, "status", "200")) ? PASSED : FAILED,
		    st->line, "%s: status %ld", url, status);
		free(wanted);
		if (body->n > 0)
			scene_keep(p->s, "fetched", body->p, body->n);
		expect_type(p->s, st, type.p);
		if (status == 200 && st->n_below > 0)
			expect_statement(p->s, st, body, p->s->kit->gateway_domain);
	}
	free(url);
	buf_free(&type);
	buf_free(&why);
}
