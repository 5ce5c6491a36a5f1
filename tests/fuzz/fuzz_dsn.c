/*
 * Delivery reports out of what clients and other servers say: ENVID, ORCPT, addresses, replies, header. Whatever they
 * say, no line is longer than the law allows, no octet but CRLF ends a line, the parts stay, and 7-bit
 * stays 7-bit. The input: values with NUL between them; the first octet says whether SMTPUTF8 was used, and whether
 * the sender's own address needs it.
 */
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/dsn.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

enum { VALUES = 6, TEXT_MAX = 4000, LINE_MOST = 998 };

/* The one in the header of the report, with the dashes that begin it in the body. */
static size_t boundary(const struct buf *out, char *b_r, size_t cap)
{
	static const char word[] = "boundary=\"";
	const uint8_t *p = memmem(out->p, out->len, word, sizeof word - 1);
	size_t n = 0;

	REQUIRE(p != NULL);
	p += sizeof word - 1;
	memcpy(b_r, "--", 2);
	while (p[n] != '"') {
		REQUIRE(n + 3 < cap);
		b_r[n + 2] = (char)p[n];
		n++;
	}
	return n + 2;
}

static void check(const struct buf *out, bool global, size_t want)
{
	char b[100];
	size_t line = 0, parts = 0, blen = boundary(out, b, sizeof b);

	for (size_t i = 0; i < out->len; i++) {
		uint8_t c = out->p[i];

		REQUIRE(global || c < 0x80);
		REQUIRE(c != 0);
		if (c == '\n') {
			REQUIRE(i > 0 && out->p[i - 1] == '\r');
			line = 0;
			continue;
		}
		if (c == '\r')
			REQUIRE(i + 1 < out->len && out->p[i + 1] == '\n');
		REQUIRE(++line <= LINE_MOST + 1);
		if (line == 1 && out->len - i > blen && memcmp(out->p + i, b, blen) == 0)
			parts++;
	}
	REQUIRE(parts == want); /* nobody's words begin or end one */
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	char values[VALUES][TEXT_MAX] = {{0}};
	struct dsn_rcpt r = {.action = DSN_FAILED,
	    .address = values[0],
	    .orcpt = values[1],
	    .status = "5.1.1",
	    .diagnostic = values[2],
	    .sentence = values[2],
	    .remote_mta = values[3]};
	struct dsn d = {.reporting_mta = "gw.hospital.example",
	    .postmaster = "postmaster@hospital.example",
	    .to = n > 0 && (p[0] & 2) ? "j\xc3\xb6rg@hospital.example" : "bob@hospital.example",
	    .queue_id = "Q123",
	    .message_id = "<1@gw.hospital.example>",
	    .envid = values[4],
	    .utf8 = n > 0 && (p[0] & 1),
	    .now = 1700000000,
	    .arrived = 1699990000,
	    .rcpts = &r,
	    .nrcpts = 1,
	    .header = values[5]};
	struct stream_buf w;
	struct buf out;

	for (size_t i = 0; i < VALUES && n > 1; i++) {
		const uint8_t *end = memchr(p + 1, 0, n - 1);
		size_t len = end ? (size_t)(end - p - 1) : n - 1;

		memcpy(values[i], p + 1, len < TEXT_MAX - 1 ? len : TEXT_MAX - 1);
		p += len + (end ? 1 : 0);
		n -= len + (end ? 1 : 0);
	}
	d.header_len = strlen(values[5]);
	buf_init(&out, 1 << 20);
	stream_buf_init(&w, &out);
	if (dsn_write(&d, &w.writer, NULL) == 0)
		check(&out, dsn_needs_utf8(&d), d.header_len ? 4 : 3);
	buf_clear(&out);
	return 0;
}
