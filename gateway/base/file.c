/* Whole small files and durable writes. Parent, judge, keeper before its sandbox, CLI, tests; blocks. */
#include "gateway/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/mem.h"

enum { FILE_CHUNK = 16 * 1024 };

static int too_large(struct buf *b, struct problem *pr)
{
	return problem_perm(pr, "larger than the allowed %zu octets", b->max);
}

int file_read_fd(int fd, struct buf *b, struct problem *pr)
{
	for (;;) {
		size_t room = b->max - b->len;
		size_t want = room < FILE_CHUNK ? room : FILE_CHUNK;
		uint8_t over;
		uint8_t *to = want ? buf_room(b, want) : &over;
		ssize_t r = read(fd, to, want ? want : 1);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return problem_temp(pr, "cannot read: %s", strerror(errno));
		if (r == 0)
			return 0;
		if (!want)
			return too_large(b, pr);
		buf_added(b, (size_t)r);
	}
}

int file_read(const char *path, struct buf *b, struct problem *pr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);

	if (fd < 0)
		return problem_temp(pr, "%s: cannot open: %s", path, strerror(errno));

	int r = file_read_fd(fd, b, pr);

	close(fd);
	if (r < 0)
		problem_prefix(pr, "%s: ", path);
	return r;
}

static int write_all(int fd, const void *p, size_t n)
{
	const uint8_t *from = p;

	while (n > 0) {
		ssize_t r = write(fd, from, n);

		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0)
			return -1;
		from += r;
		n -= (size_t)r;
	}
	return 0;
}

/* The rename is durable only once the directory is. */
static int sync_dir_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	char *dir = slash ? mem_dup(path, slash == path ? 1 : (size_t)(slash - path)) : mem_str(".");
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r = fd < 0 ? -1 : fsync(fd);
	int saved = errno;

	if (fd >= 0)
		close(fd);
	free(dir);
	errno = saved;
	return r;
}

/* Content is on the disk and the descriptor closed without error when this returns 0. */
static int fill(int fd, const void *p, size_t n, mode_t mode)
{
	int r = fchmod(fd, mode) < 0 || write_all(fd, p, n) < 0 || fsync(fd) < 0 ? -1 : 0;
	int saved = errno;

	if (close(fd) < 0 && r == 0)
		return -1;
	errno = saved;
	return r;
}

int file_write(const char *path, const void *p, size_t n, mode_t mode, struct problem *pr)
{
	char temp[PATH_MAX];

	if (snprintf(temp, sizeof temp, "%s.new-XXXXXX", path) >= (int)sizeof temp)
		return problem_temp(pr, "%s: cannot write: the path is too long", path);

	int fd = mkostemp(temp, O_CLOEXEC);

	if (fd < 0)
		return problem_temp(pr, "%s: cannot create a temporary file beside it: %s", path, strerror(errno));
	if (fill(fd, p, n, mode) < 0 || rename(temp, path) < 0) {
		int saved = errno;

		unlink(temp);
		return problem_temp(pr, "%s: cannot write: %s", path, strerror(saved));
	}
	if (sync_dir_of(path) < 0)
		return problem_temp(pr, "%s: cannot sync its directory: %s", path, strerror(errno));
	return 0;
}

int file_remove(const char *path, struct problem *pr)
{
	if (unlink(path) < 0 && errno != ENOENT)
		return problem_temp(pr, "%s: cannot remove: %s", path, strerror(errno));
	/* also when it was gone already: whoever removed it may have died before the directory was on disk */
	if (sync_dir_of(path) < 0)
		return problem_temp(pr, "%s: cannot sync its directory: %s", path, strerror(errno));
	return 0;
}

int file_memfd(const char *name, const void *p, size_t n)
{
	int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (write_all(fd, p, n) == 0 && lseek(fd, 0, SEEK_SET) == 0 &&
	    fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) == 0)
		return fd;

	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static int one_dir(const char *path, mode_t mode)
{
	struct stat st;

	if (mkdir(path, mode) == 0 || (errno == EEXIST && stat(path, &st) == 0 && S_ISDIR(st.st_mode)))
		return 0;
	/* a parent that exists but is read-only reports EROFS or EACCES although nothing is missing */
	int saved = errno;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode))
		return 0;
	errno = saved;
	return -1;
}

int file_mkdirs(const char *path, mode_t mode, struct problem *pr)
{
	char part[PATH_MAX];

	if (mem_copy_str(part, sizeof part, path) < 0 || !*part)
		return problem_temp(pr, "%s: cannot make this directory: the path is empty or too long", path);
	for (char *s = part + 1;; s++) {
		char c = *s;

		if (c != '/' && c != 0)
			continue;
		*s = 0;
		if (one_dir(part, mode) < 0)
			return problem_temp(pr, "%s: cannot make this directory: %s", part, strerror(errno));
		if (c == 0)
			return 0;
		*s = c;
	}
}
