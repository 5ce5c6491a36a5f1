/* MAIL FROM (RFC 5321 4.1.1.2, RFC 1870 SIZE, RFC 6152 BODY). Role relay. Who may send is the application's decision.
 */
#include "gateway/smtp/smtpd_mail.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/smtp/smtpd_params.h"
#include "gateway/smtp/smtpd_session.h"

/* What of it was given: each may be given once. */
struct given {
	bool size, body;
};

static int bad(struct problem *pr, const char *why)
{
	return problem_set(pr, PROBLEM_PERM, 501, "5.5.4", "RFC 5321 4.1.1.2", "%s", why);
}

/* RFC 1870 6: 1*20DIGIT. What does not fit into 64 bits is too large in any case. */
static int take_size(const struct smtpd_param *p, uint64_t *size_r, struct problem *pr)
{
	uint64_t v = 0;

	if (p->nvalue == 0 || p->nvalue > 20)
		return bad(pr, "SIZE must have a number of up to 20 digits.");
	for (size_t i = 0; i < p->nvalue; i++) {
		if (p->value[i] < '0' || p->value[i] > '9')
			return bad(pr, "SIZE must have a number of up to 20 digits.");

		uint64_t d = (uint64_t)(p->value[i] - '0');

		v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : v * 10 + d;
	}
	*size_r = v;
	return 0;
}

static int take_body(const struct smtpd_param *p, bool *body8_r, struct problem *pr)
{
	*body8_r = p->value && lex_same(p->value, p->nvalue, "8BITMIME");
	if (*body8_r || (p->value && lex_same(p->value, p->nvalue, "7BIT")))
		return 0;
	return bad(pr, "BODY must be 7BIT or 8BITMIME.");
}

static int take_param(const struct smtpd_param *p, struct given *g, struct smtpd_mail *m, struct problem *pr)
{
	bool is_size = lex_same(p->key, p->nkey, "SIZE"), is_body = lex_same(p->key, p->nkey, "BODY");

	if ((is_size && g->size) || (is_body && g->body))
		return bad(pr, "A parameter is given twice.");
	g->size |= is_size;
	g->body |= is_body;
	if (is_size)
		return take_size(p, &m->size, pr);
	if (is_body)
		return take_body(p, &m->body8, pr);
	return problem_set(pr, PROBLEM_PERM, 555, "5.5.4", "RFC 5321 4.1.1.11",
	    "The parameter %.*s is not known here.", (int)(p->nkey < 40 ? p->nkey : 40), p->key);
}

static int take_params(struct smtpd *s, const char *p, size_t n, struct smtpd_mail *m, struct problem *pr)
{
	struct given g = {0};
	struct smtpd_param one;
	int r;

	while ((r = smtpd_params_next(&p, &n, &one, pr)) == 1) {
		if (!s->esmtp)
			return problem_set(pr, PROBLEM_PERM, 555, "5.5.4", "RFC 5321 4.1.1.11",
			    "Parameters need a session that began with EHLO.");
		if (take_param(&one, &g, m, pr) < 0)
			return -1;
	}
	return r;
}

/* The grammar has no blank behind the colon; real clients put one there, and nothing else can be meant. */
static int take_path(const char **p, size_t *n, struct address *a, struct problem *pr)
{
	static const char from[] = "FROM:";
	size_t k = sizeof from - 1, used;

	if (*n < k || !lex_same(*p, k, from))
		return bad(pr, "MAIL must be followed by FROM:<address>.");
	for (; k < *n && (*p)[k] == ' '; k++)
		;
	if (address_parse_path(*p + k, *n - k, a, &used, pr) < 0) {
		if (strcmp(pr->enh, "5.1.3") == 0)
			snprintf(pr->enh, sizeof pr->enh, "5.1.7");
		return -1;
	}
	if (a->local[0] && !a->domain[0])
		return problem_set(
		    pr, PROBLEM_PERM, 553, "5.1.7", "RFC 5321 4.1.1.2", "The sender's address needs a domain.");
	*p += k + used;
	*n -= k + used;
	return 0;
}

void smtpd_mail(struct smtpd *s, const char *arg, size_t n)
{
	struct smtpd_mail m = {0};
	struct problem pr;

	if (take_path(&arg, &n, &m.sender, &pr) < 0 || take_params(s, arg, n, &m, &pr) < 0) {
		smtpd_session_error_problem(s, &pr);
		return;
	}
	/* RFC 1870 6.1: what is declared too large is refused before it is sent. */
	if (m.size > (uint64_t)s->set->message_max) {
		problem_set(&pr, PROBLEM_PERM, 552, "5.3.4", "RFC 1870 6.1",
		    "The message is larger than the %lld octets accepted here.", (long long)s->set->message_max);
		smtpd_session_problem(s, &pr);
		return;
	}
	s->in_mail = true;
	smtpd_session_wait(s, SMTPD_WAIT_MAIL);
	s->ls->ops->mail(s->ls->app, s, &m);
}

void smtpd_mail_done(struct smtpd *s, const struct problem *pr)
{
	if (smtpd_session_answered(s, SMTPD_WAIT_MAIL) < 0)
		return;
	if (pr) {
		smtpd_session_problem(s, pr);
		s->over = true;
		return;
	}
	s->mail_ok = true;
	smtpd_session_say(s, 250, "2.1.0", "Sender accepted.");
}
