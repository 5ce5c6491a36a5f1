#include "gateway/mail/author_name.h"

#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/mail/shown.h"

static bool in_local(char c)
{
	return lex_is(c, LEX_ATEXT) || c == '.';
}

static bool in_domain(char c)
{
	return lex_is(c, LEX_LDH) || c == '.';
}

/* What looks like an address around the @ at p[i]: its beginning and length, 0 when nothing does. */
static size_t around(const char *p, size_t n, size_t i, size_t *from_r)
{
	size_t from = i, end = i + 1;

	while (from > 0 && in_local(p[from - 1]))
		from--;
	while (end < n && in_domain(p[end]))
		end++;
	while (end > i + 1 && p[end - 1] == '.')
		end--;
	*from_r = from;
	return from < i && memchr(p + i, '.', end - i) != NULL ? end - from : 0;
}

bool author_name_other(
    struct arena *a, const struct header_field *from, const struct address *author, char other_r[ADDRESS_TEXT_MAX])
{
	char text[SHOWN_MAX + 1], own[ADDRESS_TEXT_MAX], own_text[ADDRESS_TEXT_MAX];
	struct shown all, me;
	size_t n;

	address_text(author, own_text);
	if (shown_read(a, from->value, from->value_len, &all) != 0 ||
	    shown_read(a, own_text, strlen(own_text), &me) != 0)
		return false;
	shown_text(&all, text, sizeof(text));
	shown_text(&me, own, sizeof(own));
	n = strlen(text);
	for (size_t i = 0; i < n; i++) {
		size_t begin, len = text[i] == '@' ? around(text, n, i, &begin) : 0;

		if (len == 0 || len >= ADDRESS_TEXT_MAX || lex_same(text + begin, len, own))
			continue;
		memcpy(other_r, text + begin, len);
		other_r[len] = 0;
		return true;
	}
	return false;
}
