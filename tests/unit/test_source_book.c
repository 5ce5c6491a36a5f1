/* The book of answers with a scout and a clock of the test's own: coalescing, keeping, refreshing, bounds, a scout
 * that dies. */
#include "certstore/source_book.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/trace.h"
#include "gateway/base/mem.h"
#include "tests/unit/suite.h"

enum { SENT_MAX = 4096 };

static struct {
	uint32_t id;
	char name[300];
	uint32_t timeout;
} sent[SENT_MAX];
static size_t nsent;
static bool away;
static int64_t clock_ms;
static struct find_settings set;
static struct source_book *book;

static int scout(void *ctx, uint32_t id, const struct source_ask *a)
{
	ck_assert_ptr_eq(ctx, &set);
	if (away)
		return -1;
	ck_assert_uint_lt(nsent, SENT_MAX);
	sent[nsent].id = id;
	sent[nsent].timeout = a->timeout_ms;
	snprintf(sent[nsent++].name, sizeof sent[0].name, "%s", a->name);
	return 0;
}

static int64_t now_ms(void *ctx)
{
	(void)ctx;
	return clock_ms;
}

static int64_t now_s(void *ctx)
{
	(void)ctx;
	return 1000000 + clock_ms / 1000;
}

static const struct source_book_ops ops = {scout, now_ms, now_s};

static void setup(void)
{
	set = (struct find_settings){.found_least = 60000,
	    .found_most = 86400000,
	    .none_least = 60000,
	    .none_most = 3600000,
	    .unsure_for = 30000,
	    .kept_max = 100,
	    .kept_octets = 1 << 20,
	    .asking_max = 64,
	    .asking_site = 16,
	    .asks_max = 1000};
	nsent = 0;
	away = false;
	clock_ms = 5000;
	book = source_book_new(&set, &ops, &set);
}

static void teardown(void)
{
	source_book_free(book);
}

static void again(void)
{
	source_book_free(book);
	book = source_book_new(&set, &ops, &set);
}

static struct source_ask dns(const char *name)
{
	struct source_ask a = {
	    .kind = SOURCE_DNS, .chosen = SOURCE_BY_ADMIN, .type = 37, .max = 65536, .timeout_ms = 5000};

	snprintf(a.name, sizeof a.name, "%s", name);
	return a;
}

static unsigned called;

static void note(void *ctx)
{
	ck_assert_ptr_eq(ctx, &called);
	called++;
}

/* One question in a run of its own; -1 pending, else the status; its first item, or why, is copied. */
static char text[400];

static int ask_of(const struct source_ask *a, struct source_wait **w_r)
{
	struct source_run *r = source_book_begin(book, false, NULL);
	const struct source_answer *w = source_get(r, "dns", a);
	int status = w != NULL ? (int)w->status : -1;

	ck_assert_int_eq(r->pending, w == NULL);
	if (w != NULL)
		snprintf(text, sizeof text, "%.*s", w->n > 0 ? (int)w->items[0].n : 300,
		    w->n > 0 ? (const char *)w->items[0].p : w->why);
	if (w_r != NULL && w == NULL)
		*w_r = source_book_wait(r, note, &called);
	source_book_end(r);
	return status;
}

static int ask(const char *name)
{
	struct source_ask a = dns(name);

	return ask_of(&a, NULL);
}

static void answer(uint32_t id, enum source_status s, uint32_t ttl, const char *what)
{
	struct source_answer r;

	source_answer_set(&r, s, "%s", s == SOURCE_FOUND ? "" : what);
	r.ttl = ttl;
	if (s == SOURCE_FOUND) {
		r.n = 1;
		r.items[0].p = (const uint8_t *)what;
		r.items[0].n = strlen(what);
	}
	source_book_answer(book, id, &r);
}

/* ---- one question ---- */

START_TEST(asked_once)
{
	struct source_wait *w;

	called = 0;
	for (int i = 0; i < 1000; i++)
		ck_assert_int_eq(ask_of(&(struct source_ask){.kind = SOURCE_DNS,
					    .chosen = SOURCE_BY_ADMIN,
					    .name = "Lab.example",
					    .type = 37,
					    .max = 65536,
					    .timeout_ms = (uint32_t)(1000 + i)},
				     &w),
		    -1);
	ck_assert_uint_eq(nsent, 1);
	ck_assert_uint_eq(sent[0].timeout, 1000);
	ck_assert_int_eq(ask("lab.EXAMPLE"), -1);
	ck_assert_uint_eq(nsent, 1);
	answer(sent[0].id, SOURCE_FOUND, 300, "cert");
	ck_assert_uint_eq(called, 1000);
	ck_assert_int_eq(ask("lab.example"), SOURCE_FOUND);
	ck_assert_str_eq(text, "cert");
	ck_assert_uint_eq(nsent, 1);
	ck_assert_uint_eq(source_book_counts(book).kept, 1);
}
END_TEST

START_TEST(other_questions_are_others)
{
	struct source_ask a = dns("lab.example");

	ck_assert_int_eq(ask_of(&a, NULL), -1);
	a.type = 53;
	ck_assert_int_eq(ask_of(&a, NULL), -1);
	a.chosen = SOURCE_BY_STRANGER; /* what the admin may reach is no answer for a stranger */
	ck_assert_int_eq(ask_of(&a, NULL), -1);
	a.max = 1;
	ck_assert_int_eq(ask_of(&a, NULL), -1);
	ck_assert_uint_eq(nsent, 4);
	answer(sent[1].id, SOURCE_FOUND, 300, "b");
	ck_assert_int_eq(ask_of(&a, NULL), -1);
	ck_assert_uint_eq(nsent, 4);
}
END_TEST

/* ttl said, status, and how long it is kept in ms */
static const struct {
	enum source_status s;
	uint32_t ttl;
	int64_t kept;
} lives[] = {
    {SOURCE_FOUND, 300, 300000},
    {SOURCE_FOUND, 0, 60000},
    {SOURCE_FOUND, UINT32_MAX, 86400000},
    {SOURCE_NONE, 300, 300000},
    {SOURCE_NONE, 1, 60000},
    {SOURCE_NONE, 86400, 3600000},
    {SOURCE_TEMP, 86400, 30000},
};

START_TEST(kept_by_ttl)
{
	ck_assert_int_eq(ask("lab.example"), -1);
	answer(sent[0].id, lives[_i].s, lives[_i].ttl, "what");
	clock_ms += lives[_i].kept * 4 / 5 - 1;
	ck_assert_int_eq(ask("lab.example"), (int)lives[_i].s);
	ck_assert_str_eq(text, "what");
	ck_assert_uint_eq(nsent, 1);
	clock_ms += lives[_i].kept - lives[_i].kept * 4 / 5 + 1;
	ck_assert_int_eq(ask("lab.example"), -1);
	ck_assert_uint_eq(nsent, 2);
}
END_TEST

START_TEST(refreshed_while_used)
{
	ck_assert_int_eq(ask("lab.example"), -1);
	answer(sent[0].id, SOURCE_FOUND, 300, "one");
	clock_ms += 240000;
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(ask("lab.example"), SOURCE_FOUND);
	ck_assert_uint_eq(nsent, 2);
	answer(sent[1].id, SOURCE_FOUND, 300, "two");
	clock_ms += 100000;
	ck_assert_int_eq(ask("lab.example"), SOURCE_FOUND);
	ck_assert_str_eq(text, "two");
	ck_assert_uint_eq(nsent, 2);
	/* a refresh that brings nothing leaves what is there, for its time and not longer */
	clock_ms += 150000;
	ck_assert_int_eq(ask("lab.example"), SOURCE_FOUND);
	answer(sent[2].id, SOURCE_TEMP, 0, "silent");
	ck_assert_int_eq(ask("lab.example"), SOURCE_FOUND);
	ck_assert_str_eq(text, "two");
	ck_assert_uint_eq(nsent, 3);
	clock_ms += 50000;
	ck_assert_int_eq(ask("lab.example"), -1);
	answer(sent[3].id, SOURCE_TEMP, 0, "silent");
	ck_assert_int_eq(ask("lab.example"), SOURCE_TEMP);
	ck_assert_str_eq(text, "silent");
}
END_TEST

START_TEST(age_is_told)
{
	struct trace t = {0};
	struct source_ask a = dns("lab.example");
	struct source_run *r;

	ck_assert_int_eq(ask("lab.example"), -1);
	answer(sent[0].id, SOURCE_NONE, 300, "no such name");
	clock_ms += 100000;
	r = source_book_begin(book, false, &t);
	ck_assert_int_eq(source_get(r, "dns CERT", &a)->status, SOURCE_NONE);
	ck_assert(t.v[0].age_s == 100 && t.v[0].ttl_s == 200);
	source_book_end(r);
	trace_clear(&t);
}
END_TEST

/* ---- runs ---- */

/* Who wants to know what is so now is not told what was so, nor the same question asked twice for it. */
START_TEST(not_older_than)
{
	struct source_ask a = dns("lab.example");

	ck_assert_int_eq(ask("lab.example"), -1);
	answer(sent[0].id, SOURCE_FOUND, 3600, "old");
	clock_ms += 2000;
	a.since = now_s(NULL);
	ck_assert_int_eq(ask_of(&a, NULL), -1);
	ck_assert_int_eq(ask_of(&a, NULL), -1);
	ck_assert_uint_eq(nsent, 2);
	clock_ms += 3000;
	answer(sent[1].id, SOURCE_FOUND, 3600, "new");
	ck_assert_int_eq(ask_of(&a, NULL), SOURCE_FOUND);
	ck_assert_str_eq(text, "new");
	ck_assert_int_eq(ask("lab.example"), SOURCE_FOUND);
	ck_assert_str_eq(text, "new");
	ck_assert_uint_eq(nsent, 2);
}
END_TEST

START_TEST(valid_to_the_runs_end)
{
	struct source_run *r;
	const struct source_answer *w[2];
	struct source_ask a = dns("lab.example");
	char name[64];

	ck_assert_int_eq(ask("lab.example"), -1);
	answer(sent[0].id, SOURCE_FOUND, 60, "old");
	r = source_book_begin(book, false, NULL);
	w[0] = source_get(r, "dns", &a);
	ck_assert_ptr_eq(source_get(r, "dns", &a), w[0]);
	clock_ms += 60001;
	ck_assert_ptr_null(source_get(r, "dns", &a)); /* too old now: asked again, the old one stays readable */
	for (int i = 0; i < 200; i++) {
		struct source_ask b;

		snprintf(name, sizeof name, "d%d.example", i);
		b = dns(name);
		w[1] = source_get(r, "dns", &b);
	}
	ck_assert_ptr_nonnull(strstr(w[1]->why, "too many questions wait for the network"));
	ck_assert_mem_eq(w[0]->items[0].p, "old", 3);
	source_book_end(r);
}
END_TEST

START_TEST(last_run_asks_no_more)
{
	struct source_ask a = dns("lab.example"), b = dns("new.example");
	struct source_run *r;

	ck_assert_int_eq(ask("lab.example"), -1);
	r = source_book_begin(book, true, NULL);
	ck_assert_str_eq(source_get(r, "dns", &a)->why, "no answer in time");
	ck_assert_str_eq(source_get(r, "dns", &b)->why, "no answer in time");
	ck_assert_uint_eq(r->pending, 0);
	source_book_end(r);
	ck_assert_uint_eq(nsent, 1);
	/* the answer comes after all, and counts for the next one */
	answer(sent[0].id, SOURCE_FOUND, 300, "late");
	ck_assert_int_eq(ask("lab.example"), SOURCE_FOUND);
}
END_TEST

START_TEST(called_once_for_several)
{
	struct source_run *r = source_book_begin(book, false, NULL);
	struct source_ask a = dns("a.example"), b = dns("b.example");
	struct source_wait *gone;

	called = 0;
	ck_assert_ptr_null(source_get(r, "dns", &a));
	ck_assert_ptr_null(source_get(r, "dns", &b));
	ck_assert_ptr_null(source_get(r, "dns", &b));
	(void)source_book_wait(r, note, &called);
	source_book_end(r);
	ck_assert_int_eq(ask_of(&b, &gone), -1);
	source_book_forget(gone);
	source_book_forget(NULL);
	answer(sent[1].id, SOURCE_NONE, 1, "");
	ck_assert_uint_eq(called, 1);
	answer(sent[0].id, SOURCE_NONE, 1, "");
	ck_assert_uint_eq(called, 1);
}
END_TEST

START_TEST(unknown_ids)
{
	ck_assert_int_eq(ask("lab.example"), -1);
	answer(0, SOURCE_NONE, 1, "");
	answer(sent[0].id + 1, SOURCE_NONE, 1, "");
	answer(sent[0].id + 64, SOURCE_NONE, 1, "");
	ck_assert_int_eq(ask("lab.example"), -1);
	answer(sent[0].id, SOURCE_NONE, 1, "");
	answer(sent[0].id, SOURCE_FOUND, 300, "twice");
	ck_assert_int_eq(ask("lab.example"), SOURCE_NONE);
}
END_TEST

/* ---- bounds ---- */

START_TEST(under_way_is_bounded)
{
	int temp = 0, pending = 0;
	char name[64];

	for (int i = 0; i < 10000; i++) {
		struct source_ask a;

		snprintf(name, sizeof name, "_x.domain%d.example", i);
		a = dns(name);
		a.chosen = SOURCE_BY_STRANGER;
		*(ask_of(&a, NULL) == SOURCE_TEMP ? &temp : &pending) += 1;
	}
	ck_assert_int_eq(pending, 48); /* three quarters of 64 */
	ck_assert_int_eq(temp, 10000 - 48);
	ck_assert_str_eq(text, "too many questions wait for the network; try again");
	/* what the admin named has places left */
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "listed%d.example", i);
		ck_assert_int_eq(ask(name), i < 16 ? -1 : SOURCE_TEMP);
	}
	ck_assert_uint_eq(nsent, 64);
	ck_assert_uint_eq(source_book_counts(book).asking, 64);
	ck_assert_uint_eq(source_book_counts(book).kept, 64);
	answer(sent[0].id, SOURCE_NONE, 1, "");
	ck_assert_int_eq(ask("listed19.example"), -1);
}
END_TEST

START_TEST(one_site_is_bounded)
{
	char name[64];

	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "person%d.lab.example", i);
		ck_assert_int_eq(ask(name), i < 16 ? -1 : SOURCE_TEMP);
	}
	ck_assert_str_eq(text, "too many questions wait for lab.example; try again");
	ck_assert_int_eq(ask("person.other.example"), -1);
}
END_TEST

START_TEST(those_unused_for_longest_go)
{
	char name[64];

	for (int i = 0; i < 150; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_int_eq(ask(name), -1);
		answer(sent[nsent - 1].id, SOURCE_FOUND, 300, "x");
		ck_assert_int_eq(ask("d0.example"), SOURCE_FOUND);
	}
	ck_assert_uint_eq(source_book_counts(book).kept, 100);
	ck_assert_int_eq(ask("d149.example"), SOURCE_FOUND);
	ck_assert_int_eq(ask("d1.example"), -1);
}
END_TEST

START_TEST(octets_are_bounded)
{
	static char big[200001];
	char name[64];

	memset(big, 'x', sizeof big - 1);
	for (int i = 0; i < 20; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		ck_assert_int_eq(ask(name), -1);
		answer(sent[nsent - 1].id, SOURCE_FOUND, 300, big);
		ck_assert_uint_le(source_book_counts(book).octets, 1 << 20);
	}
	ck_assert_uint_eq(source_book_counts(book).kept, 5);
	ck_assert_int_eq(ask("d19.example"), SOURCE_FOUND);
}
END_TEST

/* ---- the scout ---- */

START_TEST(scout_dies)
{
	called = 0;

	struct source_wait *w;
	struct source_ask a = dns("lab.example");

	ck_assert_int_eq(ask_of(&a, &w), -1);
	away = true;
	source_book_away(book);
	ck_assert_uint_eq(called, 0);
	ck_assert_int_eq(ask("other.example"), -1);
	away = false;
	source_book_back(book);
	ck_assert_uint_eq(nsent, 3);
	ck_assert_uint_eq(sent[1].id, sent[0].id);
	source_book_away(book); /* the second time it is an answer, for the one that was asked twice */
	ck_assert_uint_eq(called, 1);
	ck_assert_int_eq(ask("lab.example"), SOURCE_TEMP);
	ck_assert_ptr_nonnull(strstr(text, "stopped twice"));
	source_book_back(book);
	ck_assert_uint_eq(nsent, 4);
	answer(sent[3].id, SOURCE_FOUND, 300, "x");
	ck_assert_int_eq(ask("other.example"), SOURCE_FOUND);
}
END_TEST

START_TEST(scout_says_nothing)
{
	struct source_wait *w;
	struct source_ask a = dns("lab.example");

	called = 0;
	ck_assert_int_eq(ask_of(&a, &w), -1);
	clock_ms += 6999;
	source_book_tick(book);
	ck_assert_uint_eq(called, 0);
	clock_ms += 1;
	source_book_tick(book);
	ck_assert_uint_eq(called, 1);
	ck_assert_int_eq(ask("lab.example"), SOURCE_TEMP);
	ck_assert_ptr_nonnull(strstr(text, "did not answer in time"));
	ck_assert_uint_eq(source_book_counts(book).asking, 0);
	/* never there at all */
	again();
	away = true;
	ck_assert_int_eq(ask("lab.example"), -1);
	clock_ms += 7000;
	source_book_tick(book);
	ck_assert_int_eq(ask("lab.example"), SOURCE_TEMP);
	ck_assert_ptr_nonnull(strstr(text, "is not running"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("source_book");
	TCase *c = tcase_create("book");

	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, asked_once);
	tcase_add_test(c, other_questions_are_others);
	tcase_add_loop_test(c, kept_by_ttl, 0, (int)(sizeof lives / sizeof lives[0]));
	tcase_add_test(c, refreshed_while_used);
	tcase_add_test(c, age_is_told);
	tcase_add_test(c, not_older_than);
	tcase_add_test(c, valid_to_the_runs_end);
	tcase_add_test(c, last_run_asks_no_more);
	tcase_add_test(c, called_once_for_several);
	tcase_add_test(c, unknown_ids);
	tcase_add_test(c, under_way_is_bounded);
	tcase_add_test(c, one_site_is_bounded);
	tcase_add_test(c, those_unused_for_longest_go);
	tcase_add_test(c, octets_are_bounded);
	tcase_add_test(c, scout_dies);
	tcase_add_test(c, scout_says_nothing);
	suite_add_tcase(s, c);
	return suite_run(s);
}
