/*
 * A real nsd on a free loopback port with zones of the test's own, plain and signed (ldnsutils). Started and ended by
 * process id. For tests only.
 */
#ifndef POSTERN_TESTS_NSD_FIXTURE_H
#define POSTERN_TESTS_NSD_FIXTURE_H

#include <poll.h>

#include "tests/unit/free_port.h"
#include "tests/unit/server_fixture.h"

#define NSD __attribute__((unused)) static

struct nsd {
	struct server s;
	unsigned port;
};

/* nsd and the signing tools must be there. */
NSD void nsd_needs(void)
{
	server_needs("/usr/sbin/nsd", "nsd");
	server_needs("/usr/bin/ldns-signzone", "ldnsutils");
}

NSD void nsd_begin(struct nsd *d)
{
	nsd_needs();
	server_begin(&d->s, "nsd");
	d->port = free_port();
	fprintf(d->s.conf,
	    "server:\n ip-address: 127.0.0.1@%u\n username: \"\"\n chroot: \"\"\n database: \"\"\n server-count: 1\n "
	    "rrl-ratelimit: 0\n"
	    " pidfile: \"%s/pid\"\n xfrdfile: \"%s/xfrd\"\n zonelistfile: \"%s/zones\"\n zonesdir: \"%s\"\n"
	    " logfile: \"%s/log\"\nremote-control:\n control-enable: no\n",
	    d->port, d->s.dir, d->s.dir, d->s.dir, d->s.dir, d->s.dir);
}

NSD void nsd_zone(struct nsd *d, const char *name, const char *file)
{
	fprintf(d->s.conf, "zone:\n name: \"%s\"\n zonefile: \"%s\"\n", name, file);
}

/* Writes DIR/NAME.zone: SOA and NS, then the records. */
NSD void nsd_write(struct nsd *d, const char *name, const char *records)
{
	char path[128];

	snprintf(path, sizeof path, "%s/%s.zone", d->s.dir, name);

	FILE *f = fopen(path, "w");

	ck_assert_ptr_nonnull(f);
	fprintf(f, "$ORIGIN %s.\n$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n%s", name,
	    records);
	ck_assert_int_eq(fclose(f), 0);
}

/* Signs DIR/NAME.zone into DIR/NAME.signed; its DS goes to the file "anchors". */
NSD void nsd_sign(struct nsd *d, const char *name)
{
	server_run("cd %s && k=$(ldns-keygen -a ECDSAP256SHA256 -k %s 2>/dev/null) && ldns-signzone -n -f %s.signed "
		   "%s.zone $k && "
		   "ldns-key2ds -n -2 $k.key >>anchors",
	    d->s.dir, name, name, name);
}

/* Is it there and answering? */
NSD bool nsd_answers(void *nsd)
{
	static const uint8_t q[] = {
	    0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 5, 'p', 'l', 'a', 'i', 'n', 4, 't', 'e', 's', 't', 0, 0, 6, 0, 1};
	const struct nsd *d = nsd;
	struct sockaddr_in in = server_loopback(d->port);
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
	const char *argv[] = {"/usr/sbin/nsd", "-d", "-c", conf, NULL};

	snprintf(conf, sizeof conf, "%s/nsd.conf", d->s.dir);
	server_start(&d->s, argv, nsd_answers, d);
}

NSD void nsd_end(struct nsd *d)
{
	server_end(&d->s);
}

#endif
