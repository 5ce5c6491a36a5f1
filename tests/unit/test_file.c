/* file.c in a directory of its own. */
#include "gateway/base/file.h"

#include <check.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/suite.h"

static char dir[64], path[100];

static void setup(void)
{
	snprintf(dir, sizeof dir, "/tmp/postern-file-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/f", dir);
}

static void teardown(void)
{
	unlink(path);
	ck_assert_msg(rmdir(dir) == 0, "%s: %s", dir, strerror(errno)); /* also: no temporary file stays */
}

START_TEST(test_round)
{
	struct problem pr;
	struct stat st;
	struct buf b;

	ck_assert_int_eq(file_write(path, "one", 3, 0640, &pr), 0);
	ck_assert_int_eq(file_write(path, "second", 6, 0600, &pr), 0);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	buf_init(&b, 6);
	ck_assert_int_eq(file_read(path, &b, &pr), 0);
	ck_assert_str_eq(buf_str(&b), "second");
	buf_clear(&b);
	buf_init(&b, 5);
	ck_assert_int_eq(file_read(path, &b, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, path));
	ck_assert_ptr_nonnull(strstr(pr.text, "allowed 5 octets"));
	buf_clear(&b);
	ck_assert_int_eq(file_write(path, "", 0, 0600, &pr), 0);
	buf_init(&b, 0);
	ck_assert_int_eq(file_read(path, &b, &pr), 0);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

START_TEST(test_large)
{
	struct problem pr;
	struct buf a, b;

	buf_init(&a, 100000);
	for (int i = 0; i < 99999; i++)
		ck_assert_int_eq(buf_addc(&a, (uint8_t)(i * 31 >> 3)), 0);
	ck_assert_int_eq(file_write(path, a.p, a.len, 0600, &pr), 0);
	buf_init(&b, 100000);
	ck_assert_int_eq(file_read(path, &b, &pr), 0);
	ck_assert_uint_eq(b.len, 99999);
	ck_assert_mem_eq(a.p, b.p, a.len);
	buf_clear(&a);
	buf_clear(&b);
}
END_TEST

START_TEST(test_refused)
{
	struct problem pr;
	struct buf b;
	char deep[200];

	buf_init(&b, 10);
	ck_assert_int_eq(file_read(path, &b, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "No such file"));
	ck_assert_ptr_nonnull(strstr(pr.text, path));
	ck_assert_int_eq(file_read(dir, &b, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "Is a directory"));
	snprintf(deep, sizeof deep, "%s/none/f", dir);
	ck_assert_int_eq(file_write(deep, "x", 1, 0600, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, deep));
	ck_assert_int_eq(
	    file_write(dir, "x", 1, 0600, &pr), -1); /* rename over a directory; nothing is left beside it */
	snprintf(deep, sizeof deep, "%s.new-", dir);

	DIR *tmp = opendir("/tmp");

	for (struct dirent *e; (e = readdir(tmp));)
		ck_assert_int_ne(strncmp(e->d_name, deep + 5, strlen(deep + 5)), 0);
	closedir(tmp);
	buf_clear(&b);
}
END_TEST

START_TEST(test_memfd)
{
	char got[8];
	int fd = file_memfd("x", "content", 7);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(read(fd, got, 8), 7);
	ck_assert_mem_eq(got, "content", 7);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(fcntl(fd, F_GET_SEALS) & 15, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	close(fd);
	fd = file_memfd("x", "", 0);
	ck_assert_int_ge(fd, 0);
	close(fd);
}
END_TEST

START_TEST(test_mkdirs)
{
	struct problem pr;
	struct stat st;
	char deep[200];

	snprintf(deep, sizeof deep, "%s/a/b", dir);
	ck_assert_int_eq(file_mkdirs(deep, 0700, &pr), 0);
	ck_assert_int_eq(file_mkdirs(deep, 0700, &pr), 0);
	ck_assert(stat(deep, &st) == 0 && S_ISDIR(st.st_mode) && (st.st_mode & 0777) == 0700);
	ck_assert_int_eq(rmdir(deep), 0);
	snprintf(deep, sizeof deep, "%s/a/", dir);
	ck_assert_int_eq(file_mkdirs(deep, 0700, &pr), 0);
	ck_assert_int_eq(rmdir(deep), 0);
	ck_assert_int_eq(file_write(path, "", 0, 0600, &pr), 0);
	snprintf(deep, sizeof deep, "%s/b", path);
	ck_assert_int_eq(file_mkdirs(deep, 0700, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, path));
	ck_assert_int_eq(file_mkdirs("", 0700, &pr), -1);
	ck_assert_int_eq(file_mkdirs("/", 0700, &pr), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("file");
	TCase *t = tcase_create("file");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, test_round);
	tcase_add_test(t, test_large);
	tcase_add_test(t, test_refused);
	tcase_add_test(t, test_memfd);
	tcase_add_test(t, test_mkdirs);
	suite_add_tcase(s, t);
	return suite_run(s);
}
