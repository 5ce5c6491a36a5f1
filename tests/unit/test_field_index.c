/* field_index.c against a plain search. */
#include "gateway/mail/field_index.h"

#include <stdlib.h>

#include "tests/unit/header_fixture.h"
#include "tests/unit/suite.h"

enum { FIELDS = 150 };

static bool alike(enum field_index_by by, const struct header_field *f, const struct header_field *g)
{
	if (by == FIELD_INDEX_OCTETS)
		return f->raw_len == g->raw_len && memcmp(f->raw, g->raw, f->raw_len) == 0;
	return f->name_len == g->name_len && strncasecmp(f->raw, g->raw, f->name_len) == 0;
}

static size_t plain(const struct header *h, enum field_index_by by, const struct header_field *f, size_t from)
{
	while (from < h->n && !alike(by, &h->f[from], f))
		from++;
	return from;
}

START_TEST(test_as_a_plain_search)
{
	enum field_index_by by = (enum field_index_by)_i;
	static const char *const names[] = {"To", "to", "TO", "X", "X-", "X-A", "x-b", "Received", "Subject", "S"};
	struct buf b;
	struct field_index x;
	struct header h, other;

	buf_init(&b, 1 << 20);
	srand(3);
	for (size_t i = 0; i < FIELDS; i++)
		ck_assert_int_eq(buf_addf(&b, "%s: %d\r\n", names[rand() % 10], rand() % 3), 0);
	ck_assert_int_eq(buf_adds(&b, "\r\n"), 0);
	h = header_of(buf_str(&b));
	other = header_of("Subject: 1\r\nreceived: 2\r\nNone: 1\r\nX-A: 0\r\nto: 2\r\nTO: 9\r\nA: 1\r\nZ: 1\r\n\r\n");
	ck_assert_int_eq(field_index_make(arena, &h, by, &x), 0);
	for (size_t from = 0; from <= h.n; from += 5) {
		for (size_t i = 0; i < h.n; i++)
			ck_assert_uint_eq(field_index_next(&x, &h.f[i], from), plain(&h, by, &h.f[i], from));
		for (size_t i = 0; i < other.n; i++)
			ck_assert_uint_eq(field_index_next(&x, &other.f[i], from), plain(&h, by, &other.f[i], from));
	}
	for (size_t i = 0; i < other.n; i++)
		ck_assert_int_eq(field_index_has(&x, &other.f[i]), plain(&h, by, &other.f[i], 0) < h.n);
	buf_clear(&b);
}
END_TEST

START_TEST(test_empty)
{
	struct header h = {0}, one = header_of("A: b\r\n\r\n");
	struct field_index x;

	ck_assert_int_eq(field_index_make(arena, &h, FIELD_INDEX_NAME, &x), 0);
	ck_assert_uint_eq(field_index_next(&x, &one.f[0], 0), 0);
	ck_assert(!field_index_has(&x, &one.f[0]));
}
END_TEST

START_TEST(test_past_the_arena)
{
	struct header h = header_of("A: b\r\nC: d\r\n\r\n");
	struct arena *none = arena_new(4);
	struct field_index x;

	ck_assert_int_eq(field_index_make(none, &h, FIELD_INDEX_NAME, &x), -1);
	arena_free(none);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("field_index");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, header_setup, header_teardown);
	tcase_add_loop_test(t, test_as_a_plain_search, FIELD_INDEX_NAME, FIELD_INDEX_OCTETS + 1);
	tcase_add_test(t, test_empty);
	tcase_add_test(t, test_past_the_arena);
	suite_add_tcase(s, t);
	return suite_run(s);
}
