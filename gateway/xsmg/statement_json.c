/*
 * Statements as JSON. Judge, tests; pure. RFC 8259, RFC 7493 (I-JSON), RFC 4648. jansson parses; what it does not
 * look at is looked at here, before (nesting, octets) or after (numbers, sizes, noncharacters). A table names the
 * members: what is read, what is must and what may be critical come from it.
 */
#include "gateway/xsmg/statement_json.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/mail/address.h"
#include "gateway/mail/utf8.h"

/* What is read at the moment. */
struct task {
	struct arena *a;
	struct statement *s;
	struct problem *pr;
};

static int bad(struct problem *pr, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static int bad(struct problem *pr, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	return problem_set(pr, PROBLEM_PERM, 0, "", "RFC 7493", "The content of the statement is refused: %s.", text);
}

/* ---- before the parser ---- */

/* Brackets outside of strings. A parser that calls itself for each would not survive ten thousand of them. */
static int check_depth(const char *p, size_t n, struct problem *pr)
{
	bool text = false;
	int depth = 0;

	for (size_t i = 0; i < n; i++) {
		if (text && p[i] == '\\')
			i++;
		else if (p[i] == '"')
			text = !text;
		else if (!text && (p[i] == '{' || p[i] == '[') && ++depth > STATEMENT_JSON_DEPTH)
			return bad(pr, "it is nested more than %d deep", STATEMENT_JSON_DEPTH);
		else if (!text && (p[i] == '}' || p[i] == ']'))
			depth--;
	}
	return 0;
}

/* RFC 7493 2.1: UTF-8; a NUL would also end what C takes for the text. */
static int check_octets(const char *p, size_t n, struct problem *pr)
{
	for (size_t i = 0, k; i < n; i += k) {
		k = utf8_len(p + i, n - i);
		if (k == 0 || p[i] == '\0')
			return bad(pr, "octet %zu is %s", i, k ? "NUL" : "not UTF-8");
	}
	return 0;
}

/* ---- after the parser: I-JSON throughout, also in what is passed over ---- */

/* RFC 7493 2.1: no noncharacters (U+FDD0 to U+FDEF, and the last two of each plane), also when escaped. The text is
 * UTF-8 as the parser checked; surrogates it refuses. */
static bool has_nonchar(const char *p, size_t n)
{
	const uint8_t *u = (const uint8_t *)p;

	for (size_t i = 0; i + 2 < n; i++) {
		if (u[i] == 0xef && u[i + 1] == 0xb7 && u[i + 2] >= 0x90 && u[i + 2] <= 0xaf)
			return true;
		if (u[i] == 0xef && u[i + 1] == 0xbf && u[i + 2] >= 0xbe)
			return true;
		if (i + 3 < n && u[i] >= 0xf0 && (u[i + 1] & 0x0f) == 0x0f && u[i + 2] == 0xbf && u[i + 3] >= 0xbe)
			return true;
	}
	return false;
}

static int check_value(const json_t *v, struct problem *pr);

static int check_object(const json_t *v, struct problem *pr)
{
	const char *name;
	json_t *member;

	if (json_object_size(v) > STATEMENT_JSON_ITEMS)
		return bad(pr, "an object has more than %d members", STATEMENT_JSON_ITEMS);
	json_object_foreach((json_t *)v, name, member)
	{
		if (has_nonchar(name, strlen(name)))
			return bad(pr, "the name of a member has a noncharacter");
		if (check_value(member, pr) < 0)
			return -1;
	}
	return 0;
}

/* Calls itself at most STATEMENT_JSON_DEPTH deep. */
static int check_value(const json_t *v, struct problem *pr)
{
	json_int_t i;

	switch (json_typeof(v)) {
	case JSON_OBJECT:
		return check_object(v, pr);
	case JSON_ARRAY:
		if (json_array_size(v) > STATEMENT_JSON_ITEMS)
			return bad(pr, "an array has more than %d values", STATEMENT_JSON_ITEMS);
		for (size_t k = 0; k < json_array_size(v); k++)
			if (check_value(json_array_get(v, k), pr) < 0)
				return -1;
		return 0;
	case JSON_STRING:
		if (has_nonchar(json_string_value(v), json_string_length(v)))
			return bad(pr, "a string has a noncharacter");
		return 0;
	case JSON_REAL:
		return bad(pr, "a number is not an integer");
	case JSON_INTEGER:
		i = json_integer_value(v);
		if (i > STATEMENT_SERIAL_MAX || i < -STATEMENT_SERIAL_MAX)
			return bad(pr, "a number is above 2^53 - 1");
		return 0;
	default:
		return 0;
	}
}

/* ---- single values ---- */

/* What a stranger wrote, for a sentence: printable ASCII, 60 characters of it. */
static const char *shown(const char *p, char out[61])
{
	size_t n = 0;

	for (; p[n] && n < 60; n++)
		out[n] = p[n] >= ' ' && p[n] <= '~' && p[n] != '"' ? p[n] : '?';
	out[n] = 0;
	return out;
}

static int read_time(const struct task *t, const char *name, const json_t *v, int64_t *out)
{
	char text[61];

	if (!json_is_string(v) || statement_time(json_string_value(v), json_string_length(v), out) < 0)
		return bad(t->pr, "%s is \"%s\", which is no time of the form 2026-11-22T02:05:19Z", name,
		    json_is_string(v) ? shown(json_string_value(v), text) : "");
	return 0;
}

static int read_number(const struct task *t, const char *name, const json_t *v, int64_t *out)
{
	if (!json_is_integer(v) || json_integer_value(v) < 1)
		return bad(t->pr, "%s is no integer from 1 to 2^53 - 1", name);
	*out = json_integer_value(v);
	return 0;
}

static int read_array(const struct task *t, const char *name, const json_t *v, size_t most)
{
	if (!json_is_array(v))
		return bad(t->pr, "%s is no array", name);
	if (json_array_size(v) > most)
		return bad(t->pr, "%s has %zu values, more than %zu", name, json_array_size(v), most);
	return 0;
}

/* Words of a kind; those that are not known are passed over, so that a newer gateway can say more. */
static int read_words(const struct task *t, const char *name, const json_t *v, enum statement_kind kind,
    void (*take)(void *to, unsigned value), void *to)
{
	if (read_array(t, name, v, STATEMENT_JSON_ITEMS) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *w = json_array_get(v, i);
		unsigned value;

		if (!json_is_string(w))
			return bad(t->pr, "%s has a value that is no string", name);
		value = statement_value(kind, json_string_value(w), json_string_length(w));
		if (value)
			take(to, value);
	}
	return 0;
}

static void take_word(void *to, unsigned value)
{
	statement_words_add(to, value);
}

static void take_bit(void *to, unsigned value)
{
	uint8_t *bits = to;

	*bits |= (uint8_t)value;
}

/* ---- certificates ---- */

static int read_der(const struct task *t, const json_t *v, struct statement_octets *out)
{
	size_t n = json_is_string(v) ? json_string_length(v) : 0;
	uint8_t *der;
	long got;

	if (n == 0)
		return bad(t->pr, "a certificate has no der");
	der = arena_alloc(t->a, n / 4 * 3 + 3);
	if (!der)
		return bad(t->pr, "its certificates take more memory than a statement may");
	got = encode_unb64(json_string_value(v), n, der, n / 4 * 3 + 3);
	if (got <= 0)
		return bad(
		    t->pr, "the der of a certificate is no base64 (RFC 4648 section 4, padded, without blanks)");
	out->p = der;
	out->n = (size_t)got;
	return 0;
}

static void put_hash(struct statement_cert *c)
{
	uint8_t md[32];

	statement_hash(c->der.p, c->der.n, md);
	encode_hex(md, sizeof md, c->sha256);
}

static int read_cert(const struct task *t, const json_t *v, struct statement_cert *c)
{
	const json_t *use = json_object_get(v, "use");

	if (!json_is_object(v))
		return bad(t->pr, "certificates has a value that is no object");
	c->use = json_is_string(use)
		     ? statement_value(STATEMENT_KIND_USE, json_string_value(use), json_string_length(use))
		     : 0;
	if (!c->use)
		return bad(t->pr, "the use of a certificate is none of statement, sign, encrypt and both");
	if (read_der(t, json_object_get(v, "der"), &c->der) < 0 ||
	    read_time(t, "from of a certificate", json_object_get(v, "from"), &c->from) < 0 ||
	    read_time(t, "until of a certificate", json_object_get(v, "until"), &c->until) < 0)
		return -1;
	if (c->from >= c->until)
		return bad(t->pr, "a certificate has a from that is not before its until");
	put_hash(c);
	return 0;
}

/* ---- members ---- */

static int m_v(const struct task *t, const json_t *v)
{
	if (!json_is_integer(v) || json_integer_value(v) != 1)
		return bad(t->pr, "v is not 1, the only version that is read here");
	return 0;
}

static int m_domain(const struct task *t, const json_t *v)
{
	const char *p = json_is_string(v) ? json_string_value(v) : "";
	char text[61];

	if (p[0] == '[' || address_domain(p, strlen(p), t->s->domain, NULL) < 0 || strcmp(p, t->s->domain) != 0)
		return bad(t->pr, "domain is \"%s\", not a domain in A-labels and lower case", shown(p, text));
	return 0;
}

static int m_serial(const struct task *t, const json_t *v)
{
	return read_number(t, "serial", v, &t->s->serial);
}

static int m_issued(const struct task *t, const json_t *v)
{
	return read_time(t, "issued", v, &t->s->issued);
}

static int m_expires(const struct task *t, const json_t *v)
{
	return read_time(t, "expires", v, &t->s->expires);
}

static int m_status(const struct task *t, const json_t *v)
{
	const char *p = json_is_string(v) ? json_string_value(v) : "";

	t->s->withdrawn = strcmp(p, "withdrawn") == 0;
	if (!t->s->withdrawn && strcmp(p, "active") != 0)
		return bad(t->pr, "status is neither active nor withdrawn");
	return 0;
}

static int m_signer(const struct task *t, const json_t *v)
{
	const char *p = json_is_string(v) ? json_string_value(v) : "";

	if (statement_unid(p, strlen(p), t->s->signer) < 0)
		return bad(t->pr, "signer is no SHA-256 in base64url without padding");
	return 0;
}

static int m_certificates(const struct task *t, const json_t *v)
{
	if (read_array(t, "certificates", v, STATEMENT_CERTS_MAX) < 0)
		return -1;
	if (json_array_size(v) == 0)
		return bad(t->pr, "certificates is empty");
	for (size_t i = 0; i < json_array_size(v); i++)
		if (read_cert(t, json_array_get(v, i), &t->s->certs[t->s->ncerts++]) < 0)
			return -1;
	return 0;
}

static int read_list(const struct task *t, const json_t *v, const char *name, enum statement_kind kind, bool must,
    struct statement_words *w)
{
	const json_t *list = json_object_get(v, name);

	if (!list)
		return must ? bad(t->pr, "read has no %s", name) : 0;
	return read_words(t, name, list, kind, take_word, w);
}

static int m_read(const struct task *t, const json_t *v)
{
	struct statement_read *r = &t->s->read;
	const json_t *octets = json_object_get(v, "octets");
	int64_t n = 0;

	if (!json_is_object(v))
		return bad(t->pr, "read is no object");
	if (read_list(t, v, "content", STATEMENT_KIND_CONTENT, true, &r->content) < 0 ||
	    read_list(t, v, "keys", STATEMENT_KIND_KEYS, true, &r->keys) < 0 ||
	    read_list(t, v, "signatures", STATEMENT_KIND_SIGNATURES, true, &r->signatures) < 0 ||
	    read_list(t, v, "formats", STATEMENT_KIND_FORMATS, true, &r->formats) < 0 ||
	    read_list(t, v, "headers", STATEMENT_KIND_HEADERS, false, &r->headers) < 0 ||
	    (octets && read_number(t, "octets", octets, &n) < 0))
		return -1;
	r->octets = (uint64_t)n;
	return 0;
}

static int read_promise(const struct task *t, const json_t *v, const char *name, enum statement_promise *out)
{
	const json_t *word = json_object_get(v, name);

	if (!word)
		return 0;
	*out = json_is_string(word)
		   ? statement_value(STATEMENT_KIND_PROMISE, json_string_value(word), json_string_length(word))
		   : 0;
	return *out ? 0 : bad(t->pr, "%s is neither all nor some", name);
}

static int m_write(const struct task *t, const json_t *v)
{
	struct statement_write *w = &t->s->write;
	const json_t *test = json_object_get(v, "test");

	if (!json_is_object(v))
		return bad(t->pr, "write is no object");
	if (read_promise(t, v, "signs", &w->signs) < 0 || read_promise(t, v, "encrypts", &w->encrypts) < 0 ||
	    read_time(t, "until of write", json_object_get(v, "until"), &w->until) < 0)
		return -1;
	if (test && !json_is_boolean(test))
		return bad(t->pr, "test is neither true nor false");
	w->test = json_is_true(test);
	w->said = true;
	return 0;
}

static int m_demand(const struct task *t, const json_t *v)
{
	if (read_array(t, "demand", v, STATEMENT_JSON_ITEMS) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *p = json_string_value(json_array_get(v, i));

		if (!p)
			return bad(t->pr, "demand has a value that is no string");
		t->s->demand_signed = t->s->demand_signed || strcmp(p, "signed") == 0;
		t->s->demand_encrypted = t->s->demand_encrypted || strcmp(p, "encrypted") == 0;
	}
	return 0;
}

static int m_asserts(const struct task *t, const json_t *v)
{
	return read_words(t, "asserts", v, STATEMENT_KIND_ASSERTS, take_bit, &t->s->asserts);
}

static int m_notices(const struct task *t, const json_t *v)
{
	return read_words(t, "notices", v, STATEMENT_KIND_NOTICES, take_bit, &t->s->notices);
}

static int m_urls(const struct task *t, const json_t *v)
{
	if (read_array(t, "urls", v, STATEMENT_URLS_MAX) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const json_t *u = json_array_get(v, i);

		if (!json_is_string(u) || !statement_url_ok(json_string_value(u), json_string_length(u)))
			return bad(t->pr, "urls has a value that is no https URL of at most %d octets of ASCII",
			    STATEMENT_URL_MAX);
		t->s->urls[i] = arena_str(t->a, json_string_value(u));
		if (!t->s->urls[i])
			return bad(t->pr, "its URLs take more memory than a statement may");
		t->s->nurls = i + 1;
	}
	return 0;
}

static int m_critical(const struct task *t, const json_t *v);

static const struct member {
	const char *name;
	bool must;
	int (*read)(const struct task *t, const json_t *v);
} members[] = {
    {"v", true, m_v}, /* first: another version may have other members */
    {"critical", false, m_critical},
    {"domain", true, m_domain},
    {"serial", true, m_serial},
    {"issued", true, m_issued},
    {"expires", true, m_expires},
    {"status", false, m_status},
    {"signer", true, m_signer},
    {"certificates", true, m_certificates},
    {"read", true, m_read},
    {"write", false, m_write},
    {"demand", false, m_demand},
    {"asserts", false, m_asserts},
    {"notices", false, m_notices},
    {"urls", false, m_urls},
};
enum { MEMBERS = sizeof members / sizeof *members };

static bool is_known(const char *name)
{
	for (size_t i = 0; i < MEMBERS; i++)
		if (strcmp(members[i].name, name) == 0)
			return true;
	return false;
}

static int m_critical(const struct task *t, const json_t *v)
{
	char text[61];

	if (read_array(t, "critical", v, STATEMENT_JSON_ITEMS) < 0)
		return -1;
	for (size_t i = 0; i < json_array_size(v); i++) {
		const char *p = json_string_value(json_array_get(v, i));

		if (!p)
			return bad(t->pr, "critical has a value that is no string");
		if (!is_known(p))
			return bad(
			    t->pr, "it has the critical member \"%s\", which is not known here", shown(p, text));
	}
	return 0;
}

static int read_members(const struct task *t, const json_t *top)
{
	for (size_t i = 0; i < MEMBERS; i++) {
		const json_t *v = json_object_get(top, members[i].name);

		if (!v && members[i].must)
			return bad(t->pr, "it has no %s", members[i].name);
		if (v && members[i].read(t, v) < 0)
			return -1;
	}
	if (t->s->expires <= t->s->issued)
		return bad(t->pr, "expires is not after issued");
	if (t->s->expires - t->s->issued > STATEMENT_LIFE_MAX)
		return bad(t->pr, "expires is more than 30 days after issued");
	return 0;
}

static json_t *parse(const char *p, size_t n, struct problem *pr)
{
	json_error_t err;
	char text[61];
	json_t *top;

	if (n > STATEMENT_MAX) {
		bad(pr, "it has more than %d octets", STATEMENT_MAX);
		return NULL;
	}
	if (check_octets(p, n, pr) < 0 || check_depth(p, n, pr) < 0)
		return NULL;
	top = json_loadb(p, n, JSON_REJECT_DUPLICATES, &err);
	if (!top)
		bad(pr, "it is no JSON with each member once, at octet %d: %s", err.position, shown(err.text, text));
	return top;
}

int statement_json_read(const void *json, size_t n, struct arena *a, struct statement *s_r, struct problem *pr)
{
	struct task t = {a, s_r, pr};
	json_t *top;
	int r = -1;

	memset(s_r, 0, sizeof *s_r);
	top = parse(json, n, pr);
	if (top && !json_is_object(top))
		bad(pr, "it is no object");
	else if (top && check_value(top, pr) == 0)
		r = read_members(&t, top);
	json_decref(top);
	return r;
}
