/*
 * XSMG on the wire: commands, replies, base64 lines. Relay, tests; pure. docs/XSMG.md "The verbs"; RFC 5321 4.1, 4.2,
 * RFC 2034, RFC 4648 4. The grammar is followed octet by octet and nothing is repaired.
 */
#include "gateway/xsmg/xsmg_verb.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"
#include "gateway/mail/lex.h"

enum { OCTETS_DIGITS = 6 };

/* A word: what stands up to the next blank or the end. */
struct word {
	const char *p;
	size_t n;
};

/* Takes a word and the one blank behind it; a word behind a second blank is empty. */
static struct word take(struct word *rest)
{
	struct word w = {rest->p, 0};

	while (w.n < rest->n && rest->p[w.n] != ' ')
		w.n++;
	rest->p += w.n;
	rest->n -= w.n;
	return w;
}

/* The blank between two words; false: the end, or no blank. */
static bool blank(struct word *rest)
{
	if (rest->n == 0 || rest->p[0] != ' ')
		return false;
	rest->p++;
	rest->n--;
	return true;
}

bool xsmg_verb_offered(const char *p, size_t n)
{
	struct word rest = {p, n};

	do {
		struct word w = take(&rest);

		if (w.n == sizeof XSMG_VERB_VERSION - 1 && memcmp(w.p, XSMG_VERB_VERSION, w.n) == 0)
			return true;
	} while (blank(&rest));
	return false;
}

int xsmg_verb_refuse(enum xsmg_verb_no no, struct problem *pr)
{
	static const struct {
		enum problem_class cls;
		int code;
		const char *enh, *text;
	} t[] = {
	    [XSMG_VERB_NOT_OURS] = {PROBLEM_PERM, 550, "5.1.2", "That domain is not one of this gateway's"},
	    [XSMG_VERB_NOT_NOW] = {PROBLEM_TEMP, 451, "4.3.0", "Not now, try again later"},
	    [XSMG_VERB_SYNTAX] = {PROBLEM_PERM, 501, "5.5.4",
		"Syntax: XSMG GET domain [id] or XSMG PUT domain octets"},
	    [XSMG_VERB_TOO_LARGE] = {PROBLEM_PERM, 552, "5.3.4", "A statement has at most 65536 octets"},
	    [XSMG_VERB_NOT_BASE64] = {PROBLEM_PERM, 501, "5.5.2",
		"That is not base64 of as many octets as announced"},
	    [XSMG_VERB_RATE] = {PROBLEM_TEMP, 450, "4.7.1", "Too many XSMG commands, try again later"},
	    [XSMG_VERB_NO_TLS] = {PROBLEM_PERM, 530, "5.7.0", "Must issue a STARTTLS command first"},
	    [XSMG_VERB_SEQUENCE] = {PROBLEM_PERM, 503, "5.5.1", "Not during a mail transaction, and after EHLO only"},
	};

	REQUIRE((size_t)no < sizeof t / sizeof *t);
	return problem_set(pr, t[no].cls, t[no].code, t[no].enh, "", "%s", t[no].text);
}

/* ---- commands ---- */

/* 1*6DIGIT, not 0. */
static int read_octets(const struct word *w, size_t *out)
{
	*out = 0;
	if (w->n == 0 || w->n > OCTETS_DIGITS)
		return -1;
	for (size_t i = 0; i < w->n; i++) {
		if (w->p[i] < '0' || w->p[i] > '9')
			return -1;
		*out = *out * 10 + (size_t)(w->p[i] - '0');
	}
	return *out > 0 ? 0 : -1;
}

/* Letters, digits, hyphens and dots between labels: neither a literal nor U-labels. */
static int read_domain(const struct word *w, char out[256])
{
	if (w->n == 0 || w->p[0] == '[' || w->p[w->n - 1] == '.')
		return -1;
	return address_domain(w->p, w->n, out, NULL);
}

int xsmg_verb_read(const char *p, size_t n, struct xsmg_verb *v_r, struct problem *pr)
{
	struct word rest = {p, n}, form, domain, last = {NULL, 0};

	memset(v_r, 0, sizeof *v_r);
	form = take(&rest);
	if (!lex_same(form.p, form.n, "GET") && !lex_same(form.p, form.n, "PUT"))
		return xsmg_verb_refuse(XSMG_VERB_SYNTAX, pr);
	v_r->kind = lex_same(form.p, form.n, "GET") ? XSMG_VERB_GET : XSMG_VERB_PUT;
	if (!blank(&rest))
		return xsmg_verb_refuse(XSMG_VERB_SYNTAX, pr);
	domain = take(&rest);
	if (read_domain(&domain, v_r->domain) < 0)
		return xsmg_verb_refuse(XSMG_VERB_SYNTAX, pr);
	if (blank(&rest))
		last = take(&rest);
	if (rest.n > 0)
		return xsmg_verb_refuse(XSMG_VERB_SYNTAX, pr);
	if (v_r->kind == XSMG_VERB_GET && last.p) {
		if (!statement_id_ok(last.p, last.n))
			return xsmg_verb_refuse(XSMG_VERB_SYNTAX, pr);
		memcpy(v_r->id, last.p, last.n);
	}
	if (v_r->kind == XSMG_VERB_PUT && read_octets(&last, &v_r->octets) < 0)
		return xsmg_verb_refuse(XSMG_VERB_SYNTAX, pr);
	return v_r->octets > STATEMENT_MAX ? xsmg_verb_refuse(XSMG_VERB_TOO_LARGE, pr) : 0;
}

int xsmg_verb_get(const char *domain, const char *id, struct buf *out)
{
	if (!id || !id[0])
		return buf_addf(out, "XSMG GET %s\r\n", domain);
	return buf_addf(out, "XSMG GET %s %s\r\n", domain, id);
}

int xsmg_verb_put(const char *domain, size_t octets, struct buf *out)
{
	REQUIRE(octets > 0 && octets <= STATEMENT_MAX);
	return buf_addf(out, "XSMG PUT %s %zu\r\n", domain, octets);
}

/* ---- base64 in lines ---- */

static int put_lines(const char *before, const void *der, size_t n, struct buf *out)
{
	char *text = mem_raw(4 * ((n + 2) / 3) + 1);
	size_t k = encode_b64(der, n, text);
	int r = 0;

	for (size_t i = 0; r == 0 && i < k; i += XSMG_VERB_LINE) {
		size_t line = k - i < XSMG_VERB_LINE ? k - i : XSMG_VERB_LINE;

		r = buf_addf(out, "%s%.*s\r\n", before, (int)line, text + i);
	}
	free(text);
	return r;
}

int xsmg_verb_body(const void *der, size_t n, struct buf *out)
{
	return put_lines("", der, n, out) == 0 ? buf_adds(out, ".\r\n") : -1;
}

int xsmg_verb_current(const char *id, struct buf *out)
{
	return buf_addf(out, "250 2.0.0 current %s\r\n", id);
}

int xsmg_verb_statement(const char *id, const void *der, size_t n, struct buf *out)
{
	REQUIRE(n > 0 && n <= STATEMENT_MAX);
	if (buf_addf(out, "250-2.0.0 statement %s %zu\r\n", id, n) < 0 || put_lines("250-2.0.0 ", der, n, out) < 0)
		return -1;
	return buf_adds(out, "250 2.0.0 end\r\n");
}

/* A line as the grammar has it: base64 characters, padding only where the caller finds it can be. */
static bool line_ok(const char *p, size_t n)
{
	if (n == 0 || n > XSMG_VERB_LINE)
		return false;
	for (size_t i = 0; i < n; i++)
		if (encode_b64_value(p[i]) < 0 && p[i] != '=')
			return false;
	return true;
}

static size_t text_of(size_t octets)
{
	return 4 * ((octets + 2) / 3);
}

/* The octets of a run of lines, exactly as many as announced. 0 / -1. */
static int decode(const struct buf *text, size_t octets, struct buf *der)
{
	uint8_t *to;

	if (text->len != text_of(octets))
		return -1;
	to = buf_room(der, octets);
	if (!to || encode_unb64((const char *)text->p, text->len, to, octets) != (long)octets)
		return -1;
	buf_added(der, octets);
	return 0;
}

/* ---- PUT, the server's side ---- */

void xsmg_verb_body_init(struct xsmg_verb_body *b, size_t octets)
{
	REQUIRE(octets > 0 && octets <= STATEMENT_MAX);
	*b = (struct xsmg_verb_body){.octets = octets};
	buf_init(&b->text, text_of(octets));
}

void xsmg_verb_body_clear(struct xsmg_verb_body *b)
{
	buf_clear_public(&b->text);
}

int xsmg_verb_body_line(struct xsmg_verb_body *b, const char *p, size_t n, struct problem *pr)
{
	if (n == 1 && p[0] == '.')
		return 1;
	if (n > XSMG_VERB_BODY_MAX || b->seen + n + 2 > XSMG_VERB_BODY_MAX)
		return xsmg_verb_refuse(XSMG_VERB_TOO_LARGE, pr);
	b->seen += n + 2;
	if (!line_ok(p, n) || buf_add(&b->text, p, n) < 0)
		b->bad = true;
	return 0;
}

int xsmg_verb_body_end(const struct xsmg_verb_body *b, struct buf *der, struct problem *pr)
{
	if (b->bad || decode(&b->text, b->octets, der) < 0)
		return xsmg_verb_refuse(XSMG_VERB_NOT_BASE64, pr);
	return 0;
}

/* ---- replies, the client's side ---- */

static const char ok[] = "2.0.0 ";

static enum xsmg_verb_answer broken(struct problem *pr, const char *why)
{
	problem_set(pr, PROBLEM_TEMP, 0, "", "", "The reply to XSMG is malformed: %s.", why);
	return XSMG_VERB_BROKEN;
}

/* 4xx and 5xx; the words are the server's. */
static enum xsmg_verb_answer no(int code, const char *text, size_t n, struct problem *pr)
{
	const char *end = memchr(text, '\n', n);
	int first = (int)(end ? end - text : (ptrdiff_t)n);
	bool later = code >= 400 && code < 500;

	if (code < 400 || code > 599)
		return broken(pr, "its code is none that XSMG has");
	problem_set(pr, later ? PROBLEM_TEMP : PROBLEM_PERM, code, "", "", "The host answered XSMG with: %d %.*s",
	    code, first < 400 ? first : 400, text);
	return later ? XSMG_VERB_LATER : XSMG_VERB_REFUSED;
}

/* The next line of the text without its "2.0.0 ". False: there is none, or it has no such code. */
static bool next_line(struct word *rest, struct word *line)
{
	const char *end = rest->n ? memchr(rest->p, '\n', rest->n) : NULL;

	if (rest->n == 0)
		return false;
	*line = (struct word){rest->p, end ? (size_t)(end - rest->p) : rest->n};
	rest->p += line->n + (end != NULL);
	rest->n -= line->n + (end != NULL);
	if (line->n < sizeof ok - 1 || memcmp(line->p, ok, sizeof ok - 1) != 0)
		return false;
	line->p += sizeof ok - 1;
	line->n -= sizeof ok - 1;
	return true;
}

static bool word_is(const struct word *w, const char *s)
{
	return lex_same(w->p, w->n, s);
}

static enum xsmg_verb_answer current(
    struct word line, const char *held, char id_r[STATEMENT_ID + 1], struct problem *pr)
{
	if (!blank(&line) || !statement_id_ok(line.p, line.n))
		return broken(pr, "the id after \"current\" is none");
	memcpy(id_r, line.p, line.n);
	id_r[line.n] = 0;
	/* about what was not asked, nothing is current */
	if (!held || strcmp(held, id_r) != 0)
		return broken(pr, "it calls current what was not asked about");
	return XSMG_VERB_CURRENT;
}

/* Base64 lines up to "end", which must be the last. */
static enum xsmg_verb_answer collect(struct word rest, size_t octets, struct buf *der, struct problem *pr)
{
	struct word line;
	struct buf text;
	const char *why = "it has no \"end\"";

	buf_init(&text, text_of(octets));
	while (next_line(&rest, &line)) {
		if (word_is(&line, "end")) {
			why = rest.n > 0 ? "lines follow its \"end\""
			      : decode(&text, octets, der) < 0
				  ? "its base64 is not that of as many octets as announced"
				  : NULL;
			break;
		}
		if (!line_ok(line.p, line.n) || buf_add(&text, line.p, line.n) < 0) {
			why = "a line is no base64, or there is more than announced";
			break;
		}
	}
	buf_clear_public(&text);
	return why ? broken(pr, why) : XSMG_VERB_STATEMENT;
}

static enum xsmg_verb_answer statement(
    struct word line, struct word rest, struct buf *der, char id_r[STATEMENT_ID + 1], struct problem *pr)
{
	struct word id, octets;
	size_t n;

	if (!blank(&line))
		return broken(pr, "\"statement\" is not followed by an id");
	id = take(&line);
	if (!statement_id_ok(id.p, id.n) || !blank(&line))
		return broken(pr, "\"statement\" is not followed by an id and octets");
	octets = take(&line);
	if (line.n > 0 || read_octets(&octets, &n) < 0 || n > STATEMENT_MAX)
		return broken(pr, "its octets are no number from 1 to 65536");
	memcpy(id_r, id.p, id.n);
	id_r[id.n] = 0;
	return collect(rest, n, der, pr);
}

enum xsmg_verb_answer xsmg_verb_get_answer(int code, const char *text, size_t n, const char *held, struct buf *der,
    char id_r[STATEMENT_ID + 1], struct problem *pr)
{
	struct word rest = {text, n}, line, what;
	size_t before = der->len;
	enum xsmg_verb_answer r;

	id_r[0] = 0;
	if (code != 250)
		return no(code, text, n, pr);
	if (!next_line(&rest, &line))
		return broken(pr, "its first line has no enhanced code 2.0.0");
	what = take(&line);
	if (word_is(&what, "current") && rest.n == 0)
		return current(line, held, id_r, pr);
	if (!word_is(&what, "statement"))
		return broken(pr, "it begins with neither \"current\" nor \"statement\"");
	r = statement(line, rest, der, id_r, pr);
	REQUIRE(r == XSMG_VERB_STATEMENT || der->len == before);
	return r;
}

enum xsmg_verb_answer xsmg_verb_put_answer(int wanted, int code, const char *text, size_t n, struct problem *pr)
{
	return code == wanted ? XSMG_VERB_TAKEN : no(code, text, n, pr);
}
