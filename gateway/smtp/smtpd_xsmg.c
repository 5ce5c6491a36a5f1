/*
 * The verb XSMG. Role relay. docs/XSMG.md; RFC 2920 3.1 (what is sent ends a group, as with DATA). What its words
 * mean, and whose statements there are, is the application's.
 *
 * The lines that follow are read to their dot whatever is wrong with them, so that none of them is ever taken for a
 * command; past BODY_MAX there is no dot that is worth waiting for, and the session ends. CRLF alone ends a line, and
 * a blank behind the dot makes it another line.
 */
#include "gateway/smtp/smtpd_xsmg.h"

#include "gateway/base/log.h"
#include "gateway/mail/lex.h"
#include "gateway/smtp/smtpd_reply.h"
#include "gateway/smtp/smtpd_session.h"
#include "gateway/smtp/smtpd_unknown.h"

/* Characters of what follows PUT, and of one line of it. */
enum { BODY_MAX = 90000, LINE_OCTETS_MAX = 1000 };

static bool known(const struct smtpd *s)
{
	return s->ls->xsmg && s->ls->side == SMTPD_OUTSIDE && s->ls->tls && s->ls->ops->xsmg;
}

bool smtpd_xsmg_offered(const struct smtpd *s)
{
	return known(s) && conn_is_tls(s->conn);
}

/* Answers and returns false when it is out of place. */
static bool in_place(struct smtpd *s)
{
	if (!conn_is_tls(s->conn))
		smtpd_session_error(s, 530, "5.7.0", "STARTTLS must come first.");
	else if (!s->esmtp)
		smtpd_session_error(s, 503, "5.5.1", "EHLO must come first.");
	else if (s->in_mail)
		smtpd_session_error(s, 503, "5.5.1", "A transaction is under way; RSET ends it.");
	else
		return true;
	return false;
}

/* What was sent behind a refused PUT may be lines of a statement, which are no commands. */
static void refuse_early_lines(struct smtpd *s)
{
	if (s->xsmg_ends && smtpd_session_input_waits(s))
		smtpd_session_bye(s, 421, "4.7.0",
		    "Octets came before the answer to XSMG PUT, which was not 354; closing the connection.",
		    "statement before the answer to XSMG PUT");
}

static bool over_rate(struct smtpd *s)
{
	int64_t now = loop_now_ms(), max = s->set->client_xsmg_rate;

	if (!s->client || max == 0)
		return false;
	if (smtpd_client_rate(s->client, SMTPD_RATE_XSMG, now) >= max)
		return true;
	smtpd_client_count(s->client, SMTPD_RATE_XSMG, now);
	return false;
}

void smtpd_xsmg(struct smtpd *s, const char *arg, size_t n)
{
	size_t word = 0;

	if (!known(s)) {
		smtpd_unknown(s, arg, n);
		return;
	}
	while (word < n && arg[word] != ' ')
		word++;
	s->xsmg_ends = lex_same(arg, word, "PUT");
	if (!in_place(s)) {
		refuse_early_lines(s);
		return;
	}
	if (over_rate(s)) {
		smtpd_session_say(
		    s, 450, "4.7.1", "Too many commands of XSMG from your address within a minute; try again later.");
		refuse_early_lines(s);
		return;
	}
	s->in_xsmg = true;
	smtpd_session_wait(s, SMTPD_WAIT_XSMG);
	s->ls->ops->xsmg(s->ls->app, s, arg, n);
}

static void say_lines(struct smtpd *s, const void *lines, size_t n)
{
	if (!s->gone && conn_write(s->conn, lines, n) == 1)
		s->stuffed = true;
}

void smtpd_xsmg_done(struct smtpd *s, const struct problem *pr, const void *lines, size_t n)
{
	if (smtpd_session_answered(s, SMTPD_WAIT_XSMG) < 0)
		return;

	bool announced = s->phase != SMTPD_STATEMENT;

	s->phase = SMTPD_COMMAND;
	s->xsmg_over = true;
	if (!pr) {
		say_lines(s, lines, n);
		return;
	}
	if (smtpd_reply_code(pr) >= 500)
		smtpd_session_error_problem(s, pr);
	else
		smtpd_session_problem(s, pr);
	if (announced)
		refuse_early_lines(s);
}

void smtpd_xsmg_send(struct smtpd *s, const void *lines, size_t n)
{
	if (smtpd_session_answered(s, SMTPD_WAIT_XSMG) < 0)
		return;
	s->phase = SMTPD_STATEMENT;
	s->xsmg_read = 0;
	s->data_began = loop_now_ms();
	smtpd_line_init(&s->line);
	say_lines(s, lines, n);
}

static void bye(struct smtpd *s, const struct problem *pr)
{
	smtpd_session_bye(s, smtpd_reply_code(pr), pr->enh, pr->text, "statement too large");
}

static void take_line(struct smtpd *s, const struct smtpd_line_got *got, bool bad)
{
	/* a line that was cut of its blanks is another one than the client sent */
	bool odd = bad || got->used != got->n + 2;
	struct problem pr = {0};
	int r = s->ls->ops->xsmg_line(s->ls->app, s, odd ? NULL : got->p, odd ? 0 : got->n, &pr);

	if (r < 0)
		bye(s, &pr);
	if (r != 1)
		return;
	smtpd_session_wait(s, SMTPD_WAIT_XSMG);
	s->ls->ops->xsmg_end(s->ls->app, s);
}

bool smtpd_xsmg_content(struct smtpd *s)
{
	const struct buf *in = conn_in(s->conn);
	struct smtpd_line_got got;
	size_t n = in->len - s->off;
	struct problem pr;

	if (n == 0)
		return false;

	int r = smtpd_line_take(&s->line, in->p + s->off, n, LINE_OCTETS_MAX, &got);

	s->off += got.used;
	s->xsmg_read += got.used;
	if (s->xsmg_read > BODY_MAX) {
		problem_set(&pr, PROBLEM_PERM, 552, "5.3.4", "",
		    "The statement is larger than what is taken here, closing the connection.");
		bye(s, &pr);
		return false;
	}
	if (r == 0)
		return false;
	take_line(s, &got, r < 0);
	return true;
}

void smtpd_xsmg_time_out(struct smtpd *s)
{
	if (s->phase == SMTPD_STATEMENT && !s->wait) {
		smtpd_session_bye(
		    s, 421, "4.4.2", "The statement comes too slowly, closing the connection.", "statement too slow");
		return;
	}
	log_warn(s->id, "smtpd", "xsmg-deadline client=%s", s->peer);
	s->phase = SMTPD_COMMAND;
	smtpd_session_say(s, 451, "4.3.0", "No answer in time; try again later.");
	s->since = loop_now_ms();
	smtpd_session_end_xsmg(s);
	refuse_early_lines(s);
}
