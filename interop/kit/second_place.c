#include "interop/kit/second_place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

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

void second_place_remove(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *e;

	while (d && (e = readdir(d)))
		unlinkat(dirfd(d), e->d_name, 0);
	if (d)
		closedir(d);
	rmdir(dir);
}

/* What a kit that was ended by a signal left there. */
static void remove_left(const char *in)
{
	DIR *d = opendir(in);
	struct dirent *e;

	while (d && (e = readdir(d))) {
		bool ours = strncmp(e->d_name, "second-", 7) == 0;
		long pid = ours ? strtol(e->d_name + 7, NULL, 10) : 0;
		char *path;

		if (pid < 2 || kill((pid_t)pid, 0) == 0 || errno != ESRCH)
			continue;
		path = text_make("%s/%s", in, e->d_name);
		second_place_remove(path);
		free(path);
	}
	if (d)
		closedir(d);
}

/* The process's number is in the name: so it is seen what nobody uses any more. */
static char *make_in(const char *in)
{
	char *path = text_make("%s/second-%ld-XXXXXX", in, (long)getpid());

	remove_left(in);
	if (mkdtemp(path))
		return path;
	free(path);
	return NULL;
}

char *second_place_directory(const struct kit *k)
{
	const char *tmp = getenv("TMPDIR");
	char *path = make_in(k->dir ? k->dir : ".");

	return path ? path : make_in(tmp && *tmp ? tmp : "/tmp");
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
