#include "gateway/mail/author_domains.h"

#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/mail/shown.h"

static bool in_domain(char c)
{
	return lex_is(c, LEX_LDH) || c == '.' || (unsigned char)c >= 0x80;
}

void author_domains_add(struct author_domains *d, const char *p, size_t n)
{
	char text[ADDRESS_TEXT_MAX] = "a@";
	struct address a;

	while (n > 0 && (p[n - 1] == '.' || p[n - 1] == '-'))
		n--;
	if (n == 0 || n > sizeof(text) - 3)
		return;
	memcpy(text + 2, p, n);
	if (address_parse_utf8(text, n + 2, &a, NULL) != 0 || a.domain[0] == '\0' || a.domain[0] == '[')
		return;
	for (size_t i = 0; i < d->n; i++)
		if (strcmp(d->v[i], a.domain) == 0)
			return;
	if (d->n == AUTHOR_DOMAINS_MAX)
		d->more = true;
	else
		memcpy(d->v[d->n++], a.domain, strlen(a.domain) + 1);
}

static void scan(struct author_domains *d, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		size_t end = i + 1;

		if (p[i] != '@')
			continue;
		while (end < n && in_domain(p[end]))
			end++;
		author_domains_add(d, p + i + 1, end - i - 1);
	}
}

/* Without blanks and comments, which may stand within an address (RFC 5322 3.4.1, 4.4). Returns the length. */
static size_t bare(const char *p, size_t n, char *out)
{
	size_t depth = 0, k = 0;
	bool quoted = false;

	for (size_t i = 0; i < n; i++) {
		if (p[i] == '\\' && i + 1 < n) {
			i++;
			continue;
		}
		if (p[i] == '"' && depth == 0)
			quoted = !quoted;
		else if (p[i] == '(' && !quoted)
			depth++;
		else if (p[i] == ')' && depth > 0)
			depth--;
		else if (depth == 0 && strchr(" \t\r\n", p[i]) == NULL)
			out[k++] = p[i];
	}
	return k;
}

static int field(struct arena *a, const struct header_field *f, struct author_domains *d)
{
	char *out = arena_alloc(a, f->value_len + SHOWN_MAX + 1);
	struct shown all;

	if (out == NULL)
		return -1;
	scan(d, f->value, f->value_len);
	scan(d, out, bare(f->value, f->value_len, out));
	if (shown_read(a, f->value, f->value_len, &all) != 0)
		return -1;
	shown_text(&all, out, SHOWN_MAX + 1);
	scan(d, out, strlen(out));
	return 0;
}

int author_domains_find(struct arena *a, const struct header *h, struct author_domains *d)
{
	const struct header_field *f;

	for (size_t nth = 0; !d->more && (f = header_find(h, "From", nth)) != NULL; nth++)
		if (field(a, f, d) != 0)
			return -1;
	return 0;
}
