#include "interop/kit/expectation.h"

#include <stdlib.h>
#include <string.h>

static const struct row {
	const char *name;
	expectation *look;
	bool cms;	       /* judged twice */
	size_t least, most;    /* words */
	const char *attribute; /* that it may have */
	const char *told;      /* members that the second judge must tell; with commas */
} table[] = {
    {"layers", expect_layers, true, 1, 1, NULL, NULL},
    {"sealed-for", expect_sealed_for, true, 1, 1, "may", "recipients"},
    {"cipher", expect_cipher, true, 1, 1, NULL, "cipher"},
    {"keys", expect_keys, true, 1, 1, NULL, "recipients"},
    {"signed-by", expect_signed_by, true, 1, 1, NULL, NULL},
    {"digest", expect_digest, true, 1, 1, NULL, NULL},
    {"signature-type", expect_signature_type, true, 1, 1, NULL, "attributes"},
    {"attribute", expect_attribute, true, 1, 1, NULL, "attributes"},
    {"signer-certs", expect_signer_certs, true, 1, 1, NULL, "certificate-inside"},
    {"micalg", expect_micalg, true, 1, 1, NULL, NULL},
    {"inner-header", expect_inner_header, true, 2, 2, NULL, NULL},
    {"inner-lacks", expect_inner_lacks, true, 1, 1, NULL, NULL},
    {"inner-contains", expect_inner_contains, true, 1, 1, NULL, NULL},
    {"body-is", expect_body_is, true, 1, 1, NULL, NULL},
    {"parts-are", expect_parts_are, true, 1, 1, NULL, NULL},
    {"smime-type", expect_smime_type, true, 0, 1, NULL, NULL},
    {"outer-header", expect_outer_header, false, 2, 2, NULL, NULL},
    {"outer-lacks", expect_outer_lacks, false, 1, 1, NULL, NULL},
    {"header-count", expect_header_count, false, 2, 2, NULL, NULL},
    {"no-header", expect_no_header, false, 1, 1, NULL, NULL},
    {"envelope-from", expect_envelope_from, false, 1, 1, NULL, NULL},
    {"envelope-to", expect_envelope_to, false, 1, 1, NULL, NULL},
    {"seven-bit", expect_seven_bit, false, 0, 1, NULL, NULL},
    {"line-max", expect_line_max, false, 1, 1, NULL, NULL},
    {"mime-type", expect_mime_type, false, 1, 1, NULL, NULL},
    {"mark", expect_mark_is, false, 1, 1, NULL, NULL},
    {"tls", expect_tls, false, 1, 1, NULL, NULL},
    {"once", expect_once, false, 0, 0, NULL, NULL},
};

enum { TABLE = sizeof(table) / sizeof(*table) };

int expect_check(const struct stmt *s, struct buf *why)
{
	static const char *const marks[] = {"trusted", "untrusted", "broken", "unsigned"};
	long n;

	for (size_t i = 0; i < TABLE; i++) {
		if (strcmp(s->verb, table[i].name) != 0)
			continue;
		if (s->n_words < table[i].least || s->n_words > table[i].most)
			return fail(why, "line %d: %s has %zu words", s->line, s->verb, table[i].least);
		for (size_t k = 0; k < s->n_attributes; k++)
			if (!table[i].attribute || strcmp(s->attributes[k].name, table[i].attribute) != 0)
				return fail(why, "line %d: %s has no %s=", s->line, s->verb, s->attributes[k].name);
		if (!strcmp(s->verb, "line-max") && number_read(s->words[0], 1, 1000000, &n) < 0)
			return fail(why, "line %d: line-max has a number", s->line);
		if (!strcmp(s->verb, "header-count") && number_read(s->words[1], 0, 100000, &n) < 0)
			return fail(why, "line %d: header-count has a name and a number", s->line);
		for (size_t k = 0; !strcmp(s->verb, "mark") && k < 4; k++)
			if (!strcmp(s->words[0], marks[k]))
				return 0;
		return strcmp(s->verb, "mark") ? 0
					       : fail(why, "line %d: there is no mark \"%s\"", s->line, s->words[0]);
	}
	return fail(why, "line %d: the expectation \"%s\" is not known", s->line, s->verb);
}

static int fill_words(struct view *v, struct buf *sentence)
{
	for (size_t i = 0; i < 2; i++) {
		v->words[i] = scene_text(v->s, stmt_word(v->e, i, ""), sentence);
		if (!v->words[i])
			return -1;
	}
	return 0;
}

/* What the first judge found good the second must see as well; where it is bad, a disagreement is said. */
static enum verdict both(struct view *v, const struct row *row, bool good, struct buf *sentence)
{
	struct buf why = {0};
	enum verdict second = seen_second(v->seen, &why), out = good ? second : FAILED;
	const char *untold = second == PASSED && row->told ? seen_untold(v->seen, row->told) : NULL;

	if (good && v->seen->first.broken) {
		buf_addf(sentence, "; but what came is broken: %s", v->seen->first.broken);
		out = FAILED;
	} else if (good && untold) {
		buf_addf(sentence, "; the second judge does not tell the %s", untold);
		out = NOT_RUN;
	}
	if (second == FAILED || (good && second == NOT_RUN))
		buf_addf(sentence, "; %s", why.p);
	buf_free(&why);
	return out;
}

static void look(struct view *v, size_t row)
{
	struct buf sentence = {0};
	enum verdict verdict = NOT_RUN;
	bool good;

	v->not_run = false;
	if (fill_words(v, &sentence) == 0) {
		if (table[row].cms || table[row].look == expect_outer_lacks)
			v->seen = seen_message(v->s, v->m);
		good = table[row].look(v, &sentence);
		verdict = v->not_run	    ? NOT_RUN
			  : !table[row].cms ? (good ? PASSED : FAILED)
					    : both(v, &table[row], good, &sentence);
	}
	scene_found(
	    v->s, verdict, v->e->line, "%s: %s", v->e->verb, sentence.n ? sentence.p : "nothing is there to look at");
	free(v->words[0]);
	free(v->words[1]);
	v->words[0] = v->words[1] = NULL;
	buf_free(&sentence);
}

void expect_message(struct scene *s, const struct stmt *await, const struct mail *m, const struct buf *sent)
{
	struct view v = {.s = s, .await = await, .m = m, .sent = sent};

	mime_read(m->data.p, m->data.n, &v.outer);
	for (size_t i = 0; i < await->n_below; i++) {
		struct buf why = {0};

		v.e = &await->below[i];
		if (expect_check(v.e, &why) < 0) {
			scene_found(s, NOT_RUN, v.e->line, "%s", why.p);
			buf_free(&why);
			continue;
		}
		for (size_t row = 0; row < TABLE; row++)
			if (!strcmp(v.e->verb, table[row].name))
				look(&v, row);
	}
	mime_free(&v.outer);
}

/* --- what it is ------------------------------------------------------------------------------------------------- */

static bool by_gateway(struct scene *s, const struct judged *j)
{
	const struct credential *c = s->world ? world_credential(s->world, s->c, "gateway", 's') : NULL;
	char hash[65];

	if (!c || !c->cert)
		return false;
	judge_certificate(c->cert, hash);
	for (size_t i = 0; i < j->n; i++)
		for (size_t k = 0; k < j->layers[i].n_signers; k++)
			if (j->layers[i].signers[k].valid && !strcmp(j->layers[i].signers[k].cert_sha256, hash))
				return true;
	return false;
}

static bool wrong_signature(const struct judged *j)
{
	for (size_t i = 0; i < j->n; i++) {
		bool valid = j->layers[i].n_signers == 0;

		for (size_t k = 0; k < j->layers[i].n_signers; k++)
			valid = valid || j->layers[i].signers[k].valid;
		if (!valid)
			return true;
	}
	return false;
}

static const char *kind_of(struct scene *s, const struct judged *j)
{
	bool sealed = false;

	for (size_t i = 0; i < j->n; i++)
		sealed = sealed || j->layers[i].kind <= LAYER_AUTH_ENVELOPED;
	if (j->broken || !j->whole || wrong_signature(j))
		return "broken";
	if (j->n > 0 && j->layers[0].kind <= LAYER_AUTH_ENVELOPED)
		return "sealed";
	if (by_gateway(s, j))
		return "signed";
	return sealed ? "broken" : "clear";
}

const char *expect_kind(struct scene *s, const struct mail *m)
{
	struct seen *n = seen_message(s, m);
	const char *kind = kind_of(s, &n->first);
	struct buf why = {0};
	enum verdict second = seen_second(n, &why);

	if (second != PASSED && !n->told && (n->first.n > 0 || n->disagree))
		scene_found(s, second, 0, "what came is %s to OpenSSL; %s", kind, why.p);
	n->told = true;
	buf_free(&why);
	return kind;
}

enum mark expect_mark(struct scene *s, const struct mail *m)
{
	for (enum mark k = MARK_TRUSTED; k < MARK_NONE; k++) {
		struct buf lines = {0};
		size_t n = marks_count(s, m, k, &lines);

		if (n > 0 && k == MARK_TRUSTED && s->trusted.n == 0)
			buf_add(&s->trusted, lines.p, lines.n);
		buf_free(&lines);
		if (n > 0)
			return k;
	}
	return MARK_NONE;
}
