/*
 * STARTTLS (RFC 3207). Role relay. What the client sent behind the command in the clear is thrown away, and what the
 * session knew is forgotten: anybody on the way could have said it.
 */
#include "gateway/smtp/smtpd_starttls.h"

#include <stdio.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpd_session.h"

static void begin(struct smtpd *s)
{
	size_t behind = conn_in(s->conn)->len - s->off;

	if (behind > 0)
		log_warn(s->id, "smtpd", "starttls-discarded octets=%zu client=%s", behind, s->peer);
	smtpd_session_say(s, 220, "2.0.0", "Go ahead with TLS.");
	smtpd_session_forget(s);
	s->phase = SMTPD_HANDSHAKE;
	s->off = 0;
	conn_start_tls(s->conn, s->ls->tls, true, NULL);
}

void smtpd_starttls(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	if (n > 0)
		smtpd_session_error(s, 501, "5.5.4", "STARTTLS has no arguments.");
	else if (!s->ls->tls)
		smtpd_session_error(s, 502, "5.5.1", "STARTTLS is not offered here.");
	else if (conn_is_tls(s->conn))
		smtpd_session_error(s, 503, "5.5.1", "TLS is already in use.");
	else if (s->in_mail)
		smtpd_session_error(s, 503, "5.5.1", "STARTTLS is not allowed inside a transaction.");
	else
		begin(s);
}

void smtpd_starttls_done(struct smtpd *s, const char *why)
{
	char words[96];

	s->since = loop_now_ms();
	if (!why) {
		s->phase = SMTPD_COMMAND;
		log_debug(s->id, "smtpd", "tls words=\"%s\"", conn_tls_words(s->conn, words, sizeof words));
		return;
	}
	s->phase = SMTPD_CLOSING;
	s->gone = true;
	snprintf(s->why, sizeof s->why, "%s", why);
}
