#include "interop/kit/statement_steps.h"

#include <stdlib.h>
#include <string.h>

#include "interop/kit/http_get.h"
#include "interop/kit/statement_check.h"
#include "interop/kit/statement_make.h"
#include "interop/kit/step_mail.h"
#include "interop/kit/web.h"

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
		web_put(p->s->web, path, "application/cms", der);
	if (text_is_word_in("xsmg", by))
		sink_statement(p->s->sink, domain, der);
	free(path);
}

/* One that passed every check of section 4. */
struct held {
	struct scene *s;
	const struct buf *der;
	json_t *content;
	size_t signers;
};

static void say(const struct held *h, const struct stmt *e, bool good, const char *sentence, const char *name)
{
	scene_found(h->s, good ? PASSED : FAILED, e->line, "the statement %s %s", sentence, name);
}

static void expect_valid(const struct held *h, const struct stmt *e)
{
	say(h, e, true, "passes every check of section 4", "");
}

static void expect_once(const struct held *h, const struct stmt *e)
{
	say(h, e, h->signers == 1, h->signers == 1 ? "has one SignerInfo" : "has two SignerInfos", "");
}

/* "read.content": a member of a member */
static void expect_member(const struct held *h, const struct stmt *e)
{
	char *rest = text_copy(stmt_word(e, 0, ""));
	json_t *j = h->content;

	for (char *at = rest; j && at;) {
		char *dot = strchr(at, '.');

		if (dot)
			*dot = 0;
		j = json_object_get(j, at);
		at = dot ? dot + 1 : NULL;
	}
	free(rest);
	say(h, e, j != NULL, j ? "has the member" : "lacks the member", stmt_word(e, 0, ""));
}

static void expect_lists(const struct held *h, const struct stmt *e)
{
	const char *wanted = stmt_word(e, 0, "");
	json_t *list = json_object_get(h->content, "certificates"), *entry;
	bool found = false;
	size_t i;

	json_array_foreach(list, i, entry)
	{
		const char *use = json_string_value(json_object_get(entry, "use"));

		found = found ||
			(use && (!strcmp(use, wanted) || (!strcmp(use, "both") && strcmp(wanted, "statement") != 0)));
	}
	say(h, e, found, found ? "lists a certificate to" : "lists no certificate to", wanted);
}

static void expect_fresh(const struct held *h, const struct stmt *e)
{
	bool fresh = now_ms() - json_integer_value(json_object_get(h->content, "serial")) < 48LL * 3600000;

	say(h, e, fresh, fresh ? "was made within 48 hours" : "was made more than 48 hours ago", "");
}

static bool same_id(const struct held *h, const struct stmt *e)
{
	struct buf *named = scene_named(h->s, stmt_word(e, 0, ""));
	char id[44], other[44];

	return named && statement_id(h->der, id) == 0 && statement_id(named, other) == 0 && !strcmp(id, other);
}

static void expect_same(const struct held *h, const struct stmt *e)
{
	bool same = same_id(h, e);

	say(h, e, same, same ? "has the id of" : "has not the id of", stmt_word(e, 0, ""));
}

static void expect_other(const struct held *h, const struct stmt *e)
{
	bool same = same_id(h, e);

	say(h, e, !same && scene_named(h->s, stmt_word(e, 0, "")), same ? "has the id of" : "has not the id of",
	    stmt_word(e, 0, ""));
}

static void expect_elsewhere(const struct held *h, const struct stmt *e)
{
	(void)h; /* of the answer, not of the statement: expect_current, expect_type */
	(void)e;
}

static const struct {
	const char *verb;
	void (*run)(const struct held *, const struct stmt *);
} expectations[] = {{"valid", expect_valid}, {"signed-once", expect_once}, {"member", expect_member},
    {"lists", expect_lists}, {"fresh", expect_fresh}, {"same-id-as", expect_same}, {"other-id-than", expect_other},
    {"current", expect_elsewhere}, {"mime-type", expect_elsewhere}};

static void expect_one(const struct held *h, const struct stmt *e)
{
	for (size_t i = 0; i < sizeof(expectations) / sizeof(*expectations); i++)
		if (!strcmp(expectations[i].verb, e->verb)) {
			expectations[i].run(h, e);
			return;
		}
	scene_found(h->s, NOT_RUN, e->line, "unknown expectation of a statement: %s", e->verb);
}

static void expect_statement(struct scene *s, const struct stmt *st, const struct buf *der, const char *domain)
{
	struct buf why = {0};
	struct held h = {.s = s, .der = der};

	h.content = statement_check(der, domain, &h.signers, &why);
	if (!h.content)
		scene_found(s, FAILED, st->line, "the statement of %s does not hold: %s", domain, why.p);
	for (size_t i = 0; h.content && i < st->n_below; i++)
		expect_one(&h, &st->below[i]);
	json_decref(h.content);
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
		smtp_content(smtp, text.p, text.n, &p->reply);
	} else {
		smtp_nothing_sent(&p->reply);
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
