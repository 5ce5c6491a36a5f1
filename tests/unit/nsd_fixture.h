/*
 * A real nsd on a free loopback port with zones of the test's own, plain and signed (ldnsutils). Started and ended by
 * process id. For tests only.
 */
#ifndef POSTERN_TESTS_NSD_FIXTURE_H
#define POSTERN_TESTS_NSD_FIXTURE_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tests/unit/free_port.h"

#define NSD __attribute__((unused)) static

struct nsd {
	char dir[64];
	unsigned port;
	pid_t pid;
	FILE *conf;
};

/* nsd and the signing tools are there? */
NSD bool nsd_installed(void)
{
	return system("PATH=$PATH:/usr/sbin command -v nsd >/dev/null 2>&1 && command -v ldns-signzone >/dev/null "
		      "2>&1") == 0;
}

__attribute__((format(printf, 1, 2))) NSD void nsd_run(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	ck_assert_msg(system(cmd) == 0, "failed: %s", cmd);
}

/* A UDP socket of 127.0.0.1 on a free port. */
NSD int nsd_udp(unsigned *port_r)
{
	struct sockaddr_in in = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t n = sizeof in;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&in, sizeof in), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	*port_r = ntohs(in.sin_port);
	return fd;
}

NSD void nsd_begin(struct nsd *d)
{
	char path[128];

	snprintf(d->dir, sizeof d->dir, "/tmp/postern-nsd-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(d->dir));
	d->port = free_port();
	snprintf(path, sizeof path, "%s/nsd.conf", d->dir);
	d->conf = fopen(path, "w");
	ck_assert_ptr_nonnull(d->conf);
	fprintf(d->conf,
	    "server:\n ip-address: 127.0.0.1@%u\n username: \"\"\n chroot: \"\"\n database: \"\"\n server-count: 1\n "
	    "rrl-ratelimit: 0\n"
	    " pidfile: \"%s/pid\"\n xfrdfile: \"%s/xfrd\"\n zonelistfile: \"%s/zones\"\n zonesdir: \"%s\"\n"
	    " logfile: \"%s/log\"\nremote-control:\n control-enable: no\n",
	    d->port, d->dir, d->dir, d->dir, d->dir, d->dir);
}

NSD void nsd_zone(struct nsd *d, const char *name, const char *file)
{
	fprintf(d->conf, "zone:\n name: \"%s\"\n zonefile: \"%s\"\n", name, file);
}

/* Writes DIR/NAME.zone: SOA and NS, then the records. */
NSD void nsd_write(struct nsd *d, const char *name, const char *records)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s.zone", d->dir, name);

	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "$ORIGIN %s.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n%s", name,
	    records);
	ck_assert_int_eq(fclose(f), 0);
}

/* Signs DIR/NAME.zone into DIR/NAME.signed; its DS goes to the file "anchors". */
NSD void nsd_sign(struct nsd *d, const char *name)
{
	nsd_run("cd %s && k=$(ldns-keygen -a ECDSAP256SHA256 -k %s 2>/dev/null) && ldns-signzone -n -f %s.signed "
		"%s.zone $k && "
		"ldns-key2ds -n -2 $k.key >>anchors",
	    d->dir, name, name, name);
}

/* Is it there and answering? */
NSD bool nsd_answers(const struct nsd *d)
{
	static const uint8_t q[] = {
	    0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, 'p', 'l', 'a', 'i', 'n', 4, 't', 'e', 's', 't', 0, 0, 6, 0, 1};
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)d->port)};
	uint8_t got[512];
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct pollfd p = {.fd = fd, .events = POLLIN};
	bool yes = connect(fd, (struct sockaddr *)&in, sizeof in) == 0 &&
		   send(fd, q, sizeof q, 0) == (ssize_t)sizeof q && poll(&p, 1, 100) > 0 &&
		   recv(fd, got, sizeof got, 0) > 12;

	close(fd);
	return yes;
}

NSD void nsd_start(struct nsd *d)
{
	char conf[128];
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};

	ck_assert_int_eq(fclose(d->conf), 0);
	snprintf(conf, sizeof conf, "%s/nsd.conf", d->dir);
	d->pid = fork();
	ck_assert_int_ge(d->pid, 0);
	if (d->pid == 0) {
		execl("/usr/sbin/nsd", "nsd", "-d", "-c", conf, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 250; i++) {
		if (nsd_answers(d))
			return;
		ck_assert_msg(waitpid(d->pid, NULL, WNOHANG) == 0, "nsd ended; see %s/log", d->dir);
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("nsd does not answer; see %s/log", d->dir);
}

NSD void nsd_end(struct nsd *d)
{
	kill(d->pid, SIGTERM);
	waitpid(d->pid, NULL, 0);
	nsd_run("rm -rf %s", d->dir);
}

#endif
