/*
 * Mail addresses and domains: RFC 5321 4.1.2 (Path, Mailbox), 4.1.3 (literals), 4.5.3.1 (sizes), RFC 6531 3.3
 * (UTF-8 where the caller asks for it), RFC 5891 (U-labels to A-labels, without mapping). Pure: relay, sealer,
 * judge, CLI. Octets are checked one by one against the grammar; nothing is repaired and nothing is guessed, because
 * what is read here decides whose key is used. Does not know header syntax (comments, folding, display names): that
 * is mailbox.c.
 */
#include "gateway/mail/address.h"

#include <arpa/inet.h>
#include <idn2.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/utf8.h"

#define PATH_MAX_OCTETS 256 /* RFC 5321 4.5.3.1.3, with the angle brackets */
#define LABEL_MAX 63
#define DOMAIN_NAME_MAX 253

static int bad(struct problem *pr, const char *why)
{
	return problem_set(pr, PROBLEM_PERM, 501, "5.1.3", "RFC 5321 4.1.2", "The address is not valid: %s.", why);
}

static int refused(struct problem *pr, const char *enh, const char *rfc, const char *why)
{
	return problem_set(pr, PROBLEM_PERM, 553, enh, rfc, "The address is not accepted here: %s.", why);
}

static int check_octets(const char *p, size_t n, bool utf8, struct problem *pr)
{
	if (utf8 && !utf8_text(p, n))
		return utf8_needed(p, n) ? refused(pr, "5.6.7", "RFC 6531 3.3",
					       "it is not well-formed UTF-8, or has a control character")
					 : bad(pr, "it has a control character");
	if (utf8 && utf8_turns(p, n))
		return refused(pr, "5.6.7", "RFC 6531 3.3",
		    "it has a character that changes the direction in which it is shown");
	for (size_t i = 0; i < n; i++) {
		unsigned char c = (unsigned char)p[i];

		if (c > 127 && !utf8)
			return refused(pr, "5.6.7", "RFC 6531 3.5", "it has characters outside ASCII");
		if (c < 32 || c == 127)
			return bad(pr, "it has a control character");
	}
	return 0;
}

/* One label, letters digits hyphens (RFC 5321 sub-domain; RFC 1034 3.5). */
static const char *label_wrong(const char *p, size_t n)
{
	if (n == 0)
		return "the domain has an empty label";
	if (n > LABEL_MAX)
		return "a label of the domain is longer than 63 octets";
	if (p[0] == '-' || p[n - 1] == '-')
		return "a label of the domain begins or ends with a hyphen";
	for (size_t i = 0; i < n; i++)
		if (!lex_is(p[i], LEX_LDH))
			return "the domain has a character that is no letter, digit, hyphen or dot";
	return NULL;
}

/* Writes the lower-cased name; NULL when well, else what is wrong with it. */
static const char *domain_wrong(const char *p, size_t n, char *out)
{
	out[0] = 0;
	if (n > 0 && p[n - 1] == '.')
		n--; /* the root written out: the same name */
	if (n == 0)
		return "the domain is empty";
	if (n > DOMAIN_NAME_MAX)
		return "the domain is longer than 253 octets";
	for (size_t at = 0; at <= n;) {
		const char *dot = memchr(p + at, '.', n - at);
		size_t len = (dot ? (size_t)(dot - p) : n) - at;
		const char *why = label_wrong(p + at, len);

		if (why)
			return why;
		at += len + 1;
	}
	for (size_t i = 0; i < n; i++)
		out[i] = lex_lower(p[i]);
	out[n] = 0;
	return NULL;
}

int address_domain(const char *p, size_t n, char out[ADDRESS_DOMAIN_MAX + 1], struct problem *pr)
{
	const char *why = domain_wrong(p, n, out);

	return why ? bad(pr, why) : 0;
}

/* RFC 5321 4.1.3. Rewritten in one form, so that two spellings of one IPv6 address are the same domain. */
static const char *literal_wrong(const char *p, size_t n, char *out)
{
	static const char tag[] = "ipv6:";
	size_t tag_len = sizeof(tag) - 1;
	char text[INET6_ADDRSTRLEN];
	unsigned char addr[16];
	bool six;
	size_t len;

	out[0] = 0;
	if (n < 3 || p[n - 1] != ']')
		return "the address literal is not closed";
	p++, n -= 2;
	six = n > tag_len && lex_same(p, tag_len, tag);
	if (six)
		p += tag_len, n -= tag_len;
	if (n >= sizeof(text))
		return "the address literal is too long";
	memcpy(text, p, n);
	text[n] = 0;
	if (strlen(text) != n || inet_pton(six ? AF_INET6 : AF_INET, text, addr) != 1)
		return "the address literal is neither [IPv4] nor [IPv6:address]";
	if (!inet_ntop(six ? AF_INET6 : AF_INET, addr, text, sizeof(text)))
		return "the address literal cannot be read";
	len = strlen(text);
	out[0] = '[';
	if (six)
		memcpy(out + 1, tag, tag_len);
	memcpy(out + 1 + (six ? tag_len : 0), text, len);
	memcpy(out + 1 + (six ? tag_len : 0) + len, "]", 2);
	return NULL;
}

static int put_local(struct address *a, size_t *len, char c, struct problem *pr)
{
	if (*len >= ADDRESS_LOCAL_MAX)
		return problem_set(pr, PROBLEM_PERM, 501, "5.1.3", "RFC 5321 4.5.3.1.1",
		    "The address is not valid: the part before the @ is longer than %d octets.", ADDRESS_LOCAL_MAX);
	a->local[(*len)++] = c;
	a->local[*len] = 0;
	return 0;
}

/* Quoted-string: *at stands on the opening quote, ends behind the closing one. */
static int parse_quoted(const char *p, size_t n, size_t *at, struct address *a, struct problem *pr)
{
	size_t i = *at + 1, len = 0;

	for (; i < n && p[i] != '"'; i++) {
		if (p[i] == '\\' && ++i >= n)
			break;
		if (put_local(a, &len, p[i], pr))
			return -1;
	}
	if (i >= n)
		return bad(pr, "a quotation mark is not closed");
	if (len == 0)
		return bad(pr, "the part before the @ is empty");
	*at = i + 1;
	return 0;
}

/* Dot-string: atoms with single dots between them. */
static int parse_dot_string(const char *p, size_t n, size_t *at, struct address *a, struct problem *pr)
{
	size_t i = *at, len = 0;

	for (; i < n && (lex_is(p[i], LEX_ATEXT) || p[i] == '.' || (unsigned char)p[i] > 127); i++) {
		if (p[i] == '.' && (len == 0 || p[i - 1] == '.'))
			return bad(pr, "a dot in the part before the @ has no text in front of it");
		if (put_local(a, &len, p[i], pr))
			return -1;
	}
	if (len == 0)
		return bad(pr, "there is nothing before the @, or a character that must be quoted");
	if (p[i - 1] == '.')
		return bad(pr, "the part before the @ ends with a dot");
	*at = i;
	return 0;
}

static int parse_local(const char *p, size_t n, size_t *at, struct address *a, struct problem *pr)
{
	if (*at < n && p[*at] == '"')
		return parse_quoted(p, n, at, a, pr);
	return parse_dot_string(p, n, at, a, pr);
}

/* RFC 6531 2.3, RFC 5891 5: each U-label becomes its A-label, or the name is no name. No mapping (RFC 5895) and no
 * normalising: what is read here decides whose key is used. */
static const char *idn_wrong(const char *p, size_t n, char *out)
{
	char text[4 * DOMAIN_NAME_MAX + 1], *ascii = NULL;
	const char *why = "the domain has a label that is not a lawful internationalised one";

	out[0] = 0;
	if (n >= sizeof(text))
		return "the domain is longer than 253 octets";
	memcpy(text, p, n);
	text[n] = 0;
	for (size_t i = 0; i < n; i++)
		text[i] = lex_lower(text[i]);
	if (idn2_to_ascii_8z(text, &ascii, IDN2_NO_TR46) == IDN2_OK)
		why = domain_wrong(ascii, strlen(ascii), out);
	idn2_free(ascii);
	return why;
}

static int parse_domain(const char *p, size_t n, struct address *a, struct problem *pr)
{
	const char *why;

	if (utf8_needed(p, n))
		why = idn_wrong(p, n, a->domain);
	else if (n > 0 && p[0] == '[')
		why = literal_wrong(p, n, a->domain);
	else
		why = domain_wrong(p, n, a->domain);
	return why ? bad(pr, why) : 0;
}

static int parse_spec(const char *p, size_t n, bool utf8, struct address *a, struct problem *pr)
{
	size_t at = 0;

	if (check_octets(p, n, utf8, pr) || parse_local(p, n, &at, a, pr))
		return -1;
	if (at >= n || p[at] != '@')
		return bad(pr, "the @ is missing, or a character before it must be quoted");
	return parse_domain(p + at + 1, n - at - 1, a, pr);
}

/* An address that failed is empty, never half of one. */
static int finish(struct address *a, int result)
{
	if (result)
		memset(a, 0, sizeof(*a));
	return result;
}

int address_parse(const char *p, size_t n, struct address *a, struct problem *pr)
{
	memset(a, 0, sizeof(*a));
	return finish(a, parse_spec(p, n, false, a, pr));
}

int address_parse_utf8(const char *p, size_t n, struct address *a, struct problem *pr)
{
	memset(a, 0, sizeof(*a));
	return finish(a, parse_spec(p, n, true, a, pr));
}

/* Where the ">" stands that closes the path: the first one outside a quoted local part. 0 when there is none. */
static size_t path_end(const char *p, size_t n)
{
	size_t i = 1;

	if (i < n && p[i] == '"')
		for (i++; i < n && p[i] != '"'; i++)
			if (p[i] == '\\')
				i++;
	for (; i < n; i++)
		if (p[i] == '>')
			return i;
	return 0;
}

static int parse_inside(const char *p, size_t n, bool utf8, struct address *a, struct problem *pr)
{
	if (n == 0)
		return 0;
	if (p[0] == '@')
		return refused(
		    pr, "5.1.3", "RFC 5321 4.1.1.3", "source routes are not supported, give the mailbox alone");
	if (lex_same(p, n, "postmaster"))
		return mem_copy_str(a->local, sizeof(a->local), "postmaster");
	return parse_spec(p, n, utf8, a, pr);
}

static int parse_path(const char *p, size_t n, bool utf8, struct address *a, size_t *used_r, struct problem *pr)
{
	size_t end;

	memset(a, 0, sizeof(*a));
	*used_r = 0;
	if (n == 0 || p[0] != '<')
		return bad(pr, "it must stand in angle brackets");
	end = path_end(p, n);
	if (end == 0)
		return bad(pr, "the closing angle bracket is missing");
	if (end + 1 > PATH_MAX_OCTETS)
		return problem_set(pr, PROBLEM_PERM, 501, "5.1.3", "RFC 5321 4.5.3.1.3",
		    "The address is not valid: it is longer than %d octets.", PATH_MAX_OCTETS);
	if (finish(a, parse_inside(p + 1, end - 1, utf8, a, pr)))
		return -1;
	*used_r = end + 1;
	return 0;
}

int address_parse_path(const char *p, size_t n, struct address *a, size_t *used_r, struct problem *pr)
{
	return parse_path(p, n, false, a, used_r, pr);
}

int address_parse_path_utf8(
    const char *p, size_t n, struct address *a, size_t *used_r, bool *utf8_r, struct problem *pr)
{
	*utf8_r = false;
	if (parse_path(p, n, true, a, used_r, pr) != 0)
		return -1;
	*utf8_r = utf8_needed(p, *used_r);
	return 0;
}

bool address_is_utf8(const struct address *a)
{
	return utf8_needed(a->local, strlen(a->local));
}

bool address_is_null(const struct address *a)
{
	return a->local[0] == 0 && a->domain[0] == 0;
}

static bool needs_quotes(const char *local)
{
	size_t i;

	for (i = 0; local[i]; i++) {
		if (local[i] == '.' && (i == 0 || local[i - 1] == '.'))
			return true;
		if (local[i] != '.' && !lex_is(local[i], LEX_ATEXT) && (unsigned char)local[i] < 128)
			return true;
	}
	return i == 0 || local[i - 1] == '.';
}

static char *put_quoted(char *out, const char *local)
{
	*out++ = '"';
	for (; *local; local++) {
		if (*local == '"' || *local == '\\')
			*out++ = '\\';
		*out++ = *local;
	}
	*out++ = '"';
	return out;
}

const char *address_text(const struct address *a, char out[ADDRESS_TEXT_MAX])
{
	char *end = out;
	size_t n = strlen(a->local), d = strlen(a->domain);

	out[0] = 0;
	if (address_is_null(a))
		return out;
	if (needs_quotes(a->local)) {
		end = put_quoted(out, a->local);
	} else {
		memcpy(out, a->local, n);
		end += n;
	}
	if (d)
		*end++ = '@';
	memcpy(end, a->domain, d + 1);
	return out;
}

bool address_same(const struct address *a, const struct address *b)
{
	return strcmp(a->domain, b->domain) == 0 && strcmp(a->local, b->local) == 0;
}

bool address_same_nocase(const struct address *a, const struct address *b)
{
	return strcmp(a->domain, b->domain) == 0 && lex_same(a->local, strlen(a->local), b->local);
}
