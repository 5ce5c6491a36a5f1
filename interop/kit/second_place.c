#include "interop/kit/second_place.h"

#include <dirent.h>
#include <fcntl.h>
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

char *second_place_directory(const struct kit *k)
{
	const char *tmp = getenv("TMPDIR");
	char *path = text_make("%s/second-XXXXXX", k->dir ? k->dir : ".");

	if (mkdtemp(path))
		return path;
	free(path);
	path = text_make("%s/second-XXXXXX", tmp && *tmp ? tmp : "/tmp");
	if (mkdtemp(path))
		return path;
	free(path);
	return NULL;
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
