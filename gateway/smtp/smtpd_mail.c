/* MAIL FROM (RFC 5321 4.1.1.2) and its parameters: SIZE (RFC 1870), BODY (RFC 6152), RET and ENVID (RFC 3461),
 * SMTPUTF8 (RFC 6531), REQUIRETLS (RFC 8689). Role relay. Who may send is the application's decision. */
#include "gateway/smtp/smtpd_mail.h"

#include <stdio.h>
#include <string.h>

#include "gateway/mail/lex.h"
#include "gateway/mail/xtext.h"
#include "gateway/smtp/smtpd_params.h"
#include "gateway/smtp/smtpd_session.h"

/* MAIL as it is read: env.envid points into envid. */
struct reading {
	struct smtpd *s;
	struct smtpd_mail m;
	char envid[ENVELOPE_ENVID_MAX + 1];
	unsigned given; /* the rows of params that came: each may be given once */
	bool utf8;	/* the address has octets outside ASCII */
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

static int size(struct reading *r, const struct smtpd_param *p, struct problem *pr)
{
	return take_size(p, &r->m.size, pr);
}

static int body(struct reading *r, const struct smtpd_param *p, struct problem *pr)
{
	r->m.env.body8 = lex_same(p->value, p->nvalue, "8BITMIME");
	if (r->m.env.body8 || lex_same(p->value, p->nvalue, "7BIT"))
		return 0;
	return bad(pr, "BODY must be 7BIT or 8BITMIME.");
}

static int ret(struct reading *r, const struct smtpd_param *p, struct problem *pr)
{
	if (!smtpd_session_dsn(r->s))
		return smtpd_params_unknown(p, pr);
	if (lex_same(p->value, p->nvalue, "FULL"))
		r->m.env.ret = ENVELOPE_RET_FULL;
	else if (lex_same(p->value, p->nvalue, "HDRS"))
		r->m.env.ret = ENVELOPE_RET_HDRS;
	else
		return bad(pr, "RET must be FULL or HDRS.");
	return 0;
}

/* RFC 3461 4.4. */
static int envid(struct reading *r, const struct smtpd_param *p, struct problem *pr)
{
	if (!smtpd_session_dsn(r->s))
		return smtpd_params_unknown(p, pr);
	if (!xtext_printable(p->value, p->nvalue, ENVELOPE_ENVID_MAX))
		return bad(pr, "ENVID must be xtext of printable characters, at most 100 octets.");
	memcpy(r->envid, p->value, p->nvalue);
	r->m.env.envid = r->envid;
	return 0;
}

static int utf8(struct reading *r, const struct smtpd_param *p, struct problem *pr)
{
	(void)p;
	(void)pr;
	r->m.env.utf8 = true;
	return 0;
}

/* RFC 8689 3: said in the clear it would be worth nothing. */
static int requiretls(struct reading *r, const struct smtpd_param *p, struct problem *pr)
{
	(void)p;
	if (!conn_is_tls(r->s->conn))
		return problem_set(pr, PROBLEM_PERM, 530, "5.7.10", "RFC 8689 3",
		    "REQUIRETLS needs a session under TLS: STARTTLS first.");
	r->m.env.requiretls = true;
	return 0;
}

static const struct {
	const char *key;
	bool value; /* has one, or must not have one */
	int (*take)(struct reading *r, const struct smtpd_param *p, struct problem *pr);
} params[] = {
    {"SIZE", true, size},
    {"BODY", true, body},
    {"RET", true, ret},
    {"ENVID", true, envid},
    {"SMTPUTF8", false, utf8},
    {"REQUIRETLS", false, requiretls},
};

static int take_param(struct reading *r, const struct smtpd_param *p, struct problem *pr)
{
	for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
		if (!lex_same(p->key, p->nkey, params[i].key))
			continue;
		if (r->given & 1u << i)
			return bad(pr, "A parameter is given twice.");
		r->given |= 1u << i;
		if (!p->value == params[i].value)
			return problem_set(pr, PROBLEM_PERM, 501, "5.5.4", "RFC 5321 4.1.1.11",
			    params[i].value ? "%s must have a value." : "%s has no value.", params[i].key);
		return params[i].take(r, p, pr);
	}
	return smtpd_params_unknown(p, pr);
}

static int take_params(struct reading *r, const char *p, size_t n, struct problem *pr)
{
	struct smtpd_param one;
	int got;

	while ((got = smtpd_params_next(&p, &n, &one, pr)) == 1) {
		if (!r->s->esmtp)
			return problem_set(pr, PROBLEM_PERM, 555, "5.5.4", "RFC 5321 4.1.1.11",
			    "Parameters need a session that began with EHLO.");
		if (take_param(r, &one, pr) < 0)
			return -1;
	}
	if (got == 0 && r->utf8 && !r->m.env.utf8)
		return problem_set(pr, PROBLEM_PERM, 553, "5.6.7", "RFC 6531 3.4",
		    "The address has characters outside ASCII: MAIL needs the parameter SMTPUTF8.");
	return got;
}

/* The grammar has no blank behind the colon; real clients put one there, and nothing else can be meant. */
static int take_path(const char **p, size_t *n, struct reading *r, struct problem *pr)
{
	static const char from[] = "FROM:";
	struct address *a = &r->m.sender;
	size_t k = sizeof from - 1, used;

	if (*n < k || !lex_same(*p, k, from))
		return bad(pr, "MAIL must be followed by FROM:<address>.");
	for (; k < *n && (*p)[k] == ' '; k++)
		;
	if (address_parse_path_utf8(*p + k, *n - k, a, &used, &r->utf8, pr) < 0) {
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
	struct reading r = {.s = s};
	struct problem pr;

	if (take_path(&arg, &n, &r, &pr) < 0 || take_params(&r, arg, n, &pr) < 0) {
		smtpd_session_error_problem(s, &pr);
		return;
	}
	/* RFC 1870 6.1: what is declared too large is refused before it is sent. */
	if (r.m.size > (uint64_t)s->set->message_max) {
		problem_set(&pr, PROBLEM_PERM, 552, "5.3.4", "RFC 1870 6.1",
		    "The message is larger than the %lld octets accepted here.", (long long)s->set->message_max);
		smtpd_session_problem(s, &pr);
		return;
	}
	s->in_mail = true;
	s->utf8 = r.m.env.utf8;
	smtpd_session_wait(s, SMTPD_WAIT_MAIL);
	s->ls->ops->mail(s->ls->app, s, &r.m);
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
