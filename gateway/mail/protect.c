/*
 * Protected header fields: RFC 9788 (which fields, hp, HP-Outer, what may stand outside), RFC 9787 1.1 (structural
 * fields, fields that are shown). Pure; sealer.
 */
#include "gateway/mail/protect.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/field_index.h"
#include "gateway/mail/lex.h"

const char protect_subject[] = "Subject: [...]\r\n";

static const char record[] = "HP-Outer";
/* Written when there was no Content-Type: the fold tells it from a field that a sender wrote. */
static const char made[] = "Content-Type: text/plain;\r\n\t";
static const char made_bare[] = "Content-Type: text/plain\r\n";

static bool any_of(const struct header_field *f, const char *const *names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (header_is(f, names[i]))
			return true;
	return false;
}

#define ANY_OF(f, names) any_of(f, names, sizeof(names) / sizeof((names)[0]))

static bool begins(const struct header_field *f, const char *prefix)
{
	size_t n = strlen(prefix);

	return f->name_len > n && lex_same(f->raw, n, prefix);
}

enum protect_kind protect_kind(const struct header_field *f)
{
	static const char *const trace[] = {"Received", "Return-Path", "DKIM-Signature", "DomainKey-Signature",
	    "Authentication-Results", "Received-SPF", "Delivered-To", "X-Original-To"};
	static const char *const secret[] = {"Bcc", "Resent-Bcc", "XSMG-Statement"};

	if (header_is_content(f))
		return PROTECT_STRUCTURAL;
	if (ANY_OF(f, secret))
		return PROTECT_SECRET;
	if (header_is(f, record))
		return PROTECT_RECORD;
	if (ANY_OF(f, trace) || begins(f, "ARC-"))
		return PROTECT_TRACE;
	return PROTECT_AUTHOR;
}

bool protect_is_hidden(const struct header_field *f)
{
	static const char *const names[] = {"Subject", "Comments", "Keywords", "Thread-Topic"};

	return ANY_OF(f, names);
}

bool protect_is_shown(const struct header_field *f)
{
	static const char *const names[] = {"From", "Sender", "Reply-To", "To", "Cc", "Date", "Message-ID",
	    "In-Reply-To", "References", "Followup-To", "Mail-Followup-To", "Mail-Reply-To", "Errors-To",
	    "Disposition-Notification-To", "Disposition-Notification-Options", "Return-Receipt-To",
	    "X-Confirm-Reading-To", "Organization", "Resent-From", "Resent-Sender", "Resent-To", "Resent-Cc",
	    "Resent-Date", "Resent-Message-ID"};

	return protect_is_hidden(f) || ANY_OF(f, names);
}

bool protect_hides(const char *list, const struct header_field *f)
{
	while (*list != 0) {
		size_t n = strcspn(list, ",");

		while (n > 0 && *list == ' ')
			list++, n--;
		if (n == f->name_len && n > 0) {
			size_t i = 0;

			while (i < n && lex_lower(list[i]) == lex_lower(f->raw[i]))
				i++;
			if (i == n)
				return true;
		}
		list += n + (list[n] == ',');
	}
	return false;
}

int protect_may_hide(const char *name, struct problem *pr)
{
	static const char *const never[] = {"Followup-To", "Mail-Followup-To", "Mail-Reply-To", "Errors-To", "From",
	    "Sender", "Reply-To", "To", "Cc", "Date", "Message-ID", "In-Reply-To", "References", "Auto-Submitted",
	    "Precedence", "TLS-Required", "Disposition-Notification-To", "Disposition-Notification-Options",
	    "Return-Receipt-To"};
	static const char *const families[] = {"Resent-", "List-", "X-Postern-"};
	const struct header_field f = {.raw = name, .name_len = strlen(name)};
	bool ok = f.name_len > 0 && f.name_len <= 76 && protect_kind(&f) == PROTECT_AUTHOR && !ANY_OF(&f, never);

	for (size_t i = 0; i < sizeof(families) / sizeof(families[0]); i++)
		ok = ok && !begins(&f, families[i]);
	for (size_t i = 0; i < f.name_len; i++)
		ok = ok && lex_is(name[i], LEX_FTEXT) && name[i] != ',';
	if (ok)
		return 0;
	return problem_perm(pr,
	    "names of fields that tell of the content, such as Subject, Keywords or X-Patient; never one by which "
	    "mail is delivered, answered, threaded, traced or read (From, To, Date, Message-ID, References, "
	    "Content-Type and their like)");
}

/* ---- parameters of Content-Type ---- */

/* Behind type and subtype, or behind what stands there of them: where parameters begin. */
static const char *behind_type(const struct header_field *f)
{
	const char *at;
	struct lex l;

	lex_init(&l, f->value, f->value_len);
	if (lex_cfws(&l, NULL))
		return f->value;
	(void)lex_run(&l, LEX_TOKEN);
	at = l.p;
	if (lex_cfws(&l, NULL) || !lex_take(&l, '/') || lex_cfws(&l, NULL) || lex_run(&l, LEX_TOKEN) == 0)
		return at;
	return l.p;
}

struct param {
	const char *from, *end, *name;
	size_t name_len;
};

/* One parameter at the place, its semicolon first. 1 with the octets it takes, 0 at the end, -1: cannot be read. */
static int next_param(struct lex *l, struct param *p)
{
	size_t n;

	p->from = l->p;
	if (lex_cfws(l, NULL))
		return -1;
	if (lex_at_end(l))
		return 0;
	if (!lex_take(l, ';') || lex_cfws(l, NULL))
		return -1;
	p->name = l->p;
	p->name_len = lex_run(l, LEX_TOKEN);
	if (p->name_len > 0) {
		if (lex_cfws(l, NULL) || !lex_take(l, '=') || lex_cfws(l, NULL))
			return -1;
		if (lex_at(l, '"') ? lex_quoted(l, NULL, 0, &n) != 0 : lex_run(l, LEX_TOKEN) == 0)
			return -1;
	}
	p->end = l->p;
	return 1;
}

/* The parameter of that name, also in the pieces of RFC 2231 (name*, name*0, name*0*). */
static bool is_param(const struct param *p, const char *name)
{
	size_t n = strlen(name);

	return p->name_len >= n && lex_same(p->name, n, name) && (p->name_len == n || p->name[n] == '*');
}

/* What an author's program left there says something else than ours: of two a reader takes either. With hp all goes
 * that speaks of protected fields, as the fields are protected anew. */
static bool is_replaced(const struct param *p, const char *name)
{
	if (strcmp(name, "hp") == 0 && (is_param(p, "hp-legacy-display") || is_param(p, "protected-headers")))
		return true;
	return is_param(p, name);
}

int protect_type_put(struct buf *out, const struct header_field *f, const char *name, const char *value)
{
	const char *at;
	struct param p;
	struct lex l;

	if (f == NULL)
		return buf_addf(out, "%s%s=\"%s\"\r\n", made, name, value);
	at = behind_type(f);
	if (buf_add(out, f->raw, (size_t)(at - f->raw)) != 0 || buf_addf(out, "; %s=\"%s\"", name, value) != 0)
		return -1;
	lex_init(&l, at, (size_t)(f->value + f->value_len - at));
	while (next_param(&l, &p) > 0) {
		if (!is_replaced(&p, name))
			continue;
		if (buf_add(out, at, (size_t)(p.from - at)) != 0)
			return -1;
		at = p.end;
	}
	return buf_add(out, at, (size_t)(f->raw + f->raw_len - at));
}

static bool find_param(const struct header_field *f, const char *name, struct param *p)
{
	const char *at = behind_type(f);
	struct lex l;

	lex_init(&l, at, (size_t)(f->value + f->value_len - at));
	while (next_param(&l, p) > 0)
		if (p->name_len > 0 && lex_same(p->name, p->name_len, name))
			return true;
	return false;
}

bool protect_type_made(const struct header_field *f)
{
	return f->raw_len > sizeof(made) - 1 && memcmp(f->raw, made, sizeof(made) - 1) == 0;
}

int protect_type_cut(struct arena *a, const struct header_field *f, const char *name, struct header_field *f_r)
{
	struct param p;
	size_t head, tail;
	bool ours;
	char *raw;

	*f_r = *f;
	if (!find_param(f, name, &p))
		return 0;
	ours = protect_type_made(f);
	head = (size_t)(p.from - f->raw);
	tail = f->raw_len - (size_t)(p.end - f->raw);
	raw = arena_alloc(a, head + tail + 1);
	if (raw == NULL)
		return -1;
	memcpy(raw, f->raw, head);
	memcpy(raw + head, p.end, tail);
	f_r->raw = raw;
	f_r->raw_len = head + tail;
	f_r->value = raw + f->name_len + 1;
	f_r->value_len = f_r->raw_len - f->name_len - 3;
	if (ours && f_r->raw_len == sizeof(made_bare) - 1 && memcmp(raw, made_bare, f_r->raw_len) == 0)
		f_r->raw_len = 0;
	return 0;
}

/* ---- HP-Outer ---- */

int protect_record_put(struct buf *out, const char *raw, size_t n)
{
	if (buf_adds(out, record) != 0 || buf_adds(out, ": ") != 0)
		return -1;
	return buf_add(out, raw, n);
}

int protect_record_read(const struct header_field *f, struct header_field *f_r)
{
	const char *p = f->value, *end = f->value + f->value_len, *colon;

	while (p < end && (lex_is(*p, LEX_BLANK) || *p == '\r' || *p == '\n'))
		p++;
	colon = memchr(p, ':', (size_t)(end - p));
	if (colon == NULL || colon == p)
		return -1;
	for (const char *q = p; q < colon; q++)
		if (!lex_is(*q, LEX_FTEXT))
			return -1;
	f_r->raw = p;
	f_r->raw_len = (size_t)(f->raw + f->raw_len - p);
	f_r->name_len = (size_t)(colon - p);
	f_r->value = colon + 1;
	f_r->value_len = (size_t)(end - colon - 1);
	return 0;
}

/* ---- comparing ---- */

bool protect_same_name(const struct header_field *f, const struct header_field *g)
{
	if (f->name_len != g->name_len)
		return false;
	for (size_t i = 0; i < f->name_len; i++)
		if (lex_lower(f->raw[i]) != lex_lower(g->raw[i]))
			return false;
	return true;
}

static bool is_space(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* The next octet of the value, runs of blanks as one; -1 at the end. */
static int next_octet(const char **p, const char *end)
{
	if (*p == end)
		return -1;
	if (!is_space(**p))
		return (unsigned char)*(*p)++;
	while (*p < end && is_space(**p))
		(*p)++;
	return *p < end ? ' ' : -1;
}

bool protect_same(const struct header_field *f, const struct header_field *g)
{
	const char *p = f->value, *pend = p + f->value_len, *q = g->value, *qend = q + g->value_len;
	int a, b;

	if (!protect_same_name(f, g))
		return false;
	while (p < pend && is_space(*p))
		p++;
	while (q < qend && is_space(*q))
		q++;
	do {
		a = next_octet(&p, pend);
		b = next_octet(&q, qend);
	} while (a == b && a >= 0);
	return a == b;
}

/* The fields of f's name are not the same ones in the same order. */
static bool name_differs(const struct field_index *x, const struct field_index *y, const struct header_field *f)
{
	size_t i = field_index_next(x, f, 0), k = field_index_next(y, f, 0);

	while (i < x->h->n && k < y->h->n && protect_same(&x->h->f[i], &y->h->f[k])) {
		i = field_index_next(x, f, i + 1);
		k = field_index_next(y, f, k + 1);
	}
	return i < x->h->n || k < y->h->n;
}

static void add_name(const struct header_field *f, char *text, size_t cap)
{
	size_t n = strlen(text);
	int len = f->name_len > 60 ? 60 : (int)f->name_len;

	if (n + (size_t)len + 2 + 5 < cap)
		(void)snprintf(text + n, cap - n, "%s%.*s", n ? ", " : "", len, f->raw);
	else if (n + 4 < cap && (n < 3 || strcmp(text + n - 3, "...") != 0))
		(void)snprintf(text + n, cap - n, " ...");
}

size_t protect_differs(
    struct arena *a, const struct header *outside, const struct header *said, char *text, size_t cap)
{
	struct field_index out, in;
	size_t n = 0;

	text[0] = 0;
	if (field_index_make(a, outside, FIELD_INDEX_NAME, &out) != 0 ||
	    field_index_make(a, said, FIELD_INDEX_NAME, &in) != 0)
		return 0;
	for (size_t i = 0; i < said->n; i++) {
		const struct header_field *f = &said->f[i];

		if (protect_kind(f) != PROTECT_AUTHOR || field_index_next(&in, f, 0) != i ||
		    !name_differs(&in, &out, f))
			continue;
		add_name(f, text, cap);
		n++;
	}
	for (size_t i = 0; i < outside->n; i++) {
		const struct header_field *f = &outside->f[i];

		if (!protect_is_shown(f) || field_index_next(&out, f, 0) != i || field_index_has(&in, f))
			continue;
		add_name(f, text, cap);
		n++;
	}
	return n;
}
