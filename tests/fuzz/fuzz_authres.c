/* Fields that may claim to be ours, and fields of ours made from hostile text. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/authres.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define OURS "gw.example"

/* What was written must read as one field of ours. */
static void check_own(struct arena *a, const struct buf *b)
{
	struct stream_mem m;
	struct header h;

	stream_mem_init(&m, b->p, b->len);
	REQUIRE(header_read(a, &m.reader, 0, b->len, &header_limits_default, &h, NULL) == 0);
	REQUIRE(h.n == 1 && h.octets == b->len);
	REQUIRE(authres_is_forged(&h.f[0], OURS));
	for (size_t i = 0, line = 0; i < b->len; i++) {
		REQUIRE(b->p[i] < 127 && (b->p[i] >= 32 || b->p[i] == '\r' || b->p[i] == '\n'));
		line = b->p[i] == '\n' ? 0 : line + 1;
		REQUIRE(line <= 999);
	}
}

static void write_own(struct arena *a, const char *text)
{
	struct authres r = {.authserv_id = OURS,
	    .result = "fail",
	    .reason = text,
	    .body_smime_identifier = text,
	    .body_smime_serial = text,
	    .body_smime_issuer = text,
	    .encryption = text};
	struct buf b;

	buf_init(&b, 1 << 20);
	if (authres_add(&b, &r) == 0)
		check_own(a, &b);
	buf_reset(&b);
	if (authres_add_x(&b, "Reason", text) == 0)
		check_own(a, &b);
	buf_clear(&b);
}

static void read_value(struct arena *a, const uint8_t *data, size_t size)
{
	struct header_limits lim = {.octets = 65536, .fields = 100};
	struct stream_mem m;
	struct header h;
	struct buf b;

	buf_init(&b, 65536);
	if (buf_adds(&b, "Authentication-Results:") == 0 && buf_add(&b, data, size) == 0 &&
	    buf_adds(&b, "\r\n\r\n") == 0) {
		stream_mem_init(&m, b.p, b.len);
		if (header_read(a, &m.reader, 0, b.len, &lim, &h, NULL) == 0)
			for (size_t i = 0; i < h.n; i++)
				/* one name at most can be another server's */
				REQUIRE(authres_is_forged(&h.f[i], OURS) ||
					!authres_is_forged(&h.f[i], "no.such.example") ||
					!authres_is_forged(&h.f[i], "nor.this.example"));
	}
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(4 << 20);
	char *text = malloc(size + 1);

	memcpy(text, data, size);
	text[size] = 0;
	read_value(a, data, size);
	write_own(a, text);
	free(text);
	arena_free(a);
	return 0;
}
