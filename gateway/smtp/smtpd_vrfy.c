/* VRFY (RFC 5321 3.5.3, 7.3): tells nobody who exists. Role relay. */
#include "gateway/smtp/smtpd_vrfy.h"

#include "gateway/smtp/smtpd_session.h"

void smtpd_vrfy(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	if (n == 0)
		smtpd_session_error(s, 501, "5.5.4", "VRFY must be followed by a name or an address.");
	else
		smtpd_session_say(s, 252, "2.5.0", "Cannot say; send the message and see.");
}
