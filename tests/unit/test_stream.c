/* stream.c */
#include "gateway/base/stream.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "tests/unit/suite.h"

/* Gives at most `step` octets at a time and ends at `real`, whatever size promises. */
struct meagre {
	struct reader reader;
	const uint8_t *p;
	size_t step, real;
	int fails;
};

static int meagre_read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct meagre *m = (struct meagre *)r;

	if (m->fails)
		return problem_temp(pr, "disk");
	*got_r = off >= m->real ? 0 : m->real - off < n ? m->real - (size_t)off : n;
	if (*got_r > m->step)
		*got_r = m->step;
	memcpy(p, m->p + off, *got_r);
	return 0;
}

START_TEST(test_mem)
{
	struct stream_mem m;
	struct problem pr;
	char got[10];
	size_t n;

	stream_mem_init(&m, "abcdef", 6);
	ck_assert_uint_eq(m.reader.size, 6);
	ck_assert_int_eq(stream_read_at(&m.reader, 4, got, 10, &n, &pr), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(got, "ef", 2);
	ck_assert_int_eq(stream_read_at(&m.reader, 6, got, 10, &n, &pr), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(stream_read_at(&m.reader, UINT64_MAX, got, 10, &n, &pr), 0);
	ck_assert_uint_eq(n, 0);
	ck_assert_int_eq(stream_read_full(&m.reader, 1, got, 5, &pr), 0);
	ck_assert_mem_eq(got, "bcdef", 5);
	ck_assert_int_eq(stream_read_full(&m.reader, 2, got, 5, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "ends early"));
	ck_assert_int_eq(pr.cls, PROBLEM_TEMP);
	stream_mem_init(&m, NULL, 0);
	ck_assert_int_eq(stream_read_full(&m.reader, 0, got, 0, &pr), 0);
}
END_TEST

START_TEST(test_meagre)
{
	struct meagre m = {
	    .reader = {.read_at = meagre_read_at, .size = 6}, .p = (const uint8_t *)"abcdef", .real = 6};
	struct problem pr;
	char got[6];
	size_t n;

	for (m.step = 1; m.step < 8; m.step++) {
		memset(got, 0, sizeof got);
		ck_assert_int_eq(stream_read_full(&m.reader, 0, got, 6, &pr), 0);
		ck_assert_mem_eq(got, "abcdef", 6);
	}
	m.real = 4; /* truncated behind our back: must not look like the end */
	ck_assert_int_eq(stream_read_at(&m.reader, 4, got, 1, &n, &pr), -1);
	ck_assert_int_eq(stream_read_full(&m.reader, 0, got, 6, &pr), -1);
	m.fails = 1;
	ck_assert_int_eq(stream_read_full(&m.reader, 0, got, 6, &pr), -1);
	ck_assert_str_eq(pr.text, "disk");
}
END_TEST

START_TEST(test_part)
{
	struct stream_mem m;
	struct stream_part s, inner;
	struct problem pr;
	char got[10];
	size_t n;

	stream_mem_init(&m, "0123456789", 10);
	stream_part_init(&s, &m.reader, 2, 6);
	stream_part_init(&inner, &s.reader, 1, 3);
	ck_assert_int_eq(stream_read_at(&s.reader, 4, got, 10, &n, &pr), 0);
	ck_assert_uint_eq(n, 2);
	ck_assert_mem_eq(got, "67", 2);
	ck_assert_int_eq(stream_read_full(&inner.reader, 0, got, 3, &pr), 0);
	ck_assert_mem_eq(got, "345", 3);
	ck_assert_int_eq(stream_read_full(&inner.reader, 1, got, 3, &pr), -1);
	stream_part_init(&s, &m.reader, 10, 0);
	ck_assert_uint_eq(s.reader.size, 0);
}
END_TEST

START_TEST(test_part_outside)
{
	struct stream_mem m;
	struct stream_part s;

	stream_mem_init(&m, "0123456789", 10);
	stream_part_init(&s, &m.reader, 5, UINT64_MAX - 2); /* off + n overflows: a bug of the caller, aborts */
}
END_TEST

START_TEST(test_copy)
{
	size_t n = 100000;
	uint8_t *p = mem_new(n);
	struct stream_mem m;
	struct stream_buf w;
	struct buf b;
	struct problem pr;

	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(i * 7);
	stream_mem_init(&m, p, n);
	buf_init(&b, n);
	stream_buf_init(&w, &b);
	ck_assert_int_eq(stream_copy(&m.reader, 0, n, &w.writer, &pr), 0);
	ck_assert_uint_eq(b.len, n);
	ck_assert_mem_eq(b.p, p, n);
	ck_assert_int_eq(stream_write(&w.writer, "", 0, &pr), 0);
	ck_assert_int_eq(stream_write(&w.writer, "x", 1, &pr), -1);
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_str_eq(pr.enh, "5.3.4");
	buf_reset(&b);
	ck_assert_int_eq(stream_copy(&m.reader, n - 5, 5, &w.writer, &pr), 0);
	ck_assert_mem_eq(b.p, p + n - 5, 5);
	ck_assert_int_eq(stream_copy(&m.reader, n - 5, 6, &w.writer, &pr), -1);
	buf_clear(&b);
	free(p);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("stream");
	TCase *t = tcase_create("stream");

	tcase_add_test(t, test_mem);
	tcase_add_test(t, test_meagre);
	tcase_add_test(t, test_part);
	tcase_add_test_raise_signal(t, test_part_outside, 6);
	tcase_add_test(t, test_copy);
	suite_add_tcase(s, t);
	return suite_run(s);
}
