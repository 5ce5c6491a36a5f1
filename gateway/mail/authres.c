/*
 * Authentication-Results: RFC 8601 2.2 (syntax), 5 (removing what claims to be ours), RFC 7281 3 and 4 (smime). Pure;
 * sealer. Removing is the half that matters: a field with our name on it that we did not write is believed by whoever
 * reads it inside. So a field goes unless it can be read, and read as another server's.
 */
#include "gateway/mail/authres.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/encword.h"
#include "gateway/mail/fold.h"
#include "gateway/mail/lex.h"

#define ID_MAX 512
#define FIELD_MAX 32768
#define RUN_MOST 400

static const char own_prefix[] = "X-Postern-";

static bool has_own_prefix(const struct header_field *f)
{
	size_t n = sizeof(own_prefix) - 1;

	return f->name_len >= n && lex_same(f->raw, n, own_prefix);
}

static bool all_token(const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!lex_is(p[i], LEX_TOKEN))
			return false;
	return n > 0;
}

/* The authserv-id: a token, or a quoted-string that quotes one. -1 when it is neither. */
static int read_id(struct lex *l, char id[ID_MAX], size_t *n_r)
{
	const char *from = l->p;

	if (lex_at(l, '"'))
		return lex_quoted(l, id, ID_MAX, n_r) || !all_token(id, *n_r) ? -1 : 0;
	*n_r = lex_run(l, LEX_TOKEN);
	if (*n_r == 0 || *n_r >= ID_MAX)
		return -1;
	memcpy(id, from, *n_r);
	return 0;
}

/* RFC 8601 2.2: authserv-id [ CFWS authres-version ] then ";" or, in fields of nothing, the end. */
static int read_rest(struct lex *l)
{
	const char *before = l->p;

	if (lex_cfws(l, NULL))
		return -1;
	if (l->p != before) {
		while (!lex_at_end(l) && *l->p >= '0' && *l->p <= '9')
			l->p++;
		if (lex_cfws(l, NULL))
			return -1;
	}
	return lex_at_end(l) || lex_at(l, ';') ? 0 : -1;
}

bool authres_is_forged(const struct header_field *f, const char *authserv_id)
{
	size_t n, ours = strlen(authserv_id);
	char id[ID_MAX];
	struct lex l;

	if (has_own_prefix(f))
		return true;
	if (!header_is(f, "Authentication-Results"))
		return false;
	lex_init(&l, f->value, f->value_len);
	if (lex_cfws(&l, NULL) || read_id(&l, id, &n) || read_rest(&l))
		return true;
	/* A host name with the root's dot is the same host name. */
	while (n > 0 && id[n - 1] == '.')
		n--;
	while (ours > 0 && authserv_id[ours - 1] == '.')
		ours--;
	id[n] = 0;
	return n == 0 || (n == ours && lex_same(authserv_id, ours, id));
}

/* One character between quotes, in at most 16 octets. ASCII it must be: in mail that is not SMTPUTF8 no encoded word
 * may stand there (RFC 2047 5). Names come as RFC 4514 writes them, so its escape (2.4, backslash and two digits for
 * each octet of the UTF-8) says what they are; the backslash is quoted as every other one. */
static size_t quoted_char(const char *p, size_t n, char out[17], size_t *taken_r)
{
	size_t len = encword_char(p, n, taken_r), k = 0;

	if (len == 0)
		out[k++] = *p == '\t' || *p == '\r' || *p == '\n' ? ' ' : '?';
	if (len == 1 && (*p == '"' || *p == '\\'))
		out[k++] = '\\';
	if (len == 1)
		out[k++] = *p;
	for (size_t i = 0; len > 1 && i < len; i++, k += 4)
		(void)snprintf(out + k, 5, "\\\\%02X", (unsigned)(unsigned char)p[i]);
	return k;
}

/* A word is broken here, long before folding would have to: there a backslash could be parted from what it quotes,
 * and the text of a certificate would end its own quotes. */
static int put_quoted(struct buf *b, const char *s)
{
	size_t n = strlen(s), run = 0, taken;

	if (buf_addc(b, '"') != 0)
		return -1;
	for (size_t i = 0; i < n; i += taken) {
		char one[17];
		size_t len = quoted_char(s + i, n - i, one, &taken);

		run = one[0] == ' ' ? 0 : run + len;
		if (run > RUN_MOST && buf_addc(b, ' ') != 0)
			return -1;
		if (run > RUN_MOST)
			run = len;
		if (buf_add(b, one, len) != 0)
			return -1;
	}
	return buf_addc(b, '"');
}

/* RFC 8601 2.2 `value`: a token, else quoted. */
static int put_value(struct buf *b, const char *s)
{
	return strlen(s) <= RUN_MOST && all_token(s, strlen(s)) ? buf_adds(b, s) : put_quoted(b, s);
}

/* RFC 8601 2.2 `pvalue`: an address may stand unquoted when both sides are plain. */
static int put_address(struct buf *b, const char *s)
{
	const char *at = strrchr(s, '@');
	bool plain = at && at > s && strlen(s) <= RUN_MOST && all_token(at + 1, strlen(at + 1));

	for (const char *p = s; plain && p < at; p++)
		plain = lex_is(*p, LEX_ATEXT) || *p == '.';
	return plain ? buf_adds(b, s) : put_value(b, s);
}

static int put_comment(struct buf *b, const char *s)
{
	return buf_adds(b, " (") || encword_add(b, s, strlen(s), "()\\") || buf_addc(b, ')') ? -1 : 0;
}

static int put_property(struct buf *b, const char *name, const char *value)
{
	if (!value)
		return 0;
	return buf_addf(b, " %s=", name) || put_value(b, value) ? -1 : 0;
}

static int compose_one(struct buf *b, const struct authres *r)
{
	if (buf_addf(b, "; smime=%s", r->result) || (r->encryption && put_comment(b, r->encryption)))
		return -1;
	if (put_property(b, "reason", r->reason))
		return -1;
	if (r->body_smime_identifier &&
	    (buf_adds(b, " body.smime-identifier=") || put_address(b, r->body_smime_identifier)))
		return -1;
	return put_property(b, "body.smime-serial", r->body_smime_serial) ||
		       put_property(b, "body.smime-issuer", r->body_smime_issuer)
		   ? -1
		   : 0;
}

static int compose(struct buf *b, const struct authres *r)
{
	if (buf_adds(b, "Authentication-Results: ") || put_value(b, r->authserv_id))
		return -1;
	for (; r; r = r->next)
		if (compose_one(b, r))
			return -1;
	return 0;
}

int authres_add(struct buf *out, const struct authres *r)
{
	struct buf b;
	int result;

	REQUIRE(r->authserv_id[0]);
	for (const struct authres *one = r; one; one = one->next)
		REQUIRE(all_token(one->result, strlen(one->result)));
	buf_init(&b, FIELD_MAX);
	result = compose(&b, r);
	if (result == 0)
		result = fold_add(out, FOLD_FIELD, buf_str(&b), b.len);
	buf_clear(&b);
	return result;
}

int authres_add_x(struct buf *out, const char *name, const char *text)
{
	struct buf b;
	int result;

	REQUIRE(all_token(name, strlen(name)));
	buf_init(&b, FIELD_MAX);
	result = buf_addf(&b, "%s%s: ", own_prefix, name) || encword_add(&b, text, strlen(text), "");
	if (result == 0)
		result = fold_add(out, FOLD_FIELD, buf_str(&b), b.len);
	buf_clear(&b);
	return result;
}
