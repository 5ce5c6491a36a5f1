/* HELP (RFC 5321 4.1.1.8). Role relay. */
#include "gateway/smtp/smtpd_help.h"

#include "gateway/smtp/smtpd_session.h"

void smtpd_help(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	(void)n;
	smtpd_session_say(s, 214, "2.0.0",
	    "EHLO HELO MAIL RCPT DATA BDAT RSET NOOP QUIT VRFY HELP STARTTLS\nRFC 5321 says what they mean.");
}
