#include "interop/kit/mime.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HEADER_MAX = 1 << 20, FIELDS_MAX = 10000, BOUNDARY_MAX = 200, PARTS_MAX = 1000 };

/* --- the header ------------------------------------------------------------------------------------------------- */

static void add_unfolded(struct buf *b, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (p[i] != '\r' && p[i] != '\n' && p[i])
			buf_add(b, p + i, 1);
}

static char *trimmed(const char *p, size_t n)
{
	struct buf b = {0};
	char *out;

	add_unfolded(&b, p, n);
	buf_add(&b, "", 0);
	p = b.p;
	n = b.n;
	while (n > 0 && (*p == ' ' || *p == '\t')) {
		p++;
		n--;
	}
	while (n > 0 && (p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	out = text_cut(p, n);
	buf_free(&b);
	return out;
}

static void end_field(struct mime *m, const char *at, const char *end)
{
	const char *colon = memchr(at, ':', (size_t)(end - at));

	if (!colon)
		return;
	m->fields = need_more(m->fields, (m->n + 1) * sizeof(*m->fields));
	m->fields[m->n++] = (struct mime_field){
	    at, (size_t)(end - at), trimmed(at, (size_t)(colon - at)), trimmed(colon + 1, (size_t)(end - colon - 1))};
}

/* Is there a field's name at the beginning of the line? RFC 5322 2.2, with blanks before the colon (4.5). */
static bool begins_field(const char *p, const char *end)
{
	const char *colon = memchr(p, ':', (size_t)(end - p));

	if (!colon || colon == p)
		return false;
	while (colon > p && (colon[-1] == ' ' || colon[-1] == '\t'))
		colon--;
	for (const char *c = p; c < colon; c++)
		if (*c == ' ' || *c == '\t')
			return false;
	return colon > p;
}

/* Where the body begins; NULL: this is no header. */
static const char *read_fields(struct mime *m)
{
	const char *stop = m->all + m->all_n, *field = NULL;

	for (const char *at = m->all; at < stop;) {
		const char *lf = memchr(at, '\n', (size_t)(stop - at)), *next = lf ? lf + 1 : stop,
			   *cut = lf ? (lf > at && lf[-1] == '\r' ? lf - 1 : lf) : stop;

		if (next - m->all > HEADER_MAX || m->n > FIELDS_MAX)
			return NULL;
		if (*at == ' ' || *at == '\t') {
			if (!field)
				return NULL;
		} else {
			if (field)
				end_field(m, field, at);
			if (cut == at)
				return next;
			if (!begins_field(at, cut))
				return NULL;
			field = at;
		}
		at = next;
	}
	if (field)
		end_field(m, field, stop);
	return stop;
}

void mime_read(const char *p, size_t n, struct mime *out)
{
	const char *body;

	*out = (struct mime){.all = p ? p : "", .all_n = n};
	body = read_fields(out);
	if (!body) {
		mime_free(out);
		*out = (struct mime){.all = p ? p : "", .all_n = n};
		body = out->all;
	}
	out->body = body;
	out->body_n = (size_t)(out->all + n - body);
	out->type = text_copy(mime_value(out, "Content-Type") ? mime_value(out, "Content-Type") : "");
	out->type[strcspn(out->type, ";( \t")] = 0;
	for (char *c = out->type; *c; c++)
		*c = (char)tolower((unsigned char)*c);
}

void mime_free(struct mime *m)
{
	for (size_t i = 0; i < m->n; i++) {
		free(m->fields[i].name);
		free(m->fields[i].value);
	}
	free(m->fields);
	free(m->type);
	*m = (struct mime){0};
}

const char *mime_value(const struct mime *m, const char *name)
{
	for (size_t i = 0; i < m->n; i++)
		if (!strcasecmp(m->fields[i].name, name))
			return m->fields[i].value;
	return NULL;
}

size_t mime_count(const struct mime *m, const char *name)
{
	size_t n = 0;

	for (size_t i = 0; i < m->n; i++)
		n += !strcasecmp(m->fields[i].name, name);
	return n;
}

/* --- parameters ------------------------------------------------------------------------------------------------- */

/* The next piece up to a semicolon outside quotes and comments (RFC 2045 5.1), without quotes and comments; false: no
 * more. */
static bool next_piece(const char **at, struct buf *out)
{
	bool quoted = false;
	int comments = 0;
	const char *p = *at;

	buf_clear(out);
	buf_add(out, "", 0);
	if (!p)
		return false;
	for (; *p && (quoted || comments > 0 || *p != ';'); p++) {
		if (*p == '\\' && (quoted || comments > 0) && p[1]) {
			p++;
			if (comments == 0)
				buf_add(out, p, 1);
		} else if (comments == 0 && *p == '"') {
			quoted = !quoted;
		} else if (!quoted && *p == '(') {
			comments++;
		} else if (!quoted && *p == ')' && comments > 0) {
			comments--;
		} else if (comments == 0) {
			buf_add(out, p, 1);
		}
	}
	*at = *p ? p + 1 : NULL;
	return true;
}

char *mime_parameter(const char *value, const char *name, bool *twice)
{
	struct buf piece = {0};
	char *out = NULL;

	if (twice)
		*twice = false;
	if (!value || !next_piece(&value, &piece))
		goto out;
	while (next_piece(&value, &piece)) {
		const char *equals = strchr(piece.p, '=');
		char *this = equals ? trimmed(piece.p, (size_t)(equals - piece.p)) : NULL;

		if (this && !strcasecmp(this, name)) {
			if (out && twice)
				*twice = true;
			if (!out)
				out = trimmed(equals + 1, strlen(equals + 1));
		}
		free(this);
	}
out:
	buf_free(&piece);
	return out;
}

char *mime_type_parameter(const struct mime *m, const char *name)
{
	return mime_parameter(mime_value(m, "Content-Type"), name, NULL);
}

static bool ends_p7m(char *name)
{
	size_t n = name ? strlen(name) : 0;
	bool yes = n >= 4 && !strcasecmp(name + n - 4, ".p7m");

	free(name);
	return yes;
}

bool mime_is_cms(const struct mime *m)
{
	if (!strcmp(m->type, "application/pkcs7-mime") || !strcmp(m->type, "application/x-pkcs7-mime"))
		return true;
	return !strcmp(m->type, "application/octet-stream") &&
	       (ends_p7m(mime_type_parameter(m, "name")) ||
		   ends_p7m(mime_parameter(mime_value(m, "Content-Disposition"), "filename", NULL)));
}

bool mime_is_signed(const struct mime *m)
{
	char *protocol = strcmp(m->type, "multipart/signed") != 0 ? NULL : mime_type_parameter(m, "protocol");
	bool yes = protocol && (!strcasecmp(protocol, "application/pkcs7-signature") ||
				   !strcasecmp(protocol, "application/x-pkcs7-signature"));

	free(protocol);
	return yes;
}

/* --- bodies ----------------------------------------------------------------------------------------------------- */

static int hex(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
				      : -1;
}

static void quoted_printable(const char *p, size_t n, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		if (p[i] == '=' && i + 2 < n && hex(p[i + 1]) >= 0 && hex(p[i + 2]) >= 0) {
			buf_add(out, (char[1]){(char)(hex(p[i + 1]) << 4 | hex(p[i + 2]))}, 1);
			i += 2;
		} else if (p[i] == '=' && i + 1 < n && p[i + 1] == '\n') {
			i++;
		} else if (p[i] == '=' && i + 2 < n && p[i + 1] == '\r' && p[i + 2] == '\n') {
			i += 2;
		} else {
			buf_add(out, p + i, 1);
		}
	}
}

int mime_decode(const struct mime *m, struct buf *out, struct buf *why)
{
	const char *value = mime_value(m, "Content-Transfer-Encoding"), *at = value;
	struct buf piece = {0};
	char *encoding;
	int rc = 0;

	next_piece(&at, &piece);
	encoding = trimmed(piece.p, piece.n);
	buf_free(&piece);
	buf_add(out, "", 0);
	if (!strcasecmp(encoding, "base64"))
		rc = base64_read(m->body, m->body_n, out) < 0 ? fail(why, "the base64 is damaged") : 0;
	else if (!strcasecmp(encoding, "quoted-printable"))
		quoted_printable(m->body, m->body_n, out);
	else if (!*encoding || !strcasecmp(encoding, "7bit") || !strcasecmp(encoding, "8bit") ||
		 !strcasecmp(encoding, "binary"))
		buf_add(out, m->body, m->body_n);
	else
		rc = fail(why, "the transfer encoding \"%s\" is not one of MIME", encoding);
	free(encoding);
	return rc;
}

/* 0: no boundary line; 1: one between parts; 2: the last. */
static int boundary_at(const char *p, const char *end, const char *boundary, size_t n)
{
	int kind = 1;

	if ((size_t)(end - p) < n + 2 || p[0] != '-' || p[1] != '-' || memcmp(p + 2, boundary, n) != 0)
		return 0;
	p += n + 2;
	if (end - p >= 2 && p[0] == '-' && p[1] == '-') {
		kind = 2;
		p += 2;
	}
	while (p < end && (*p == ' ' || *p == '\t' || *p == '\r'))
		p++;
	return p == end ? kind : 0;
}

/* RFC 2046 5.1.1: the line end before a boundary belongs to it. */
static struct mime_range range(const char *from, const char *line)
{
	const char *stop = line - 1;

	if (line <= from + 1)
		return (struct mime_range){from, line == from + 1 && *from != '\n' ? 1 : 0};
	stop -= stop[-1] == '\r';
	return (struct mime_range){from, stop > from ? (size_t)(stop - from) : 0};
}

int mime_parts(const struct mime *m, struct mime_range *out, size_t max, struct buf *why)
{
	char *boundary = mime_type_parameter(m, "boundary");
	const char *stop = m->body + m->body_n, *start = NULL;
	size_t n = boundary ? strlen(boundary) : 0;
	int count = 0, kind = 0;

	if (n == 0 || n > BOUNDARY_MAX) {
		free(boundary);
		return fail(why, "a %s without a boundary", m->type);
	}
	for (const char *at = m->body; at < stop && kind != 2 && count < PARTS_MAX;) {
		const char *lf = memchr(at, '\n', (size_t)(stop - at)), *end = lf ? lf : stop;

		kind = boundary_at(at, end, boundary, n);
		if (kind != 0 && start) {
			if ((size_t)count < max)
				out[count] = range(start, at);
			count++;
		}
		if (kind != 0)
			start = lf ? lf + 1 : stop;
		at = lf ? lf + 1 : stop;
	}
	free(boundary);
	return kind == 2 ? count : fail(why, "a %s whose last boundary is missing", m->type);
}

void mime_canonical(const char *p, size_t n, struct buf *out)
{
	const char *from = p;

	buf_add(out, "", 0);
	for (size_t i = 0; i < n; i++)
		if (p[i] == '\n' && (i == 0 || p[i - 1] != '\r')) {
			buf_add(out, from, (size_t)(p + i - from));
			buf_add(out, "\r", 1);
			from = p + i;
		}
	buf_add(out, from, (size_t)(p + n - from));
}
