/* Policies remembered and kept in a file: there and back, damage, limits. */
#include "gateway/scout/sts_cache.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "tests/unit/suite.h"

enum { MAX = 300, AGE = 86400 };
static struct sts_known known;

static void fill(const char *id, int64_t fetched, size_t nmx)
{
	memset(&known, 0, sizeof known);
	snprintf(known.id, sizeof known.id, "%s", id);
	known.fetched = fetched;
	known.policy.mode = SCOUT_STS_ENFORCE;
	known.policy.max_age = 86400;
	known.policy.nmx = nmx;
	for (size_t i = 0; i < nmx; i++)
		snprintf(known.policy.mx[i], sizeof known.policy.mx[i], "mx%zu.lab.example", i);
}

START_TEST(remembers)
{
	struct sts_cache *c = sts_cache_new(MAX, AGE);

	ck_assert(!sts_cache_get(c, "lab.example", &known));
	fill("a1", 100, 2);
	ck_assert(sts_cache_put(c, "lab.example", &known, 400));
	fill("b1", 200, 1);
	ck_assert(sts_cache_put(c, "other.example", &known, 400));
	ck_assert(sts_cache_get(c, "lab.example", &known));
	ck_assert_str_eq(known.id, "a1");
	ck_assert(known.fetched == 100 && known.policy.nmx == 2 && known.policy.mode == SCOUT_STS_ENFORCE);
	fill("a2", 300, 1);
	ck_assert(sts_cache_put(c, "lab.example", &known, 400));
	ck_assert_uint_eq(sts_cache_count(c), 2);
	ck_assert(sts_cache_get(c, "lab.example", &known));
	ck_assert_str_eq(known.id, "a2");
	sts_cache_free(c);
}
END_TEST

static const char *name(int i)
{
	static char out[64];

	snprintf(out, sizeof out, "d%d.example", i);
	return out;
}

static bool put(struct sts_cache *c, int i, enum scout_sts mode, int64_t fetched, int64_t now)
{
	fill("x", fetched, 1);
	known.policy.mode = mode;
	return sts_cache_put(c, name(i), &known, now);
}

static bool has(struct sts_cache *c, int i)
{
	return sts_cache_get(c, name(i), &known);
}

START_TEST(least_used_goes)
{
	static const enum scout_sts modes[] = {SCOUT_STS_NONE, SCOUT_STS_TESTING};
	struct sts_cache *c = sts_cache_new(MAX, AGE);

	for (int i = 0; i < MAX; i++)
		ck_assert(put(c, i, modes[i % 2], 1, 1));
	ck_assert(has(c, 0));
	ck_assert(put(c, MAX, modes[_i], 1, 1));
	ck_assert_uint_eq(sts_cache_count(c), MAX);
	ck_assert(has(c, 0) && !has(c, 1) && has(c, 2));
	sts_cache_free(c);
}
END_TEST

/* What protects is not pushed out by any number of other domains, whatever their policies say, until it ends. */
START_TEST(protection_stays)
{
	struct sts_cache *c = sts_cache_new(MAX, AGE);

	for (int i = 0; i < MAX; i++) {
		ck_assert(put(c, i, i < 10 ? SCOUT_STS_ENFORCE : SCOUT_STS_TESTING, i < 10 ? i : 0, 0));
		ck_assert(i >= 10 || i == 0 || has(c, 0)); /* used or not */
	}
	for (int i = MAX; i < 3 * MAX; i++)
		ck_assert(put(c, i, i % 2 ? SCOUT_STS_NONE : SCOUT_STS_TESTING, 0, 0));
	for (int i = 0; i < 10; i++)
		ck_assert(has(c, i));
	for (int i = MAX; i < 2 * MAX - 10; i++)
		ck_assert(put(c, i, SCOUT_STS_ENFORCE, 100, 100));
	ck_assert_uint_eq(sts_cache_count(c), MAX);
	ck_assert(!put(c, 5 * MAX, SCOUT_STS_ENFORCE, 100, 100) && !has(c, 5 * MAX));
	ck_assert(!put(c, 5 * MAX, SCOUT_STS_TESTING, 100, AGE - 1) && !has(c, 5 * MAX));
	/* one that is known has its place, also when it says less now */
	ck_assert(put(c, 3, SCOUT_STS_ENFORCE, 200, 200) && put(c, 4, SCOUT_STS_TESTING, 200, 200));
	ck_assert(put(c, 5 * MAX, SCOUT_STS_ENFORCE, 200, 200) && !has(c, 4));
	/* number 0 has ended */
	ck_assert(put(c, 6 * MAX, SCOUT_STS_ENFORCE, 200, AGE) && !has(c, 0) && has(c, 1));
	ck_assert(!put(c, 7 * MAX, SCOUT_STS_ENFORCE, 200, AGE));
	ck_assert(put(c, 7 * MAX, SCOUT_STS_ENFORCE, AGE, AGE + 2) && !has(c, 1) && !has(c, 2) && has(c, 3));
	sts_cache_free(c);
}
END_TEST

static bool put_below(struct sts_cache *c, int i, const char *org, enum scout_sts mode, size_t nmx, int64_t now)
{
	char domain[80];

	snprintf(domain, sizeof domain, "s%d.%s", i, org);
	fill("x", now, nmx);
	known.policy.mode = mode;
	return sts_cache_put(c, domain, &known, now);
}

/* However many names somebody makes below one domain, and whatever their policies' size: others find room. */
START_TEST(one_domain_has_a_share)
{
	static const size_t sizes[] = {1, STS_POLICY_MX_MAX};
	struct sts_cache *c = sts_cache_new(MAX, AGE);
	int kept = 0, more = 0, others = 0;

	for (int i = 0; i < 3 * MAX; i++)
		kept += put_below(
		    c, i, i % 2 ? "evil.example" : "deep.below.evil.example", SCOUT_STS_ENFORCE, sizes[_i], 1);
	ck_assert_int_gt(kept, 1);
	ck_assert_int_le(kept, MAX / 8 + 1);
	/* one whose name falls together with the other's by chance (the hash has a seed) may be refused */
	for (int i = 0; others < MAX - kept; i++)
		others += put(c, i, SCOUT_STS_ENFORCE, 1, 1);
	ck_assert(sts_cache_get(c, "s1.evil.example", &known));
	/* its share is taken back with what has it: less protection, and the end */
	ck_assert(put_below(c, 1, "evil.example", SCOUT_STS_TESTING, 1, 2));
	ck_assert(put_below(c, 5 * MAX, "evil.example", SCOUT_STS_ENFORCE, sizes[_i], 2));
	ck_assert(!put_below(c, 5 * MAX + 2, "evil.example", SCOUT_STS_ENFORCE, sizes[_i], 2));
	for (int i = 0; i < MAX; i++)
		more += put_below(c, i, "evil.example", SCOUT_STS_ENFORCE, sizes[_i], AGE + 5);
	ck_assert_int_eq(more, kept);
	sts_cache_free(c);
}
END_TEST

/* Large policies of known domains: no more room than the bound, and the old one stays. */
START_TEST(octets)
{
	struct sts_cache *c = sts_cache_new(MAX, AGE);
	int large = 0;

	for (int i = 0; i < MAX; i++)
		ck_assert(put(c, i, SCOUT_STS_ENFORCE, 1, 1));
	for (int i = 0; i < MAX; i++) {
		fill("new", 2, STS_POLICY_MX_MAX);
		large += sts_cache_put(c, name(i), &known, 2);
	}
	ck_assert_int_lt(large, MAX);
	ck_assert_int_gt(large, 0);
	ck_assert_uint_eq(sts_cache_count(c), MAX);
	ck_assert(has(c, MAX - 1) && known.policy.nmx == 1 && known.fetched == 1);
	sts_cache_free(c);
}
END_TEST

static int file_of(size_t n)
{
	struct sts_cache *c = sts_cache_new(MAX, AGE);
	int fd = memfd_create("sts", 0);
	struct problem pr;

	ck_assert_int_ge(fd, 0);
	fill("id7", 12345, 3);
	for (size_t i = 0; i < n; i++) {
		ck_assert(sts_cache_put(c, name((int)i), &known, 12345));
	}
	ck_assert_int_eq(sts_cache_write(c, fd, &pr), 0);
	sts_cache_free(c);
	return fd;
}

START_TEST(file)
{
	size_t n = (size_t)_i;
	struct sts_cache *c = sts_cache_new(MAX, AGE);
	int fd = file_of(n);
	struct problem pr;

	ck_assert_int_eq(sts_cache_read(c, fd, 20000, &pr), 0);
	ck_assert_uint_eq(sts_cache_count(c), n);
	if (n) {
		ck_assert(sts_cache_get(c, "d0.example", &known));
		ck_assert_str_eq(known.id, "id7");
		ck_assert(known.fetched == 12345 && known.policy.nmx == 3);
		ck_assert_str_eq(known.policy.mx[2], "mx2.lab.example");
	}
	/* a shorter one over it */
	sts_cache_free(c);
	c = sts_cache_new(MAX, AGE);
	ck_assert_int_eq(sts_cache_write(c, fd, &pr), 0);
	ck_assert_int_eq(sts_cache_read(c, fd, 20000, &pr), 0);
	ck_assert_uint_eq(sts_cache_count(c), 0);
	sts_cache_free(c);
	close(fd);
}
END_TEST

/* Any octet changed, or the end cut off: nothing is taken. */
START_TEST(damaged)
{
	int fd = file_of(2);
	off_t size = lseek(fd, 0, SEEK_END);
	struct problem pr;

	for (off_t at = 0; at < size; at++) {
		struct sts_cache *c = sts_cache_new(MAX, AGE);
		char was, now;

		ck_assert_int_eq(pread(fd, &was, 1, at), 1);
		now = was == 'x' ? 'y' : 'x';
		ck_assert_int_eq(pwrite(fd, &now, 1, at), 1);
		ck_assert_int_eq(sts_cache_read(c, fd, 20000, &pr), -1);
		ck_assert_uint_eq(sts_cache_count(c), 0);
		ck_assert_int_eq(pwrite(fd, &was, 1, at), 1);
		sts_cache_free(c);
	}
	for (off_t n = size - 1; n > 0; n--) {
		struct sts_cache *c = sts_cache_new(MAX, AGE);

		ck_assert_int_eq(ftruncate(fd, n), 0);
		ck_assert_int_eq(sts_cache_read(c, fd, 20000, &pr), -1);
		sts_cache_free(c);
	}
	close(fd);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("sts_cache");
	TCase *t = tcase_create("sts_cache");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, remembers);
	tcase_add_loop_test(t, least_used_goes, 0, 2);
	tcase_add_test(t, protection_stays);
	tcase_add_loop_test(t, one_domain_has_a_share, 0, 2);
	tcase_add_test(t, octets);
	tcase_add_loop_test(t, file, 0, 3);
	tcase_add_test(t, damaged);
	suite_add_tcase(s, t);
	return suite_run(s);
}
