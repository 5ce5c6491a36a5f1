/* What is published: records, entries of the directory, pages. */
#include "interop/kit/making.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define DEAD_PORT 1

int making_page(struct making *m, const char *path, const char *type, const struct buf *octets, struct buf *why)
{
	char *dir = text_make("%s/http", m->dir), *name = text_make("http/%u", m->files++),
	     *file = text_make("%s/%s", m->dir, name);
	int rc = directory_make(dir, why) < 0 ? -1 : file_write(file, octets->p, octets->n, 0644, why);

	buf_addf(&m->index, "%s\t%s\t%s\n", path, type, name);
	free(dir);
	free(name);
	free(file);
	return rc;
}

/* "bob@a.example" is bob.a.example. as an owner name (RFC 4398 3.2) */
static char *owner_of(const char *address)
{
	char *name = text_make("%s.", address), *at = strchr(name, '@');

	if (at)
		*at = '.';
	return name;
}

static struct buf *zone_of(struct making *m, const char *address)
{
	const struct domain *d = making_domain_of(m, address);

	return d ? &m->zones[d->zone] : NULL;
}

struct publishing {
	struct making *m;
	const struct stmt *st;
	char *at; /* address or domain */
	struct buf *zone;
	const char *name; /* of the certificate, or the list of names */
};

/* The next certificate of a list with commas, as DER; 0: no more, -1: not there. */
static int next_cert(struct publishing *p, const char **list, struct buf *der, struct buf *why)
{
	size_t n = strcspn(*list, ",");
	char *name = text_cut(*list, n), *cert, *key;
	X509 *c;
	int rc = 1;

	if (!*name) {
		free(name);
		return 0;
	}
	making_paths(p->m, name, &cert, &key);
	c = pki_read_cert(cert);
	buf_clear(der);
	if (c)
		pki_der(c, der);
	else
		rc = fail(why, "no certificate %s above", name);
	X509_free(c);
	free(name);
	free(cert);
	free(key);
	*list += n + ((*list)[n] == ',');
	return rc;
}

static int publish_cert(struct publishing *p, struct buf *why)
{
	char *owner = owner_of(p->at);
	const char *list = p->name;
	struct buf der = {0};
	int rc;

	while ((rc = next_cert(p, &list, &der, why)) > 0) {
		buf_addf(p->zone, "%s CERT 1 0 0 ", owner);
		base64_add(p->zone, der.p, der.n, 0);
		buf_adds(p->zone, "\n");
	}
	buf_free(&der);
	free(owner);
	return rc;
}

static int publish_ipkix(struct publishing *p, struct buf *why)
{
	char *owner = owner_of(p->at), *path = text_make("/certs/%s-%u.cer", p->m->c->id, p->m->files);
	const char *list = p->name, *hash = stmt_attribute(p->st, "hash", NULL);
	bool dead = !strcmp(stmt_attribute(p->st, "url", ""), "dead");
	struct buf der = {0}, data = {0};
	unsigned char sum[32];
	int rc = next_cert(p, &list, &der, why);

	if (rc > 0) {
		if (hash) {
			sha256_of(der.p, der.n, sum);
			sum[0] ^= strcmp(hash, "wrong") ? 0 : 0xff;
			buf_add(&data, "\x20", 1);
			buf_add(&data, sum, sizeof(sum));
		}
		buf_addf(&data, "http://%s%s", dead ? "127.0.0.1:1" : p->m->kit->http, path);
		buf_addf(p->zone, "%s CERT 4 0 0 ", owner);
		base64_add(p->zone, data.p, data.n, 0);
		buf_adds(p->zone, "\n");
		rc = dead ? 0 : making_page(p->m, path, "application/pkix-cert", &der, why);
	}
	buf_free(&der);
	buf_free(&data);
	free(owner);
	free(path);
	return rc < 0 ? -1 : 0;
}

/* The public key alone, as DER */
static int spki_of(const struct buf *der, struct buf *out)
{
	const unsigned char *p = (const unsigned char *)der->p;
	X509 *cert = d2i_X509(NULL, &p, (long)der->n);
	unsigned char *spki = NULL;
	int n = cert ? i2d_X509_PUBKEY(X509_get_X509_PUBKEY(cert), &spki) : -1;

	if (n > 0)
		buf_add(out, spki, (size_t)n);
	OPENSSL_free(spki);
	X509_free(cert);
	return n > 0 ? 0 : -1;
}

static int publish_smimea(struct publishing *p, struct buf *why)
{
	const char *list = p->name, *at = strchr(p->at, '@');
	long usage, selector, matching;
	struct buf der = {0}, data = {0};
	unsigned char sum[64];
	int rc;

	if (!at || number_read(stmt_attribute(p->st, "usage", "3"), 0, 255, &usage) < 0 ||
	    number_read(stmt_attribute(p->st, "selector", "0"), 0, 255, &selector) < 0 ||
	    number_read(stmt_attribute(p->st, "matching", "0"), 0, 255, &matching) < 0)
		return fail(why, "smimea needs at= an address, and usage=, selector=, matching= from 0 to 255");
	while ((rc = next_cert(p, &list, &der, why)) > 0) {
		buf_clear(&data);
		if (selector == 1)
			spki_of(&der, &data);
		else
			buf_add(&data, der.p, der.n);
		if (matching == 1 || matching == 2) {
			size_t n = matching == 1 ? 32 : 64;

			if (EVP_Digest(
				data.p, data.n, sum, NULL, matching == 1 ? EVP_sha256() : EVP_sha512(), NULL) != 1)
				die("SHA-2 does not work");
			buf_clear(&data);
			buf_add(&data, sum, n);
		}
		sha256_of(p->at, (size_t)(at - p->at), sum);
		hex_add(p->zone, sum, 28); /* RFC 8162 3 */
		buf_addf(p->zone, "._smimecert.%s. SMIMEA %ld %ld %ld ", at + 1, usage, selector, matching);
		hex_add(p->zone, data.p, data.n);
		buf_adds(p->zone, "\n");
	}
	buf_free(&der);
	buf_free(&data);
	return rc;
}

static const char *port_of(const char *address)
{
	const char *colon = strrchr(address, ':');

	return colon ? colon + 1 : "0";
}

/* SRV of the domain, once */
static void add_srv(struct publishing *p, const char *service, const char *port)
{
	const char *at = strchr(p->at, '@'), *domain = at ? at + 1 : p->at;
	const char *srv = stmt_attribute(p->st, "srv", "");
	char *line = text_make("%s.%s. SRV 10 0 %s %s.\n", service, domain, port, p->m->kit->host);

	if (!strcmp(srv, "none") || (p->zone->p && strstr(p->zone->p, line))) {
		free(line);
		return;
	}
	buf_adds(p->zone, line);
	if (!strcmp(srv, "dead"))
		buf_addf(p->zone, "%s.%s. SRV 0 0 %d %s.\n", service, domain, DEAD_PORT, p->m->kit->host);
	free(line);
}

/* dc=kit,dc=example */
static void suffix_of(const char *domain, struct buf *out)
{
	for (const char *p = domain; *p;) {
		size_t n = strcspn(p, ".");

		buf_addf(out, "%sdc=%.*s", out->n > 0 ? "," : "", (int)n, p);
		p += n + (p[n] == '.');
	}
}

static int publish_ldap(struct publishing *p, struct buf *why)
{
	const char *list = p->name, *attribute = stmt_attribute(p->st, "attribute", "userCertificate;binary");
	struct buf der = {0}, suffix = {0};
	int rc = 0;

	suffix_of(p->m->kit->kit_domain, &suffix);
	buf_addf(&p->m->ldif, "dn: uid=u%u,%s\nobjectClass: inetOrgPerson\nuid: u%u\ncn: %s\nsn: %s\nmail: %s\n",
	    p->m->entries, suffix.p, p->m->entries, p->at, p->at, p->at);
	p->m->entries++;
	while (*list && (rc = next_cert(p, &list, &der, why)) > 0) {
		buf_addf(&p->m->ldif, "%s:: ", attribute);
		base64_add(&p->m->ldif, der.p, der.n, 0);
		buf_adds(&p->m->ldif, "\n");
	}
	buf_adds(&p->m->ldif, "\n");
	add_srv(p, "_ldap._tcp", port_of(p->m->kit->ldap));
	buf_free(&der);
	buf_free(&suffix);
	return rc < 0 ? -1 : 0;
}

/* RFC 4387: by email= for an address, by uri= (dns:) and by name for a domain */
static int publish_search(struct publishing *p, struct buf *why)
{
	static const char *const person[] = {"email"}, *const domain[] = {"uri", "name", "email"};
	bool is_person = strchr(p->at, '@') != NULL;
	const char *const *words = is_person ? person : domain, *list = p->name;
	size_t n = is_person ? 1 : 3;
	struct buf der = {0};
	int rc = next_cert(p, &list, &der, why);

	for (size_t i = 0; rc > 0 && i < n; i++) {
		char *path = text_make("/certificates/search.cgi?%s=%s", words[i], p->at);

		if (making_page(p->m, path, "application/pkix-cert", &der, why) < 0)
			rc = -1;
		free(path);
	}
	add_srv(p, "_certificates._tcp", port_of(p->m->kit->http));
	buf_free(&der);
	return rc < 0 ? -1 : 0;
}

static int publish_http(struct publishing *p, struct buf *why)
{
	const char *list = stmt_word(p->st, 2, "");
	struct buf der = {0};
	char *path = making_text(p->m, p->name, why);
	int rc = path ? next_cert(p, &list, &der, why) : -1;

	if (rc > 0)
		rc = making_page(p->m, path, "application/pkix-cert", &der, why);
	buf_free(&der);
	free(path);
	return rc < 0 ? -1 : 0;
}

/* by=txt: the _smg record, with the key of the statement's signer when key=yes; the other ways are of the run. */
static int publish_statement(struct publishing *p, struct buf *why)
{
	const char *signer = NULL, *list;
	struct buf der = {0}, spki = {0}, key = {0};
	unsigned char sum[32];
	int rc = 1;

	if (!text_is_word_in("txt", stmt_attribute(p->st, "by", "")))
		return 0;
	for (size_t i = 0; i < p->m->c->n_stmts; i++)
		if (!strcmp(p->m->c->stmts[i].verb, "statement") &&
		    !strcmp(stmt_word(&p->m->c->stmts[i], 0, ""), p->name))
			signer = stmt_attribute(&p->m->c->stmts[i], "signer", NULL);
	list = signer;
	if (!signer)
		return fail(why, "no statement %s with signer= in this case", p->name);
	if (!strcmp(stmt_attribute(p->st, "key", "no"), "yes") && (rc = next_cert(p, &list, &der, why)) > 0) {
		spki_of(&der, &spki);
		sha256_of(spki.p, spki.n, sum);
		buf_adds(&key, "; key=sha256/");
		base64url_add(&key, sum, sizeof(sum));
	}
	buf_addf(p->zone, "_smg.%s. TXT \"v=smg1; url=https://%s:%s/.well-known/smg/%s%s\"\n", p->at, p->m->kit->host,
	    port_of(p->m->kit->https), p->at, key.p ? key.p : "");
	buf_free(&der);
	buf_free(&spki);
	buf_free(&key);
	return rc < 0 ? -1 : 0;
}

/* zone "RECORD": the owner is relative to the partner domain; "@" is the domain */
static int publish_record(struct making *m, const struct stmt *st, struct buf *why)
{
	char *record = making_text(m, stmt_word(st, 0, ""), why);
	const struct domain *d = making_domain(m, "p");
	size_t n = record ? strcspn(record, " \t") : 0;

	if (!record)
		return -1;
	if (n > 0 && record[n - 1] == '.')
		buf_addf(&m->zones[d->zone], "%s\n", record);
	else if (n == 1 && *record == '@')
		buf_addf(&m->zones[d->zone], "%s.%s\n", d->domain, record + 1);
	else
		buf_addf(&m->zones[d->zone], "%.*s.%s.%s\n", (int)n, record, d->domain, record + n);
	free(record);
	return 0;
}

static const struct {
	const char *what;
	int (*run)(struct publishing *, struct buf *why);
} kinds[] = {{"cert", publish_cert}, {"ipkix", publish_ipkix}, {"smimea", publish_smimea}, {"ldap", publish_ldap},
    {"search", publish_search}, {"http", publish_http}, {"statement", publish_statement}};

int making_publish(struct making *m, const struct stmt *st, struct buf *why)
{
	struct publishing p = {.m = m, .st = st, .name = stmt_word(st, 1, "")};
	int rc = -1;

	if (!strcmp(st->verb, "zone"))
		return publish_record(m, st, why);
	p.at = making_text(m, stmt_attribute(st, "at", "{p}"), why);
	p.zone = p.at ? zone_of(m, p.at) : NULL;
	if (p.at && !p.zone)
		fail(why, "at=%s is in no domain of this case", p.at);
	for (size_t i = 0; p.zone && i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(stmt_word(st, 0, ""), kinds[i].what)) {
			rc = kinds[i].run(&p, why);
			free(p.at);
			return rc;
		}
	if (p.zone)
		fail(why, "nothing is published as \"%s\"", stmt_word(st, 0, ""));
	free(p.at);
	return rc;
}
