/*
 * DATA and where its content ends (RFC 5321 4.1.1.4, 4.5.2; dot.c finds the end). Role relay. What the content is
 * worth is smtpd_content.c's business.
 */
#include "gateway/smtp/smtpd_data.h"

#include "gateway/base/log.h"
#include "gateway/smtp/smtpd_bdat.h"
#include "gateway/smtp/smtpd_content.h"
#include "gateway/smtp/smtpd_session.h"

/* RFC 2920 3.1: DATA is the last command of a group. Who sent the content before our answer to DATA, which is a
 * refusal, must not have its lines interpreted as commands. */
static void refuse_early_content(struct smtpd *s)
{
	if (smtpd_session_input_waits(s))
		smtpd_session_bye(s, 421, "4.7.0",
		    "Octets came before the answer to DATA, which was not 354; closing the connection.",
		    "content before the answer to DATA");
}

void smtpd_data(struct smtpd *s, const char *arg, size_t n)
{
	(void)arg;
	if (n > 0)
		smtpd_session_error(s, 501, "5.5.4", "DATA has no arguments.");
	else if (!s->in_mail)
		smtpd_session_error(s, 503, "5.5.1", "MAIL and RCPT must come first.");
	else if (s->chunked) /* RFC 3030 2 */
		smtpd_session_error(s, 503, "5.5.1", "DATA is not allowed behind BDAT in one transaction.");
	else if (s->rcpts == 0 && s->rcpts_refused == 0)
		smtpd_session_error(s, 503, "5.5.1", "RCPT must come first.");
	else if (s->rcpts == 0)
		smtpd_session_say(s, 554, "5.5.1", "No recipient was accepted.");
	if (n > 0 || s->rcpts == 0 || s->chunked) {
		refuse_early_content(s);
		return;
	}
	smtpd_session_wait(s, SMTPD_WAIT_DATA);
	s->ls->ops->data(s->ls->app, s);
}

void smtpd_data_done(struct smtpd *s, const struct problem *pr)
{
	if (smtpd_session_answered(s, SMTPD_WAIT_DATA) < 0)
		return;
	if (s->chunked) {
		smtpd_bdat_begin(s, pr);
		return;
	}
	if (pr) {
		smtpd_session_problem(s, pr);
		s->over = true;
		refuse_early_content(s);
		return;
	}
	dot_in_init(&s->dot);
	buf_init(&s->content, SMTPD_PIECE_MAX + 8);
	smtpd_content_begin(s);
	s->phase = SMTPD_CONTENT;
	smtpd_session_say(s, 354, "", "Send the message, end with CRLF.CRLF");
}

bool smtpd_data_content(struct smtpd *s)
{
	const struct buf *in = conn_in(s->conn);
	size_t n = in->len - s->off, used = 0;

	if (n == 0)
		return false;
	if (n > SMTPD_PIECE_MAX)
		n = SMTPD_PIECE_MAX;

	int r = dot_in_feed(&s->dot, in->p + s->off, n, &used, &s->content);

	s->off += used;
	s->raw += used;
	s->since = loop_now_ms();
	s->bare = s->dot.bare;
	smtpd_content_take(s, s->content.p, s->content.len);
	buf_reset(&s->content);
	if (r == 1)
		smtpd_content_end(s);
	else if (smtpd_content_far_too_large(s, 0))
		smtpd_content_bye_far_too_large(s);
	return true;
}
