/* The table of next hops. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/queue/queue_hops.h"

#include "tests/unit/suite.h"

enum { ALL = (1 << QUEUE_HOPS_KINDS) - 1 };

static const char *first(struct queue_hops *h, int64_t now, int64_t *until_r)
{
	struct queue_hop *p = queue_hops_first(h, now, ALL, until_r);

	return p ? p->name : "";
}

START_TEST(test_first_and_next)
{
	struct queue_hops h;
	int64_t until;
	const char *skip[] = {"b", "unknown", "b"};

	queue_hops_init(&h);
	ck_assert_str_eq(first(&h, 1000, &until), "");
	ck_assert_int_eq(queue_hops_next(&h, 1000, ALL), INT64_MAX);
	queue_hops_lower(&h, "c", 300);
	queue_hops_lower(&h, "a", 200);
	queue_hops_lower(&h, "b", 100);
	queue_hops_lower(&h, "b", 150); /* later: no matter */
	queue_hops_lower(&h, "c", 250);
	ck_assert_uint_eq(h.n, 3);
	ck_assert_str_eq(first(&h, 99, &until), "");
	ck_assert_int_eq(queue_hops_next(&h, 99, ALL), 100);
	ck_assert_str_eq(first(&h, 100, &until), "b");
	ck_assert_int_eq(until, 100);
	ck_assert_str_eq(first(&h, 1000, &until), "b");
	ck_assert_int_eq(until, 200);
	queue_hops_park(&h, skip, 3);
	ck_assert_str_eq(first(&h, 1000, &until), "a");
	ck_assert_int_eq(until, 250);
	queue_hops_lower(&h, "b", 90); /* while parked */
	queue_hops_set(&h, queue_hops_first(&h, 1000, ALL, &until), INT64_MAX);
	ck_assert_uint_eq(h.n, 2);
	ck_assert_str_eq(first(&h, 1000, &until), "c");
	ck_assert_int_eq(until, 1000);
	queue_hops_unpark(&h);
	ck_assert_str_eq(first(&h, 1000, &until), "b");
	queue_hops_set(&h, queue_hops_first(&h, 1000, ALL, &until), 5000);
	queue_hops_set(&h, queue_hops_first(&h, 1000, ALL, &until), 6000);
	ck_assert_int_eq(queue_hops_next(&h, 1000, ALL), 5000);
	queue_hops_clear(&h);
}
END_TEST

/* Of each kind those that are wanted; what worked is remembered while nobody waits, until it fails. */
START_TEST(test_kinds)
{
	struct queue_hops h;
	int64_t until;

	queue_hops_init(&h);
	queue_hops_lower(&h, "new", 10);
	queue_hops_works(&h, "old"); /* nobody waits */
	queue_hops_lower(&h, "old", 20);
	queue_hops_lower(&h, "open", 30); /* no site at all */
	ck_assert_str_eq(queue_hops_first(&h, 100, ALL, &until)->name, "new");
	ck_assert_int_eq(until, 20);
	ck_assert_str_eq(queue_hops_first(&h, 100, 1u << QUEUE_HOPS_PROVEN, &until)->name, "old");
	ck_assert_int_eq(until, 30);
	queue_hops_put_off(&h, "new", 50, false);
	ck_assert_str_eq(queue_hops_first(&h, 100, 1u << QUEUE_HOPS_STRANGER, &until)->name, "new");
	ck_assert_int_eq(queue_hops_next(&h, 5, 1u << QUEUE_HOPS_STRANGER), 50);
	queue_hops_again(&h, "new");
	ck_assert_int_eq(queue_hops_next(&h, 5, 1u << QUEUE_HOPS_STRANGER), 10);
	queue_hops_works(&h, "new");
	ck_assert_int_eq(queue_hops_next(&h, 5, 1u << QUEUE_HOPS_STRANGER), INT64_MAX);
	queue_hops_put_off(&h, "old", 200, true);
	ck_assert_int_eq(queue_hops_next(&h, 5, 1u << QUEUE_HOPS_SUSPECT), 200);
	queue_hops_put_off(&h, "again", 1, true);
	queue_hops_again(&h, "again");
	queue_hops_again(&h, "unknown");
	queue_hops_lower(&h, "again", 5);
	ck_assert_int_eq(queue_hops_next(&h, 1, 1u << QUEUE_HOPS_STRANGER), 5); /* not proven by what it was */
	queue_hops_clear(&h);
}
END_TEST

/* Put off: not due before; suspect: passed over where no suspects are wanted, until something is taken there. */
START_TEST(test_put_off)
{
	struct queue_hops h;
	int64_t until;

	queue_hops_init(&h);
	queue_hops_lower(&h, "dead", 100);
	queue_hops_lower(&h, "alive", 200);
	queue_hops_put_off(&h, "dead", 1000, true);
	ck_assert_str_eq(first(&h, 999, &until), "alive");
	ck_assert_int_eq(until, 999);
	queue_hops_lower(&h, "dead", 50); /* more mail for it changes nothing */
	ck_assert_str_eq(first(&h, 999, &until), "alive");
	ck_assert_str_eq(first(&h, 1500, &until), "alive");
	ck_assert_int_eq(until, 1000);
	queue_hops_set(&h, queue_hops_first(&h, 999, ALL, &until), INT64_MAX);
	ck_assert_str_eq(first(&h, 1000, &until), "dead");
	ck_assert_ptr_null(queue_hops_first(&h, 1000, ALL & ~(1u << QUEUE_HOPS_SUSPECT), &until));
	ck_assert_int_eq(queue_hops_next(&h, 10, ALL & ~(1u << QUEUE_HOPS_SUSPECT)), INT64_MAX);
	ck_assert_int_eq(queue_hops_next(&h, 10, ALL), 1000);
	queue_hops_works(&h, "dead");
	queue_hops_works(&h, "unknown");
	ck_assert_str_eq(queue_hops_first(&h, 60, ALL & ~(1u << QUEUE_HOPS_SUSPECT), &until)->name, "dead");

	/* nobody waits any more: remembered while it is put off, then forgotten */
	queue_hops_put_off(&h, "dead", 2000, true);
	queue_hops_set(&h, h.heap[1].v[0], INT64_MAX);
	ck_assert_uint_eq(h.n, 1);
	ck_assert_str_eq(first(&h, 1999, &until), "");
	ck_assert_str_eq(first(&h, 2000, &until), "");
	ck_assert_uint_eq(h.n, 0);
	queue_hops_put_off(&h, "new", 3000, true);
	queue_hops_works(&h, "new");
	ck_assert_uint_eq(h.n, 0);
	queue_hops_clear(&h);
}
END_TEST

/* The heap gives them in order, whatever was changed meanwhile. */
START_TEST(test_many)
{
	enum { N = 3000 };
	struct queue_hops h;
	char name[16];
	int64_t until, before = -1;
	uint32_t x = 7;

	queue_hops_init(&h);
	for (unsigned i = 0; i < N; i++) {
		snprintf(name, sizeof name, "%u", i * 7919 % N);
		x = x * 1664525 + 1013904223;
		queue_hops_lower(&h, name, x >> 12);
	}
	for (unsigned i = 0; i < N; i += 3) {
		snprintf(name, sizeof name, "%u", i);
		x = x * 1664525 + 1013904223;
		if (i % 2)
			queue_hops_lower(&h, name, x >> 12);
		else
			queue_hops_put_off(&h, name, x >> 12, i % 4 == 0);
	}
	ck_assert_uint_eq(h.n, N);
	for (unsigned i = 0; i < N; i++) {
		int64_t next = queue_hops_next(&h, 0, ALL);
		struct queue_hop *p = queue_hops_first(&h, INT64_MAX - 1, ALL, &until);

		ck_assert_int_ge(next, before);
		if (i + 1 < N)
			ck_assert_int_ge(until, next);
		before = next;
		queue_hops_works(&h, p->name); /* may move it to an earlier place: it is taken out */
		p = queue_hops_first(&h, INT64_MAX - 1, ALL, &until);
		queue_hops_set(&h, p, INT64_MAX);
		before = queue_hops_next(&h, 0, ALL) < before ? -1 : before;
	}
	ck_assert_uint_eq(h.n, 0);
	queue_hops_clear(&h);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_hops");
	TCase *t = tcase_create("queue_hops");

	tcase_add_test(t, test_first_and_next);
	tcase_add_test(t, test_kinds);
	tcase_add_test(t, test_put_off);
	tcase_add_test(t, test_many);
	suite_add_tcase(s, t);
	return suite_run(s);
}
