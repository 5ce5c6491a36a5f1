/* Protected header fields: Content-Type with and without its mark, HP-Outer, what was changed outside. */
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/protect.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mime_limits lim = {
    .depth = 8, .parts = 50, .params = 32, .header = {.octets = 16384, .fields = 100}};

static bool read_header(struct arena *a, const void *p, size_t n, struct header *h)
{
	struct stream_mem m;

	stream_mem_init(&m, p, n);
	return header_read(a, &m.reader, 0, n, &lim.header, h, NULL) == 0;
}

/* The mark is read back by the reader of parameters where that can read the field, and taken off it leaves what was
 * there. */
static void mark(struct arena *a, const struct header_field *f)
{
	struct header_field back;
	struct mime_type t;
	struct header h;
	struct buf b;

	buf_init(&b, 65536);
	REQUIRE(protect_type_put(&b, f, "hp", "cipher") == 0);
	REQUIRE(read_header(a, b.p, b.len, &h) && h.n == 1);
	if (mime_type_parse(a, f->value, f->value_len, &lim, &t, NULL) == 0 && mime_param(&t, "hp") == NULL &&
	    mime_type_parse(a, h.f[0].value, h.f[0].value_len, &lim, &t, NULL) == 0)
		REQUIRE(mime_param(&t, "hp") != NULL && strcmp(mime_param(&t, "hp"), "cipher") == 0);
	REQUIRE(protect_type_cut(a, &h.f[0], "hp", &back) == 0);
	REQUIRE(back.raw_len <= f->raw_len);
	/* ... unless the sender's own parameter went */
	if (b.len == f->raw_len + sizeof("; hp=\"cipher\"") - 1)
		REQUIRE(back.raw_len == f->raw_len && memcmp(back.raw, f->raw, f->raw_len) == 0);
	REQUIRE(protect_type_cut(a, f, "hp", &back) == 0);
	REQUIRE(back.raw_len <= f->raw_len);
	if (back.raw_len > 0) {
		buf_reset(&b);
		REQUIRE(buf_add(&b, back.raw, back.raw_len) == 0);
		REQUIRE(read_header(a, b.p, b.len, &h) && h.n == 1);
	}
	buf_clear(&b);
}

static void record(struct arena *a, const struct header_field *f)
{
	struct header_field r;
	struct header h;
	struct buf b;

	buf_init(&b, 65536);
	REQUIRE(protect_record_put(&b, f->raw, f->raw_len) == 0);
	REQUIRE(read_header(a, b.p, b.len, &h) && h.n == 1);
	REQUIRE(protect_kind(&h.f[0]) == PROTECT_RECORD);
	REQUIRE(protect_record_read(&h.f[0], &r) == 0 && protect_same(&r, f) && protect_same(f, &r));
	if (protect_record_read(f, &r) == 0)
		REQUIRE(r.raw > f->raw && r.value + r.value_len <= f->raw + f->raw_len);
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(4 << 20);
	struct header out, in;
	char text[64];

	/* two header blocks, what stands outside and what was said to, with an empty line between */
	if (read_header(a, data, size, &out) && read_header(a, data + out.octets, size - out.octets, &in)) {
		for (size_t i = 0; i < out.n; i++) {
			(void)protect_is_hidden(&out.f[i]);
			(void)protect_is_shown(&out.f[i]);
			record(a, &out.f[i]);
			if (header_is(&out.f[i], "Content-Type"))
				mark(a, &out.f[i]);
		}
		REQUIRE(protect_differs(a, &out, &out, text, sizeof(text)) == 0 && text[0] == 0);
		(void)protect_differs(a, &out, &in, text, sizeof(text));
		REQUIRE(strlen(text) < sizeof(text));
	}
	arena_free(a);
	return 0;
}
