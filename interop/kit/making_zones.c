/* Zones and the name server's configuration; the directory's. */
#include "interop/kit/making.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

int making_run(struct making *m, const char *directory, const char *const argv[], const struct buf *input,
    struct buf *output, struct buf *why)
{
	char *in = text_make("%s/run.in", m->dir), *out = text_make("%s/run.out", m->dir);
	posix_spawn_file_actions_t a;
	int status = -1, rc = file_write(in, input ? input->p : "", input ? input->n : 0, 0600, why);
	struct buf said = {0};
	pid_t pid;

	posix_spawn_file_actions_init(&a);
	posix_spawn_file_actions_addopen(&a, 0, in, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&a, 1, out, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_adddup2(&a, 1, 2);
	posix_spawn_file_actions_addchdir_np(&a, directory);
	if (rc == 0 && (rc = posix_spawnp(&pid, argv[0], &a, NULL, (char *const *)argv, environ)) != 0)
		rc = fail(why, "%s cannot be run: %s", argv[0], strerror(rc));
	else if (rc == 0)
		while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
			;
	posix_spawn_file_actions_destroy(&a);
	if (rc == 0 && file_read(out, &said, why) == 0 && (!WIFEXITED(status) || WEXITSTATUS(status) != 0))
		rc = fail(why, "%s: status %d: %s", argv[0], status, said.p);
	if (rc == 0 && output)
		buf_add(output, said.p, said.n);
	buf_free(&said);
	unlink(in);
	unlink(out);
	free(in);
	free(out);
	return rc;
}

/* The last word of a text, without the line end. */
static char *last_word(const struct buf *b)
{
	size_t end = b->n, start;

	while (end > 0 && strchr(" \r\n", b->p[end - 1]))
		end--;
	for (start = end; start > 0 && !strchr(" \r\n", b->p[start - 1]);)
		start--;
	return text_cut(b->p + start, end - start);
}

/* A key for the zone in dir, kept from an earlier init; its base name, to be freed. which: "key", or "other" for one
 * that signs nothing. */
static char *zone_key(struct making *m, const char *dir, const char *zone, const char *which, struct buf *why)
{
	char *note = text_make("%s/%s.%s", dir, zone, which), *name = NULL;
	const char *argv[] = {"ldns-keygen", "-a", "ECDSAP256SHA256", "-k", zone, NULL};
	struct buf out = {0};

	if (file_there(note) && file_read(note, &out, why) == 0) {
		name = last_word(&out);
	} else if (making_run(m, dir, argv, NULL, &out, why) == 0) {
		name = last_word(&out);
		if (file_write(note, name, strlen(name), 0644, why) < 0) {
			free(name);
			name = NULL;
		}
	}
	buf_free(&out);
	free(note);
	return name;
}

/* Signs ZONE.zone as ZONE.signed, and writes the DS of the key (of another one: bogus) as ZONE.ds */
static int sign_zone(struct making *m, const char *dir, const char *zone, enum zone kind, struct buf *why)
{
	char *key = zone_key(m, dir, zone, "key", why), *trusted = key && kind == ZONE_BOGUS
								       ? zone_key(m, dir, zone, "other", why)
								   : key ? text_copy(key)
									 : NULL;
	char *from = text_make("%s.zone", zone), *to = text_make("%s.signed", zone),
	     *key_file = text_make("%s.key", trusted ? trusted : ""), *ds_file = text_make("%s/%s.ds", dir, zone);
	char until[16];
	time_t end = m->now + 400 * (time_t)86400; /* a kit outlives the four weeks of ldns-signzone */
	struct tm tm;
	const char *sign[] = {"ldns-signzone", "-n", "-e", until, "-f", to, from, key, NULL},
		   *ds[] = {"ldns-key2ds", "-n", "-2", key_file, NULL};
	struct buf out = {0};
	int rc = -1;

	strftime(until, sizeof(until), "%Y%m%d", gmtime_r(&end, &tm));
	if (trusted && making_run(m, dir, sign, NULL, NULL, why) == 0 && making_run(m, dir, ds, NULL, &out, why) == 0)
		rc = file_write(ds_file, out.p, out.n, 0644, why);
	buf_free(&out);
	free(key);
	free(trusted);
	free(from);
	free(to);
	free(key_file);
	free(ds_file);
	return rc;
}

/* "A 192.0.2.1" or "AAAA 2001:db8::1": where all hosts of the partners are. NULL with why. */
static char *address_record(const struct kit *k, struct buf *why)
{
	char *host = kit_host(k->outside_sink), *out = NULL;
	struct in6_addr six = {0};
	struct in_addr four = {0};

	if (inet_pton(AF_INET, host, &four) == 1 && four.s_addr != INADDR_ANY)
		out = text_make("A %s", host);
	else if (inet_pton(AF_INET6, host, &six) == 1 && !IN6_IS_ADDR_UNSPECIFIED(&six))
		out = text_make("AAAA %s", host);
	else
		fail(why,
		    "outside-sink = %s: it needs the IP address at which the gateway reaches this machine, because "
		    "the "
		    "partners' mail host has it in DNS",
		    k->outside_sink);
	free(host);
	return out;
}

static int write_zone(struct making *m, const char *dir, const char *zone, enum zone kind, struct buf *why)
{
	char *path, *host = address_record(m->kit, why);
	struct buf text = {0};
	int rc;

	if (!host)
		return -1;
	path = text_make("%s/%s.zone", dir, zone);

	buf_addf(&text, "$TTL 30\n%s. SOA %s. hostmaster.%s. %lld 3600 600 86400 30\n%s. NS %s.\n", zone,
	    m->kit->host, m->kit->kit_domain, (long long)m->now, zone, m->kit->host);
	if (kind == ZONE_PLAIN)
		buf_addf(&text, "%s. %s\nsmg.%s. %s\n", m->kit->host, host, m->kit->kit_domain, host);
	if (m->zones[kind].n > 0)
		buf_add(&text, m->zones[kind].p, m->zones[kind].n);
	rc = file_write(path, text.p, text.n, 0644, why);
	buf_free(&text);
	free(path);
	free(host);
	return rc;
}

static int write_nsd(struct making *m, const char *dir, struct buf *why)
{
	char *host, *port, *path = text_make("%s/nsd.conf", dir);
	struct buf b = {0};
	int rc;

	if (kit_address(m->kit->dns, &host, &port) < 0) {
		free(path);
		return fail(why, "dns is not host:port");
	}
	buf_addf(&b,
	    "server:\n ip-address: %s@%s\n username: \"\"\n chroot: \"\"\n database: \"\"\n server-count: 1\n "
	    "rrl-ratelimit: 0\n tcp-count: 200\n",
	    host, port);
	buf_addf(&b,
	    " pidfile: \"%s/pid\"\n xfrdfile: \"%s/xfrd\"\n zonelistfile: \"%s/list\"\n zonesdir: \"%s\"\n logfile: "
	    "\"%s/log\"\nremote-control:\n control-enable: no\n",
	    dir, dir, dir, dir, dir);
	for (int i = 0; i < ZONES; i++)
		buf_addf(&b, "zone:\n name: \"%s%s\"\n zonefile: \"%s%s.%s\"\n", zone_labels[i], m->kit->kit_domain,
		    zone_labels[i], m->kit->kit_domain, i == ZONE_PLAIN ? "zone" : "signed");
	rc = file_write(path, b.p, b.n, 0644, why);
	buf_free(&b);
	free(host);
	free(port);
	free(path);
	return rc;
}

/* The real path: nsd changes its directory. */
int making_zones(struct making *m, struct buf *why)
{
	char *made = text_make("%s/zones", m->dir), *dir;
	int rc = directory_make(made, why);

	dir = rc == 0 ? realpath(made, NULL) : NULL;
	if (!*m->kit->dns || !dir) {
		free(made);
		free(dir);
		return rc;
	}
	for (int i = 0; rc == 0 && i < ZONES; i++) {
		char *zone = text_make("%s%s", zone_labels[i], m->kit->kit_domain);

		rc = write_zone(m, dir, zone, (enum zone)i, why);
		if (rc == 0 && i != ZONE_PLAIN)
			rc = sign_zone(m, dir, zone, (enum zone)i, why);
		free(zone);
	}
	if (rc == 0)
		rc = write_nsd(m, dir, why);
	free(made);
	free(dir);
	return rc;
}
