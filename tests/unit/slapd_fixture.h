/*
 * A real slapd on free loopback ports with entries of the test's own. Started and ended by process id. For tests
 * only.
 */
#ifndef POSTERN_TESTS_SLAPD_FIXTURE_H
#define POSTERN_TESTS_SLAPD_FIXTURE_H

#include "tests/unit/free_port.h"
#include "tests/unit/server_fixture.h"

#define SLAPD __attribute__((unused)) static

struct slapd {
	struct server s;
	unsigned port, tls_port;
	int ndb;
};

SLAPD void slapd_needs(void)
{
	server_needs("/usr/sbin/slapd", "slapd");
}

/* more: lines for the top of slapd.conf. With TLS when DIR/cert.pem and key.pem were put there before slapd_start. */
SLAPD void slapd_begin(struct slapd *d, const char *more)
{
	memset(d, 0, sizeof *d);
	slapd_needs();
	server_begin(&d->s, "slapd");
	d->port = free_port();
	d->tls_port = free_port();
	fprintf(d->s.conf,
	    "include /etc/ldap/schema/core.schema\ninclude /etc/ldap/schema/cosine.schema\n"
	    "include /etc/ldap/schema/inetorgperson.schema\nmodulepath /usr/lib/ldap\nmoduleload back_mdb\n"
	    "pidfile %s/pid\nTLSCertificateFile %s/cert.pem\nTLSCertificateKeyFile %s/key.pem\n%s",
	    d->s.dir, d->s.dir, d->s.dir, more);
}

/* A database; its entries come from DIR/N.ldif, N from 1. Returns that file, open. */
SLAPD FILE *slapd_database(struct slapd *d, const char *suffix, const char *more)
{
	char path[128];
	FILE *f;

	d->ndb++;
	server_run("mkdir %s/db%d", d->s.dir, d->ndb);
	fprintf(d->s.conf, "database mdb\nsuffix \"%s\"\nrootdn \"cn=root,%s\"\ndirectory %s/db%d\n%s", suffix,
	    suffix, d->s.dir, d->ndb, more);
	snprintf(path, sizeof path, "%s/%d.ldif", d->s.dir, d->ndb);
	f = fopen(path, "w");
	ck_assert_ptr_nonnull(f);
	return f;
}

SLAPD bool slapd_listens(unsigned port)
{
	struct sockaddr_in in = server_loopback(port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool yes = connect(fd, (struct sockaddr *)&in, sizeof in) == 0;

	close(fd);
	return yes;
}

SLAPD bool slapd_answers(void *slapd)
{
	const struct slapd *d = slapd;

	return slapd_listens(d->port) && slapd_listens(d->tls_port);
}

SLAPD void slapd_start(struct slapd *d)
{
	char conf[128], uris[128];
	const char *argv[] = {"/usr/sbin/slapd", "-d", "256", "-f", conf, "-h", uris, NULL};

	snprintf(conf, sizeof conf, "%s/slapd.conf", d->s.dir);
	snprintf(uris, sizeof uris, "ldap://127.0.0.1:%u ldaps://127.0.0.1:%u", d->port, d->tls_port);
	fflush(d->s.conf);
	for (int i = 1; i <= d->ndb; i++)
		server_run("cd %s && /usr/sbin/slapadd -q -f slapd.conf -n %d -l %d.ldif >slapadd.%d 2>&1 || { cat "
			   "slapadd.%d; false; }",
		    d->s.dir, i, i, i, i);
	server_start(&d->s, argv, slapd_answers, d);
}

SLAPD void slapd_end(struct slapd *d)
{
	server_end(&d->s);
}

#endif
