/* The entity inside a message: read in every cut the same octets, its fields in order, Bcc nowhere. */
#include "gateway/pipeline/entity.h"

#include "tests/unit/header_fixture.h"
#include "tests/unit/suite.h"

static struct header h;

static const char front[] = "Content-Type: text/plain\r\n\r\n";
static const char under[] = "....the body of the message....";
enum { FRONT = sizeof(front) - 1, OFF = 4, BODY = 23, ALL = FRONT + BODY };

/* From every position, for every length: the same octets, and an end that is the end. */
START_TEST(every_cut)
{
	char all[ALL + 1] = {0}, got[ALL + 8];
	struct entity_reader e;
	struct stream_mem m;
	struct problem pr = {0};
	struct buf b;

	buf_init(&b, 1024);
	if (_i == 0)
		ck_assert_int_eq(buf_adds(&b, front), 0); /* else: nothing in front */
	memcpy(all, b.p ? (const char *)b.p : "", b.len);
	memcpy(all + b.len, under + OFF, BODY);
	stream_mem_init(&m, under, sizeof(under) - 1);
	entity_reader_init(&e, &b, &m.reader, OFF, BODY);
	ck_assert_uint_eq(e.reader.size, b.len + BODY);
	for (size_t off = 0; off <= e.reader.size + 3; off++)
		for (size_t n = 0; n < sizeof(got); n++) {
			size_t sum = 0, part = 1, left = off < e.reader.size ? (size_t)e.reader.size - off : 0;

			memset(got, 0, sizeof(got));
			while (sum < n && part > 0) {
				ck_assert_int_eq(
				    stream_read_at(&e.reader, off + sum, got + sum, n - sum, &part, &pr), 0);
				ck_assert_uint_le(part, n - sum);
				sum += part;
			}
			ck_assert_uint_eq(sum, n < left ? n : left);
			ck_assert(sum == 0 || memcmp(got, all + off, sum) == 0);
		}
	buf_clear(&b);
}
END_TEST

static int broken_read(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	(void)r, (void)off, (void)p, (void)n;
	*got_r = 0;
	return problem_temp(pr, "the disk is gone");
}

START_TEST(broken_below)
{
	struct reader bad = {broken_read, 100};
	struct entity_reader e;
	struct problem pr = {0};
	struct buf b;
	uint8_t p[64];
	size_t got;

	buf_init(&b, 1024);
	ck_assert_int_eq(buf_adds(&b, front), 0);
	entity_reader_init(&e, &b, &bad, 0, 100);
	ck_assert_int_eq(stream_read_at(&e.reader, 0, p, FRONT, &got, &pr), 0);
	ck_assert_int_eq(stream_read_at(&e.reader, FRONT, p, 1, &got, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	buf_clear(&b);
}
END_TEST

static const char fields[] =
    "X-First:  1\r\nBCC: a@lab.example,\r\n b@lab.example\r\ncontent-TYPE: text/plain;\r\n\tcharset=utf-8\r\n"
    "Resent-bcc: c@lab.example\r\nMIME-Version: 1.0\r\nX-Bcc: stays\r\nBcc-Not: stays\r\nContent-Odd: "
    "2\r\nSubject:\r\n"
    "Bcc: d@lab.example\r\nX-First: again\r\nmime-version: 1.0 (second)\r\n\r\n";

START_TEST(fields_inside)
{
	struct buf b;

	h = header_of(fields);
	buf_init(&b, 4096);
	ck_assert_int_eq(entity_front(&h, &b), 0);
	ck_assert_str_eq(buf_str(&b), "content-TYPE: text/plain;\r\n\tcharset=utf-8\r\nContent-Odd: 2\r\n\r\n");
	buf_clear(&b);
}
END_TEST

START_TEST(no_content_fields)
{
	struct buf b;

	h = header_of("From: a@b.example\r\n\r\n");
	buf_init(&b, 4096);
	ck_assert_int_eq(entity_front(&h, &b), 0);
	ck_assert_str_eq(buf_str(&b), "\r\n");
	buf_clear(&b);
}
END_TEST

START_TEST(no_room)
{
	h = header_of(fields);
	for (size_t max = 1; max < 60; max++) {
		struct buf b;

		buf_init(&b, max);
		ck_assert_int_eq(entity_front(&h, &b), -1);
		buf_clear(&b);
		buf_init(&b, max);
		ck_assert_int_eq(entity_smime_inner("enveloped-data", &b), -1);
		buf_clear(&b);
	}
}
END_TEST

static const char *const smime_types[] = {"enveloped-data", "signed-data"};

/* What we write is what mime_smime of any reader knows. */
START_TEST(smime_fields)
{
	struct problem pr = {0};
	struct mime_entity e;
	struct stream_mem m;
	struct buf b;

	buf_init(&b, 4096);
	ck_assert_int_eq(entity_smime_inner(smime_types[_i], &b), 0);
	stream_mem_init(&m, b.p, b.len);
	ck_assert_int_eq(mime_entity_read(arena, &m.reader, 0, b.len, &mime_limits_default, &e, &pr), 0);
	ck_assert_int_eq(mime_smime(&e), MIME_SMIME_PKCS7);
	ck_assert_int_eq(e.cte, MIME_CTE_BASE64);
	ck_assert_str_eq(mime_param(&e.type, "smime-type"), smime_types[_i]);
	ck_assert_str_eq(e.filename, "smime.p7m");
	ck_assert_uint_eq(e.body_len, 0);
	buf_clear(&b);
}
END_TEST

START_TEST(eight_bit)
{
	struct problem pr = {0};
	struct entity_octets o;
	struct stream_buf to;
	struct buf b;

	buf_init(&b, 600);
	stream_buf_init(&to, &b);
	entity_octets_init(&o, &to.writer);
	for (unsigned v = 0; v < 128; v++)
		ck_assert_int_eq(stream_write(&o.writer, &(uint8_t){(uint8_t)v}, 1, &pr), 0);
	ck_assert(!o.eight_bit);
	ck_assert_int_eq(stream_write(&o.writer, "abc\x80", 4, &pr), 0);
	ck_assert(o.eight_bit);
	ck_assert_int_eq(stream_write(&o.writer, "abc", 3, &pr), 0);
	ck_assert(o.eight_bit);
	ck_assert_uint_eq(b.len, 135);
	ck_assert_mem_eq(b.p + 128,
	    "abc\x80"
	    "abc",
	    7);
	b.max = b.len;
	ck_assert_int_eq(stream_write(&o.writer, "x", 1, &pr), -1);
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("entity");
	TCase *t = tcase_create("entity");

	tcase_add_checked_fixture(t, header_setup, header_teardown);
	tcase_add_loop_test(t, every_cut, 0, 2);
	tcase_add_test(t, broken_below);
	tcase_add_test(t, fields_inside);
	tcase_add_test(t, no_content_fields);
	tcase_add_test(t, no_room);
	tcase_add_loop_test(t, smime_fields, 0, 2);
	tcase_add_test(t, eight_bit);
	suite_add_tcase(s, t);
	return suite_run(s);
}
