/*
 * The content of a message, however it comes (DATA or BDAT): what is too large, too long, too slow, or goes round in
 * a circle (RFC 5321 4.5.3.1.6, 6.3; RFC 1870). Role relay. A message that is refused is still read to its real end:
 * what follows a refusal early must never be taken for commands.
 */
#include "gateway/smtp/smtpd_content.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

void smtpd_content_begin(struct smtpd *s)
{
	s->received = s->raw = 0;
	s->line_len = 0;
	s->bare = false;
	dot_nul_init(&s->nul);
	received_init(&s->trace, s->ls->hostname);
	s->data_began = s->progress = s->since = loop_now_ms();
}

static int check_size(const struct smtpd *s, struct problem *pr)
{
	if (s->received <= (uint64_t)s->set->message_max)
		return 0;
	return problem_set(pr, PROBLEM_PERM, 552, "5.3.4", "RFC 1870 6.3",
	    "The message is larger than the %lld octets accepted here.", (long long)s->set->message_max);
}

static int check_nul(struct smtpd *s, const uint8_t *p, size_t n, struct problem *pr)
{
	if (!dot_nul_feed(&s->nul, p, n))
		return 0;
	return problem_set(pr, PROBLEM_PERM, 550, "5.6.0", "RFC 2045 2.8",
	    "The message has a line of NUL octets and a dot, which another server may take for its end; send that "
	    "part "
	    "encoded (base64).");
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

/* RFC 5321 6.3: a message that passes us again and again is stopped here. */
static int check_loop(struct smtpd *s, const uint8_t *p, size_t n, struct problem *pr)
{
	received_feed(&s->trace, p, n);
	if (s->trace.count > (uint64_t)s->set->received_max)
		return problem_set(pr, PROBLEM_PERM, 554, "5.4.6", "RFC 5321 6.3",
		    "The message has more than %lld Received fields: it goes round in a circle.",
		    (long long)s->set->received_max);
	if (s->trace.own > (uint64_t)s->set->own_received_max)
		return problem_set(pr, PROBLEM_PERM, 554, "5.4.6", "RFC 5321 6.3",
		    "The message has passed %s more than %lld times already: it goes round in a circle.",
		    s->ls->hostname, (long long)s->set->own_received_max);
	return 0;
}

void smtpd_content_take(struct smtpd *s, const uint8_t *p, size_t n)
{
	struct problem pr = {0};

	s->received += n;
	if (n == 0 || s->refusal || s->bare)
		return;
	if (check_nul(s, p, n, &pr) < 0 || check_lines(s, p, n, &pr) < 0 || check_size(s, &pr) < 0 ||
	    check_loop(s, p, n, &pr) < 0 || s->ls->ops->content(s->ls->app, s, p, n, &pr) < 0) {
		s->refusal = mem_new(sizeof *s->refusal);
		*s->refusal = pr;
	}
}

bool smtpd_content_refused(struct smtpd *s)
{
	if (!s->bare && !s->refusal)
		return false;
	s->over = true;
	if (s->bare)
		smtpd_session_error(s, 550, "5.5.2",
		    "The message has a CR or LF that is not part of a CRLF; every line must end with CRLF (RFC 5321 "
		    "2.3.8).");
	else
		smtpd_session_problem(s, s->refusal);
	return true;
}

void smtpd_content_end(struct smtpd *s)
{
	buf_clear(&s->content);
	s->phase = SMTPD_COMMAND;
	s->since = loop_now_ms();
	if (smtpd_content_refused(s))
		return;
	smtpd_session_wait(s, SMTPD_WAIT_END);
	s->ls->ops->end(s->ls->app, s);
}

bool smtpd_content_far_too_large(const struct smtpd *s, uint64_t more)
{
	uint64_t max = 2 * (uint64_t)s->set->message_max + SMTPD_PIECE_MAX;

	return more > max || s->raw > max - more;
}

void smtpd_content_bye_far_too_large(struct smtpd *s)
{
	smtpd_session_bye(
	    s, 552, "5.3.4", "The message is far too large, closing the connection.", "message far too large");
}

int64_t smtpd_content_deadline(const struct smtpd *s)
{
	const struct smtpd_settings *set = s->set;
	int64_t pause = set->data_timeout;

	if (smtpd_session_busy(s) && set->busy_timeout < pause)
		pause = set->busy_timeout;

	int64_t first = s->since + pause, all = s->data_began + set->data_deadline;

	if (all < first)
		first = all;
	if (set->data_rate_min > 0) {
		int64_t slow = s->data_began + pause + (int64_t)(s->raw * 1000 / (uint64_t)set->data_rate_min);

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
	s->progress = loop_now_ms();
	smtpd_session_say(s, 250, "2.0.0", text);
}
