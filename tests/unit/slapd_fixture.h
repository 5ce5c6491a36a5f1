/*
 * A real slapd on free loopback ports with entries of the test's own. Started and ended by process id. For tests
 * only.
 */
#ifndef POSTERN_TESTS_SLAPD_FIXTURE_H
#define POSTERN_TESTS_SLAPD_FIXTURE_H

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
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

#define SLAPD __attribute__((unused)) static

struct slapd {
	char dir[64];
	unsigned port, tls_port;
	pid_t pid;
	FILE *conf;
	int ndb;
};

SLAPD bool slapd_installed(void)
{
	return access("/usr/sbin/slapd", X_OK) == 0;
}

__attribute__((format(printf, 1, 2))) SLAPD void slapd_run(const char *fmt, ...)
{
	char cmd[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(cmd, sizeof cmd, fmt, ap);
	va_end(ap);
	ck_assert_msg(system(cmd) == 0, "failed: %s", cmd);
}

/* more: lines for the top of slapd.conf. With TLS when DIR/cert.pem and key.pem were put there before slapd_start. */
SLAPD void slapd_begin(struct slapd *d, const char *more)
{
	char path[128];

	memset(d, 0, sizeof *d);
	snprintf(d->dir, sizeof d->dir, "/tmp/postern-slapd-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(d->dir));
	d->port = free_port();
	d->tls_port = free_port();
	snprintf(path, sizeof path, "%s/slapd.conf", d->dir);
	d->conf = fopen(path, "w");
	ck_assert_ptr_nonnull(d->conf);
	fprintf(d->conf,
	    "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n"
	    "include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n"
	    "pidfile %s/pid\nTLSCertificateFile %s/cert.pem\nTLSCertificateKeyFile %s/key.pem\n%s",
	    d->dir, d->dir, d->dir, more);
}

/* A database; its entries come from DIR/N.ldif, N from 1. Returns that file, open. */
SLAPD FILE *slapd_database(struct slapd *d, const char *suffix, const char *more)
{
	char path[128];
	FILE *f;

	d->ndb++;
	slapd_run("mkdir %s/db%d", d->dir, d->ndb);
	fprintf(d->conf, "database mdb\nsuffix \"%s\"\nrootdn \"cn=root,%s\"\ndirectory %s/db%d\n%s", suffix, suffix,
	    d->dir, d->ndb, more);
	snprintf(path, sizeof path, "%s/%d.ldif", d->dir, d->ndb);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	return f;
}

SLAPD bool slapd_answers(unsigned port)
{
	struct sockaddr_in in = {
	    .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons((uint16_t)port)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (struct sockaddr *)&in, sizeof in) == 0;

	close(fd);
	return yes;
}

SLAPD void slapd_start(struct slapd *d)
{
	struct timespec pause = {.tv_nsec = 20 * 1000 * 1000};
	char conf[128], uris[128];

	ck_assert_int_eq(fclose(d->conf), 0);
	snprintf(conf, sizeof conf, "%s/slapd.conf", d->dir);
	snprintf(uris, sizeof uris, "ldap://127.0.0.1:%u ldaps://127.0.0.1:%u", d->port, d->tls_port);
	for (int i = 1; i <= d->ndb; i++)
		slapd_run("cd %s && /usr/sbin/slapadd -q -f slapd.conf -n %d -l %d.ldif >slapadd.%d 2>&1 || { cat "
			  "slapadd.%d; false; }",
		    d->dir, i, i, i, i);
	d->pid = fork();
	ck_assert_int_ge(d->pid, 0);
	if (d->pid == 0) {
		char log[128];

		snprintf(log, sizeof log, "%s/log", d->dir);
		if (!freopen(log, "w", stderr))
			_exit(126);
		execl("/usr/sbin/slapd", "slapd", "-d", "256", "-f", conf, "-h", uris, (char *)NULL);
		_exit(127);
	}
	for (int i = 0; i < 500; i++) {
		if (slapd_answers(d->port) && slapd_answers(d->tls_port))
			return;
		ck_assert_msg(waitpid(d->pid, NULL, WNOHANG) == 0, "slapd ended; see %s/log", d->dir);
		nanosleep(&pause, NULL);
	}
	ck_abort_msg("slapd does not answer; see %s/log", d->dir);
}

SLAPD void slapd_end(struct slapd *d)
{
	kill(d->pid, SIGTERM);
	waitpid(d->pid, NULL, 0);
	slapd_run("rm -rf %s", d->dir);
}

#endif
