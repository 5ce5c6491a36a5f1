/*
 * RFC 2046 5.1.1 as far as certificates need it: the first line is "--" and the boundary; each part has header
 * fields, an empty line and a body up to the line end before the next boundary. Header fields but
 * Content-Transfer-Encoding are not looked at: what the octets are shows in them.
 */
#include "certstore/cert_parts.h"

#include <string.h>
#include <strings.h>

enum { BOUNDARY_MAX = 72 /* with the dashes */ };

struct scan {
	const uint8_t *p, *end;
	const uint8_t *mark; /* "--" and the boundary */
	size_t nmark;
};

static const uint8_t *line_end(const struct scan *s, const uint8_t *p)
{
	const uint8_t *nl = memchr(p, '\n', (size_t)(s->end - p));

	return nl ? nl + 1 : s->end;
}

static size_t trimmed(const uint8_t *p, const uint8_t *end)
{
	size_t n = (size_t)(end - p);

	while (n > 0 && (p[n - 1] == '\n' || p[n - 1] == '\r' || p[n - 1] == ' ' || p[n - 1] == '\t'))
		n--;
	return n;
}

/* 0 no boundary, 1 a boundary, 2 the last one. */
static int is_mark(const struct scan *s, const uint8_t *p, const uint8_t *end)
{
	size_t n = trimmed(p, end);

	if (n < s->nmark || memcmp(p, s->mark, s->nmark) != 0)
		return 0;
	if (n == s->nmark)
		return 1;
	return n == s->nmark + 2 && memcmp(p + s->nmark, "--", 2) == 0 ? 2 : 0;
}

static void read_field(const uint8_t *p, const uint8_t *end, struct cert_part *part)
{
	static const char name[] = "Content-Transfer-Encoding:";
	size_t n = trimmed(p, end);

	if (n >= sizeof name - 1 + 6 && strncasecmp((const char *)p, name, sizeof name - 1) == 0)
		part->base64 = strncasecmp((const char *)p + n - 6, "base64", 6) == 0;
}

/* From behind a boundary line to the next one. 1 more come, 0 that was the last. */
static int read_part(struct scan *s, struct cert_part *part)
{
	const uint8_t *next;
	int kind = 0, header = 1;

	*part = (struct cert_part){.n = 0};
	for (; s->p < s->end && kind == 0; s->p = next) {
		next = line_end(s, s->p);
		kind = is_mark(s, s->p, next);
		if (kind > 0)
			break;
		if (header && trimmed(s->p, next) == 0) {
			header = 0;
			part->p = next;
		} else if (header) {
			read_field(s->p, next, part);
		}
	}
	if (part->p) {
		part->n = (size_t)(s->p - part->p);
		/* the line end belongs to the boundary */
		if (kind > 0 && part->n > 0 && part->p[part->n - 1] == '\n')
			part->n--;
		if (kind > 0 && part->n > 0 && part->p[part->n - 1] == '\r')
			part->n--;
	}
	if (kind == 1)
		s->p = line_end(s, s->p);
	return kind == 1;
}

size_t cert_parts(const uint8_t *p, size_t n, struct cert_part v[CERT_PARTS_MAX])
{
	struct scan s = {.p = p, .end = p + n, .mark = p};
	size_t k = 0;
	int more = 1;

	if (n < 4 || memcmp(p, "--", 2) != 0 || (n >= 10 && memcmp(p, "-----BEGIN", 10) == 0))
		return 0;
	s.p = line_end(&s, p);
	s.nmark = trimmed(p, s.p);
	if (s.nmark < 3 || s.nmark > BOUNDARY_MAX || s.p == s.end)
		return 0;
	while (more && k < CERT_PARTS_MAX) {
		more = read_part(&s, &v[k]);
		k += v[k].n > 0;
	}
	return k;
}
