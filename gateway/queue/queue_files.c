/*
 * The spool directory. relay. Content is written to an O_TMPFILE file: it has no name until it is synced, so that a
 * crash before leaves nothing at all. Landlock and linkat: the name is made in the directory where the file was made,
 * which needs no more than the right to make files there.
 */
#include "gateway/queue/queue_files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/queue/queue_number.h"

static int refuse(struct problem *pr, const char *dir, const char *what)
{
	if (errno == EOPNOTSUPP || errno == EISDIR || errno == EINVAL)
		return problem_temp(pr,
		    "%s/spool lies on a file system without O_TMPFILE; put the queue directory on ext4, xfs, btrfs "
		    "or tmpfs",
		    dir);
	return problem_temp(pr,
	    "%s/spool: %s: %s; the directory must belong to the user Postern's relay runs as, with mode 0700", dir,
	    what, strerror(errno));
}

int queue_files_open(const char *dir, struct problem *pr)
{
	int top = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (top < 0)
		return refuse(pr, dir, "opening the queue directory");

	int fd = -1, made = mkdirat(top, "spool", 0700);

	if (made == 0 || errno == EEXIST)
		fd = openat(top, "spool", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (made == 0 && fd >= 0 && fsync(top))
		log_fatal("queue directory: sync failed: %s", strerror(errno));
	if (fd < 0)
		refuse(pr, dir, "making it");
	close(top);
	if (fd < 0)
		return -1;

	int probe = openat(fd, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	if (probe < 0) {
		refuse(pr, dir, "making a file in it");
		close(fd);
		return -1;
	}
	close(probe);
	return fd;
}

/* By the descriptor where the kernel lets us (root, or our own file since 6.10), else through /proc. */
static int name_it(int dirfd, int fd, const char *name)
{
	char path[32];

	if (linkat(fd, "", dirfd, name, AT_EMPTY_PATH) == 0)
		return 0;
	if (errno == EEXIST || errno == ENOSPC || errno == EDQUOT)
		return -1;
	snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	return linkat(AT_FDCWD, path, dirfd, name, AT_SYMLINK_FOLLOW);
}

int queue_files_keep(int dirfd, int fd, int64_t number, struct problem *pr)
{
	char name[QUEUE_NUMBER_TEXT + 1];

	queue_number_text(number, name, sizeof name);
	if (fdatasync(fd)) {
		problem_temp(pr, "spool file %s: sync failed: %s", name, strerror(errno));
		return QUEUE_FILES_UNSYNCED;
	}
	if (name_it(dirfd, fd, name) == 0)
		return 0;
	if (errno == ENOSPC || errno == EDQUOT)
		return problem_set(
		    pr, PROBLEM_TEMP, 452, "4.3.1", NULL, "no room in the spool directory: %s", strerror(errno));
	problem_temp(pr, "spool file %s cannot be named: %s", name, strerror(errno));
	log_error(name, "queue", "spool-file-not-named why=\"%s\"", pr->text);
	return -1;
}

int queue_files_sync(int dirfd, struct problem *pr)
{
	if (fsync(dirfd) == 0)
		return 0;
	problem_temp(pr, "spool directory: sync failed: %s", strerror(errno));
	return QUEUE_FILES_UNSYNCED;
}

void queue_files_remove(int dirfd, int64_t number)
{
	char name[QUEUE_NUMBER_TEXT + 1];

	queue_number_text(number, name, sizeof name);
	if (unlinkat(dirfd, name, 0) && errno != ENOENT)
		log_warn(name, "queue", "spool-file-stays error=\"%s\"", strerror(errno));
}

int queue_files_read(int dirfd, int64_t number, struct problem *pr)
{
	char name[QUEUE_NUMBER_TEXT + 1];

	queue_number_text(number, name, sizeof name);

	int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0 && errno == ENOENT)
		return problem_set(pr, PROBLEM_PERM, 554, "5.3.0", NULL,
		    "the content of message %s is gone: neither in the queue database nor in the spool directory",
		    name);
	if (fd < 0)
		return problem_temp(pr, "spool file %s: %s", name, strerror(errno));
	return fd;
}

long queue_files_sweep(int dirfd, bool (*wanted)(void *ctx, int64_t number), void *ctx)
{
	int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	long removed = 0;
	int64_t number;

	if (!d) {
		if (fd >= 0)
			close(fd);
		log_warn(NULL, "queue", "spool-not-swept error=\"%s\"", strerror(errno));
		return 0;
	}
	for (struct dirent *e; (e = readdir(d));) {
		if (queue_number_parse(e->d_name, &number) || wanted(ctx, number))
			continue;
		queue_files_remove(dirfd, number);
		removed++;
	}
	closedir(d);
	return removed;
}
