/* NOOP (RFC 5321 4.1.1.9; a string behind it is allowed and means nothing). Role relay. */
#include "gateway/smtp/smtpd_noop.h"

#include "gateway/smtp/smtpd_session.h"

void smtpd_noop(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	(void)n;
	smtpd_session_say(s, 250, "2.0.0", "Still here.");
}
