/* Counting Received fields: RFC 5321 6.3 and 4.4 (From-domain, By-domain). Pure; relay. Reads words, not the grammar:
 * a forged field can only stop the message it stands in. */
#include "gateway/mail/received.h"

#include <string.h>

#include "gateway/mail/lex.h"

enum { FIELD, VALUE, OTHER, LINE, BODY }; /* LINE: at the beginning of a line, the field before may go on */

static const char name[] = "received";

void received_init(struct received *r, const char *host)
{
	*r = (struct received){.host = host, .state = LINE};
}

/* The word under way has ended. */
static void end_word(struct received *r)
{
	size_t n = r->len;

	if (n == 0)
		return;
	r->len = 0;
	if (n > RECEIVED_WORD_MAX) {
		r->by = false;
		return;
	}
	if (r->word[n - 1] == '.')
		n--;
	if (r->by && !r->told && lex_same(r->word, n, r->host)) {
		r->own++;
		r->told = true;
	}
	r->by = lex_same(r->word, n, "by");
}

static void in_comment(struct received *r, char c)
{
	if (r->escaped)
		r->escaped = false;
	else if (c == '\\')
		r->escaped = true;
	else if (c == '(')
		r->depth++;
	else if (c == ')')
		r->depth--;
}

static void value(struct received *r, char c)
{
	if (r->depth > 0) {
		in_comment(r, c);
	} else if (c == '(') {
		end_word(r);
		r->depth = 1;
	} else if (lex_is(c, LEX_BLANK) || c == '\r' || c == '\n' || c == ';') {
		end_word(r);
	} else if (r->len < RECEIVED_WORD_MAX) {
		r->word[r->len++] = c;
	} else {
		r->len = RECEIVED_WORD_MAX + 1;
	}
}

static void field(struct received *r, char c)
{
	if (r->matched < sizeof name - 1 && lex_lower(c) == name[r->matched]) {
		r->matched++;
	} else if (r->matched == sizeof name - 1 && c == ':') {
		r->count++;
		r->depth = r->len = 0;
		r->escaped = r->by = r->told = false;
		r->state = VALUE;
	} else if (r->matched < sizeof name - 1 || !lex_is(c, LEX_BLANK)) {
		r->state = OTHER;
	}
}

/* The first octet of a line says whether the field goes on, a new one begins or the header ends. goes_on: the state
 * of the field before. */
static int line_start(struct received *r, char c, int goes_on)
{
	if (lex_is(c, LEX_BLANK))
		return goes_on;
	end_word(r);
	if (c == '\r' || c == '\n')
		return BODY;
	r->matched = 0;
	return FIELD;
}

void received_feed(struct received *r, const void *p, size_t n)
{
	const char *at = p;

	for (size_t i = 0; i < n && r->state != BODY; i++) {
		char c = at[i];

		if (r->state >= LINE)
			r->state = line_start(r, c, r->matched == sizeof name - 1 && r->count > 0 ? VALUE : OTHER);
		if (r->state == BODY)
			return;
		if (r->state == VALUE)
			value(r, c);
		else if (r->state == FIELD)
			field(r, c);
		if (r->state == OTHER)
			r->matched = 0;
		if (c == '\n')
			r->state = LINE;
	}
}
