/*
 * Verbs that are known and not implemented, that must not be heard here, or that nobody knows (RFC 5321 4.2.4). Role
 * relay. Where what follows such a verb is not commands, nothing behind it is read as commands: the session ends.
 */
#include "gateway/smtp/smtpd_unknown.h"

#include "gateway/smtp/smtpd_session.h"

void smtpd_unknown(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	(void)n;
	smtpd_session_error(s, 500, "5.5.2", "The command is not known.");
}

void smtpd_unknown_known(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	(void)n;
	smtpd_session_error(s, 502, "5.5.1", "The command is not implemented.");
}

/* A browser made to speak to us: its request's body is somebody else's text. */
void smtpd_unknown_http(struct smtpd *s, const char *arg, size_t n)
{
	smtpd_unknown(s, arg, n);
	smtpd_session_bye(s, 421, "4.7.0", "This is SMTP, not HTTP; closing the connection.", "HTTP request");
}
