/* The sandbox's profiles, each in a process of its own: what must be refused is tried, and so is what must go on
 * working. */
#include "gateway/base/sandbox.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/ipc.h"
#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "tests/unit/suite.h"

enum { NOBODY = 65534 };

static char dir[64], other[64]; /* the role's own, and one it has no business in */

static int fail_at(int line, const char *what)
{
	dprintf(2, "test_sandbox.c:%d: %s (%s)\n", line, what, strerror(errno));
	return 1;
}

/* In a child: a false condition is said and ends the function with 1. */
#define NEED(x)                                                                                                      \
	do {                                                                                                         \
		errno = 0;                                                                                           \
		if (!(x))                                                                                            \
			return fail_at(__LINE__, #x);                                                                \
	} while (0)

static int run(int (*fn)(void))
{
	int status;
	pid_t pid = fork();

	ck_assert_int_ge(pid, 0);
	if (pid == 0)
		_exit(fn());
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	return status;
}

static void must_pass(int (*fn)(void))
{
	int status = run(fn);

	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0, "child ended with status %x", (unsigned)status);
}

static int enter(const struct sandbox *s)
{
	struct problem pr;

	if (sandbox_enter(s, &pr) == 0)
		return 0;
	dprintf(2, "sandbox_enter: %s\n", pr.text);
	return -1;
}

static int leave_root(void)
{
	struct problem pr;

	if (geteuid() != 0 || sandbox_become(NOBODY, NOBODY, &pr) == 0)
		return 0;
	dprintf(2, "sandbox_become: %s\n", pr.text);
	return -1;
}

static const struct sandbox sealer = {.net = SANDBOX_NET_NONE};
static const struct sandbox keeper = {.net = SANDBOX_NET_NONE, .threads = true};
static const struct sandbox smtp = {.net = SANDBOX_NET_SMTP, .threads = true, .rw_dirs = {dir}};
static const struct sandbox client = {.net = SANDBOX_NET_CLIENT, .ro_paths = {"/etc/hosts", "/nonexistent"}};
static const struct sandbox judge = {.net = SANDBOX_NET_UNIX_ACCEPT, .rw_dirs = {dir}};

/* Without a sandbox everything works: else the other tests would show nothing. */
static int probe_free(void)
{
	NEED(sandbox_probe() == (SANDBOX_CAN_OPEN | SANDBOX_CAN_INET | SANDBOX_CAN_EXEC | SANDBOX_CAN_PTRACE |
				    SANDBOX_CAN_FORK | SANDBOX_CAN_WRITE));
	return 0;
}

static int probe_sealer(void)
{
	NEED(enter(&sealer) == 0);
	NEED(sandbox_probe() == 0);
	return 0;
}

static int probe_keeper(void)
{
	NEED(leave_root() == 0 && enter(&keeper) == 0);
	NEED(sandbox_probe() == 0);
	return 0;
}

static int probe_smtp(void)
{
	NEED(leave_root() == 0 && enter(&smtp) == 0);
	NEED(sandbox_probe() == SANDBOX_CAN_INET);
	return 0;
}

static int probe_client(void)
{
	NEED(leave_root() == 0 && enter(&client) == 0);
	NEED(sandbox_probe() == SANDBOX_CAN_INET);
	return 0;
}

static int probe_judge(void)
{
	NEED(enter(&judge) == 0);
	NEED(sandbox_probe() == 0);
	return 0;
}

static int (*const probes[])(void) = {probe_free, probe_sealer, probe_keeper, probe_smtp, probe_client, probe_judge};

START_TEST(test_probe)
{
	must_pass(probes[_i]);
}
END_TEST

/* From outside: a child in the sandbox belongs to root in /proc, has a filter and no way to new privileges. */
START_TEST(test_state)
{
	char path[64], text[4096];
	int up[2], down[2];

	ck_assert(pipe(up) == 0 && pipe(down) == 0);

	pid_t pid = fork();

	if (pid == 0) {
		char c = 1;

		_exit(
		    leave_root() < 0 || enter(&sealer) < 0 || write(up[1], &c, 1) != 1 || read(down[0], &c, 1) != 1);
	}

	char c;

	close(up[1]);
	ck_assert_int_eq(read(up[0], &c, 1), 1);
	snprintf(path, sizeof path, "/proc/%d/status", (int)pid);

	int fd = open(path, O_RDONLY);
	ssize_t n = read(fd, text, sizeof text - 1);

	ck_assert_int_gt(n, 0);
	text[n] = 0;
	ck_assert_ptr_nonnull(strstr(text, "NoNewPrivs:\t1\n"));
	ck_assert_ptr_nonnull(strstr(text, "Seccomp:\t2\n"));
	close(fd);
	if (geteuid() == 0) {
		struct stat st;

		ck_assert_ptr_nonnull(strstr(text, "CapEff:\t0000000000000000\n"));
		snprintf(path, sizeof path, "/proc/%d/mem", (int)pid);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_uint_eq(st.st_uid, 0); /* not dumpable, though it runs as nobody */
	}
	ck_assert_int_eq(write(down[1], &c, 1), 1);

	int status;

	waitpid(pid, &status, 0);
	ck_assert_int_eq(status, 0);
}
END_TEST

static int memory(void)
{
	void *p;

	NEED(enter(&keeper) == 0);
	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	NEED(p != MAP_FAILED);
	NEED(mprotect(p, 4096, PROT_READ) == 0);
	NEED(mprotect(p, 4096, PROT_READ | PROT_EXEC) == -1 && errno == EPERM);
	NEED(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
	     errno == EPERM);
	NEED(munmap(p, 4096) == 0);
	p = malloc(64 * 1024 * 1024);
	NEED(p != NULL);
	free(p);
	return 0;
}

static int others(void)
{
	struct rlimit r;

	NEED(enter(&smtp) == 0);
	NEED(getrlimit(RLIMIT_NOFILE, &r) == 0);
	NEED(setrlimit(RLIMIT_NOFILE, &r) == -1 && errno == EPERM);
	NEED(kill(getppid(), 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_tgkill, getppid(), getppid(), 0) == -1 && errno == EPERM);
	NEED(fcntl(0, F_SETOWN, getppid()) == -1 && errno == EPERM);
	NEED(syscall(SYS_process_vm_readv, getppid(), NULL, 0, NULL, 0, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_bpf, 0, NULL, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_keyctl, 0, 0, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_userfaultfd, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_io_uring_setup, 1, NULL) == -1 && errno == EPERM);
	NEED(syscall(SYS_open_by_handle_at, -1, NULL, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_unshare, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_setns, -1, 0) == -1 && errno == EPERM);
	NEED(syscall(SYS_mount, NULL, NULL, NULL, 0, NULL) == -1 && errno == EPERM);
	NEED(syscall(SYS_execveat, -1, "", NULL, NULL, 0) == -1 && errno == EPERM);
	NEED(setuid(0) == -1 && errno == EPERM);
	return 0;
}

static void *answer(void *arg)
{
	*(int *)arg = 42;
	return NULL;
}

static int threads(void)
{
	pthread_t t;
	int v = 0;

	NEED(leave_root() == 0 && enter(&keeper) == 0);
	NEED(pthread_create(&t, NULL, answer, &v) == 0);
	NEED(pthread_join(t, NULL) == 0 && v == 42);
	NEED(fork() == -1 && errno == EPERM);
	NEED(vfork() == -1 && errno == EPERM);
	NEED(syscall(SYS_clone3, NULL, 0) == -1 && errno == ENOSYS);
	return 0;
}

static int no_threads(void)
{
	pthread_t t;
	int v = 0;

	NEED(enter(&sealer) == 0);
	NEED(pthread_create(&t, NULL, answer, &v) == EPERM);
	return 0;
}

static void *sleep_for_ever(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static int late(void)
{
	pthread_t t;
	struct problem pr;

	NEED(pthread_create(&t, NULL, sleep_for_ever, NULL) == 0);
	NEED(sandbox_enter(&keeper, &pr) == -1);
	NEED(strstr(pr.text, "before threads") != NULL);
	return 0;
}

static void stop(void *ctx)
{
	loop_stop(ctx);
}

static void *loop_thread(void *arg)
{
	struct loop *l = loop_new();

	loop_soon(l, stop, l);
	loop_run(l);
	loop_free(l);
	*(int *)arg = 1;
	return NULL;
}

static int loops(void)
{
	pthread_t t;
	int v = 0;

	NEED(enter(&keeper) == 0);
	NEED(pthread_create(&t, NULL, loop_thread, &v) == 0);
	NEED(pthread_join(t, NULL) == 0 && v == 1);
	return 0;
}

static int packets(void)
{
	struct buf store;
	struct ipc_out o;
	struct ipc_in in;
	int pair[2], fd;

	NEED(ipc_pair(pair) == 0 && enter(&sealer) == 0);
	fd = file_memfd("x", "content", 7);
	NEED(fd >= 0);
	ipc_out_init(&o, 7, 1);
	ipc_put_fd(&o, fd);
	buf_init(&store, IPC_PACKET_MAX);
	NEED(ipc_send(pair[0], &o, 1000) == 0 && ipc_recv(pair[1], &store, &in, 1000) == 1);
	fd = ipc_get_fd(&in);
	NEED(fd >= 0 && ipc_end(&in) == 0);

	char text[8];

	NEED(pread(fd, text, 8, 0) == 7 && memcmp(text, "content", 7) == 0);
	NEED(pwrite(fd, "x", 1, 0) == -1 && errno == EPERM); /* sealed */
	ipc_out_clear(&o);
	buf_clear(&store);
	return 0;
}

static int listening(int family, struct sockaddr *addr, socklen_t len)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || bind(fd, addr, len) < 0 || listen(fd, 5) < 0 || getsockname(fd, addr, &len) < 0)
		return -1;
	return fd;
}

static int talk(int a, int b)
{
	char c;

	NEED(send(a, "x", 1, MSG_NOSIGNAL) == 1);
	NEED(recv(b, &c, 1, 0) == 1 && c == 'x');
	close(a);
	close(b);
	return 0;
}

static int inet(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int listener = listening(AF_INET, (struct sockaddr *)&addr, sizeof addr), on = 1, error, a, b;
	socklen_t len = sizeof error;

	NEED(listener >= 0 && leave_root() == 0 && enter(&smtp) == 0);
	a = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	NEED(a >= 0 && setsockopt(a, IPPROTO_TCP, 1 /* TCP_NODELAY */, &on, sizeof on) == 0);
	NEED(connect(a, (struct sockaddr *)&addr, sizeof addr) == 0 || errno == EINPROGRESS);
	b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	NEED(b >= 0);
	NEED(getsockopt(a, SOL_SOCKET, SO_ERROR, &error, &len) == 0 && error == 0);
	NEED(talk(a, b) == 0);
	NEED(socket(AF_INET, SOCK_DGRAM, 0) == -1 && errno == EPERM);
	NEED(socket(AF_INET, SOCK_RAW, IPPROTO_TCP) == -1 && errno == EPERM);
	NEED(socket(AF_INET, SOCK_STREAM, 132 /* SCTP */) == -1 && errno == EPERM);
	NEED(socket(AF_UNIX, SOCK_STREAM, 0) == -1 && errno == EPERM);
	NEED(socket(AF_NETLINK, SOCK_RAW, 0) == -1 && errno == EPERM);
	NEED(socket(AF_ALG, SOCK_SEQPACKET, 0) == -1 && errno == EPERM);
	a = socket(AF_INET6, SOCK_STREAM, IPPROTO_TCP);
	NEED(a >= 0 || errno == EAFNOSUPPORT);
	NEED(bind(listener, (struct sockaddr *)&addr, sizeof addr) == -1 && errno == EPERM);
	NEED(listen(listener, 1) == -1 && errno == EPERM);
	return 0;
}

static int datagrams(void)
{
	struct sockaddr_in addr = {.sin_family = AF_INET, .sin_addr = {htonl(INADDR_LOOPBACK)}};
	socklen_t len = sizeof addr;
	char c;
	int fd;

	NEED(leave_root() == 0 && enter(&client) == 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	NEED(fd >= 0 && bind(fd, (struct sockaddr *)&addr, sizeof addr) == 0);
	NEED(getsockname(fd, (struct sockaddr *)&addr, &len) == 0);
	NEED(sendto(fd, "x", 1, 0, (struct sockaddr *)&addr, sizeof addr) == 1);
	NEED(recvfrom(fd, &c, 1, 0, NULL, NULL) == 1 && c == 'x');
	NEED(accept(fd, NULL, NULL) == -1 && errno == EPERM);
	fd = open("/etc/hosts", O_RDONLY);
	NEED(fd >= 0 && read(fd, &c, 1) == 1);
	NEED(open("/etc/hosts", O_RDWR) == -1);
	NEED(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES);
	return 0;
}

static int unix_accept(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int a = socket(AF_UNIX, SOCK_STREAM, 0), b, listener;
	struct ucred who;
	socklen_t len = sizeof who;

	snprintf(addr.sun_path, sizeof addr.sun_path, "%s/sock", dir);
	listener = listening(AF_UNIX, (struct sockaddr *)&addr, sizeof addr);
	NEED(listener >= 0 && connect(a, (struct sockaddr *)&addr, sizeof addr) == 0);
	NEED(enter(&judge) == 0);
	b = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	NEED(b >= 0 && getsockopt(b, SOL_SOCKET, SO_PEERCRED, &who, &len) == 0 && who.uid == geteuid());
	NEED(talk(a, b) == 0);
	NEED(socket(AF_INET, SOCK_STREAM, 0) == -1 && errno == EPERM);
	return 0;
}

static int paths_of(char own[80], char foreign[80])
{
	snprintf(own, 80, "%s/file", dir);
	snprintf(foreign, 80, "%s/file", other);
	return 0;
}

static int files(void)
{
	char own[80], foreign[80], temp[80], sub[80];
	struct problem pr;
	struct buf b;

	paths_of(own, foreign);
	snprintf(temp, sizeof temp, "%s/linked", dir);
	snprintf(sub, sizeof sub, "%s/sub", dir);
	NEED(leave_root() == 0 && enter(&judge) == 0);
	NEED(file_write(own, "abc", 3, 0600, &pr) == 0);
	NEED(file_write(foreign, "abc", 3, 0600, &pr) == -1);
	buf_init(&b, 100);
	NEED(file_read(own, &b, &pr) == 0 && b.len == 3);
	NEED(file_mkdirs(sub, 0700, &pr) == 0 && rmdir(sub) == 0);

	/* the spool's way to a name: an unnamed file that is linked when it is complete */
	int fd = open(dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	char link[64];

	NEED(fd >= 0 && write(fd, "x", 1) == 1 && fdatasync(fd) == 0);
	snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
	NEED(linkat(AT_FDCWD, link, AT_FDCWD, temp, AT_SYMLINK_FOLLOW) == 0);
	NEED(fallocate(fd, 0, 0, 4096) == 0 && ftruncate(fd, 0) == 0);
	NEED(rename(temp, foreign) == -1 && unlink(temp) == 0);
	NEED(symlink("/etc/passwd", temp) == -1 && errno == EPERM);
	NEED(mknod(temp, S_IFIFO | 0600, 0) == -1 && errno == EPERM);
	NEED(open("/etc/shadow", O_RDONLY) == -1);
	NEED(truncate("/etc/hosts", 0) == -1);
	buf_clear(&b);
	return 0;
}

static int database(void)
{
	char path[80];
	sqlite3 *db;

	snprintf(path, sizeof path, "%s/test.db", dir);
	NEED(leave_root() == 0 && enter(&judge) == 0);
	NEED(sqlite3_open(path, &db) == SQLITE_OK);
	NEED(sqlite3_exec(db,
		 "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE t(x); "
		 "BEGIN; INSERT INTO t VALUES (1); COMMIT; PRAGMA wal_checkpoint(TRUNCATE); VACUUM",
		 NULL, NULL, NULL) == SQLITE_OK);
	NEED(sqlite3_close(db) == SQLITE_OK);
	return 0;
}

static int (*const cases[])(void) = {
    memory, others, threads, no_threads, late, loops, packets, inet, datagrams, unix_accept, files, database};

START_TEST(test_case)
{
	must_pass(cases[_i]);
}
END_TEST

static int aborts(void)
{
	if (enter(&sealer) < 0)
		return 1;
	log_panic("meant to happen");
}

static int gives_up(void)
{
	if (enter(&sealer) < 0)
		return 1;
	log_fatal("meant to happen");
}

START_TEST(test_ends)
{
	int status = run(aborts);

	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	status = run(gives_up);
	ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 75);
}
END_TEST

static int becomes(void)
{
	struct problem pr;

	NEED(sandbox_become(0, NOBODY, &pr) == -1);
	NEED(sandbox_become(NOBODY, 0, &pr) == -1);
	if (geteuid() != 0) {
		NEED(sandbox_become(geteuid() + 1, getegid(), &pr) == -1);
		return 0;
	}
	NEED(sandbox_become(NOBODY, NOBODY, &pr) == 0);
	NEED(geteuid() == NOBODY && getegid() == NOBODY && getgroups(0, NULL) == 0);
	NEED(sandbox_become(1, 1, &pr) == -1);
	return 0;
}

static int limited(void)
{
	struct rlimit core, files_max;

	sandbox_limits();
	NEED(getrlimit(RLIMIT_CORE, &core) == 0 && core.rlim_cur == 0 && core.rlim_max == 0);
	NEED(getrlimit(RLIMIT_NOFILE, &files_max) == 0);
	NEED(files_max.rlim_cur == files_max.rlim_max || files_max.rlim_cur >= 1024 * 1024);
	return 0;
}

START_TEST(test_become)
{
	must_pass(becomes);
	must_pass(limited);
}
END_TEST

static int missing_dir(void)
{
	struct sandbox s = {.rw_dirs = {"/nonexistent/queue"}};
	struct problem pr;

	NEED(sandbox_enter(&s, &pr) == -1);
	NEED(strstr(pr.text, "/nonexistent/queue") != NULL);
	return 0;
}

START_TEST(test_missing)
{
	must_pass(missing_dir);
}
END_TEST

static void make_dirs(void)
{
	snprintf(dir, sizeof dir, "/tmp/postern-sandbox-XXXXXX");
	snprintf(other, sizeof other, "/tmp/postern-sandbox-XXXXXX");
	ck_assert(mkdtemp(dir) && mkdtemp(other));
	ck_assert(chmod(dir, 0777) == 0 && chmod(other, 0777) == 0);
}

static void drop_dir(const char *d)
{
	static const char *const names[] = {"file", "linked", "sock", "test.db", "test.db-wal", "test.db-shm"};
	char path[128];

	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		snprintf(path, sizeof path, "%s/%s", d, names[i]);
		unlink(path);
	}
	ck_assert_msg(rmdir(d) == 0, "%s: %s", d, strerror(errno));
}

static void drop_dirs(void)
{
	drop_dir(dir);
	drop_dir(other);
}

int main(void)
{
	Suite *s = suite_create("sandbox");
	TCase *t = tcase_create("sandbox");

	tcase_add_checked_fixture(t, make_dirs, drop_dirs);
	tcase_add_loop_test(t, test_probe, 0, sizeof probes / sizeof *probes);
	tcase_add_loop_test(t, test_case, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, test_state);
	tcase_add_test(t, test_ends);
	tcase_add_test(t, test_become);
	tcase_add_test(t, test_missing);
	suite_add_tcase(s, t);
	return suite_run(s);
}
