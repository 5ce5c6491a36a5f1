/*
 * Parameters of MIME fields: RFC 2045 5.1, RFC 2231 3 and 4. Pure; sealer.
 * Lenient about how programs write values (unquoted file names with blanks, stray semicolons), strict about what
 * decides on structure: there a second reading is refused. RFC 2047 words in values are left as they are.
 */
#include "gateway/mail/mime_field.h"

#include <string.h>

#include "gateway/base/encode.h"

#define SECTIONS_MOST 100
#define PIECES_MOST 64

/* One piece as it stands: name*section*=value. */
struct piece {
	char *name;
	int section; /* -1: the whole value */
	bool percent;
	char *value;
	size_t len;
	bool used;
};

static int bad(struct problem *pr, const char *why)
{
	return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2045 5.1", "A MIME field cannot be read: %s.", why);
}

static int no_memory(struct problem *pr)
{
	return bad(pr, "it needs more memory than one message may have");
}

static int number(const char *p, size_t n)
{
	int v = 0;

	if (n == 0 || (n > 1 && p[0] == '0'))
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (p[i] < '0' || p[i] > '9' || v > SECTIONS_MOST)
			return -1;
		v = v * 10 + (p[i] - '0');
	}
	return v > SECTIONS_MOST ? -1 : v;
}

/* "name", "name*", "name*3", "name*3*" taken apart. What looks otherwise is a plain name. */
static int set_name(struct arena *a, struct piece *s, const char *p, size_t n, struct problem *pr)
{
	size_t len = n;
	const char *star;

	s->section = -1;
	if (len > 1 && p[len - 1] == '*') {
		s->percent = true;
		len--;
	}
	star = memchr(p, '*', len);
	if (star && star > p) {
		int section = number(star + 1, len - (size_t)(star + 1 - p));

		if (section < 0)
			return bad(pr, "a parameter has a malformed section number");
		s->section = section;
		len = (size_t)(star - p);
	}
	s->name = arena_dup(a, p, len);
	if (!s->name)
		return no_memory(pr);
	for (size_t i = 0; i < len; i++)
		s->name[i] = lex_lower(s->name[i]);
	return 0;
}

static bool value_octet(char c)
{
	unsigned char u = (unsigned char)c;

	return (u >= 32 || u == '\t') && u != 127 && u != ';' && u != '"' && u != '(';
}

/* An unquoted value: to the next ";" or comment, blanks at its end dropped. More than RFC 2045's token, as it is
 * written out there. */
static int bare_value(struct arena *a, struct lex *l, struct piece *s, struct problem *pr)
{
	const char *from = l->p;

	while (!lex_at_end(l) && value_octet(*l->p))
		l->p++;
	s->len = (size_t)(l->p - from);
	while (s->len > 0 && lex_is(from[s->len - 1], LEX_BLANK))
		s->len--;
	s->value = arena_dup(a, from, s->len);
	return s->value ? 0 : no_memory(pr);
}

static int quoted_value(struct arena *a, struct lex *l, struct piece *s, struct problem *pr)
{
	size_t cap;
	struct lex ahead = *l;

	if (lex_quoted(&ahead, NULL, 0, &s->len))
		return bad(pr, "a quotation mark is not closed, or a control character stands in a value");
	cap = s->len + 1;
	s->value = arena_alloc(a, cap);
	if (!s->value)
		return no_memory(pr);
	return lex_quoted(l, s->value, cap, &s->len) ? bad(pr, "a quoted value") : 0;
}

static bool decides_structure(const char *name)
{
	return strcmp(name, "boundary") == 0 || strcmp(name, "protocol") == 0 || strcmp(name, "smime-type") == 0;
}

static int blanks(struct lex *l, struct problem *pr)
{
	return lex_cfws(l, NULL) ? bad(pr, "a comment is not closed, or a control character stands in it") : 0;
}

/* Up to the next ";" outside quotes: what programs leave there by mistake. */
static int skip_rest(struct lex *l, struct problem *pr)
{
	size_t n;

	while (!lex_at_end(l) && !lex_at(l, ';')) {
		if (!lex_at(l, '"'))
			l->p++;
		else if (lex_quoted(l, NULL, 0, &n))
			return bad(pr, "a quotation mark is not closed");
	}
	return 0;
}

/* 1 when there is a piece in *s, 0 when there was none worth keeping. */
static int read_piece(struct arena *a, struct lex *l, struct piece *s, struct problem *pr)
{
	const char *from = l->p;
	size_t n = lex_run(l, LEX_TOKEN);

	memset(s, 0, sizeof(*s));
	if (n == 0)
		return skip_rest(l, pr);
	if (set_name(a, s, from, n, pr) || blanks(l, pr))
		return -1;
	if (!lex_take(l, '='))
		return decides_structure(s->name) ? bad(pr, "a parameter has no value") : skip_rest(l, pr);
	if (blanks(l, pr))
		return -1;
	if ((lex_at(l, '"') ? quoted_value(a, l, s, pr) : bare_value(a, l, s, pr)) || blanks(l, pr))
		return -1;
	if (!lex_at_end(l) && !lex_at(l, ';') && decides_structure(s->name))
		return bad(pr, "something stands behind the value of a parameter");
	return skip_rest(l, pr) ? -1 : 1;
}

/* charset'language'text: what stands behind the second quote. Without quotes all of it is text. */
static void drop_charset(struct piece *s)
{
	const char *one = memchr(s->value, '\'', s->len), *end = s->value + s->len;
	const char *two = one ? memchr(one + 1, '\'', (size_t)(end - one - 1)) : NULL;

	if (!two)
		return;
	s->len = (size_t)(end - two - 1);
	memmove(s->value, two + 1, s->len + 1);
}

/* In place; "%" without two digits stays. */
static void undo_percent(struct piece *s)
{
	size_t out = 0;

	for (size_t i = 0; i < s->len; i++) {
		uint8_t c;

		if (s->value[i] == '%' && s->len - i > 2 && encode_unhex(s->value + i + 1, 2, &c, 1) == 1) {
			s->value[out++] = (char)c;
			i += 2;
		} else {
			s->value[out++] = s->value[i];
		}
	}
	s->value[out] = 0;
	s->len = out;
}

static int put(struct mime_type *t, const char *name, const char *value, size_t len, struct problem *pr)
{
	const char *first = mime_param(t, name);

	if (memchr(value, 0, len))
		return bad(pr, "a parameter has a NUL in its value");
	if (first && strcmp(first, value) != 0 && decides_structure(name))
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2045 5",
		    "A MIME field cannot be read: the parameter %s stands there twice with different values.", name);
	if (first)
		return 0;
	t->params[t->nparams].name = name;
	t->params[t->nparams].value = value;
	t->nparams++;
	return 0;
}

static struct piece *find(struct piece *s, size_t n, const char *name, int section)
{
	for (size_t i = 0; i < n; i++)
		if (s[i].section == section && !s[i].used && strcmp(s[i].name, name) == 0)
			return &s[i];
	return NULL;
}

/* The sections 0, 1, 2 ... of one name, in whatever order they stand. */
static int join(struct arena *a, struct piece *s, size_t n, const char *name, struct mime_type *t, struct problem *pr)
{
	size_t len = 0, at = 0;
	struct piece *one;
	char *value;

	for (size_t i = 0; i < n; i++)
		len += strcmp(s[i].name, name) == 0 ? s[i].len : 0;
	value = arena_alloc(a, len + 1);
	if (!value)
		return no_memory(pr);
	for (int section = 0; (one = find(s, n, name, section)) != NULL; section++) {
		memcpy(value + at, one->value, one->len);
		at += one->len;
		one->used = true;
	}
	for (size_t i = 0; i < n; i++)
		if (s[i].section >= 0 && !s[i].used && strcmp(s[i].name, name) == 0)
			return bad(pr, "the sections of a parameter do not follow each other");
	return put(t, name, value, at, pr);
}

static int settle(struct arena *a, struct piece *s, size_t n, struct mime_type *t, struct problem *pr)
{
	for (size_t i = 0; i < n; i++) {
		if (s[i].percent && s[i].section <= 0)
			drop_charset(&s[i]);
		if (s[i].percent)
			undo_percent(&s[i]);
	}
	for (size_t i = 0; i < n; i++) {
		if (s[i].used)
			continue;
		if (s[i].section < 0 ? put(t, s[i].name, s[i].value, s[i].len, pr) : join(a, s, n, s[i].name, t, pr))
			return -1;
	}
	return 0;
}

int mime_field_params(
    struct arena *a, struct lex *l, const struct mime_limits *lim, struct mime_type *t, struct problem *pr)
{
	size_t most = lim->params < PIECES_MOST ? lim->params : PIECES_MOST, n = 0;
	struct piece s[PIECES_MOST + 1];

	while (!lex_at_end(l)) {
		int got;

		if (blanks(l, pr))
			return -1;
		if (lex_take(l, ';'))
			continue;
		got = read_piece(a, l, &s[n], pr);
		if (got < 0)
			return -1;
		n += (size_t)got;
		if (n > most)
			return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "",
			    "A MIME field cannot be read: it has more than %zu parameters.", most);
	}
	if (n == 0)
		return 0;
	t->params = arena_alloc(a, n * sizeof(*t->params));
	return t->params ? settle(a, s, n, t, pr) : no_memory(pr);
}
