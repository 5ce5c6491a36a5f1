/* The header field XSMG-Statement. Octets of strangers: one pass, bounded by XSMG_FIELD_MAX. */
#include "gateway/xsmg/xsmg_field.h"

#include <stdio.h>
#include <string.h>

static size_t blanks(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && (p[i] == ' ' || p[i] == '\t' || p[i] == '\r' || p[i] == '\n'))
		i++;
	return i;
}

static bool is_id(const char *p, size_t n)
{
	size_t i = 0;

	for (; i < n; i++)
		if (!((p[i] >= 'A' && p[i] <= 'Z') || (p[i] >= 'a' && p[i] <= 'z') || (p[i] >= '0' && p[i] <= '9') ||
			p[i] == '-' || p[i] == '_'))
			return false;
	/* the two bits left over are 0: one id, one spelling */
	return n == STATEMENT_ID && strchr("AEIMQUYcgkosw048", p[n - 1]) != NULL;
}

static bool is_url(const char *p, size_t n)
{
	return statement_url_ok(p, n) && memchr(p, ';', n) == NULL;
}

static int wrong(const char **why_r, const char *why)
{
	*why_r = why;
	return -1;
}

int xsmg_field_read(const char *p, size_t n, struct xsmg_field *f_r, const char **why_r)
{
	size_t k = blanks(p, n);

	p += k;
	n -= k;
	while (n > 0 && blanks(p + n - 1, 1) == 1)
		n--;
	if (n >= XSMG_FIELD_MAX)
		return wrong(why_r, "it is too long");
	if (n < 3 + STATEMENT_ID + 1 || memcmp(p, "id=", 3) != 0 || p[3 + STATEMENT_ID] != ';' ||
	    !is_id(p + 3, STATEMENT_ID))
		return wrong(why_r, "it does not begin with the id of a statement");
	memcpy(f_r->id, p + 3, STATEMENT_ID);
	f_r->id[STATEMENT_ID] = 0;
	p += 3 + STATEMENT_ID + 1;
	n -= 3 + STATEMENT_ID + 1;
	k = blanks(p, n);
	if (k == 0 || n - k < 4 || memcmp(p + k, "url=", 4) != 0)
		return wrong(why_r, "no url follows the id");
	p += k + 4;
	n -= k + 4;
	if (!is_url(p, n))
		return wrong(why_r, "what it names is no https URL");
	memcpy(f_r->url, p, n);
	f_r->url[n] = 0;
	return 0;
}

int xsmg_field_write(const char *id, const char *url, char out[XSMG_FIELD_MAX])
{
	out[0] = 0;
	if (!is_id(id, strlen(id)) || !is_url(url, strlen(url)))
		return -1;
	(void)snprintf(out, XSMG_FIELD_MAX, "id=%s; url=%s", id, url);
	return 0;
}
