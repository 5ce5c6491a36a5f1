/*
 * What the fixtures of real servers share (slapd_fixture.h, nsd_fixture.h): commands, a directory of the server's
 * own, free ports, its start, and its end by process id. For tests only.
 */
#ifndef POSTERN_TESTS_SERVER_FIXTURE_H
#define POSTERN_TESTS_SERVER_FIXTURE_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define SERVER __attribute__((unused)) static

struct server {
	char dir[64];
	pid_t pid;
	FILE *conf; /* DIR/NAME.conf, until the start */
};

/* A command of the shell that must work. */
__attribute__((format(printf, 1, 2))) SERVER void server_run(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	ck_assert_msg(system(cmd) == 0, "failed: %s", cmd);
}

/* A program that is not there is a test that was not run: it fails, and says which package is missing. */
SERVER void server_needs(const char *program, const char *package)
{
	ck_assert_msg(access(program, X_OK) == 0, "%s is not there: install %s (make deps)", program, package);
}

SERVER struct sockaddr_in server_loopback(unsigned port)
{
	return (struct sockaddr_in){
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
}

/* A socket of 127.0.0.1 on a free port. */
SERVER int server_bind(int type, unsigned *port_r)
{
	struct sockaddr_in in = server_loopback(0);
	socklen_t n = sizeof in;
	int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	*port_r = ntohs(in.sin_port);
	return fd;
}

/* Makes the directory and begins DIR/NAME.conf. */
SERVER void server_begin(struct server *s, const char *name)
{
	char path[128];

	memset(s, 0, sizeof *s);
	snprintf(s->dir, sizeof s->dir, "/tmp/postern-%s-XXXXXX", name);
	ck_assert_ptr_nonnull(mkdtemp(s->dir));
	snprintf(path, sizeof path, "%s/%s.conf", s->dir, name);
	s->conf = fopen(path, "w");
	ck_assert_ptr_nonnull(s->conf);
}

/* Runs the program, its errors in DIR/errors, until answers() says yes: 10 s at most. */
SERVER void server_start(struct server *s, const char *const argv[], bool (*answers)(void *ctx), void *ctx)
{
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

	ck_assert_int_eq(fclose(s->conf), 0);
	s->pid = fork();
	ck_assert_int_ge(s->pid, 0);
	if (s->pid == 0) {
		char log[128];

		snprintf(log, sizeof log, "%s/errors", s->dir);
		if (!freopen(log, "w", stderr))
			_exit(126);
		execv(argv[0], (char *const *)(uintptr_t)argv); /* execv(3) does not change them */
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		if (answers(ctx))
			return;
		ck_assert_msg(waitpid(s->pid, NULL, WNOHANG) == 0, "%s ended; see %s", argv[0], s->dir);
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("%s does not answer; see %s", argv[0], s->dir);
}

SERVER void server_end(struct server *s)
{
	kill(s->pid, SIGTERM);
	waitpid(s->pid, NULL, 0);
	server_run("rm -rf %s", s->dir);
}

#endif
