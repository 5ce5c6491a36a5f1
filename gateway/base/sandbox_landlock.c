/*
 * Landlock by raw system calls (the C library has no wrappers). All rights that the running kernel knows are handled,
 * so that whatever is not granted below is refused. Values of later ABIs are written out: the headers of Debian 12
 * end at ABI 2. Landlock refuses opening, creating, removing; it does not hide names or stat(2).
 */
#include "gateway/base/sandbox_landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define FS_ABI1 ((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1) /* the first thirteen */
#define FS_REFER (UINT64_C(1) << 13)			 /* ABI 2 */
#define FS_TRUNCATE (UINT64_C(1) << 14)			 /* ABI 3 */
#define FS_IOCTL_DEV (UINT64_C(1) << 15)		 /* ABI 5 */
#define NET_BIND_CONNECT_TCP UINT64_C(3)		 /* ABI 4 */
#define SCOPE_ABSTRACT_SIGNAL UINT64_C(3)		 /* ABI 6 */

/* What a directory of the role's own may be used for: no programs, devices, pipes, sockets or symbolic links. */
#define FS_FILE_RW (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_WRITE_FILE | FS_TRUNCATE)
#define FS_RW                                                                                                        \
	(FS_FILE_RW | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_REMOVE_DIR | LANDLOCK_ACCESS_FS_REMOVE_FILE | \
	    LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG | FS_REFER)
#define FS_RO (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR)

/* The kernel takes a shorter structure from older programs and refuses a longer one with unknown content. */
struct ruleset {
	uint64_t fs;	/* ABI 1 */
	uint64_t net;	/* ABI 4 */
	uint64_t scope; /* ABI 6 */
};

int sandbox_landlock_abi(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, (size_t)0, LANDLOCK_CREATE_RULESET_VERSION);

	return r > 0 ? (int)r : 0;
}

static size_t describe(const struct sandbox *s, int abi, struct ruleset *r)
{
	*r = (struct ruleset){.fs = FS_ABI1};
	if (abi >= 2)
		r->fs |= FS_REFER;
	if (abi >= 3)
		r->fs |= FS_TRUNCATE;
	if (abi >= 5)
		r->fs |= FS_IOCTL_DEV;
	/* who may use the network may use every port: where to is the business of policy, not of a port list */
	if (abi >= 4 && s->net != SANDBOX_NET_CLIENT && s->net != SANDBOX_NET_SMTP)
		r->net = NET_BIND_CONNECT_TCP;
	if (abi >= 6)
		r->scope = SCOPE_ABSTRACT_SIGNAL;
	return abi >= 6 ? sizeof *r : abi >= 4 ? 2 * sizeof r->fs : sizeof r->fs;
}

static int grant(int ruleset, const char *path, uint64_t rights)
{
	struct landlock_path_beneath_attr rule = {.allowed_access = rights};
	struct stat st;
	int ret = -1;

	rule.parent_fd = open(path, O_PATH | O_CLOEXEC);
	if (rule.parent_fd < 0)
		return -1;
	if (fstat(rule.parent_fd, &st) == 0) {
		if (!S_ISDIR(st.st_mode)) /* rights of directories are refused for files */
			rule.allowed_access &= FS_FILE_RW;
		ret = (int)syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	}

	int saved = errno;

	close(rule.parent_fd);
	errno = saved;
	return ret;
}

static int grant_all(const struct sandbox *s, int ruleset, uint64_t handled, struct problem *pr)
{
	for (size_t i = 0; i < sizeof s->rw_dirs / sizeof *s->rw_dirs && s->rw_dirs[i]; i++)
		if (grant(ruleset, s->rw_dirs[i], FS_RW & handled) < 0)
			return problem_temp(
			    pr, "%s: cannot be opened to this process: %s", s->rw_dirs[i], strerror(errno));
	/* an optional file that is not there needs no permission */
	for (size_t i = 0; i < sizeof s->ro_paths / sizeof *s->ro_paths && s->ro_paths[i]; i++)
		if (grant(ruleset, s->ro_paths[i], FS_RO & handled) < 0 && errno != ENOENT)
			return problem_temp(
			    pr, "%s: cannot be opened to this process: %s", s->ro_paths[i], strerror(errno));
	if (SANDBOX_SAN) /* the sanitizers read maps there for a report */
		(void)grant(ruleset, "/proc/self", FS_RO & handled);
	return 0;
}

int sandbox_landlock_apply(const struct sandbox *s, int abi, struct problem *pr)
{
	struct ruleset attr;
	size_t size = describe(s, abi, &attr);
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, &attr, size, 0);

	if (ruleset < 0)
		return problem_temp(pr, "Landlock: cannot create rules (ABI %d): %s", abi, strerror(errno));

	int ret = grant_all(s, ruleset, attr.fs, pr);

	if (ret == 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) < 0)
		ret = problem_temp(pr, "Landlock: cannot apply rules: %s", strerror(errno));
	close(ruleset);
	return ret;
}
