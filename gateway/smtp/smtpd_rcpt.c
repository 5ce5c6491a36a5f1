/* RCPT TO (RFC 5321 4.1.1.3, 4.5.3.1.10). Role relay. Who may receive is the application's decision. */
#include "gateway/smtp/smtpd_rcpt.h"

#include "gateway/mail/lex.h"
#include "gateway/smtp/smtpd_params.h"
#include "gateway/smtp/smtpd_session.h"

/* No extension offered here gives RCPT a parameter. */
static int no_params(const char *p, size_t n, struct problem *pr)
{
	struct smtpd_param one;
	int r = smtpd_params_next(&p, &n, &one, pr);

	if (r == 1)
		return problem_set(pr, PROBLEM_PERM, 555, "5.5.4", "RFC 5321 4.1.1.11",
		    "The parameter %.*s is not known here.", (int)(one.nkey < 40 ? one.nkey : 40), one.key);
	return r;
}

static int take(const char *p, size_t n, struct address *a, struct problem *pr)
{
	static const char to[] = "TO:";
	size_t k = sizeof to - 1, used;

	if (n < k || !lex_same(p, k, to))
		return problem_set(
		    pr, PROBLEM_PERM, 501, "5.5.4", "RFC 5321 4.1.1.3", "RCPT must be followed by TO:<address>.");
	for (; k < n && p[k] == ' '; k++)
		;
	if (address_parse_path(p + k, n - k, a, &used, pr) < 0)
		return -1;
	if (address_is_null(a))
		return problem_set(
		    pr, PROBLEM_PERM, 501, "5.1.3", "RFC 5321 4.1.1.3", "The recipient's address is empty.");
	return no_params(p + k + used, n - k - used, pr);
}

void smtpd_rcpt(struct smtpd *s, const char *arg, size_t n)
{
	struct address a;
	struct problem pr;

	if (take(arg, n, &a, &pr) < 0) {
		s->rcpts_refused++;
		smtpd_session_error_problem(s, &pr);
		return;
	}
	if (s->rcpts >= s->set->recipients_max) {
		smtpd_session_say(
		    s, 452, "4.5.3", "Too many recipients for one message; send it to the others by itself.");
		return;
	}
	smtpd_session_wait(s, SMTPD_WAIT_RCPT);
	s->ls->ops->rcpt(s->ls->app, s, &a);
}

void smtpd_rcpt_done(struct smtpd *s, const struct problem *pr)
{
	if (smtpd_session_answered(s, SMTPD_WAIT_RCPT) < 0)
		return;
	if (pr) {
		s->rcpts_refused++;
		smtpd_session_problem(s, pr);
		return;
	}
	s->rcpts++;
	smtpd_session_say(s, 250, "2.1.5", "Recipient accepted.");
}
