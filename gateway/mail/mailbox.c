/*
 * Mailbox lists of header fields: RFC 5322 3.4 (address-list, mailbox, group), with the obsolete forms refused that
 * put blanks, comments or routes into an address. Pure; sealer.
 *
 * The author decides whose signature is made or believed, so the danger is a field that we read one way and a mail
 * reader another. Every element is read in one direction with one octet of look-ahead, and what has no single reading
 * is refused. Encoded words (RFC 2047) in display names are left undecoded: they mean nothing here.
 */
#include "gateway/mail/mailbox.h"

#include <string.h>

#include "gateway/mail/lex.h"

struct reading {
	struct lex l;
	const char *name;
	enum mailbox_rule rule;
	enum lex_comment comments;
	struct address *list;
	size_t max, n;
	struct problem *pr;
};

static int bad(struct reading *r, const char *why)
{
	return problem_set(
	    r->pr, PROBLEM_PERM, 554, "5.6.0", "RFC 5322 3.4", "The field %s cannot be read: %s.", r->name, why);
}

static int blanks(struct reading *r)
{
	if (lex_cfws(&r->l, &r->comments))
		return bad(r, "a comment is not closed, or a control character stands in it");
	if (r->rule == MAILBOX_AUTHOR && r->comments == LEX_COMMENT_ADDRESS)
		return bad(r, "a comment has an address or angle brackets in it");
	return 0;
}

/* RFC 6532 3.2: UTF-8 stands where ATEXT may. */
static bool local_octet(char c)
{
	return lex_is(c, LEX_ATEXT) || c == '.' || (unsigned char)c > 127;
}

/* Steps over local part, @ and domain; what they are made of is address_parse's to judge. */
static int span_spec(struct reading *r)
{
	struct lex *l = &r->l;
	size_t n;

	if (lex_at(l, '"')) {
		if (lex_quoted(l, NULL, 0, &n))
			return bad(r, "a quotation mark is not closed");
	} else {
		while (!lex_at_end(l) && local_octet(*l->p))
			l->p++;
	}
	if (!lex_take(l, '@'))
		return bad(r, "an address without @, or with blanks or comments inside");
	if (lex_at(l, '[')) {
		while (!lex_at_end(l) && *l->p != ']' && *l->p != '>' && *l->p != '\r')
			l->p++;
		if (!lex_take(l, ']'))
			return bad(r, "an address literal is not closed");
		return 0;
	}
	while (!lex_at_end(l) && local_octet(*l->p))
		l->p++;
	return 0;
}

/* An addr-spec from `from` on, which the place has not passed by more than its local part. */
static int spec(struct reading *r, const char *from)
{
	struct problem why;
	struct address a;
	size_t len;

	r->l.p = from;
	if (span_spec(r))
		return -1;
	len = (size_t)(r->l.p - from);
	/* RFC 2047 5: never within an addr-spec; a reader that decodes it all the same sees another address. */
	if (memmem(from, len, "=?", 2))
		return bad(r, "an encoded word stands inside an address");
	if (address_parse_utf8(from, len, &a, &why))
		return problem_set(r->pr, PROBLEM_PERM, 554, "5.6.0", "RFC 5322 3.4.1",
		    "The field %s cannot be read: %s", r->name, why.text);
	if (r->n >= r->max)
		return bad(r, r->max == 1 ? "it has more than one address" : "it has too many addresses");
	r->list[r->n++] = a;
	return 0;
}

/* Behind the "<". */
static int angle(struct reading *r)
{
	if (lex_at(&r->l, '@'))
		return bad(r, "an address has a route in front of it");
	if (spec(r, r->l.p))
		return -1;
	if (!lex_take(&r->l, '>'))
		return bad(r, "an angle bracket is not closed, or something else stands inside it");
	return 0;
}

/* A quoted word of a display name. `"Bob <bob@a.example>" <eve@b.example>`: RFC 5322 says eve, many a reader bob. */
static int quoted_word(struct reading *r)
{
	const char *from = r->l.p;
	size_t n;

	if (lex_quoted(&r->l, NULL, 0, &n))
		return bad(r, "a quotation mark is not closed");
	n = (size_t)(r->l.p - from);
	if (r->rule == MAILBOX_AUTHOR && (memchr(from, '<', n) || memchr(from, '>', n)))
		return bad(r, "the display name has angle brackets in it");
	return 0;
}

/* RFC 5322 obs-phrase: dots. */
/* Words up to the octet that tells what they were. *apart_r: blanks or comments stood between them or behind them. */
static int words(struct reading *r, size_t *count_r, bool *apart_r)
{
	const char *before = r->l.p;

	*count_r = 0;
	*apart_r = false;
	while (!lex_at_end(&r->l)) {
		if (lex_at(&r->l, '"')) {
			if (quoted_word(r))
				return -1;
		} else if (local_octet(*r->l.p)) {
			while (!lex_at_end(&r->l) && local_octet(*r->l.p))
				r->l.p++;
		} else {
			break;
		}
		++*count_r;
		before = r->l.p;
		if (blanks(r))
			return -1;
		*apart_r |= r->l.p != before;
	}
	return 0;
}

static int end_of_element(struct reading *r, bool in_group)
{
	if (blanks(r))
		return -1;
	if (lex_at_end(&r->l) || lex_at(&r->l, ',') || (in_group && lex_at(&r->l, ';')))
		return 0;
	return bad(r, "something stands behind an address without a comma");
}

enum element { ELEMENT_BAD = -1, ELEMENT_DONE, ELEMENT_EMPTY, ELEMENT_GROUP };

static enum element element(struct reading *r, bool in_group)
{
	const char *from;
	size_t count;
	bool apart;

	if (blanks(r))
		return ELEMENT_BAD;
	from = r->l.p;
	if (words(r, &count, &apart))
		return ELEMENT_BAD;
	if (lex_take(&r->l, '<'))
		return angle(r) || end_of_element(r, in_group) ? ELEMENT_BAD : ELEMENT_DONE;
	if (lex_at(&r->l, '@')) {
		if (count != 1 || apart)
			return bad(r, "an address has blanks, comments or several words in front of its @"),
			       ELEMENT_BAD;
		return spec(r, from) || end_of_element(r, in_group) ? ELEMENT_BAD : ELEMENT_DONE;
	}
	if (count > 0 && lex_at(&r->l, ':') && !in_group)
		return ELEMENT_GROUP;
	if (count > 0)
		return bad(r, "a name without an address"), ELEMENT_BAD;
	return ELEMENT_EMPTY;
}

/* Elements and commas up to the end, or in a group up to its ";". */
static int elements(struct reading *r, bool in_group);

/* At the ":". One level: a group in a group is no grammar. */
static int group(struct reading *r)
{
	if (r->rule == MAILBOX_AUTHOR)
		return bad(r, "it has a group where one mailbox must stand");
	r->l.p++;
	if (elements(r, true))
		return -1;
	if (!lex_take(&r->l, ';'))
		return bad(r, "a group is not closed by a semicolon");
	return end_of_element(r, false);
}

static int elements(struct reading *r, bool in_group)
{
	do {
		enum element e = element(r, in_group);

		if (e == ELEMENT_BAD || (e == ELEMENT_GROUP && group(r)))
			return -1;
		if (e == ELEMENT_EMPTY && r->rule == MAILBOX_AUTHOR)
			return bad(r, "an address is missing");
	} while (lex_take(&r->l, ','));
	return 0;
}

int mailbox_list(const char *name, const char *p, size_t n, enum mailbox_rule rule, struct address *list, size_t max,
    size_t *n_r, struct problem *pr)
{
	struct reading r = {.name = name, .rule = rule, .list = list, .max = max, .pr = pr};

	*n_r = 0;
	lex_init(&r.l, p, n);
	if (elements(&r, false))
		return -1;
	if (!lex_at_end(&r.l))
		return bad(&r, "an octet stands where none may");
	*n_r = r.n;
	return 0;
}
