/* Policies remembered and kept in a file: there and back, damage, limits. */
#include "gateway/scout/sts_cache.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

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
	struct sts_cache *c = sts_cache_new();

	ck_assert(!sts_cache_get(c, "lab.example", &known));
	fill("a1", 100, 2);
	sts_cache_put(c, "lab.example", &known);
	fill("b1", 200, 1);
	sts_cache_put(c, "other.example", &known);
	ck_assert(sts_cache_get(c, "lab.example", &known));
	ck_assert_str_eq(known.id, "a1");
	ck_assert(known.fetched == 100 && known.policy.nmx == 2 && known.policy.mode == SCOUT_STS_ENFORCE);
	fill("a2", 300, 1);
	sts_cache_put(c, "lab.example", &known);
	ck_assert_uint_eq(sts_cache_count(c), 2);
	ck_assert(sts_cache_get(c, "lab.example", &known));
	ck_assert_str_eq(known.id, "a2");
	sts_cache_free(c);
}
END_TEST

START_TEST(least_used_goes)
{
	struct sts_cache *c = sts_cache_new();
	char name[64];

	fill("x", 1, 1);
	for (int i = 0; i < STS_CACHE_DOMAINS; i++) {
		snprintf(name, sizeof name, "d%d.example", i);
		sts_cache_put(c, name, &known);
	}
	ck_assert(sts_cache_get(c, "d0.example", &known));
	sts_cache_put(c, "one-more.example", &known);
	ck_assert_uint_eq(sts_cache_count(c), STS_CACHE_DOMAINS);
	ck_assert(sts_cache_get(c, "d0.example", &known));
	ck_assert(!sts_cache_get(c, "d1.example", &known));
	sts_cache_free(c);
}
END_TEST

static int file_of(size_t n)
{
	struct sts_cache *c = sts_cache_new();
	int fd = memfd_create("sts", 0);
	struct problem pr;
	char name[64];

	ck_assert_int_ge(fd, 0);
	fill("id7", 12345, 3);
	for (size_t i = 0; i < n; i++) {
		snprintf(name, sizeof name, "d%zu.example", i);
		sts_cache_put(c, name, &known);
	}
	ck_assert_int_eq(sts_cache_write(c, fd, &pr), 0);
	sts_cache_free(c);
	return fd;
}

START_TEST(file)
{
	size_t n = (size_t)_i;
	struct sts_cache *c = sts_cache_new();
	int fd = file_of(n);
	struct problem pr;

	ck_assert_int_eq(sts_cache_read(c, fd, &pr), 0);
	ck_assert_uint_eq(sts_cache_count(c), n);
	if (n) {
		ck_assert(sts_cache_get(c, "d0.example", &known));
		ck_assert_str_eq(known.id, "id7");
		ck_assert(known.fetched == 12345 && known.policy.nmx == 3);
		ck_assert_str_eq(known.policy.mx[2], "mx2.lab.example");
	}
	/* a shorter one over it */
	sts_cache_free(c);
	c = sts_cache_new();
	ck_assert_int_eq(sts_cache_write(c, fd, &pr), 0);
	ck_assert_int_eq(sts_cache_read(c, fd, &pr), 0);
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
		struct sts_cache *c = sts_cache_new();
		char was, now;

		ck_assert_int_eq(pread(fd, &was, 1, at), 1);
		now = was == 'x' ? 'y' : 'x';
		ck_assert_int_eq(pwrite(fd, &now, 1, at), 1);
		ck_assert_int_eq(sts_cache_read(c, fd, &pr), -1);
		ck_assert_uint_eq(sts_cache_count(c), 0);
		ck_assert_int_eq(pwrite(fd, &was, 1, at), 1);
		sts_cache_free(c);
	}
	for (off_t n = size - 1; n > 0; n--) {
		struct sts_cache *c = sts_cache_new();

		ck_assert_int_eq(ftruncate(fd, n), 0);
		ck_assert_int_eq(sts_cache_read(c, fd, &pr), -1);
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
	tcase_add_test(t, least_used_goes);
	tcase_add_loop_test(t, file, 0, 3);
	tcase_add_test(t, damaged);
	suite_add_tcase(s, t);

	SRunner *r = srunner_create(s);

	srunner_run_all(r, CK_ENV);

	int failed = srunner_ntests_failed(r);

	srunner_free(r);
	return failed != 0;
}
