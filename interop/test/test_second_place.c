/* Where the second judge's files are: nobody else reads them, they are removed at the end, and those of a kit that
 * was ended by a signal by the next one. */
#include "interop/kit/second_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <check.h> /* last: it has a macro of the name fail */

static char top[] = "/tmp/test_second_place_XXXXXX";

static void make(const char *dir, char *path, size_t cap)
{
	char file[400];
	int fd;

	snprintf(path, cap, "%s/%s", top, dir);
	ck_assert_int_eq(mkdir(path, 0700), 0);
	snprintf(file, sizeof(file), "%s/key.pem", path);
	fd = open(file, O_CREAT | O_WRONLY, 0600);
	ck_assert_int_ge(fd, 0);
	close(fd);
}

static bool there(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0;
}

static bool has_key(const char *dir)
{
	char file[400];

	snprintf(file, sizeof(file), "%s/key.pem", dir);
	return there(file);
}

static int held(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	return fd;
}

/* What somebody else may have called so, or leads elsewhere, stays. */
START_TEST(left)
{
	static const char *const foreign[] = {"second-abcde", "second-abcdefg", "second-2026-a",
	    "second-99999-results", "second-abc.ef", "xsecond-abcdef", "world"};
	enum { FOREIGN = sizeof(foreign) / sizeof(*foreign) };
	struct kit k = {.dir = top};
	char dead[300], living[300], open_to_all[300], target[300], link[300], path[300], *dir;
	struct stat st;
	int living_fd, fd;

	ck_assert_ptr_nonnull(mkdtemp(top));
	make("second-aB3def", dead, sizeof(dead));
	make("second-living", living, sizeof(living));
	living_fd = held(living);
	make("second-others", open_to_all, sizeof(open_to_all));
	ck_assert_int_eq(chmod(open_to_all, 0755), 0);
	make("target", target, sizeof(target));
	snprintf(link, sizeof(link), "%s/second-linked", top);
	ck_assert_int_eq(symlink(target, link), 0);
	for (int i = 0; i < FOREIGN; i++)
		make(foreign[i], path, sizeof(path));

	dir = second_place_directory(&k, &fd);
	ck_assert_ptr_nonnull(dir);
	ck_assert(strncmp(dir, top, strlen(top)) == 0 && stat(dir, &st) == 0 && (st.st_mode & 077) == 0);
	ck_assert(!there(dead) && has_key(living) && has_key(open_to_all) && has_key(target));
	ck_assert_int_eq(lstat(link, &st), 0);
	for (int i = 0; i < FOREIGN; i++) {
		snprintf(path, sizeof(path), "%s/%s", top, foreign[i]);
		ck_assert_msg(has_key(path), "%s", path);
		second_place_remove(path, held(path));
	}

	/* a second kit beside it leaves both alone */
	int other_fd;
	char *other = second_place_directory(&k, &other_fd);

	ck_assert(other && there(dir) && strcmp(other, dir) != 0);
	second_place_remove(other, other_fd);
	free(other);

	second_place_remove(dir, fd);
	ck_assert(!there(dir));
	free(dir);
	second_place_remove(living, living_fd);
	second_place_remove(open_to_all, held(open_to_all));
	ck_assert_int_eq(unlink(link), 0);
	second_place_remove(target, held(target));
	ck_assert_int_eq(rmdir(top), 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("second_place");
	TCase *t = tcase_create("all");
	SRunner *r;
	int bad;

	tcase_add_test(t, left);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	bad = srunner_ntests_failed(r);
	srunner_free(r);
	return bad ? EXIT_FAILURE : EXIT_SUCCESS;
}
