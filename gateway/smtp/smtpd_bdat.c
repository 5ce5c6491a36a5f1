/*
 * BDAT (RFC 3030 2; no BINARYMIME). Role relay. A chunk follows its command without an answer being awaited, so it is
 * read to its end whatever is wrong: as content, or thrown away. Where its length cannot be known nothing behind it
 * is read as commands and the session ends.
 *
 * The content is a message of CRLF lines as with DATA, for what goes on from here is the same; dots are not special
 * and no octets end it but the count. A bare CR or LF is refused (another server would take it for a line end and
 * what follows for something else). A last line without its CRLF is given one, and the log says so: widely used
 * senders leave it out, the count leaves no doubt where the message ends, and all that follow here need whole lines.
 */
#include "gateway/smtp/smtpd_bdat.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/lex.h"
#include "gateway/smtp/smtpd_content.h"
#include "gateway/smtp/smtpd_session.h"

enum { CHUNK_WORTH = 1024 }; /* octets above which a chunk is no idle command */

/* chunk-size [SP "LAST"]; what does not fit into 64 bits is far too large in any case. */
static int parse(const char *p, size_t n, uint64_t *size_r, bool *last_r)
{
	uint64_t v = 0;
	size_t i = 0;

	for (; i < n && p[i] >= '0' && p[i] <= '9'; i++) {
		uint64_t d = (uint64_t)(p[i] - '0');

		v = v > (UINT64_MAX - d) / 10 ? UINT64_MAX : v * 10 + d;
	}
	if (i == 0)
		return -1;
	*size_r = v;
	*last_r = false;
	if (i == n)
		return 0;
	if (p[i] != ' ')
		return -1;
	while (i < n && p[i] == ' ')
		i++;
	*last_r = lex_same(p + i, n - i, "LAST");
	return *last_r ? 0 : -1;
}

/* Says what is wrong with BDAT here and returns false; its chunk is to be thrown away then. */
static bool allowed(struct smtpd *s)
{
	if (s->ls->tls_required && !conn_is_tls(s->conn))
		smtpd_session_error(s, 530, "5.7.0", "STARTTLS must come first.");
	else if (!s->in_mail) /* pipelined behind one that failed: not counted as an error */
		smtpd_session_say(s, 503, "5.5.1", "There is no transaction: MAIL and RCPT must come first.");
	else if (s->rcpts == 0 && s->rcpts_refused == 0)
		smtpd_session_error(s, 503, "5.5.1", "RCPT must come first.");
	else if (s->rcpts == 0)
		smtpd_session_say(s, 554, "5.5.1", "No recipient was accepted.");
	else
		return true;
	return false;
}

static void chunk(struct smtpd *s, bool eat)
{
	s->chunk_eat = eat;
	if (s->phase == SMTPD_COMMAND)
		s->phase = SMTPD_CHUNK;
}

void smtpd_bdat(struct smtpd *s, const char *arg, size_t n)
{
	if (parse(arg, n, &s->chunk_left, &s->chunk_last) < 0) {
		smtpd_session_error(
		    s, 501, "5.5.4", "BDAT must be followed by the size of the chunk, then perhaps LAST.");
		if (n > 0)
			smtpd_session_bye(s, 421, "4.7.0", "A chunk of unknown size follows; closing the connection.",
			    "BDAT without a size");
		return;
	}
	s->chunk_size = s->chunk_left;
	if (smtpd_content_far_too_large(s, s->chunk_left)) {
		smtpd_content_bye_far_too_large(s);
		return;
	}
	if (!allowed(s)) {
		s->data_began = s->since = loop_now_ms();
		chunk(s, true);
		return;
	}
	if (s->chunked) {
		chunk(s, false);
		return;
	}
	s->chunked = true;
	s->chunk_cr = false;
	smtpd_session_wait(s, SMTPD_WAIT_DATA);
	s->ls->ops->data(s->ls->app, s);
}

void smtpd_bdat_begin(struct smtpd *s, const struct problem *pr)
{
	smtpd_content_begin(s);
	if (pr) {
		smtpd_session_problem(s, pr);
		s->over = true;
	}
	chunk(s, pr != NULL);
}

/* RFC 5321 2.3.8 across all chunks: every LF behind a CR, every CR before an LF. */
static void look_for_bare(struct smtpd *s, const uint8_t *p, size_t n)
{
	const uint8_t *end = p + n;

	while (p < end && !s->bare) {
		if (s->chunk_cr || *p == '\n') {
			s->bare = !s->chunk_cr || *p != '\n';
			s->chunk_cr = false;
			p++;
			continue;
		}

		const uint8_t *lf = memchr(p, '\n', (size_t)(end - p));
		const uint8_t *cr = memchr(p, '\r', (size_t)((lf ? lf : end) - p));

		p = cr ? cr + 1 : lf ? lf : end;
		s->chunk_cr = cr != NULL;
	}
}

/* The last chunk is whole. */
static void end(struct smtpd *s)
{
	if (s->chunk_cr)
		s->bare = true;
	if (s->line_len > 0 && !s->bare && !s->refusal) {
		log_info(
		    s->id, "smtpd", "bdat-unended client=%s octets=%llu", s->peer, (unsigned long long)s->received);
		smtpd_content_take(s, (const uint8_t *)"\r\n", 2);
	}
	smtpd_content_end(s);
}

static void chunk_done(struct smtpd *s)
{
	s->phase = SMTPD_COMMAND;
	s->since = loop_now_ms();
	if (s->chunk_eat)
		return;
	if (s->chunk_last) {
		end(s);
		return;
	}
	if (smtpd_content_refused(s))
		return;
	if (s->chunk_size >= CHUNK_WORTH)
		s->commands--;
	smtpd_session_say(s, 250, "2.0.0", "The chunk is here.");
}

bool smtpd_bdat_content(struct smtpd *s)
{
	const struct buf *in = conn_in(s->conn);
	const uint8_t *p = in->p + s->off;
	size_t n = in->len - s->off;

	if (n == 0 && s->chunk_left > 0)
		return false;
	if (n > s->chunk_left)
		n = (size_t)s->chunk_left;
	if (n > SMTPD_PIECE_MAX)
		n = SMTPD_PIECE_MAX;
	s->off += n;
	s->raw += n;
	s->chunk_left -= n;
	s->since = loop_now_ms();
	if (n > 0 && !s->chunk_eat) {
		look_for_bare(s, p, n);
		smtpd_content_take(s, p, n);
	}
	if (s->chunk_left == 0)
		chunk_done(s);
	return true;
}
