#include "gateway/smtp/smtpc_bdat.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/smtp/smtpc_send.h"

/* A chunk may grow to twice its size: each octet a bare LF. */
enum { READ = 16 * 1024, CHUNK = 64 * 1024, EARLY = 60 * 1024, FAR = 128, BLOCK = 64 };

_Static_assert(EARLY < CHUNK - 2, "what goes early is one chunk");

bool smtpc_bdat_fit(const struct smtpc *c)
{
	return c->set->chunking && c->ehlo.chunking && c->ehlo.pipelining;
}

static void begin(struct smtpc *c)
{
	c->bdat.on = true;
	c->bdat.sent = c->bdat.got = 0;
	c->bdat.cr = false;
	c->bdat.line = true;
}

void smtpc_bdat_begin(struct smtpc *c)
{
	begin(c);
	c->state = SMTPC_CONTENT;
	smtpc_bdat_send(c);
}

/* Only where a mail was taken before: a server that refuses everybody is not given content for nothing. Not behind a
 * question of XSMG: when the connection is lost over that, nothing of the content may have been sent. */
bool smtpc_bdat_may_early(const struct smtpc *c, uint64_t octets)
{
	return c->bdat.on && c->mail->early && c->taken && !c->asking && octets <= EARLY;
}

/* A CR or LF, and what it needs to be a whole CRLF. */
static void put_break(struct smtpc *c, uint8_t o, struct buf *out)
{
	static const char crlf[] = "\r\n";

	if (c->bdat.cr && o == '\n')
		REQUIRE(buf_add(out, crlf + 1, 1) == 0);
	else if (c->bdat.cr)
		REQUIRE(buf_add(out, crlf + 1, 1) == 0 && buf_add(out, crlf, 1) == 0);
	else
		REQUIRE(buf_add(out, crlf, o == '\n' ? 2 : 1) == 0);
	c->bdat.cr = o == '\r';
	c->bdat.line = o == '\n';
}

/* The end of the run of octets from p that are neither CR nor LF. It looks no further than a line is long: the same
 * octets are not searched again for every CR. */
static const uint8_t *run_end(const uint8_t *p, const uint8_t *end)
{
	size_t n = (size_t)(end - p) < FAR ? (size_t)(end - p) : FAR;
	const uint8_t *lf = memchr(p, '\n', n);
	const uint8_t *cr = memchr(p, '\r', lf ? (size_t)(lf - p) : n);

	return cr ? cr : lf ? lf : p + n;
}

/* How many of n octets, in whole blocks, have each CR before an LF and each LF behind a CR; the octet behind them is
 * looked at, so that they neither begin nor end within a CRLF. A block is of one size, for the sake of the compiler.
 */
static size_t whole_lines(const uint8_t *p, size_t n)
{
	size_t at = 0;

	if (n == 0 || p[0] == '\n')
		return 0;
	for (; n - at > BLOCK; at += BLOCK) {
		uint8_t bad = 0;

		for (size_t i = at; i < at + BLOCK; i++)
			bad |= (uint8_t)((p[i] == '\r') ^ (p[i + 1] == '\n'));
		if (bad)
			break;
	}
	return at && p[at - 1] == '\r' ? at - 1 : at;
}

/* Bare CR and LF become CRLF, as with DATA: whatever stands in the content, the receiver sees one message. Content
 * that has none, which is nearly all, is taken in one piece. */
static void put(struct smtpc *c, const uint8_t *p, size_t n, struct buf *out)
{
	const uint8_t *end = p + n;
	size_t whole = c->bdat.cr ? 0 : whole_lines(p, n);

	if (whole) {
		REQUIRE(buf_add(out, p, whole) == 0);
		p += whole;
		c->bdat.line = p[-1] == '\n';
	}
	while (p < end) {
		const uint8_t *to = run_end(p, end);

		if (to > p) {
			if (c->bdat.cr)
				REQUIRE(buf_add(out, "\n", 1) == 0);
			REQUIRE(buf_add(out, p, (size_t)(to - p)) == 0);
			c->bdat.cr = c->bdat.line = false;
		}
		if (to < end && (*to == '\r' || *to == '\n'))
			put_break(c, *to++, out);
		p = to;
	}
}

/* The last line has its end, as it has with DATA. */
static void put_end(struct smtpc *c, struct buf *out)
{
	if (c->bdat.cr)
		REQUIRE(buf_adds(out, "\n") == 0);
	else if (!c->bdat.line)
		REQUIRE(buf_adds(out, "\r\n") == 0);
}

/* One chunk into out: 1 there are more, 0 it is the last, -1 the content cannot be read. */
static int fill(struct smtpc *c, struct buf *out, struct problem *pr)
{
	uint8_t part[READ];
	size_t n;
	int more = 1;

	while (more == 1 && out->len < CHUNK) {
		more = smtpc_send_read(c, part, sizeof part, &n, pr);
		if (more == 1)
			put(c, part, n, out);
	}
	mem_wipe(part, sizeof part);
	if (more == 0)
		put_end(c, out);
	return more;
}

static int say_chunk(struct smtpc *c, const struct buf *out, bool last)
{
	char line[64];

	snprintf(line, sizeof line, "BDAT %zu%s", out->len, last ? " LAST" : "");
	smtpc_state_command(c, line);
	c->bdat.sent++;
	if (c->bdat.early) {
		; /* the replies to MAIL and RCPT come first */
	} else if (last) {
		c->state = SMTPC_END;
		conn_timeout(c->conn, c->set->end_timeout);
	} else {
		conn_timeout(c->conn, c->set->block_timeout);
	}
	return out->len ? conn_write(c->conn, out->p, out->len) : 0;
}

void smtpc_bdat_early(struct smtpc *c)
{
	struct problem ignored;
	struct buf out;

	begin(c);
	buf_init(&out, 2 * (size_t)(CHUNK + READ) + 16);
	if (fill(c, &out, &ignored) == 0) {
		c->bdat.early = true;
		say_chunk(c, &out, true);
	} else {
		c->off = 0; /* it grew, or cannot be read: met again, and told, when the replies have come */
	}
	buf_clear(&out);
}

void smtpc_bdat_send(struct smtpc *c)
{
	struct problem pr;
	struct buf out;
	int more = 1, full = 0;

	buf_init(&out, 2 * (size_t)(CHUNK + READ) + 16);
	while (more == 1 && full == 0) {
		buf_reset(&out);
		more = fill(c, &out, &pr);
		if (more >= 0)
			full = say_chunk(c, &out, more == 0);
	}
	buf_clear(&out);
	if (more < 0)
		smtpc_send_unreadable(c, &pr);
}

bool smtpc_bdat_between(const struct smtpc *c)
{
	size_t last = c->state == SMTPC_END ? 1 : 0;

	return c->bdat.on && c->bdat.got + last < c->bdat.sent;
}

/* RFC 3030 2: a refused chunk is the end of the transaction; those that follow it already are of no use. */
void smtpc_bdat_reply(struct smtpc *c, const struct smtpc_reply *r)
{
	struct smtpc_trouble t;

	if (r->code / 100 == 2) {
		c->bdat.got++;
		return;
	}
	if (r->code / 100 == 3) {
		smtpc_state_malformed(c, "an intermediate reply (3yz) to BDAT");
		return;
	}
	smtpc_trouble_reply(&t, SMTPC_STAGE_CONTENT, c->remote, r);
	smtpc_state_end(c, &t);
}
