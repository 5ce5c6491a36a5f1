/* DER in memory: what is one element in DER, and what is not; writing. */
#include "gateway/xsmg/statement_der.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

START_TEST(form)
{
	static const struct {
		const char *p;
		size_t n;
		const char *why; /* NULL: DER */
	} t[] = {
#define ROW(s, why) {s, sizeof(s) - 1, why}
	    ROW("\x30\x00", NULL),
	    ROW("\x30\x03\x02\x01\x00", NULL),
	    ROW("\x30\x05\x31\x03\x01\x01\xff", NULL),
	    ROW("\xa0\x02\x05\x00", NULL),
	    ROW("\x80\x02\x05\x00", NULL),
	    ROW("\x02\x02\x00\x80", NULL),
	    ROW("", "there is nothing"),
	    ROW("\x30", "cut off"),
	    ROW("\x30\x01", "longer than what there is"),
	    ROW("\x30\x02\x02\x01", "longer than what there is"),
	    ROW("\x30\x03\x02\x02\x01", "longer than what there is"),
	    ROW("\x30\x80\x00\x00", "indefinite"),
	    ROW("\x30\x81\x00", "shortest form"),
	    ROW("\x30\x81\x7f", "shortest form"),
	    ROW("\x30\x82\x00\xff", "shortest form"),
	    ROW("\x30\x84\x7f\xff\xff\xff", "longer than what there is"),
	    ROW("\x30\x85\x01\x00\x00\x00\x00", "longer than what there is"),
	    ROW("\x30\xff", "longer than what there is"),
	    ROW("\x30\x00\x30\x00", "octets follow"),
	    ROW("\x30\x00\x00", "octets follow"),
	    ROW("\x3f\x81\x01\x00", "identifier"),
	    ROW("\x00\x00", "end of contents"),
	    ROW("\x24\x04\x04\x02\x00\x00", "in pieces"),
	    ROW("\x22\x03\x02\x01\x00", "in pieces"),
	    ROW("\x10\x00", "not constructed"),
	    ROW("\x11\x00", "not constructed"),
	    ROW("\x01\x01\x01", "neither 00 nor FF"),
	    ROW("\x01\x00", "neither 00 nor FF"),
	    ROW("\x02\x00", "integer"),
	    ROW("\x02\x02\x00\x7f", "integer"),
	    ROW("\x02\x02\xff\x80", "integer"),
#undef ROW
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		size_t off = 0;
		const char *why = statement_der_wrong(t[i].p, t[i].n, &off);

		ck_assert_msg(
		    !why == !t[i].why && (!why || strstr(why, t[i].why)), "%zu: %s", i, why ? why : "taken");
		ck_assert_uint_le(off, t[i].n);
	}
}
END_TEST

START_TEST(nesting)
{
	struct buf b, out;
	size_t off;

	buf_init(&b, 1000);
	for (int depth = 1; depth <= STATEMENT_DER_NESTING + 1; depth++) {
		const char *why;

		buf_init(&out, 1000);
		ck_assert_int_eq(statement_der_put(&out, STATEMENT_DER_SEQ, b.p, b.len), 0);
		buf_clear(&b);
		b = out;
		why = statement_der_wrong(b.p, b.len, &off);
		ck_assert(!why == (depth <= STATEMENT_DER_NESTING));
	}
	buf_clear(&b);
}
END_TEST

/* Every length around the borders of its forms, written and read. */
START_TEST(lengths)
{
	static const size_t sizes[] = {0, 1, 127, 128, 255, 256, 65535, 65536};
	uint8_t *zero = calloc(1, 65536);

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		struct statement_der d;
		struct statement_der_item it;
		struct buf b;
		size_t off;

		buf_init(&b, 1 << 20);
		ck_assert_int_eq(statement_der_put(&b, STATEMENT_DER_OCTETS, zero, sizes[i]), 0);
		ck_assert_ptr_null(statement_der_wrong(b.p, b.len, &off));
		statement_der_open(&d, b.p, b.len);
		ck_assert_int_eq(statement_der_take(&d, STATEMENT_DER_OCTETS, &it), 0);
		ck_assert_uint_eq(it.n, sizes[i]);
		ck_assert_uint_eq(it.nwhole, b.len);
		ck_assert(statement_der_end(&d) && statement_der_next(&d, &it) == 0);
		buf_clear(&b);
		buf_init(&b, sizes[i]);
		ck_assert_int_eq(statement_der_put(&b, STATEMENT_DER_OCTETS, zero, sizes[i]), -1);
		ck_assert_uint_eq(b.len, 0);
		buf_clear(&b);
	}
	free(zero);
}
END_TEST

START_TEST(sets)
{
	struct statement_octets e[] = {{(const uint8_t *)"\x04\x01\x02", 3}, {(const uint8_t *)"\x02\x01\x05", 3},
	    {(const uint8_t *)"\x04\x01\x02", 3}, {(const uint8_t *)"\x04\x00", 2}};
	static const char want[] = "\x31\x08\x02\x01\x05\x04\x00\x04\x01\x02";
	struct statement_der d;
	struct statement_der_item prev = {0}, it;
	struct buf b;
	int n = 0;

	buf_init(&b, 100);
	ck_assert_int_eq(statement_der_put_set(&b, STATEMENT_DER_SET, e, 4), 0);
	ck_assert(b.len == sizeof want - 1 && memcmp(b.p, want, b.len) == 0);
	statement_der_open(&d, b.p + 2, b.len - 2);
	while (statement_der_next_of_set(&d, &prev, &it) == 1)
		n++;
	ck_assert_int_eq(n, 3);
	statement_der_open(&d, "\x04\x00\x02\x01\x05", 5);
	prev = (struct statement_der_item){0};
	ck_assert_int_eq(statement_der_next_of_set(&d, &prev, &it), 1);
	ck_assert_int_eq(statement_der_next_of_set(&d, &prev, &it), -1);
	statement_der_open(&d, "\x04\x00\x04\x00", 4);
	prev = (struct statement_der_item){0};
	ck_assert_int_eq(statement_der_next_of_set(&d, &prev, &it), 1);
	ck_assert_int_eq(statement_der_next_of_set(&d, &prev, &it), -1);
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("statement_der");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, form);
	tcase_add_test(tc, nesting);
	tcase_add_test(tc, lengths);
	tcase_add_test(tc, sets);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
