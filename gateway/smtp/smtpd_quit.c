/* QUIT (RFC 5321 4.1.1.10). Role relay. */
#include "gateway/smtp/smtpd_quit.h"

#include "gateway/smtp/smtpd_session.h"

void smtpd_quit(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	if (n > 0)
		smtpd_session_error(s, 501, "5.5.4", "QUIT has no arguments.");
	else
		smtpd_session_bye(s, 221, "2.0.0", "Goodbye.", "quit");
}
