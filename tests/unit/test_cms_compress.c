/*
 * cms_compress.c: what zlib packs in every shape of content string; the forms of damage (cut, flipped, octets behind,
 * a dictionary, no zlib); bombs; the limit; a full writer; constant memory.
 */
#include "tests/unit/cms_fixture.h"

#include <sys/resource.h>
#include <zlib.h>

#include "gateway/base/mem.h"

static struct buf text;

static void setup(void)
{
	text = fx_text(100000);
}

static void teardown(void)
{
	buf_clear(&text);
}

static void put(struct buf *b, const void *p, size_t n)
{
	ck_assert_int_eq(buf_add(b, p, n), 0);
}

static struct buf pack(const struct buf *in, int level)
{
	uLongf n = compressBound(in->len);
	struct buf b;

	buf_init(&b, FX_MAX);
	ck_assert_int_eq(compress2(buf_room(&b, n), &n, in->p, in->len, level), Z_OK);
	buf_added(&b, n);
	return b;
}

/* CompressedData around packed octets, in segments of `seg` (0: one primitive string). */
static struct buf wrap(const struct buf *packed, size_t seg)
{
	static const uint8_t head[] = {0x30, 0x80, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10,
	    0x01, 0x09, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86,
	    0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x08, 0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
	    0x01, 0x07, 0x01, 0xa0, 0x80};
	size_t step = seg != 0 ? seg : packed->len;
	struct buf b;

	buf_init(&b, FX_MAX);
	put(&b, head, sizeof(head));
	if (seg != 0)
		put(&b, "\x24\x80", 2);
	for (size_t off = 0; off < packed->len; off += step) {
		size_t n = packed->len - off < step ? packed->len - off : step;
		uint8_t len[5] = {0x04, 0x83, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};

		put(&b, len, sizeof(len));
		put(&b, packed->p + off, n);
	}
	put(&b, "\0\0\0\0\0\0\0\0\0\0\0\0", seg != 0 ? 12 : 10);
	return b;
}

/* -1 with pr wherever it failed. *plain is to be cleared in both cases. */
static int uncompress_all(const struct buf *der, uint64_t max, struct buf *plain, struct problem *pr)
{
	struct cms_outline *o = NULL;
	struct stream_mem in;
	struct stream_buf to;
	int r;

	memset(pr, 0, sizeof(*pr));
	buf_init(plain, FX_MAX);
	stream_buf_init(&to, plain);
	stream_mem_init(&in, der->p, der->len);
	r = cms_outline(&in.reader, NULL, &o, pr);
	if (r == 0) {
		ck_assert_int_eq(cms_outline_kind(o), CMS_KIND_COMPRESSED);
		r = cms_uncompress(o, max, &to.writer, pr);
	}
	cms_outline_free(o);
	return r;
}

START_TEST(test_reads)
{
	static const size_t segments[] = {0, 1, 7, 4096, 70000};
	static const int levels[] = {Z_NO_COMPRESSION, Z_BEST_SPEED, Z_BEST_COMPRESSION};
	struct buf packed = pack(&text, levels[_i % 3]), der = wrap(&packed, segments[_i / 3]), got;
	struct problem pr;

	ck_assert_msg(uncompress_all(&der, text.len, &got, &pr) == 0, "%s", pr.text);
	fx_same(&got, &text);
	buf_clear(&got);
	/* the limit is exact */
	ck_assert_int_eq(uncompress_all(&der, text.len - 1, &got, &pr), -1);
	ck_assert_str_eq(pr.enh, "5.3.4");
	ck_assert_ptr_nonnull(strstr(pr.text, "99999"));
	buf_clear(&got);
	buf_clear(&der);
	buf_clear(&packed);
}
END_TEST

START_TEST(test_damaged)
{
	/* flipped or cut anywhere inside: never another text, and always a reason */
	struct buf packed = pack(&text, Z_BEST_COMPRESSION), cut, der, got;
	struct problem pr;

	for (size_t i = 0; i < packed.len * 8; i++) {
		packed.p[i / 8] ^= (uint8_t)(1u << i % 8);
		der = wrap(&packed, 0);
		if (uncompress_all(&der, text.len, &got, &pr) == 0)
			fx_same(&got, &text); /* bits of the header that mean nothing */
		else
			ck_assert(pr.cls == PROBLEM_PERM && pr.text[0] != '\0');
		buf_clear(&got);
		buf_clear(&der);
		packed.p[i / 8] ^= (uint8_t)(1u << i % 8);
	}
	for (size_t n = 1; n < packed.len; n++) {
		cut = packed;
		cut.len = n;
		der = wrap(&cut, 100);
		ck_assert_int_eq(uncompress_all(&der, text.len, &got, &pr), -1);
		ck_assert_ptr_nonnull(strstr(pr.text, "cut off"));
		buf_clear(&got);
		buf_clear(&der);
	}
	buf_clear(&packed);
}
END_TEST

START_TEST(test_behind)
{
	/* an octet behind the end of the packed content, in its segment or in another one */
	struct buf packed = pack(&text, Z_BEST_COMPRESSION), der, got;
	size_t segments[] = {0, packed.len, 50};
	struct problem pr;

	put(&packed, "x", 1);
	for (size_t i = 0; i < 3; i++) {
		der = wrap(&packed, segments[i]);
		ck_assert_int_eq(uncompress_all(&der, text.len, &got, &pr), -1);
		ck_assert_msg(strstr(pr.text, "behind its end") != NULL, "%s", pr.text);
		buf_clear(&got);
		buf_clear(&der);
	}
	buf_clear(&packed);
}
END_TEST

START_TEST(test_no_zlib)
{
	static const struct {
		const char *octets, *says;
		size_t n;
	} cases[] = {
	    {"hello", "incorrect header check", 5},
	    {"\x78\xbb\x00\x00\x00\x01", "dictionary", 6},
	    {"\x1f\x8b\x08\x00\x00\x00\x00\x00", "incorrect header check", 8}, /* gzip */
	    {"\x78", "cut off", 1},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct buf packed, der, got;
		struct problem pr;

		buf_init(&packed, 100);
		put(&packed, cases[i].octets, cases[i].n);
		der = wrap(&packed, 0);
		ck_assert_int_eq(uncompress_all(&der, 1000, &got, &pr), -1);
		ck_assert_msg(strstr(pr.text, cases[i].says) != NULL, "%s", pr.text);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		buf_clear(&got);
		buf_clear(&der);
		buf_clear(&packed);
	}
}
END_TEST

START_TEST(test_bomb)
{
	/* 32 MiB of zeroes in 32 KiB: stopped long before */
	struct buf zeroes, packed, der, got;
	struct problem pr;

	buf_init(&zeroes, FX_MAX);
	memset(buf_room(&zeroes, 32 << 20), 0, 32 << 20);
	buf_added(&zeroes, 32 << 20);
	packed = pack(&zeroes, Z_BEST_COMPRESSION);
	der = wrap(&packed, 0);
	ck_assert_int_eq(uncompress_all(&der, UINT64_MAX, &got, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "times its size"));
	ck_assert_str_eq(pr.enh, "5.3.4");
	ck_assert_uint_lt(got.len, 200 * der.len + (1 << 20));
	buf_clear(&got);
	buf_clear(&der);
	buf_clear(&packed);
	/* small ones may be as empty as they like */
	zeroes.len = CMS_COMPRESS_FREE;
	packed = pack(&zeroes, Z_BEST_COMPRESSION);
	der = wrap(&packed, 0);
	ck_assert_msg(uncompress_all(&der, UINT64_MAX, &got, &pr) == 0, "%s", pr.text);
	buf_clear(&got);
	buf_clear(&der);
	buf_clear(&packed);
	buf_clear(&zeroes);
}
END_TEST

START_TEST(test_full_writer)
{
	struct buf packed = pack(&text, Z_BEST_COMPRESSION), der = wrap(&packed, 0), got;
	struct cms_outline *o = NULL;
	struct problem pr = {0};
	struct stream_mem in;
	struct stream_buf to;

	buf_init(&got, 1000);
	stream_buf_init(&to, &got);
	stream_mem_init(&in, der.p, der.len);
	ck_assert_int_eq(cms_outline(&in.reader, NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_uncompress(o, text.len, &to.writer, &pr), -1);
	ck_assert_str_eq(pr.enh, "5.3.4");
	cms_outline_free(o);
	buf_clear(&got);
	buf_clear(&der);
	buf_clear(&packed);
}
END_TEST

START_TEST(test_other_kind)
{
	struct fx_id id = fx_id("rsa");
	struct cms_signer s = {.cert = id.cert, .key = id.key};
	struct cms_outline *o = NULL;
	struct problem pr = {0};
	struct stream_mem in;
	struct stream_buf to;
	struct buf der, got;

	fx_sign(&text, &s, NULL, &der);
	buf_init(&got, FX_MAX);
	stream_buf_init(&to, &got);
	stream_mem_init(&in, der.p, der.len);
	ck_assert_int_eq(cms_outline(&in.reader, NULL, &o, &pr), 0);
	ck_assert_int_eq(cms_uncompress(o, text.len, &to.writer, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "not a compressed one"));
	cms_outline_free(o);
	buf_clear(&der);
	fx_id_clear(&id);
}
END_TEST

/* ---- constant memory: CompressedData that is made while it is read ---- */

static struct buf unit; /* one stored block of 65,535 octets, in a segment of its own */

struct endless {
	struct reader reader;
	struct buf head, tail;
	uint64_t units;
};

static int endless_read(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct endless *e = (struct endless *)r;
	uint64_t body = e->units * unit.len;
	uint8_t *out = p;
	size_t i = 0;

	(void)pr;
	for (; i < n && off + i < r->size; i++) {
		uint64_t at = off + i;

		if (at < e->head.len)
			out[i] = e->head.p[at];
		else if (at - e->head.len < body)
			out[i] = unit.p[(at - e->head.len) % unit.len];
		else
			out[i] = e->tail.p[at - e->head.len - body];
	}
	*got_r = i;
	return 0;
}

struct counter {
	struct writer writer;
	uint64_t n;
};

static int counter_write(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	(void)p;
	(void)pr;
	((struct counter *)w)->n += n;
	return 0;
}

static void endless_open(struct endless *e, uint64_t units)
{
	struct buf none, der;
	uint8_t end[] = {0x04, 0x09, 0x01, 0x00, 0x00, 0xff, 0xff, 0, 0, 0, 0};
	uLong sum = adler32(0, NULL, 0);

	memset(e, 0, sizeof(*e));
	buf_init(&none, 10);
	put(&none, "\x78\x01", 2);
	der = wrap(&none, 2);
	buf_init(&e->head, 200);
	put(&e->head, der.p, der.len - 12);
	buf_init(&e->tail, 200);
	for (uint64_t i = 0; i < units; i++)
		sum = adler32(sum, unit.p + 10, 65535);
	for (int i = 0; i < 4; i++)
		end[7 + i] = (uint8_t)(sum >> (24 - 8 * i));
	put(&e->tail, end, sizeof(end));
	put(&e->tail, der.p + der.len - 12, 12);
	e->units = units;
	e->reader.read_at = endless_read;
	e->reader.size = e->head.len + units * unit.len + e->tail.len;
	buf_clear(&der);
	buf_clear(&none);
}

static void through(uint64_t units)
{
	struct counter c = {.writer = {.write = counter_write}};
	struct cms_outline *o = NULL;
	struct problem pr = {0};
	struct endless e;

	endless_open(&e, units);
	ck_assert_msg(cms_outline(&e.reader, NULL, &o, &pr) == 0, "%s", pr.text);
	ck_assert_msg(cms_uncompress(o, UINT64_MAX, &c.writer, &pr) == 0, "%s", pr.text);
	ck_assert_uint_eq(c.n, units * 65535);
	cms_outline_free(o);
	buf_clear(&e.head);
	buf_clear(&e.tail);
}

START_TEST(test_memory)
{
	struct rusage before, after;

	buf_init(&unit, FX_MAX);
	put(&unit, "\x04\x83\x01\x00\x04", 5); /* a segment of 65,540, in it a stored block */
	put(&unit, "\x00\xff\xff\x00\x00", 5);
	for (int i = 0; i < 65535; i++)
		ck_assert_int_eq(buf_addc(&unit, (uint8_t)(i * 31 >> 3)), 0);
	through(2);
	getrusage(RUSAGE_SELF, &before);
	through(1600); /* 100 MiB */
	getrusage(RUSAGE_SELF, &after);
#ifndef POSTERN_SAN
	ck_assert_int_lt(after.ru_maxrss - before.ru_maxrss, 1024);
#endif
	buf_clear(&unit);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("cms_compress");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_reads, 0, 15);
	tcase_add_test(t, test_damaged);
	tcase_add_test(t, test_behind);
	tcase_add_test(t, test_no_zlib);
	tcase_add_test(t, test_bomb);
	tcase_add_test(t, test_full_writer);
	tcase_add_test(t, test_other_kind);
	tcase_add_test(t, test_memory);
	suite_add_tcase(s, t);
	return suite_run(s);
}
