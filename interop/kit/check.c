#include "interop/kit/check.h"

#include <string.h>

#include "interop/kit/steps.h"

/* Is there a `verb NAME` in the case? */
static bool is_named(const struct case_file *c, const char *verb, const char *name, size_t n)
{
	for (size_t i = 0; i < c->n_stmts; i++)
		if (!strcmp(c->stmts[i].verb, verb) && c->stmts[i].n_words > 0 && strlen(c->stmts[i].words[0]) == n &&
		    !strncmp(c->stmts[i].words[0], name, n))
			return true;
	return false;
}

static bool is_credential(const struct case_file *c, const char *name, size_t n)
{
	static const char *const always[] = {"gateway", "good", "sub", "evil", "self", "tls"};

	for (size_t i = 0; i < sizeof(always) / sizeof(*always); i++)
		if (strlen(always[i]) == n && !strncmp(always[i], name, n))
			return true;
	return is_named(c, "cert", name, n);
}

static int check_list(const struct case_file *c, const struct stmt *s, const char *list, struct buf *why)
{
	int rc = 0;

	for (const char *p = list; p && *p;) {
		size_t n = strcspn(p, ",");

		if (!is_credential(c, p, n))
			rc = fail(why, "line %d: no certificate \"%.*s\" in this case", s->line, (int)n, p);
		p += n + (p[n] == ',');
	}
	return rc;
}

/* Attributes and words that name certificates. */
static int check_names(const struct case_file *c, const struct stmt *s, struct buf *why)
{
	static const struct {
		const char *verb, *attribute; /* NULL: the first word */
	} named[] = {{"cert", "issuer"}, {"give", NULL}, {"anchor", NULL}, {"revoke", NULL}, {"statement", "signer"},
	    {"statement", "second"}, {"statement", "certificates"}, {"sign", "by"}, {"encrypt", "to"},
	    {"sealed-for", NULL}, {"signed-by", NULL}};
	int rc = 0;

	for (size_t i = 0; i < sizeof(named) / sizeof(*named); i++)
		if (!strcmp(s->verb, named[i].verb) &&
		    check_list(c, s,
			named[i].attribute ? stmt_attribute(s, named[i].attribute, NULL) : stmt_word(s, 0, NULL),
			why) < 0)
			rc = -1;
	if (!strcmp(s->verb, "deliver") && s->n_words > 0 &&
	    !is_named(c, "message", s->words[0], strlen(s->words[0])))
		rc = fail(why, "line %d: no message \"%s\" in this case", s->line, s->words[0]);
	for (size_t i = 0; i < s->n_below; i++)
		if (check_names(c, &s->below[i], why) < 0)
			rc = -1;
	return rc;
}

/* Does anything in it judge? A case that cannot fail proves nothing. */
static bool judges(const struct case_file *c)
{
	static const char *const verbs[] = {
	    "submit", "deliver", "await", "outcome", "never", "same-answers", "xsmg", "fetch", "chat"};

	for (size_t i = 0; i < c->n_stmts; i++)
		for (size_t j = 0; j < sizeof(verbs) / sizeof(*verbs); j++)
			if (!strcmp(c->stmts[i].verb, verbs[j]))
				return true;
	return false;
}

int check_cases(const struct case_list *cases, struct buf *why)
{
	struct buf one = {0};
	int rc = 0;

	for (size_t i = 0; i < cases->n; i++) {
		const struct case_file *c = &cases->cases[i];

		buf_clear(&one);
		for (size_t j = 0; j < c->n_stmts; j++) {
			steps_check(&c->stmts[j], &one);
			check_names(c, &c->stmts[j], &one);
		}
		if (!judges(c))
			fail(&one, "nothing in it judges");
		for (size_t j = 0; j < i; j++)
			if (!strcmp(cases->cases[j].id, c->id))
				fail(&one, "profile %s has a case of this id, too", cases->cases[j].profile);
		if (one.n > 0) {
			buf_addf(why, "%s/case: %s\n", c->dir, one.p);
			rc = -1;
		}
	}
	buf_free(&one);
	return rc;
}
