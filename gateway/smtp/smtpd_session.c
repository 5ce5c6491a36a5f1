/* What the verbs of the SMTP server share: replies, errors, waits, the end of a transaction. Role relay. RFC
 * 5321 4.1.4, 4.2. Does not read input. */
#include "gateway/smtp/smtpd_session.h"

#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpd_reply.h"

enum { REPLY_MAX = 8 * 1024 };

static void put(struct smtpd *s, struct buf *b)
{
	if (!s->gone && conn_write(s->conn, b->p, b->len) == 1)
		s->stuffed = true;
	buf_clear(b);
}

/* What a postmaster is asked about: every refusal as it was said. */
static void log_refusal(const struct smtpd *s, int code, const char *enh, const char *text)
{
	if (code >= 400)
		log_info(s->id, "smtpd", "refused client=%s helo=%s code=%d enh=%s text=\"%s\"", s->peer,
		    s->helo[0] ? s->helo : "-", code, enh[0] ? enh : "-", text);
}

void smtpd_session_say(struct smtpd *s, int code, const char *enh, const char *text)
{
	struct buf b;

	log_refusal(s, code, enh, text);

	buf_init(&b, REPLY_MAX);
	REQUIRE(smtpd_reply(&b, code, enh, text, s->utf8) == 0);
	put(s, &b);
}

void smtpd_session_problem(struct smtpd *s, const struct problem *pr)
{
	struct buf b;

	log_refusal(s, smtpd_reply_code(pr), pr->enh, pr->text);
	buf_init(&b, REPLY_MAX);
	REQUIRE(smtpd_reply_problem(&b, pr, s->utf8) == 0);
	put(s, &b);
}

void smtpd_session_bye(struct smtpd *s, int code, const char *enh, const char *text, const char *why)
{
	if (s->phase == SMTPD_CLOSING)
		return;
	smtpd_session_say(s, code, enh, text);
	snprintf(s->why, sizeof s->why, "%s", why);
	s->phase = SMTPD_CLOSING;
}

void smtpd_session_count_error(struct smtpd *s)
{
	int64_t now = loop_now_ms(), max = s->set->client_errors_rate;

	if (!s->client)
		return;
	smtpd_client_count(s->client, SMTPD_RATE_ERRORS, now);
	if (max > 0 && smtpd_client_rate(s->client, SMTPD_RATE_ERRORS, now) > max)
		smtpd_session_bye(s, 421, "4.7.0",
		    "Too many errors from your address within a minute; try again later.", "rate of errors");
}

static void count_error(struct smtpd *s)
{
	smtpd_session_count_error(s);
	if (++s->errors >= s->set->errors_max)
		smtpd_session_bye(s, 421, "4.7.0", "Too many errors, closing the connection.", "too many errors");
}

void smtpd_session_error(struct smtpd *s, int code, const char *enh, const char *text)
{
	smtpd_session_say(s, code, enh, text);
	count_error(s);
}

void smtpd_session_error_problem(struct smtpd *s, const struct problem *pr)
{
	smtpd_session_problem(s, pr);
	count_error(s);
}

void smtpd_session_wait(struct smtpd *s, enum smtpd_wait w)
{
	s->wait = w;
	s->since = loop_now_ms();
}

int smtpd_session_answered(struct smtpd *s, enum smtpd_wait w)
{
	REQUIRE(s->wait == w);
	s->wait = SMTPD_WAIT_NONE;
	s->since = loop_now_ms();
	if (s->phase == SMTPD_CLOSING || s->gone)
		return -1;
	if (!s->busy)
		conn_again(s->conn);
	return 0;
}

bool smtpd_session_busy(const struct smtpd *s)
{
	return s->ls->busy && *s->ls->busy;
}

bool smtpd_session_input_waits(struct smtpd *s)
{
	return conn_in(s->conn)->len > s->off;
}

void smtpd_session_end_mail(struct smtpd *s)
{
	bool tell = s->in_mail;

	s->late = s->over = s->in_mail = s->mail_ok = s->utf8 = s->chunked = s->bare = false;
	s->raw = 0;
	s->wait = SMTPD_WAIT_NONE;
	s->rcpts = s->rcpts_refused = 0;
	buf_clear(&s->content);
	free(s->refusal);
	s->refusal = NULL;
	if (tell)
		s->ls->ops->reset(s->ls->app, s);
}

void smtpd_session_end_xsmg(struct smtpd *s)
{
	bool tell = s->in_xsmg;

	s->in_xsmg = s->xsmg_over = false;
	if (s->wait == SMTPD_WAIT_XSMG)
		s->wait = SMTPD_WAIT_NONE;
	if (tell)
		s->ls->ops->xsmg_over(s->ls->app, s);
}

bool smtpd_session_dsn(const struct smtpd *s)
{
	return s->ls->side == SMTPD_INSIDE;
}

void smtpd_session_forget(struct smtpd *s)
{
	s->greeted = s->esmtp = false;
	s->helo[0] = 0;
	smtpd_line_init(&s->line);
}
