#include "gateway/smtp/smtpc_params.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

enum { PATH_MAX_OUT = 400 };

static bool ascii(const char *s)
{
	for (; *s; s++) {
		if ((unsigned char)*s > 0x7e)
			return false;
	}
	return true;
}

bool smtpc_params_eight(const struct smtpc_mail *m)
{
	return m->body8 || m->env.body8;
}

/* Header fields outside ASCII are possible only where there is 8-bit content; the client's word for the rest. */
static bool needs_utf8(const struct smtpc_mail *m)
{
	if ((m->env.utf8 && smtpc_params_eight(m)) || !ascii(m->sender))
		return true;
	for (size_t i = 0; i < m->nrcpts; i++) {
		if (!ascii(m->rcpts[i].address))
			return true;
	}
	return false;
}

/* The address goes into a command line: no octet may end the path or the line. Quoting was done before. */
int smtpc_params_path(const struct smtpc *c, const char *a, const char *what, struct problem *pr)
{
	bool quoted = false;
	size_t n = strlen(a);

	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)a[i];

		/* RFC 6531 3.2 */
		if (ch > 0x7e && (ch == 0x7f || !c->ehlo.smtputf8))
			return problem_set(pr, PROBLEM_PERM, 553, "5.6.7", "RFC 6531 3.2",
			    "the %s address has characters outside ASCII, and %s does not offer SMTPUTF8", what,
			    c->remote);
		if (ch < 0x20 || (!quoted && strchr("<> ", ch)))
			return problem_set(pr, PROBLEM_PERM, 553, "5.1.3", "RFC 5321 4.1.2",
			    "the %s address cannot be written in an SMTP command", what);
		if (quoted && ch == '\\' && i + 1 < n && (unsigned char)a[i + 1] >= 0x20)
			i++;
		else if (ch == '"')
			quoted = !quoted;
	}
	if (quoted || n > PATH_MAX_OUT)
		return problem_set(pr, PROBLEM_PERM, 553, "5.1.3", "RFC 5321 4.5.3.1.3",
		    "the %s address is too long or its quotes do not end", what);
	return 0;
}

int smtpc_params_requiretls(const struct smtpc *c, struct problem *pr)
{
	const char *why = NULL;

	if (!c->mail->env.requiretls)
		return 0;
	if (c->tls != SMTPC_TLS_VERIFY && c->tls != SMTPC_TLS_DANE)
		why = "TLS with it is not verified";
	else if (!c->name_sure)
		why = "its name comes from an MX answer without DNSSEC or MTA-STS";
	else if (!c->ehlo.requiretls)
		why = "it does not offer REQUIRETLS";
	if (!why)
		return 0;
	return problem_set(pr, PROBLEM_PERM, 550, "5.7.30", "RFC 8689 4.2.1",
	    "the sender demands verified TLS all the way (REQUIRETLS), and %s cannot be given such mail: %s",
	    c->remote, why);
}

int smtpc_params_mail(const struct smtpc *c, uint64_t size, struct problem *pr)
{
	const struct smtpc_mail *m = c->mail;

	if (smtpc_params_path(c, m->sender, "sender", pr) < 0)
		return -1;
	if (m->env.utf8 && smtpc_params_eight(m) && !c->ehlo.smtputf8)
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.7", "RFC 6531 3.5",
		    "the message may have header fields outside ASCII (it came with SMTPUTF8), and %s does not offer "
		    "SMTPUTF8",
		    c->remote);
	if (c->ehlo.size_max > 0 && size > c->ehlo.size_max)
		return problem_set(pr, PROBLEM_PERM, 552, "5.3.4", "RFC 1870 6.1",
		    "the message has %llu octets and %s takes at most %llu", (unsigned long long)size, c->remote,
		    (unsigned long long)c->ehlo.size_max);
	return 0;
}

/* A value of a parameter: without what would end it (RFC 5321 4.1.2 esmtp-value). */
static bool value_ok(const char *v, size_t max, bool utf8)
{
	size_t n = v ? strlen(v) : 0;

	if (n == 0 || n > max)
		return false;
	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)v[i];

		if (ch <= 0x20 || ch == 0x7f || (ch > 0x7f && !utf8))
			return false;
	}
	return true;
}

const char *smtpc_params_mail_line(const struct smtpc *c, uint64_t size, char out[SMTPC_PARAMS_LINE])
{
	static const char *const rets[] = {"", " RET=HDRS", " RET=FULL"};
	const struct smtpc_mail *m = c->mail;
	const struct smtpc_ehlo *e = &c->ehlo;
	bool eight = smtpc_params_eight(m), envid = value_ok(m->env.envid, ENVELOPE_ENVID_MAX, false);
	char octets[40] = "";

	if (e->size)
		snprintf(octets, sizeof octets, " SIZE=%llu", (unsigned long long)size);
	snprintf(out, SMTPC_PARAMS_LINE, "MAIL FROM:<%s>%s%s%s%s%s%s%s", m->sender, octets,
	    eight && e->eightbit ? " BODY=8BITMIME" : "", e->smtputf8 && needs_utf8(m) ? " SMTPUTF8" : "",
	    m->env.requiretls ? " REQUIRETLS" : "", e->dsn ? rets[m->env.ret] : "", e->dsn && envid ? " ENVID=" : "",
	    e->dsn && envid ? m->env.envid : "");
	return out;
}

static const char *notify_words(unsigned set, char out[64])
{
	static const struct {
		unsigned bit;
		const char *word;
	} words[] = {{ENVELOPE_NOTIFY_SUCCESS, "SUCCESS"}, {ENVELOPE_NOTIFY_FAILURE, "FAILURE"},
	    {ENVELOPE_NOTIFY_DELAY, "DELAY"}};
	size_t n = 0;

	out[0] = 0;
	if (set & ENVELOPE_NOTIFY_NEVER)
		return " NOTIFY=NEVER";
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (set & words[i].bit)
			n += (size_t)snprintf(out + n, 64 - n, "%s%s", n ? "," : " NOTIFY=", words[i].word);
	}
	return out;
}

const char *smtpc_params_rcpt_line(const struct smtpc *c, const struct smtpc_rcpt *r, char out[SMTPC_PARAMS_LINE])
{
	char notify[64];
	bool dsn = c->ehlo.dsn, orcpt = value_ok(r->env.orcpt, ENVELOPE_ORCPT_MAX, c->ehlo.smtputf8);

	snprintf(out, SMTPC_PARAMS_LINE, "RCPT TO:<%s>%s%s%s", r->address,
	    dsn ? notify_words(r->env.notify, notify) : "", dsn && orcpt ? " ORCPT=" : "",
	    dsn && orcpt ? r->env.orcpt : "");
	return out;
}
