/* RSET (RFC 5321 4.1.1.5). Role relay. */
#include "gateway/smtp/smtpd_rset.h"

#include "gateway/smtp/smtpd_session.h"

void smtpd_rset(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	if (n > 0) {
		smtpd_session_error(s, 501, "5.5.4", "RSET has no arguments.");
		return;
	}
	smtpd_session_end_mail(s);
	smtpd_session_say(s, 250, "2.0.0", "Forgotten.");
}
