#include "interop/kit/place.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop/kit/util.h"

char *place_of(const char *name)
{
	static const char *const relative[] = {"../../interop", "../../../interop", "../share/postern-interop"};
	char program[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", program, sizeof(program) - 1);
	char *path;

	if (n <= 0)
		die("/proc/self/exe cannot be read: where is this program?");
	program[n] = 0;
	*strrchr(program, '/') = 0;
	for (size_t i = 0; i < sizeof(relative) / sizeof(*relative); i++) {
		path = text_make("%s/%s/%s", program, relative[i], name);
		if (file_there(path))
			return path;
		free(path);
	}
	die("%s is neither in ../../interop nor in ../share/postern-interop, seen from %s", name, program);
}
