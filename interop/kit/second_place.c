#include "interop/kit/second_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TRIES = 10 };
#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789" /* of mkdtemp(3) */

extern char **environ;

char *second_place_program(const struct kit *k, const char *name)
{
	char self[4096], *out;
	ssize_t n = readlink("/proc/self/exe", self, sizeof(self) - 1);
	const char *set = getenv("POSTERN_INTEROP_JUDGES"), *slash = k->cases ? strrchr(k->cases, '/') : NULL;
	char *tries[6] = {0};

	self[n > 0 ? n : 0] = 0;
	if (n > 0 && strrchr(self, '/'))
		*strrchr(self, '/') = 0;
	if (strchr(name, '/'))
		return file_there(name) ? text_copy(name) : NULL;
	tries[0] = set ? text_make("%s/%s", set, name) : NULL;
	tries[1] = slash ? text_make("%.*s/judges/%s", (int)(slash - k->cases), k->cases, name)
			 : text_make("judges/%s", name);
	tries[2] = text_make("%s/judges/%s", self, name);
	tries[3] = text_make("%s/interop/judges/%s", self, name);
	tries[4] = text_make("%s/../interop/judges/%s", self, name);
	tries[5] = text_make("%s/../share/postern-interop/judges/%s", self, name);
	out = NULL;
	for (size_t i = 0; i < sizeof(tries) / sizeof(*tries); i++) {
		if (!out && tries[i] && access(tries[i], X_OK) == 0)
			out = text_copy(tries[i]);
		free(tries[i]);
	}
	return out;
}

/* The files in it, and itself. */
static void clear(int in, const char *name, int dir)
{
	int again = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = again < 0 ? NULL : fdopendir(again);
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlinkat(dir, e->d_name, 0);
	if (d)
		closedir(d);
	else if (again >= 0)
		close(again);
	unlinkat(in, name, AT_REMOVEDIR);
}

void second_place_remove(const char *dir, int held)
{
	clear(AT_FDCWD, dir, held);
	close(held);
}

/* A name that make_in may have given. */
static bool named(const char *name)
{
	return strncmp(name, "second-", 7) == 0 && strlen(name) == 13 && strspn(name + 7, LETTERS) == 6;
}

/* A directory of ours that nobody else reads and no kit holds, now held; else -1. */
static int take(int in, const char *name)
{
	int fd = openat(in, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && st.st_uid == geteuid() && (st.st_mode & 077) == 0 && st.st_nlink > 0 &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return -1;
}

/* What a kit that was ended by a signal left there. */
static void remove_left(const char *in)
{
	DIR *d = opendir(in);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		int fd = named(e->d_name) ? take(dirfd(d), e->d_name) : -1;

		if (fd < 0)
			continue;
		clear(dirfd(d), e->d_name, fd);
		close(fd);
	}
	if (d)
		closedir(d);
}

/* Another kit may take it for one that is left before it is held: then once more. */
static char *make_in(const char *in, int *held_r)
{
	remove_left(in);
	for (int i = 0; i < TRIES; i++) {
		char *path = text_make("%s/second-XXXXXX", in);
		struct stat st;

		if (!mkdtemp(path)) {
			free(path);
			return NULL;
		}
		*held_r = take(AT_FDCWD, path);
		if (*held_r >= 0 && stat(path, &st) == 0)
			return path;
		if (*held_r >= 0)
			close(*held_r);
		rmdir(path);
		free(path);
	}
	errno = EBUSY;
	return NULL;
}

char *second_place_directory(const struct kit *k, int *held_r)
{
	const char *tmp = getenv("TMPDIR");
	char *path = make_in(k->dir ? k->dir : ".", held_r);

	return path ? path : make_in(tmp && *tmp ? tmp : "/tmp", held_r);
}

char **second_place_environment(const char *cache)
{
	size_t n = 0, at = 0;
	char **out;

	while (environ[n])
		n++;
	out = need((n + 2) * sizeof(*out));
	for (size_t i = 0; i < n; i++)
		if (strncmp(environ[i], "INTEROP_CACHE=", 14) != 0)
			out[at++] = text_copy(environ[i]);
	out[at] = text_make("INTEROP_CACHE=%s", cache);
	return out;
}

void second_place_environment_free(char **env)
{
	for (size_t i = 0; env[i]; i++)
		free(env[i]);
	free(env);
}
