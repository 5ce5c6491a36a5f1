/* RCPT TO (RFC 5321 4.1.1.3, 4.5.3.1.10) and its parameters NOTIFY and ORCPT (RFC 3461 4.1, 4.2). Role relay. Who may
 * receive is the application's decision. */
#include "gateway/smtp/smtpd_rcpt.h"

#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/mail/xtext.h"
#include "gateway/smtp/smtpd_params.h"
#include "gateway/smtp/smtpd_reply.h"
#include "gateway/smtp/smtpd_session.h"

/* RCPT as it is read: env.orcpt points into orcpt. */
struct reading {
	struct address a;
	struct envelope_rcpt env;
	char orcpt[ENVELOPE_ORCPT_MAX + 1];
};

static int bad(struct problem *pr, const char *rfc, const char *why)
{
	return problem_set(pr, PROBLEM_PERM, 501, "5.5.4", rfc, "%s", why);
}

static unsigned notify_word(const char *p, size_t n)
{
	static const struct {
		const char *word;
		unsigned bit;
	} words[] = {{"NEVER", ENVELOPE_NOTIFY_NEVER}, {"SUCCESS", ENVELOPE_NOTIFY_SUCCESS},
	    {"FAILURE", ENVELOPE_NOTIFY_FAILURE}, {"DELAY", ENVELOPE_NOTIFY_DELAY}};

	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
		if (lex_same(p, n, words[i].word))
			return words[i].bit;
	return 0;
}

/* RFC 3461 4.1: NEVER alone, or a list of the others. */
static int notify(const struct smtpd_param *p, struct envelope_rcpt *e, struct problem *pr)
{
	const char *at = p->value, *end = at + p->nvalue;

	if (e->notify)
		return bad(pr, "RFC 3461 4.1", "A parameter is given twice.");
	for (bool more = true; more;) {
		const char *comma = memchr(at, ',', (size_t)(end - at));
		unsigned bit = notify_word(at, (size_t)((comma ? comma : end) - at));

		more = comma != NULL;
		at = more ? comma + 1 : end;
		e->notify |= bit;
		if (bit == 0 || (e->notify & ENVELOPE_NOTIFY_NEVER && e->notify != ENVELOPE_NOTIFY_NEVER))
			return bad(pr, "RFC 3461 4.1",
			    "NOTIFY must be NEVER, or some of SUCCESS, FAILURE and DELAY with commas.");
	}
	return 0;
}

static int orcpt(const struct smtpd_param *p, bool utf8, struct reading *r, struct problem *pr)
{
	if (r->env.orcpt)
		return bad(pr, "RFC 3461 4.2", "A parameter is given twice.");
	if (!xtext_orcpt(p->value, p->nvalue, ENVELOPE_ORCPT_MAX, utf8))
		return bad(pr, "RFC 3461 4.2",
		    "ORCPT must be a type, a semicolon and an address as xtext of printable characters, at most 500 "
		    "octets.");
	memcpy(r->orcpt, p->value, p->nvalue);
	r->env.orcpt = r->orcpt;
	return 0;
}

static int take_param(const struct smtpd *s, const struct smtpd_param *p, struct reading *r, struct problem *pr)
{
	if (!smtpd_session_dsn(s))
		return smtpd_params_unknown(p, pr);
	if (p->value && lex_same(p->key, p->nkey, "NOTIFY"))
		return notify(p, &r->env, pr);
	if (p->value && lex_same(p->key, p->nkey, "ORCPT"))
		return orcpt(p, s->utf8, r, pr);
	if (lex_same(p->key, p->nkey, "NOTIFY") || lex_same(p->key, p->nkey, "ORCPT"))
		return bad(pr, "RFC 5321 4.1.1.11", "NOTIFY and ORCPT must have a value.");
	return smtpd_params_unknown(p, pr);
}

static int take_params(const struct smtpd *s, const char *p, size_t n, struct reading *r, struct problem *pr)
{
	struct smtpd_param one;
	int got;

	while ((got = smtpd_params_next(&p, &n, &one, pr)) == 1) {
		if (!s->esmtp)
			return problem_set(pr, PROBLEM_PERM, 555, "5.5.4", "RFC 5321 4.1.1.11",
			    "Parameters need a session that began with EHLO.");
		if (take_param(s, &one, r, pr) < 0)
			return -1;
	}
	return got;
}

static int take(const struct smtpd *s, const char *p, size_t n, struct reading *r, struct problem *pr)
{
	static const char to[] = "TO:";
	size_t k = sizeof to - 1, used;
	bool utf8;

	if (n < k || !lex_same(p, k, to))
		return bad(pr, "RFC 5321 4.1.1.3", "RCPT must be followed by TO:<address>.");
	for (; k < n && p[k] == ' '; k++)
		;
	if (address_parse_path_utf8(p + k, n - k, &r->a, &used, &utf8, pr) < 0)
		return -1;
	if (address_is_null(&r->a))
		return problem_set(
		    pr, PROBLEM_PERM, 501, "5.1.3", "RFC 5321 4.1.1.3", "The recipient's address is empty.");
	if (utf8 && !s->utf8)
		return problem_set(pr, PROBLEM_PERM, 553, "5.6.7", "RFC 6531 3.4",
		    "The address has characters outside ASCII: MAIL needs the parameter SMTPUTF8.");
	return take_params(s, p + k + used, n - k - used, r, pr);
}

/* Those that are refused later count as well: asking for one after the other is what is to be slow. */
static bool too_many(struct smtpd *s)
{
	int64_t now = loop_now_ms(), max = s->set->client_recipients_rate;

	if (!s->client || max == 0)
		return false;
	if (smtpd_client_rate(s->client, SMTPD_RATE_RECIPIENTS, now) >= max)
		return true;
	smtpd_client_count(s->client, SMTPD_RATE_RECIPIENTS, now);
	return false;
}

void smtpd_rcpt(struct smtpd *s, const char *arg, size_t n)
{
	struct reading r = {0};
	struct problem pr;

	if (s->chunked) { /* RFC 3030 2: the recipients stand before the content */
		smtpd_session_error(s, 503, "5.5.1", "RCPT is not allowed behind BDAT.");
		return;
	}
	if (take(s, arg, n, &r, &pr) < 0) {
		s->rcpts_refused++;
		smtpd_session_error_problem(s, &pr);
		return;
	}
	if (s->rcpts >= s->set->recipients_max) {
		smtpd_session_say(
		    s, 452, "4.5.3", "Too many recipients for one message; send it to the others by itself.");
		return;
	}
	if (too_many(s)) {
		smtpd_session_say(s, 450, "4.7.1",
		    "Too many recipients from your address within a minute; send it to this one later.");
		return;
	}
	smtpd_session_wait(s, SMTPD_WAIT_RCPT);
	s->ls->ops->rcpt(s->ls->app, s, &r.a, &r.env);
}

void smtpd_rcpt_done(struct smtpd *s, const struct problem *pr)
{
	if (smtpd_session_answered(s, SMTPD_WAIT_RCPT) < 0)
		return;
	if (pr) {
		s->rcpts_refused++;
		smtpd_session_problem(s, pr);
		if (smtpd_reply_code(pr) >= 500)
			smtpd_session_count_error(s);
		return;
	}
	s->rcpts++;
	smtpd_session_say(s, 250, "2.1.5", "Recipient accepted.");
}
