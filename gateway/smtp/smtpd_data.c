/*
 * DATA, the content behind it and its end (RFC 5321 4.1.1.4, 4.5.2, 4.5.3.1.6). Role relay. dot.c finds the end; here
 * is what is too large, too long or too slow. A message that is refused is still read to its real end: what follows a
 * refusal early must never be taken for commands.
 */
#include "gateway/smtp/smtpd_data.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/smtp/smtpd_session.h"

enum { PIECE_MAX = 64 * 1024 };

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
	else if (s->rcpts == 0 && s->rcpts_refused == 0)
		smtpd_session_error(s, 503, "5.5.1", "RCPT must come first.");
	else if (s->rcpts == 0)
		smtpd_session_say(s, 554, "5.5.1", "No recipient was accepted.");
	if (n > 0 || s->rcpts == 0) {
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
	if (pr) {
		smtpd_session_problem(s, pr);
		s->over = true;
		refuse_early_content(s);
		return;
	}
	dot_in_init(&s->dot);
	buf_init(&s->content, PIECE_MAX + 8);
	s->received = s->raw = 0;
	s->line_len = 0;
	s->data_began = s->since;
	s->phase = SMTPD_CONTENT;
	smtpd_session_say(s, 354, "", "Send the message, end with CRLF.CRLF");
}

/* The first thing wrong is what is said at the end. */
static void refuse(struct smtpd *s, const struct problem *pr)
{
	if (s->refusal)
		return;
	s->refusal = mem_new(sizeof *s->refusal);
	*s->refusal = *pr;
}

static int check_size(const struct smtpd *s, struct problem *pr)
{
	if (s->received <= (uint64_t)s->set->message_max)
		return 0;
	return problem_set(pr, PROBLEM_PERM, 552, "5.3.4", "RFC 1870 6.3",
	    "The message is larger than the %lld octets accepted here.", (long long)s->set->message_max);
}

static int check_lines(struct smtpd *s, const uint8_t *p, size_t n, struct problem *pr)
{
	uint64_t max = (uint64_t)s->set->text_line_max + 2;

	while (n > 0) {
		const uint8_t *lf = memchr(p, '\n', n);
		size_t len = lf ? (size_t)(lf - p) + 1 : n;

		s->line_len += len;
		if (s->line_len > max)
			return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 5322 2.1.1",
			    "A line of the message is longer than the %lld octets accepted here.",
			    (long long)s->set->text_line_max);
		if (lf)
			s->line_len = 0;
		p += len;
		n -= len;
	}
	return 0;
}

static void pass_on(struct smtpd *s)
{
	struct problem pr = {0};
	struct buf *b = &s->content;

	s->received += b->len;
	if (b->len == 0 || s->refusal || s->dot.bare) {
		buf_reset(b);
		return;
	}
	if (check_lines(s, b->p, b->len, &pr) < 0 || check_size(s, &pr) < 0 ||
	    s->ls->ops->content(s->ls->app, s, b->p, b->len, &pr) < 0)
		refuse(s, &pr);
	buf_reset(b);
}

static void end(struct smtpd *s)
{
	buf_clear(&s->content);
	s->phase = SMTPD_COMMAND;
	s->since = loop_now_ms();
	if (s->dot.bare) {
		s->over = true;
		smtpd_session_error(s, 550, "5.5.2",
		    "The message has a CR or LF that is not part of a CRLF; every line must end with CRLF (RFC 5321 "
		    "2.3.8).");
		return;
	}
	if (s->refusal) {
		s->over = true;
		smtpd_session_problem(s, s->refusal);
		return;
	}
	smtpd_session_wait(s, SMTPD_WAIT_END);
	s->ls->ops->end(s->ls->app, s);
}

/* A client that goes on long after its message became too large is not read for ever. */
static bool far_too_large(const struct smtpd *s)
{
	return s->raw > 2 * (uint64_t)s->set->message_max + PIECE_MAX;
}

bool smtpd_data_content(struct smtpd *s)
{
	const struct buf *in = conn_in(s->conn);
	size_t n = in->len - s->off, used = 0;

	if (n == 0)
		return false;
	if (n > PIECE_MAX)
		n = PIECE_MAX;

	int r = dot_in_feed(&s->dot, in->p + s->off, n, &used, &s->content);

	s->off += used;
	s->raw += used;
	s->since = loop_now_ms();
	pass_on(s);
	if (r == 1)
		end(s);
	else if (far_too_large(s))
		smtpd_session_bye(s, 552, "5.3.4", "The message is far too large, closing the connection.",
		    "message far too large");
	return true;
}

int64_t smtpd_data_deadline(const struct smtpd *s)
{
	const struct smtpd_settings *set = s->set;
	int64_t first = s->since + set->data_timeout, all = s->data_began + set->data_deadline;

	if (all < first)
		first = all;
	if (set->data_rate_min > 0) {
		int64_t slow =
		    s->data_began + set->data_timeout + (int64_t)(s->raw * 1000 / (uint64_t)set->data_rate_min);

		if (slow < first)
			first = slow;
	}
	return first;
}

void smtpd_end_done(struct smtpd *s, const struct problem *pr, const char *text)
{
	if (smtpd_session_answered(s, SMTPD_WAIT_END) < 0)
		return;
	s->over = true;
	if (pr) {
		smtpd_session_problem(s, pr);
		return;
	}
	s->mails++;
	s->errors = s->commands = 0;
	smtpd_session_say(s, 250, "2.0.0", text);
}
