/* Certificates of the world. */
#include "interop/kit/making.h"

#include <stdlib.h>
#include <string.h>

#define POOL 24 /* RSA-2048 keys that certificates of different cases share; those of one case differ */
#define DEAD "127.0.0.1:1"

static const char *const authorities[] = {"good", "sub", "evil", "tls"};

void making_paths(const struct making *m, const char *name, char **cert, char **key)
{
	const char *dir = m->case_dir;
	char *top = NULL;

	for (size_t i = 0; i < sizeof(authorities) / sizeof(*authorities); i++)
		if (!strcmp(name, authorities[i]))
			dir = top = text_make("%s/ca", m->dir);
	*cert = text_make("%s/%s.pem", dir, name);
	*key = text_make("%s/%s.key", dir, name);
	free(top);
}

/* A key of the pool for the certificate, by the case's id and the number of the certificate in it. */
static EVP_PKEY *pool_key(struct making *m, struct buf *why)
{
	unsigned char hash[32];
	char *dir = text_make("%s/pool", m->dir), *path;
	EVP_PKEY *key = NULL;

	sha256_of(m->c->id, strlen(m->c->id), hash);
	path = text_make("%s/%u.key", dir, (hash[0] + 256u * hash[1] + m->n_keys++) % POOL);
	if (directory_make(dir, why) == 0 && !(key = pki_read_key(path)) && (key = pki_key("rsa2048", why)) &&
	    pki_write_key(path, key, why) < 0) {
		EVP_PKEY_free(key);
		key = NULL;
	}
	free(dir);
	free(path);
	return key;
}

/* Whom a certificate's issuer is called in URLs: its own name, or case.name. */
static char *authority_of(struct making *m, const char *issuer)
{
	for (size_t i = 0; i < sizeof(authorities) / sizeof(*authorities); i++)
		if (!strcmp(issuer, authorities[i]))
			return text_copy(issuer);
	return text_make("%s.%s", m->c->id, issuer);
}

/* The URLs that the certificate names, by revocation= and aia=. Each is freed by the caller. */
static void urls_of(struct making *m, const struct stmt *st, const char *issuer, struct cert_spec *spec)
{
	const char *how = stmt_attribute(st, "revocation", strcmp(issuer, "self") ? "crl" : "none"),
		   *http = m->kit->http;
	char *authority = authority_of(m, issuer);

	if (!*http)
		how = "none";
	if (!strcmp(how, "crl") || !strcmp(how, "crl-stale") || !strcmp(how, "crl-forged") ||
	    !strcmp(how, "crl-brief"))
		spec->crl_url = text_make("http://%s/crl/%s/%s.crl", http, authority, how[3] ? how + 4 : "good");
	else if (!strcmp(how, "crl-dead"))
		spec->crl_url = text_make("http://" DEAD "/crl/%s.crl", authority);
	else if (!strcmp(how, "ocsp") || !strcmp(how, "ocsp-forged") || !strcmp(how, "ocsp-brief"))
		spec->ocsp_url = text_make("http://%s/ocsp/%s/%s", http, authority, how[4] ? how + 5 : "good");
	else if (!strcmp(how, "ocsp-dead"))
		spec->ocsp_url = text_make("http://" DEAD "/ocsp/%s", authority);
	if (!strcmp(stmt_attribute(st, "aia", "no"), "yes") && *http)
		spec->issuer_url = text_make("http://%s/aia/%s.cer", http, authority);
	free(authority);
}

static int time_of(
    struct making *m, const struct stmt *st, const char *name, const char *without, time_t *out, struct buf *why)
{
	int64_t ms;

	if (span_read(stmt_attribute(st, name, without), &ms) < 0)
		return fail(why, "%s= is not a time such as -400d", name);
	*out = m->now + ms / 1000;
	return 0;
}

static int publish_issuer(struct making *m, const char *authority, X509 *cert, struct buf *why)
{
	char *path = text_make("/aia/%s.cer", authority);
	struct buf der = {0};
	int rc;

	pki_der(cert, &der);
	rc = making_page(m, path, "application/pkix-cert", &der, why);
	buf_free(&der);
	free(path);
	return rc;
}

/* The serial numbers that an authority has revoked, one a line. */
static int write_revoked(struct making *m, const char *issuer, X509 *cert, struct buf *why)
{
	char *dir = text_make("%s/revoked", m->dir), *authority = authority_of(m, issuer),
	     *path = text_make("%s/%s", dir, authority);
	struct buf text = {0}, serial = {0};
	int rc = directory_make(dir, why);

	if (file_there(path))
		file_read(path, &text, NULL);
	pki_serial_hex(cert, &serial);
	if (rc == 0 && (text.n == 0 || !strstr(text.p, serial.p))) {
		buf_addf(&text, "%s\n", serial.p);
		rc = file_write(path, text.p, text.n, 0644, why);
	}
	buf_free(&text);
	buf_free(&serial);
	free(dir);
	free(authority);
	free(path);
	return rc;
}

/* NAME.chain.pem: the issuers up to an anchor of the world, without it. */
static int write_chain(const char *cert, const char *issuer_cert, const char *issuer, struct buf *why)
{
	char *path = text_make("%.*s.chain.pem", (int)strlen(cert) - 4, cert),
	     *above = text_make("%.*s.chain.pem", (int)strlen(issuer_cert) - 4, issuer_cert);
	struct buf text = {0};
	int rc = 0;

	if (strcmp(issuer, "self") != 0 && !text_is_word_in(issuer, "good,evil"))
		rc = file_read(issuer_cert, &text, why);
	if (rc == 0 && text.n > 0 && file_there(above))
		rc = file_read(above, &text, why);
	if (rc == 0)
		rc = file_write(path, text.p ? text.p : "", text.n, 0644, why);
	buf_free(&text);
	free(path);
	free(above);
	return rc;
}

struct making_of {
	const char *name, *issuer;
	char *cert_path, *key_path, *issuer_path, *issuer_key_path;
	EVP_PKEY *key, *issuer_key;
	X509 *cert, *issuer_cert;
};

static int find_issuer(struct making *m, struct making_of *o, struct buf *why)
{
	if (!strcmp(o->issuer, "self")) {
		o->issuer_path = text_copy(o->cert_path);
		return 0;
	}
	making_paths(m, o->issuer, &o->issuer_path, &o->issuer_key_path);
	o->issuer_cert = pki_read_cert(o->issuer_path);
	o->issuer_key = pki_read_key(o->issuer_key_path);
	return o->issuer_cert && o->issuer_key ? 0 : fail(why, "no certificate %s above", o->issuer);
}

static int issue(struct making *m, const struct stmt *st, struct making_of *o, struct buf *why)
{
	struct cert_spec spec = {.usage = stmt_attribute(st, "usage",
				     !strcmp(stmt_attribute(st, "ca", "no"), "yes") ? "ca" : "sign,encrypt"),
	    .eku = stmt_attribute(st, "eku", "email"),
	    .hash = stmt_attribute(st, "hash", "sha256"),
	    .pathlen = -1,
	    .policy = stmt_attribute(st, "policy", NULL),
	    .critical = stmt_attribute(st, "critical", NULL),
	    .ca = !strcmp(stmt_attribute(st, "ca", "no"), "yes")};
	const char *kind = stmt_attribute(st, "key", "rsa2048"), *pathlen = stmt_attribute(st, "pathlen", NULL),
		   *permit = stmt_attribute(st, "permit", NULL), *exclude = stmt_attribute(st, "exclude", NULL);
	char *names = making_text(m, stmt_attribute(st, "names", spec.ca ? "none" : "dns:{p}"), why),
	     *subject =
		 making_text(m, stmt_attribute(st, "subject", spec.ca ? "/CN=Authority {case}" : "/CN={p}"), why);
	char *may = permit ? making_text(m, permit, why) : NULL, *not = exclude ? making_text(m, exclude, why) : NULL;
	int rc = -1;

	spec.names = names;
	spec.subject = subject;
	spec.permit = may;
	spec.exclude = not ;
	urls_of(m, st, o->issuer, &spec);
	if (!names || !subject || (permit && !may) || (exclude && !not ) ||
	    (pathlen && number_read(pathlen, 0, 20, &spec.pathlen) < 0) ||
	    time_of(m, st, "from", "-1d", &spec.from, why) < 0 ||
	    time_of(m, st, "until", "+300d", &spec.until, why) < 0)
		goto out;
	o->key = strcmp(kind, "rsa2048") != 0 || spec.ca || !m->case_dir ? pki_key(kind, why) : pool_key(m, why);
	o->cert = o->key ? pki_cert(&spec, o->key, o->issuer_cert, o->issuer_key, why) : NULL;
	if (o->cert && pki_write_key(o->key_path, o->key, why) == 0 &&
	    pki_write_cert(o->cert_path, o->cert, why) == 0)
		rc = write_chain(o->cert_path, o->issuer_path, o->issuer, why);
out:
	free(names);
	free(subject);
	free(may);
	free(not );
	free((char *)spec.crl_url);
	free((char *)spec.ocsp_url);
	free((char *)spec.issuer_url);
	return rc;
}

int making_cert(struct making *m, const struct stmt *st, struct buf *why)
{
	struct making_of o = {.name = stmt_word(st, 0, ""), .issuer = stmt_attribute(st, "issuer", "good")};
	char *authority = NULL;
	int rc;

	making_paths(m, o.name, &o.cert_path, &o.key_path);
	rc = find_issuer(m, &o, why);
	if (rc == 0 && !(o.cert = pki_read_cert(o.cert_path)))
		rc = issue(m, st, &o, why);
	else
		m->n_keys++; /* the others get the keys that they had */
	if (rc == 0 && !strcmp(stmt_attribute(st, "status", "good"), "revoked"))
		rc = write_revoked(m, o.issuer, o.cert, why);
	if (rc == 0 && !strcmp(stmt_attribute(st, "ca", "no"), "yes")) {
		authority = authority_of(m, o.name);
		rc = publish_issuer(m, authority, o.cert, why);
	}
	free(authority);
	free(o.cert_path);
	free(o.key_path);
	free(o.issuer_path);
	free(o.issuer_key_path);
	EVP_PKEY_free(o.key);
	EVP_PKEY_free(o.issuer_key);
	X509_free(o.cert);
	X509_free(o.issuer_cert);
	return rc;
}

/* A statement as if a case had it, for what every world has. */
static int make_fixed(struct making *m, const char *text, struct buf *why)
{
	struct case_file c = {.id = text_copy("kit"), .profile = text_copy("kit"), .dir = text_copy("ca")};
	char *whole = text_make("title kit\nproves -\n%s\n", text);
	int rc = case_file_parse(whole, strlen(whole), &c, why);

	m->c = &c;
	if (rc == 0)
		rc = making_cert(m, &c.stmts[0], why);
	m->c = NULL;
	free(whole);
	case_file_free(&c);
	return rc;
}

static int publish_authority(struct making *m, const char *name, struct buf *why)
{
	char *path = text_make("%s/ca/%s.pem", m->dir, name);
	X509 *cert = pki_read_cert(path);
	int rc = cert ? publish_issuer(m, name, cert, why) : fail(why, "%s cannot be read", path);

	X509_free(cert);
	free(path);
	return rc;
}

int making_authorities(struct making *m, struct buf *why)
{
	static const char *const fixed[] = {
	    "cert good ca=yes issuer=self names=none subject=\"/O=Certification kit/CN=Authority\" until=+3650d",
	    "cert sub ca=yes issuer=good names=none subject=\"/O=Certification kit/CN=Authority below\" until=+3000d",
	    "cert evil ca=yes issuer=self names=none subject=\"/O=Nobody/CN=Authority of nobody\" until=+3650d",
	};
	char *dir = text_make("%s/ca", m->dir), *tls;
	char *address = kit_host(m->kit->https);
	int rc = directory_make(dir, why);

	for (size_t i = 0; rc == 0 && i < sizeof(fixed) / sizeof(*fixed); i++)
		rc = make_fixed(m, fixed[i], why);
	tls =
	    text_make("cert tls issuer=good eku=server revocation=none subject=\"/CN=%s\" names=dns:%s,dns:*.%s%s%s",
		m->kit->host, m->kit->host, m->kit->kit_domain, *address ? ",IP:" : "", address);
	if (rc == 0)
		rc = make_fixed(m, tls, why);
	for (size_t i = 0; rc == 0 && i < 3; i++)
		rc = publish_authority(m, authorities[i], why);
	free(tls);
	free(address);
	free(dir);
	return rc;
}
