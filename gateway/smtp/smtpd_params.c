/* The parameters behind the path of MAIL and RCPT: syntax only (RFC 5321 4.1.2). Pure; which ones exist is their
 * verb's business. */
#include "gateway/smtp/smtpd_params.h"

#include <stdbool.h>

#include "gateway/mail/lex.h"

static int bad(struct problem *pr, const char *why)
{
	return problem_set(pr, PROBLEM_PERM, 501, "5.5.4", "RFC 5321 4.1.2", "%s", why);
}

static bool in_value(char c)
{
	/* RFC 5321 4.1.2, RFC 6531 3.3; who takes a value judges what is outside ASCII in it */
	return (c > 32 && c < 127 && c != '=') || (unsigned char)c > 127;
}

static bool in_key(char c)
{
	return lex_is(c, LEX_LDH);
}

static size_t run(const char *p, size_t n, bool (*is)(char c))
{
	size_t i = 0;

	while (i < n && is(p[i]))
		i++;
	return i;
}

int smtpd_params_next(const char **p, size_t *n, struct smtpd_param *out, struct problem *pr)
{
	const char *at = *p, *end = *p + *n;

	*out = (struct smtpd_param){0};
	if (at < end && *at != ' ')
		return bad(pr, "The parameters must be separated by a space.");
	while (at < end && *at == ' ')
		at++;
	*p = end;
	*n = 0;
	if (at == end)
		return 0;
	out->key = at;
	out->nkey = run(at, (size_t)(end - at), in_key);
	if (out->nkey == 0 || *at == '-')
		return bad(pr, "A parameter must begin with a letter or digit.");
	at += out->nkey;
	if (at < end && *at == '=') {
		out->value = ++at;
		out->nvalue = run(at, (size_t)(end - at), in_value);
		if (out->nvalue == 0)
			return bad(pr, "A parameter has no value behind its \"=\".");
		at += out->nvalue;
	}
	if (at < end && *at != ' ')
		return bad(pr, "A parameter has a character that is not allowed there.");
	*p = at;
	*n = (size_t)(end - at);
	return 1;
}

int smtpd_params_unknown(const struct smtpd_param *p, struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 555, "5.5.4", "RFC 5321 4.1.1.11",
	    "The parameter %.*s is not known here.", (int)(p->nkey < 40 ? p->nkey : 40), p->key);
}
