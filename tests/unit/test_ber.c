/* ber.c: good and bad headers, ends, nesting, limits; readers that give one octet at a time; a window smaller than
 * the input. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/cms/ber.h"
#include "tests/unit/suite.h"

/* A reader that never gives more than `most` octets at once. */
struct slow {
	struct reader reader;
	const uint8_t *p;
	size_t most;
};

static int slow_read(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct slow *s = (struct slow *)r;
	size_t rest = off < r->size ? (size_t)(r->size - off) : 0;

	(void)pr;
	n = n < rest ? n : rest;
	n = n < s->most ? n : s->most;
	memcpy(p, s->p + off, n);
	*got_r = n;
	return 0;
}

/* Walks one element and demands that nothing follows; the copy goes to *to. */
static int walk(struct ber *b, struct buf *to, struct problem *pr)
{
	struct ber_item it;
	int r = ber_next(b, &it, pr);

	if (r == 0)
		return ber_problem(0, pr, "empty");
	if (r == -1 || ber_copy(b, &it, to, pr) == -1)
		return -1;
	return ber_end(b, pr);
}

static int walk_mem(const void *p, size_t n, size_t nesting, struct buf *to, struct problem *pr)
{
	struct ber b;
	int r;

	memset(pr, 0, sizeof(*pr));
	ber_open_mem(&b, p, n, 0, nesting);
	r = walk(&b, to, pr);
	ber_close(&b);
	return r;
}

#define BYTES(s) s, sizeof(s) - 1
static const struct {
	const char *name, *p;
	size_t n;
	const char *says; /* NULL: good */
} cases[] = {
    {"null", BYTES("\x05\x00"), NULL},
    {"integer", BYTES("\x02\x01\x05"), NULL},
    {"long form of a short length", BYTES("\x04\x84\x00\x00\x00\x02zz"), NULL},
    {"eight octets of length", BYTES("\x04\x88\x00\x00\x00\x00\x00\x00\x00\x01z"), NULL},
    {"sequence", BYTES("\x30\x06\x02\x01\x05\x04\x01z"), NULL},
    {"indefinite", BYTES("\x30\x80\x02\x01\x05\x00\x00"), NULL},
    {"indefinite and empty", BYTES("\x30\x80\x00\x00"), NULL},
    {"indefinite in definite", BYTES("\x30\x07\x30\x80\x02\x01\x05\x00\x00"), NULL},
    {"definite in indefinite", BYTES("\x30\x80\x30\x03\x02\x01\x05\x00\x00"), NULL},
    {"indefinite twice", BYTES("\x30\x80\x24\x80\x04\x01z\x00\x00\x00\x00"), NULL},
    {"high tag", BYTES("\xbf\x81\x01\x02\x05\x00"), NULL},
    {"nothing", BYTES(""), "empty"},
    {"identifier alone", BYTES("\x30"), "inside the header"},
    {"length cut", BYTES("\x04\x82\x01"), "inside the header"},
    {"nine octets of length", BYTES("\x04\x89\x00\x00\x00\x00\x00\x00\x00\x00\x01z"), "at most 8"},
    {"reserved length", BYTES("\x04\xff"), "at most 8"},
    {"huge length", BYTES("\x04\x88\xff\xff\xff\xff\xff\xff\xff\xffz"), "cut off"},
    {"content cut", BYTES("\x04\x03zz"), "cut off"},
    {"child longer than its parent", BYTES("\x30\x03\x04\x02zz"), "cut off"},
    {"primitive and indefinite", BYTES("\x04\x80z\x00\x00"), "primitive"},
    {"end missing", BYTES("\x30\x80\x02\x01\x05"), "missing"},
    {"half an end", BYTES("\x30\x80\x02\x01\x05\x00"), "inside the header"},
    {"end of the wrong form", BYTES("\x30\x80\x00\x01z\x00\x00"), "end of contents"},
    {"end in definite", BYTES("\x30\x02\x00\x00"), "end of contents"},
    {"end behind the bound of the parent", BYTES("\x30\x05\x30\x80\x02\x01\x05\x00\x00"), "missing"},
    {"end at the top", BYTES("\x00\x00"), "end of contents"},
    {"trailing octet", BYTES("\x05\x00z"), "1 octets follow"},
    {"trailing element", BYTES("\x30\x80\x00\x00\x05\x00"), "2 octets follow"},
    {"tag with leading zero", BYTES("\xbf\x80\x01\x00"), "identifier"},
    {"tag of five octets", BYTES("\xbf\x81\x81\x81\x81\x01\x00"), "identifier"},
    {"tag cut", BYTES("\xbf\x81"), "identifier"},
};

START_TEST(test_cases)
{
	struct problem pr;
	struct buf to;

	buf_init(&to, 1000);
	if (cases[_i].says == NULL) {
		ck_assert_msg(
		    walk_mem(cases[_i].p, cases[_i].n, 8, &to, &pr) == 0, "%s: %s", cases[_i].name, pr.text);
		ck_assert_uint_eq(to.len, cases[_i].n);
		ck_assert_mem_eq(to.p, cases[_i].p, to.len);
	} else {
		ck_assert_msg(walk_mem(cases[_i].p, cases[_i].n, 8, &to, &pr) == -1, "%s", cases[_i].name);
		ck_assert_int_eq(pr.cls, PROBLEM_PERM);
		ck_assert_str_eq(pr.enh, pr.code == 554 ? "5.6.0" : "");
		ck_assert_msg(strstr(pr.text, cases[_i].says) != NULL, "%s: %s", cases[_i].name, pr.text);
	}
	buf_clear(&to);
}
END_TEST

START_TEST(test_truncated)
{
	/* no prefix of a good structure is one */
	struct problem pr;

	if (cases[_i].says != NULL)
		return;
	for (size_t n = 0; n < cases[_i].n; n++)
		ck_assert_msg(walk_mem(cases[_i].p, n, 8, NULL, &pr) == -1, "%s cut to %zu", cases[_i].name, n);
}
END_TEST

START_TEST(test_slow)
{
	/* the same through a reader, however little it gives */
	struct slow s = {.reader = {.read_at = slow_read, .size = cases[_i].n}, .p = (const uint8_t *)cases[_i].p};

	for (s.most = 1; s.most <= 4; s.most++) {
		struct problem a = {0}, m;
		struct ber b;
		int r;

		ber_open(&b, &s.reader, 0, s.reader.size, 8);
		r = walk(&b, NULL, &a);
		ber_close(&b);
		ck_assert_int_eq(r, walk_mem(cases[_i].p, cases[_i].n, 8, NULL, &m));
		ck_assert_str_eq(a.text, m.text);
	}
}
END_TEST

/* depth times "30 80", then the ends */
static struct buf nested(size_t depth)
{
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < depth; i++)
		ck_assert_int_eq(buf_add(&b, "\x30\x80", 2), 0);
	for (size_t i = 0; i < depth; i++)
		ck_assert_int_eq(buf_add(&b, "\0", 2), 0);
	return b;
}

START_TEST(test_nesting)
{
	static const struct {
		size_t depth, limit;
		int r;
	} t[] = {{1, 1, 0}, {2, 1, -1}, {32, 32, 0}, {33, 32, -1}, {64, 64, 0}, {65, 1000, -1}, {100000, 32, -1}};

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		struct buf b = nested(t[i].depth);
		struct problem pr;

		ck_assert_int_eq(walk_mem(b.p, b.len, t[i].limit, NULL, &pr), t[i].r);
		if (t[i].r == -1)
			ck_assert_ptr_nonnull(strstr(pr.text, "deep"));
		buf_clear(&b);
	}
}
END_TEST

START_TEST(test_copy_limit)
{
	struct problem pr;
	struct buf to;

	for (size_t max = 0; max < 8; max++) {
		buf_init(&to, max);
		ck_assert_int_eq(walk_mem(BYTES("\x30\x06\x02\x01\x05\x04\x01z"), 8, &to, &pr), -1);
		ck_assert_ptr_nonnull(strstr(pr.text, "larger than the limit"));
		buf_clear(&to);
	}
	buf_init(&to, 8);
	ck_assert_int_eq(walk_mem(BYTES("\x30\x06\x02\x01\x05\x04\x01z"), 8, &to, &pr), 0);
	buf_clear(&to);
}
END_TEST

START_TEST(test_window)
{
	/* segments and headers lie across the edges of the window; what is read is what is there */
	size_t n = 3 * BER_WINDOW + 77, sum = 0;
	struct slow s = {.most = 50000};
	struct problem pr = {0};
	struct ber_item it;
	struct buf in;
	struct ber b;

	buf_init(&in, 1 << 20);
	ck_assert_int_eq(buf_add(&in, "\x24\x80", 2), 0);
	for (size_t i = 0; in.len < n; i++) {
		uint8_t head[4] = {0x04, 0x82, (uint8_t)(i % 8), (uint8_t)(i % 251)};
		size_t len = (i % 8) * 256 + i % 251;

		ck_assert_int_eq(buf_add(&in, head, 4), 0);
		for (size_t k = 0; k < len; k++)
			ck_assert_int_eq(buf_addc(&in, (uint8_t)(i + k)), 0);
	}
	ck_assert_int_eq(buf_add(&in, "\0", 2), 0);
	s.reader = (struct reader){.read_at = slow_read, .size = in.len};
	s.p = in.p;
	ber_open(&b, &s.reader, 0, in.len, 4);
	ck_assert_int_eq(ber_next(&b, &it, &pr), 1);
	ck_assert_int_eq(ber_enter(&b, &it, &pr), 0);
	for (size_t i = 0; ber_next(&b, &it, &pr) == 1; i++) {
		const uint8_t *p;
		size_t got, k = 0;

		ck_assert_uint_eq(it.len, (i % 8) * 256 + i % 251);
		while (ber_run(&b, &p, &got, &pr) == 1)
			for (size_t j = 0; j < got; j++, k++)
				ck_assert_uint_eq(p[j], (uint8_t)(i + k));
		ck_assert_uint_eq(k, it.len);
		sum += k + it.nhead;
	}
	ck_assert_str_eq(pr.text, "");
	ck_assert_uint_eq(sum, in.len - 4);
	ck_assert_int_eq(ber_leave(&b, &pr), 0);
	ck_assert_int_eq(ber_end(&b, &pr), 0);
	ber_close(&b);
	buf_clear(&in);
}
END_TEST

START_TEST(test_short_reader)
{
	/* a reader that ends before its size is a problem, not an endless loop */
	struct slow s = {
	    .reader = {.read_at = slow_read, .size = 4}, .p = (const uint8_t *)"\x30\x80\x00\x00", .most = 0};
	struct problem pr = {0};
	struct ber_item it;
	struct ber b;

	ber_open(&b, &s.reader, 0, 4, 4);
	ck_assert_int_eq(ber_next(&b, &it, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "ends early"));
	ber_close(&b);
}
END_TEST

START_TEST(test_leave_early)
{
	struct problem pr = {0};
	struct ber_item it;
	struct ber b;

	ber_open_mem(&b, BYTES("\x30\x03\x02\x01\x05"), 100, 4);
	ck_assert_int_eq(ber_next(&b, &it, &pr), 1);
	ck_assert_int_eq(ber_enter(&b, &it, &pr), 0);
	ck_assert_int_eq(ber_leave(&b, &pr), -1);
	ck_assert_str_eq(pr.text, "octet 102: an element (tag 0x02) that does not belong there.");
}
END_TEST

int main(void)
{
	enum { CASES = sizeof(cases) / sizeof(cases[0]) };
	Suite *s = suite_create("ber");
	TCase *t = tcase_create("all");

	tcase_add_loop_test(t, test_cases, 0, CASES);
	tcase_add_loop_test(t, test_truncated, 0, CASES);
	tcase_add_loop_test(t, test_slow, 0, CASES);
	tcase_add_test(t, test_nesting);
	tcase_add_test(t, test_copy_limit);
	tcase_add_test(t, test_window);
	tcase_add_test(t, test_short_reader);
	tcase_add_test(t, test_leave_early);
	suite_add_tcase(s, t);
	return suite_run(s);
}
