/*
 * What a role may still do after its start. Every child, once, after warm-up and before it starts threads: Landlock
 * binds the calling thread and what comes from it.
 *
 * Order: no_new_privs first (the kernel asks for it from who is not root), not dumpable (no core, no ptrace by
 * siblings of the same user), Landlock, and the filter last, because it forbids the calls of the others.
 */
#include "gateway/base/sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/sandbox_filter.h"
#include "gateway/base/sandbox_landlock.h"

/* Where a limit is "infinite", libraries that walk over all descriptors must still come to an end. */
enum { SANDBOX_NOFILE_MAX = 1024 * 1024 };

void sandbox_limits(void)
{
	struct rlimit files, none = {0, 0};

	if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
		rlim_t most = files.rlim_max < SANDBOX_NOFILE_MAX ? files.rlim_max : SANDBOX_NOFILE_MAX;

		if (files.rlim_cur < most) {
			files.rlim_cur = most;
			if (setrlimit(RLIMIT_NOFILE, &files) < 0)
				log_warn(NULL, "sandbox", "rlimit-nofile error=\"%s\"", strerror(errno));
		}
	}
	/* a core holds mail and keys */
	if (setrlimit(RLIMIT_CORE, &none) < 0)
		log_fatal("cannot switch core files off: %s", strerror(errno));
}

/* Filters are said to be there by the kernel's own refusal, not by our having asked for them. */
static int is_filtered(void)
{
	errno = 0;
	return ptrace(PTRACE_PEEKDATA, (pid_t)INT_MAX, NULL, NULL) == -1 && errno == EPERM;
}

/* /proc/self/task has two links and one more for each thread; without /proc nothing is known. */
static int has_threads(void)
{
	struct stat st;

	return stat("/proc/self/task", &st) == 0 && st.st_nlink > 3;
}

/* A directory that is empty and cannot be written, whoever we are. Only for roles without paths: names would change.
 */
static int without_landlock(const struct sandbox *s, struct problem *pr)
{
	if (geteuid() != 0 || s->rw_dirs[0] || s->ro_paths[0]) {
		log_warn(NULL, "sandbox", "no-landlock effect=\"paths are limited by file permissions only\"");
		return 0;
	}
	if (chroot("/proc/self/fdinfo") < 0 || chdir("/") < 0)
		return problem_temp(pr, "cannot change the root directory: %s", strerror(errno));
	return 0;
}

int sandbox_enter(const struct sandbox *s, struct problem *pr)
{
	int abi = sandbox_landlock_abi();

	if (has_threads())
		return problem_temp(pr, "the sandbox must be entered before threads are started");
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return problem_temp(pr, "cannot give up new privileges: %s", strerror(errno));
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return problem_temp(pr, "cannot become undumpable: %s", strerror(errno));
	if ((abi > 0 ? sandbox_landlock_apply(s, abi, pr) : without_landlock(s, pr)) < 0)
		return -1;
	if (sandbox_filter_load(s, pr) < 0)
		return -1;
	if (!is_filtered())
		return problem_temp(pr, "seccomp: the filter was loaded and does not filter");
	return 0;
}

int sandbox_become(unsigned uid, unsigned gid, struct problem *pr)
{
	uid_t r, e, s;
	gid_t gr, ge, gs;

	if (uid == 0 || gid == 0)
		return problem_temp(
		    pr, "refused to run as user %u, group %u: a role runs as an ordinary user", uid, gid);
	if (geteuid() == 0 && setgroups(0, NULL) < 0)
		return problem_temp(pr, "cannot drop groups: %s", strerror(errno));
	if (setresgid(gid, gid, gid) < 0 || setresuid(uid, uid, uid) < 0)
		return problem_temp(pr, "cannot become user %u, group %u: %s", uid, gid, strerror(errno));
	if (getresuid(&r, &e, &s) < 0 || getresgid(&gr, &ge, &gs) < 0 || r != uid || e != uid || s != uid ||
	    gr != gid || ge != gid || gs != gid)
		return problem_temp(pr, "user %u, group %u: the change was not complete", uid, gid);
	if (setuid(0) == 0 || setgid(0) == 0)
		return problem_temp(pr, "user %u, group %u: there is a way back to root", uid, gid);
	return 0;
}

static int can_write(const char *dir)
{
	char path[64];

	snprintf(path, sizeof path, "%s/postern-probe-%d", dir, (int)getpid());

	int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return 0;
	unlink(path);
	close(fd);
	return 1;
}

static int can_open(void)
{
	int fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

static int can_inet(void)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

/*
 * The filter answers EPERM by the call's number before the kernel looks at what is asked. Asked for something
 * impossible, the kernel itself answers otherwise (execve of a directory: EACCES). So no EPERM means that the call
 * got through, and nothing happens to this process by asking.
 */
static int reaches_execve(void)
{
	char *const none[] = {NULL};

	execve("/", none, none);
	return errno != EPERM;
}

/* 1 when a child could be made; *exec_r then says whether it could run a program. */
static int can_fork(int *exec_r)
{
	static char name[] = "true";
	char *const argv[] = {name, NULL}, *const env[] = {NULL};
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return 0;
	if (pid == 0) {
		execve("/bin/true", argv, env);
		_exit(1);
	}
	*exec_r = waitpid(pid, &status, 0) < 0 || (WIFEXITED(status) && WEXITSTATUS(status) == 0);
	return 1;
}

unsigned sandbox_probe(void)
{
	int exec = reaches_execve();
	unsigned can = 0;

	if (can_fork(&exec))
		can |= SANDBOX_CAN_FORK;
	if (exec)
		can |= SANDBOX_CAN_EXEC;
	if (can_open())
		can |= SANDBOX_CAN_OPEN;
	if (can_inet())
		can |= SANDBOX_CAN_INET;
	if (!is_filtered())
		can |= SANDBOX_CAN_PTRACE;
	if (can_write("/tmp") || can_write(""))
		can |= SANDBOX_CAN_WRITE;
	return can;
}
