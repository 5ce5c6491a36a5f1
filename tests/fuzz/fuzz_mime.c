/* Whole messages: facts whole and in pieces, parts, detached signatures, the 7-bit form. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/mime.h"
#include "gateway/mail/sevenbit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct mime_limits limits = {
    .depth = 5, .parts = 40, .params = 8, .header = {.octets = 8192, .fields = 50}};

struct pieces {
	struct reader reader;
	const uint8_t *p;
	size_t step;
};

static int read_piece(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct pieces *s = (struct pieces *)r;
	size_t left = off < r->size ? (size_t)(r->size - off) : 0;

	(void)pr;
	n = n < left ? n : left;
	n = n < s->step ? n : s->step;
	if (n)
		memcpy(p, s->p + off, n);
	*got_r = n;
	return 0;
}

static void walk(struct arena *a, struct reader *r, uint64_t off, uint64_t len, int depth)
{
	struct mime_entity e, signature;
	struct mime_range *parts, content;
	struct problem pr;
	size_t n;

	if (mime_entity_read(a, r, off, len, &limits, &e, &pr))
		return;
	REQUIRE(e.body_off >= off && e.body_off + e.body_len == off + len);
	if (mime_smime(&e) == MIME_SMIME_DETACHED && mime_detached(a, r, &e, &limits, &content, &signature, &pr) == 0)
		REQUIRE(content.off >= e.body_off && content.off + content.len <= signature.off);
	if (strcmp(e.type.type, "multipart") != 0 || mime_parts(a, r, &e, &limits, &parts, &n, &pr))
		return;
	REQUIRE(n > 0 && n <= limits.parts);
	for (size_t i = 0; i < n; i++) {
		REQUIRE(parts[i].off >= e.body_off && parts[i].off + parts[i].len <= off + len);
		REQUIRE(i == 0 || parts[i].off >= parts[i - 1].off + parts[i - 1].len);
		if (depth < 3)
			walk(a, r, parts[i].off, parts[i].len, depth + 1);
	}
}

static void check_sevenbit(struct arena *a, struct reader *r, const struct mime_facts *before)
{
	struct mime_facts after;
	struct stream_buf w;
	struct stream_mem m;
	struct problem pr;
	struct buf b;

	buf_init(&b, 8 << 20);
	stream_buf_init(&w, &b);
	if (sevenbit_write(r, 0, r->size, r->size, &w.writer, &pr) == 0 && before) {
		stream_mem_init(&m, b.p, b.len);
		REQUIRE(mime_facts(a, &m.reader, 0, b.len, &mime_limits_default, &after, &pr) == 0);
		REQUIRE(!after.eight_bit && !after.nul && !after.bare && after.longest_line <= 998);
		REQUIRE(after.parts == before->parts && after.depth == before->depth);
	}
	buf_reset(&b);
	if (sevenbit_lines_write(r, 0, r->size, &w.writer, &pr) == 0 && before) {
		stream_mem_init(&m, b.p, b.len);
		REQUIRE(mime_facts(a, &m.reader, 0, b.len, &mime_limits_default, &after, &pr) == 0);
		REQUIRE(after.parts == before->parts && after.depth == before->depth);
		if (!before->bare)
			REQUIRE(b.len == r->size);
	}
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(16 << 20);
	struct pieces whole, cut;
	struct mime_facts f, g;
	int result;

	if (size > 0) {
		whole =
		    (struct pieces){.reader = {.read_at = read_piece, .size = size - 1}, .p = data + 1, .step = size};
		cut = whole;
		cut.step = data[0] ? data[0] : 1;
		result = mime_facts(a, &whole.reader, 0, size - 1, &limits, &f, NULL);
		REQUIRE(mime_facts(a, &cut.reader, 0, size - 1, &limits, &g, NULL) == result);
		if (result == 0)
			REQUIRE(memcmp(&f, &g, sizeof(f)) == 0);
		walk(a, &whole.reader, 0, size - 1, 0);
		check_sevenbit(a, &whole.reader, result == 0 ? &f : NULL);
	}
	arena_free(a);
	return 0;
}
