/*
 * EHLO and HELO (RFC 5321 4.1.1.1, 4.1.4). Role relay. The name is kept for Received and logs and believed by nobody.
 * RFC 2034 4: no enhanced codes in any reply to them.
 */
#include "gateway/smtp/smtpd_ehlo.h"

#include <ctype.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpd_session.h"
#include "gateway/smtp/smtpd_xsmg.h"

/* A host name or an address literal. Looser than the RFC where real servers are (underscore, no dot), never so loose
 * that it could upset a log or header. */
static bool plausible(const char *p, size_t n)
{
	const char *more = "._-";

	if (n > 2 && p[0] == '[' && p[n - 1] == ']') {
		more = ".:-";
		p++;
		n -= 2;
	}
	for (size_t i = 0; i < n; i++) {
		if (!isascii((unsigned char)p[i]) || !(isalnum((unsigned char)p[i]) || strchr(more, p[i])))
			return false;
	}
	return n > 0;
}

/* The client's name; also ends a transaction under way (RFC 5321 4.1.4). 0, -1 = answered with an error. */
static int take_name(struct smtpd *s, const char *arg, size_t n)
{
	if (n == 0 || n >= sizeof s->helo || !plausible(arg, n)) {
		smtpd_session_error(
		    s, 501, "", "The host name of the client must follow: a domain or an address literal.");
		return -1;
	}
	smtpd_session_end_mail(s);
	memcpy(s->helo, arg, n);
	s->helo[n] = 0;
	s->greeted = true;
	return 0;
}

void smtpd_ehlo_helo(struct smtpd *s, const char *arg, size_t n)
{
	if (take_name(s, arg, n) < 0)
		return;
	s->esmtp = false;
	smtpd_session_say(s, 250, "", s->ls->hostname);
}

void smtpd_ehlo(struct smtpd *s, const char *arg, size_t n)
{
	struct buf b;

	if (take_name(s, arg, n) < 0)
		return;
	s->esmtp = true;
	buf_init(&b, 1024);

	int r = buf_addf(&b, "%s\nPIPELINING\nSIZE %lld\n8BITMIME\nENHANCEDSTATUSCODES\nCHUNKING\nSMTPUTF8\n",
	    s->ls->hostname, (long long)s->set->message_max);

	if (r == 0 && smtpd_session_dsn(s))
		r = buf_adds(&b, "DSN\n");
	/* RFC 3207 4.2: not offered again under TLS. */
	if (r == 0 && s->ls->tls && !conn_is_tls(s->conn))
		r = buf_adds(&b, "STARTTLS\n");
	/* RFC 8689 3: inside TLS alone. */
	if (r == 0 && conn_is_tls(s->conn))
		r = buf_adds(&b, "REQUIRETLS\n");
	if (r == 0 && smtpd_xsmg_offered(s))
		r = buf_adds(&b, "XSMG 1\n");
	if (r == 0)
		r = buf_adds(&b, "HELP");
	REQUIRE(r == 0);
	smtpd_session_say(s, 250, "", buf_str(&b));
	buf_clear(&b);
}
