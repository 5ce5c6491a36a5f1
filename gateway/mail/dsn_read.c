/*
 * Reading delivery reports. Written by anybody: RFC 3464 is kept where it decides what is meant, and what is merely
 * untidy (LF lines, fields in the wrong group, addresses in brackets) is read all the same, for a report that is
 * passed over is news that its reader does not get.
 */
#include "gateway/mail/dsn_read.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/mail/lex.h"

enum { VALUE_ROOM = 2048 };

/* ---- lines and fields ---- */

struct field {
	char name[32]; /* lower case; "" when it is none, or longer than any that is read here */
	char value[VALUE_ROOM];
	size_t len;
};

/* One line without its end; the place moves behind it. */
static size_t cut_line(struct lex *l, const char **line_r)
{
	const char *lf = memchr(l->p, '\n', (size_t)(l->end - l->p));
	size_t n = (size_t)((lf ? lf : l->end) - l->p);

	*line_r = l->p;
	l->p = lf ? lf + 1 : l->end;
	if (n > 0 && (*line_r)[n - 1] == '\r')
		n--;
	return n;
}

static void add_value(struct field *f, const char *p, size_t n)
{
	for (size_t i = 0; i < n && f->len < sizeof f->value - 1; i++)
		f->value[f->len++] = p[i] ? p[i] : '?';
	f->value[f->len] = 0;
}

static void begin_field(struct field *f, const char *p, size_t n)
{
	const char *colon = memchr(p, ':', n);
	size_t len = colon ? (size_t)(colon - p) : 0;

	f->name[0] = f->value[0] = 0;
	f->len = 0;
	if (!colon)
		return;
	add_value(f, colon + 1, n - len - 1);
	while (len > 0 && lex_is(p[len - 1], LEX_BLANK))
		len--;
	if (len >= sizeof f->name)
		return;
	for (size_t i = 0; i < len; i++)
		f->name[i] = lex_lower(p[i]);
	f->name[len] = 0;
}

/* The next field with its continuation lines. 1; 0: an empty line instead; -1: the end. */
static int next_field(struct lex *l, struct field *f)
{
	const char *line;

	if (lex_at_end(l))
		return -1;

	size_t n = cut_line(l, &line);

	if (n == 0)
		return 0;
	begin_field(f, line, n);
	while (!lex_at_end(l) && lex_is(*l->p, LEX_BLANK)) {
		n = cut_line(l, &line);
		add_value(f, line, n);
	}
	return 1;
}

static const char *skip_blanks(const char *s)
{
	while (lex_is(*s, LEX_BLANK))
		s++;
	return s;
}

/* Printable ASCII, runs of blanks as one, cut at cap. */
static void text_of(const char *s, char *out, size_t cap)
{
	size_t n = 0;

	for (s = skip_blanks(s); *s && n < cap - 1; s++) {
		if (lex_is(*s, LEX_BLANK)) {
			if (n > 0 && out[n - 1] != ' ')
				out[n++] = ' ';
			continue;
		}
		out[n++] = *s > 32 && *s < 127 ? *s : '?';
	}
	while (n > 0 && out[n - 1] == ' ')
		n--;
	out[n] = 0;
}

/* Behind "type;", or all of it where a server wrote no type. */
static const char *behind_type(const char *value)
{
	const char *semicolon = strchr(value, ';');

	return skip_blanks(semicolon ? semicolon + 1 : value);
}

/* ---- addresses ---- */

/* The octets of a character (RFC 3629), 0 for none. */
static size_t put_character(uint32_t c, char out[4])
{
	if (c == 0 || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}

	size_t n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = n - 1; i > 0; i--, c >>= 6)
		out[i] = (char)(0x80 | (c & 0x3f));
	out[0] = (char)((0xf00u >> n & 0xf0) | c); /* 110xxxxx, 1110xxxx, 11110xxx */
	return n;
}

/* "\x{E9}" of RFC 6533 3 at p: its length and character; 0 when it is none. */
static size_t embedded(const char *p, uint32_t *c_r)
{
	size_t i = 3;

	*c_r = 0;
	if (p[0] != '\\' || p[1] != 'x' || p[2] != '{')
		return 0;
	for (; i < 9 && encode_hex_value(p[i]) >= 0; i++)
		*c_r = *c_r << 4 | (uint32_t)encode_hex_value(p[i]);
	return i > 3 && p[i] == '}' ? i + 1 : 0;
}

static void unescape(const char *s, char *out, size_t cap)
{
	size_t n = 0;

	while (*s && n + 4 < cap) {
		uint32_t c;
		size_t used = embedded(s, &c), made = used ? put_character(c, out + n) : 0;

		if (made == 0)
			out[n++] = *s++;
		else
			s += used;
		n += made;
	}
	out[n] = 0;
}

/* RFC 3464 2.1.2: other types (X.400, fax) name nobody whom a queue of mail knows. */
static bool is_mail_type(const char *typed, const char *semicolon)
{
	const char *p = skip_blanks(typed);
	size_t n = semicolon > p ? (size_t)(semicolon - p) : 0;

	while (n > 0 && lex_is(p[n - 1], LEX_BLANK))
		n--;
	return lex_same(p, n, "rfc822") || lex_same(p, n, "utf-8");
}

int dsn_read_address(const char *typed, char address_r[ADDRESS_TEXT_MAX])
{
	const char *semicolon = strchr(typed, ';'), *s = behind_type(typed);
	char plain[2 * ADDRESS_TEXT_MAX], path[sizeof plain + 2];
	struct address a;
	bool utf8 = false;
	size_t n, used;

	address_r[0] = 0;
	if (semicolon && !is_mail_type(typed, semicolon))
		return -1;
	unescape(*s == '<' ? s + 1 : s, plain, sizeof plain);
	n = strlen(plain);
	while (n > 0 && (lex_is(plain[n - 1], LEX_BLANK) || plain[n - 1] == '>'))
		n--;
	snprintf(path, sizeof path, "<%.*s>", (int)n, plain);
	if (address_parse_path_utf8(path, n + 2, &a, &used, &utf8, NULL) != 0 || used != n + 2 || a.domain[0] == 0)
		return -1;
	address_text(&a, address_r);
	return 0;
}

/* ---- the report ---- */

static bool is_digits(const char **p, size_t max)
{
	size_t n = 0;

	for (; **p >= '0' && **p <= '9'; ++*p)
		n++;
	return n >= 1 && n <= max;
}

/* RFC 3463 2; a comment behind it is passed over. */
static void status_of(const char *value, char out[DSN_READ_STATUS_MAX])
{
	const char *from = skip_blanks(value), *p = from;

	out[0] = 0;
	if (!is_digits(&p, 1) || *p++ != '.' || !is_digits(&p, 3) || *p++ != '.' || !is_digits(&p, 3))
		return;
	if (*p == 0 || lex_is(*p, LEX_BLANK) || *p == '(')
		snprintf(out, DSN_READ_STATUS_MAX, "%.*s", (int)(p - from), from);
}

/* The group of fields being read. */
struct group {
	struct dsn_read_rcpt r;
	bool rcpt, action;
};

static void action_of(const char *value, struct group *g)
{
	const char *p = skip_blanks(value);
	size_t n = strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");

	for (int a = DSN_FAILED; a <= DSN_DELIVERED; a++)
		if (lex_same(p, n, dsn_action_word((enum dsn_action)a))) {
			g->r.action = (enum dsn_action)a;
			g->action = true;
		}
}

static void take(struct dsn_read *d, struct group *g, const struct field *f)
{
	const char *v = f->value;

	if (strcmp(f->name, "reporting-mta") == 0 && !d->mta[0]) {
		text_of(behind_type(v), d->mta, sizeof d->mta);
	} else if (strcmp(f->name, "original-envelope-id") == 0 && !d->envid[0]) {
		if (strlen(skip_blanks(v)) <= ENVELOPE_ENVID_MAX)
			text_of(v, d->envid, sizeof d->envid);
	} else if (strcmp(f->name, "final-recipient") == 0) {
		g->rcpt = true;
		if (dsn_read_address(v, g->r.final) != 0)
			g->r.final[0] = 0;
	} else if (strcmp(f->name, "original-recipient") == 0) {
		g->rcpt = true;
		if (dsn_read_address(v, g->r.original) != 0)
			g->r.original[0] = 0;
	} else if (strcmp(f->name, "action") == 0) {
		action_of(v, g);
	} else if (strcmp(f->name, "status") == 0) {
		status_of(v, g->r.status);
	} else if (strcmp(f->name, "diagnostic-code") == 0) {
		text_of(behind_type(v), g->r.diagnostic, sizeof g->r.diagnostic);
	}
}

static void end_group(struct dsn_read *d, struct group *g)
{
	if (g->rcpt && g->action && d->nrcpts < DSN_READ_RCPTS)
		d->rcpts[d->nrcpts++] = g->r;
	memset(g, 0, sizeof *g);
}

int dsn_read_status(const char *p, size_t n, struct dsn_read *d)
{
	struct group g = {0};
	struct field f;
	struct lex l;
	int got;

	memset(d, 0, sizeof *d);
	lex_init(&l, p, n);
	while ((got = next_field(&l, &f)) >= 0)
		if (got > 0)
			take(d, &g, &f);
		else
			end_group(d, &g);
	end_group(d, &g);
	if (d->nrcpts > 0)
		return 0;
	memset(d, 0, sizeof *d);
	return -1;
}

/* ---- what came back ---- */

static int bracketed(const char *value, char id_r[DSN_READ_MESSAGE_ID_MAX])
{
	const char *from = strchr(value, '<'), *to = from ? strchr(from, '>') : NULL;
	size_t n = to ? (size_t)(to - from) + 1 : 0;

	if (n < 3 || n >= DSN_READ_MESSAGE_ID_MAX)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (from[i] <= 32 || from[i] == 127)
			return -1;
	memcpy(id_r, from, n);
	id_r[n] = 0;
	return 0;
}

int dsn_read_message_id(const char *p, size_t n, char id_r[DSN_READ_MESSAGE_ID_MAX])
{
	struct field f;
	struct lex l;

	id_r[0] = 0;
	lex_init(&l, p, n);
	while (next_field(&l, &f) > 0)
		if (strcmp(f.name, "message-id") == 0)
			return bracketed(f.value, id_r);
	return -1;
}

size_t dsn_read_unquote(char *p, size_t n)
{
	size_t out = 0;

	for (size_t i = 0; i < n; i++) {
		int high = n - i > 2 ? encode_hex_value(p[i + 1]) : -1;
		int low = n - i > 2 ? encode_hex_value(p[i + 2]) : -1;

		if (p[i] != '=') {
			p[out++] = p[i];
		} else if (high >= 0 && low >= 0) {
			p[out++] = (char)(high * 16 + low);
			i += 2;
		} else if (n - i > 2 && p[i + 1] == '\r' && p[i + 2] == '\n') {
			i += 2;
		} else if (n - i > 1 && p[i + 1] == '\n') {
			i++;
		} else {
			p[out++] = '=';
		}
	}
	return out;
}
