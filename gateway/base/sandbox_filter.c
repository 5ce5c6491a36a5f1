/*
 * The seccomp filter: a list of what is allowed; all else fails with EPERM. An error and not a kill: a library that
 * probes for something (ioctl on a log, a CPU count) goes on, and the refusal is seen where it happens.
 *
 * The filter sees numbers and register values, never what a pointer points at. So: which file is Landlock's part, and
 * newfstatat "only without a path" can only be "only with AT_EMPTY_PATH" (whoever runs code here may stat names with
 * it).
 */
#include "gateway/base/sandbox_filter.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <unistd.h>

#define COUNT(a) (sizeof(a) / sizeof *(a))

/* Descriptors one has, memory, time, waiting, own identity. Nothing here makes a name, a process or a connection. */
static const int always[] = {SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(pread64),
    SCMP_SYS(pwrite64), SCMP_SYS(preadv), SCMP_SYS(pwritev), SCMP_SYS(lseek), SCMP_SYS(close), SCMP_SYS(dup),
    SCMP_SYS(dup2), SCMP_SYS(dup3), SCMP_SYS(fstat), SCMP_SYS(ftruncate), SCMP_SYS(fsync), SCMP_SYS(fdatasync),
    SCMP_SYS(fadvise64), SCMP_SYS(memfd_create), SCMP_SYS(pipe2), SCMP_SYS(recvmsg), SCMP_SYS(sendmsg),
    SCMP_SYS(recvfrom), SCMP_SYS(sendto), SCMP_SYS(shutdown), SCMP_SYS(poll), SCMP_SYS(ppoll),
    SCMP_SYS(epoll_create1), SCMP_SYS(epoll_create), SCMP_SYS(epoll_ctl), SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait),
    SCMP_SYS(epoll_pwait2), SCMP_SYS(eventfd2), SCMP_SYS(timerfd_create), SCMP_SYS(timerfd_settime),
    SCMP_SYS(timerfd_gettime), SCMP_SYS(brk), SCMP_SYS(munmap), SCMP_SYS(mremap), SCMP_SYS(madvise), SCMP_SYS(msync),
    SCMP_SYS(mlock), SCMP_SYS(munlock), SCMP_SYS(futex), SCMP_SYS(getrandom), SCMP_SYS(rt_sigreturn),
    SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction), SCMP_SYS(sigaltstack), SCMP_SYS(restart_syscall),
    SCMP_SYS(clock_gettime), SCMP_SYS(clock_getres), SCMP_SYS(clock_nanosleep), SCMP_SYS(nanosleep),
    SCMP_SYS(setitimer), SCMP_SYS(gettimeofday), SCMP_SYS(time), SCMP_SYS(times), SCMP_SYS(getrusage),
    SCMP_SYS(sysinfo), SCMP_SYS(sched_yield), SCMP_SYS(sched_getaffinity), SCMP_SYS(getpid), SCMP_SYS(gettid),
    SCMP_SYS(getppid), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(getgid), SCMP_SYS(getegid), SCMP_SYS(getrlimit),
    SCMP_SYS(uname), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(rseq), SCMP_SYS(set_robust_list),
    SCMP_SYS(membarrier)};

/* Opening and looking at names; Landlock says which. */
static const int with_paths[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(statx), SCMP_SYS(statfs), SCMP_SYS(fstatfs), SCMP_SYS(access), SCMP_SYS(faccessat),
    SCMP_SYS(faccessat2), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(getcwd), SCMP_SYS(getdents64),
    SCMP_SYS(flock)};

static const int with_writing[] = {SCMP_SYS(unlink), SCMP_SYS(unlinkat), SCMP_SYS(rename), SCMP_SYS(renameat),
    SCMP_SYS(renameat2), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir), SCMP_SYS(link), SCMP_SYS(linkat),
    SCMP_SYS(fallocate), SCMP_SYS(fchmod), SCMP_SYS(fchown), SCMP_SYS(umask), SCMP_SYS(utimensat),
    SCMP_SYS(sync_file_range)};

static const int with_accept[] = {
    SCMP_SYS(accept), SCMP_SYS(accept4), SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername)};

static const int with_connect[] = {
    SCMP_SYS(connect), SCMP_SYS(getsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername)};

/* The resolver binds random ports and sends datagrams. */
static const int with_datagrams[] = {SCMP_SYS(bind), SCMP_SYS(sendmmsg), SCMP_SYS(recvmmsg)};

/* What ASan and UBSan use to write a report (Landlock still says which files). */
static const int with_sanitizers[] = {SCMP_SYS(open), SCMP_SYS(openat), SCMP_SYS(stat), SCMP_SYS(lstat),
    SCMP_SYS(newfstatat), SCMP_SYS(readlink), SCMP_SYS(readlinkat), SCMP_SYS(access), SCMP_SYS(pipe), SCMP_SYS(prctl),
    SCMP_SYS(getcwd), SCMP_SYS(getdents64), SCMP_SYS(ioctl)};

/* The bits of an argument that lie in the mask have this value. */
static struct scmp_arg_cmp bits(unsigned arg, uint64_t mask, uint64_t value)
{
	return (struct scmp_arg_cmp){.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask, .datum_b = value};
}

/* The kernel takes an int from the low half of the register; the high half may hold anything. */
static struct scmp_arg_cmp is(unsigned arg, uint32_t value)
{
	return bits(arg, UINT32_MAX, value);
}

static int allow_all(scmp_filter_ctx f, const int *calls, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, calls[i], 0);

		if (r < 0 && r != -EEXIST && r != -EDOM) /* EDOM: this machine has no such call */
			return r;
	}
	return 0;
}

static int allow_value(scmp_filter_ctx f, int call, unsigned arg, const int *values, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r >= 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, call, 1, is(arg, (uint32_t)values[i]));
	return r;
}

/* Written memory never becomes code: W^X for good, and no new library after the start. */
static int add_memory(scmp_filter_ctx f)
{
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mmap), 1, bits(2, PROT_EXEC, 0));

	if (r < 0)
		return r;
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(mprotect), 1, bits(2, PROT_EXEC, 0));
}

/* Not F_SETOWN and F_SETSIG: they have the kernel send signals to others. */
static int add_fcntl(scmp_filter_ctx f, int paths)
{
	static const int plain[] = {
	    F_DUPFD, F_DUPFD_CLOEXEC, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GET_SEALS, F_ADD_SEALS};
	static const int locks[] = {F_GETLK, F_SETLK, F_SETLKW, F_OFD_GETLK, F_OFD_SETLK, F_OFD_SETLKW};
	int r = allow_value(f, SCMP_SYS(fcntl), 1, plain, COUNT(plain));

	return r < 0 || !paths ? r : allow_value(f, SCMP_SYS(fcntl), 1, locks, COUNT(locks));
}

static int add_self(scmp_filter_ctx f)
{
	/* raise and abort */
	int r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(tgkill), 1, is(0, (uint32_t)getpid()));

	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(newfstatat), 1, is(3, AT_EMPTY_PATH));
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prctl), 1, is(0, PR_SET_NAME));
	/* reading own limits, as getrlimit(3) does */
	if (r == 0)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(prlimit64), 2, is(0, 0), bits(2, UINT64_MAX, 0));
	return r;
}

static int add_base(scmp_filter_ctx f, int paths)
{
	int r = allow_all(f, always, COUNT(always));

	if (r == 0)
		r = add_memory(f);
	if (r == 0)
		r = add_fcntl(f, paths);
	return r == 0 ? add_self(f) : r;
}

static int add_files(scmp_filter_ctx f, int paths, int writing)
{
	int r = paths ? allow_all(f, with_paths, COUNT(with_paths)) : 0;

	return r == 0 && writing ? allow_all(f, with_writing, COUNT(with_writing)) : r;
}

/* No raw, no SCTP, no MPTCP: TCP and UDP are all that is asked for, everything else is surface. */
static int add_socket(scmp_filter_ctx f, uint32_t type, uint32_t protocol)
{
	static const uint32_t families[] = {AF_INET, AF_INET6};
	int r = 0;

	for (size_t i = 0; i < 2 * COUNT(families) && r >= 0; i++)
		r = seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(socket), 3, is(0, families[i / 2]),
		    bits(1, 0xf, type), is(2, i % 2 ? protocol : 0));
	return r;
}

static int add_options(scmp_filter_ctx f)
{
	static const int levels[] = {SOL_SOCKET, IPPROTO_TCP, IPPROTO_IP, IPPROTO_IPV6};
	static const int ioctls[] = {FIONBIO, FIONREAD};
	int r = allow_value(f, SCMP_SYS(setsockopt), 1, levels, COUNT(levels));

	return r < 0 || SANDBOX_SAN ? r : allow_value(f, SCMP_SYS(ioctl), 1, ioctls, COUNT(ioctls));
}

static int add_client(scmp_filter_ctx f)
{
	int r = add_socket(f, SOCK_STREAM, IPPROTO_TCP);

	if (r >= 0)
		r = allow_all(f, with_connect, COUNT(with_connect));
	return r >= 0 ? add_options(f) : r;
}

static int add_net(scmp_filter_ctx f, enum sandbox_net net)
{
	int r = 0;

	switch (net) {
	case SANDBOX_NET_NONE:
		return 0;
	case SANDBOX_NET_CLIENT:
		r = add_client(f);
		if (r >= 0)
			r = add_socket(f, SOCK_DGRAM, IPPROTO_UDP);
		return r >= 0 ? allow_all(f, with_datagrams, COUNT(with_datagrams)) : r;
	case SANDBOX_NET_SMTP:
		r = add_client(f);
		return r >= 0 ? allow_all(f, with_accept, COUNT(with_accept)) : r;
	case SANDBOX_NET_TCP_ACCEPT:
		r = add_options(f);
		return r >= 0 ? allow_all(f, with_accept, COUNT(with_accept)) : r;
	case SANDBOX_NET_UNIX_ACCEPT:
		return allow_all(f, with_accept, COUNT(with_accept));
	}
	return -EINVAL;
}

/* Threads of this process, never a process: clone3's flags lie in memory, unseen, so it does not exist and glibc
 * takes clone. */
static int add_threads(scmp_filter_ctx f)
{
	uint64_t must = CLONE_THREAD | CLONE_VM | CLONE_SIGHAND;
	uint64_t never = CLONE_VFORK | CLONE_PARENT | CLONE_PTRACE | CLONE_NEWNS | CLONE_NEWCGROUP | CLONE_NEWUTS |
			 CLONE_NEWIPC | CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET;
	int r = seccomp_rule_add(f, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	if (r < 0)
		return r;
	return seccomp_rule_add(f, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, bits(0, must | never, must));
}

static int build(scmp_filter_ctx f, const struct sandbox *s)
{
	int writing = s->rw_dirs[0] != NULL;
	int paths = writing || s->ro_paths[0] != NULL;
	int r = add_base(f, paths);

	if (r >= 0)
		r = add_files(f, paths, writing);
	if (r >= 0)
		r = add_net(f, s->net);
	if (r >= 0 && s->threads)
		r = add_threads(f);
	if (r >= 0 && SANDBOX_SAN)
		r = allow_all(f, with_sanitizers, COUNT(with_sanitizers));
	return r;
}

int sandbox_filter_load(const struct sandbox *s, struct problem *pr)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));

	if (!f)
		return problem_temp(pr, "seccomp: cannot make a filter");

	int r = build(f, s);

	if (r >= 0)
		r = seccomp_attr_set(f, SCMP_FLTATR_CTL_TSYNC, 1);
	if (r >= 0)
		r = seccomp_attr_set(
		    f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* a tree instead of a list of a hundred comparisons */
	if (r >= 0)
		r = seccomp_load(f);
	seccomp_release(f);
	return r >= 0 ? 0 : problem_temp(pr, "seccomp: cannot load the filter: %s", strerror(-r));
}
