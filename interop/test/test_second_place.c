/* Where the second judge's files are: nobody else reads them, they are removed at the end, and those of a kit that
 * was ended by a signal by the next one. */
#include "interop/kit/second_place.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
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

/* The number of a process that is no more. */
static long gone(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(0);
	ck_assert_int_gt(pid, 0);
	ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	return pid;
}

START_TEST(left)
{
	struct kit k = {.dir = top};
	char name[80], dead[300], living[300], without[300], other[300], *dir;
	struct stat st;

	ck_assert_ptr_nonnull(mkdtemp(top));
	snprintf(name, sizeof(name), "second-%ld-abcdef", gone());
	make(name, dead, sizeof(dead));
	snprintf(name, sizeof(name), "second-%ld-abcdef", (long)getppid());
	make(name, living, sizeof(living));
	make("second-abcdef", without, sizeof(without));
	make("world", other, sizeof(other));

	dir = second_place_directory(&k);
	ck_assert_ptr_nonnull(dir);
	ck_assert(strncmp(dir, top, strlen(top)) == 0 && stat(dir, &st) == 0 && (st.st_mode & 0777) == 0700);
	ck_assert(!there(dead) && there(living) && there(without) && there(other));

	second_place_remove(dir);
	ck_assert(!there(dir));
	free(dir);
	second_place_remove(living);
	second_place_remove(without);
	second_place_remove(other);
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
