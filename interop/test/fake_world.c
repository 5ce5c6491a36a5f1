#include "fake_world.h"

#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *name, *usage;
	bool ec;
} specs[] = {{"sig", "digitalSignature", false}, {"enc", "keyEncipherment", false},
    {"other", "keyEncipherment", false}, {"both", "digitalSignature,keyEncipherment", false},
    {"ec", "keyAgreement", true}, {"ecsig", "digitalSignature", true}, {"gsig", "digitalSignature", false},
    {"genc", "keyEncipherment", false}, {"fake", "digitalSignature", false}};

enum { SPECS = sizeof(specs) / sizeof(*specs) };

struct world {
	struct credential all[SPECS], shown[2]; /* shown: the gateway's without keys */
	X509 *ca;
	EVP_PKEY *ca_key;
};

const char *const mark_names[] = {"trusted", "untrusted", "broken", "unsigned", "unmarked"};

static void extension(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	if (!e || X509_add_ext(x, e, -1) != 1)
		die("no extension %s", value);
	X509_EXTENSION_free(e);
}

static X509 *certificate(EVP_PKEY *key, const char *cn, long serial, X509 *issuer, EVP_PKEY *by, const char *usage)
{
	X509 *x = X509_new();

	X509_set_version(x, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(x), serial);
	X509_gmtime_adj(X509_getm_notBefore(x), -3600);
	X509_gmtime_adj(X509_getm_notAfter(x), 86400);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(x), "CN", MBSTRING_UTF8, (const unsigned char *)cn, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer ? issuer : x));
	X509_set_pubkey(x, key);
	extension(x, issuer ? issuer : x, NID_basic_constraints, issuer ? "critical,CA:FALSE" : "critical,CA:TRUE");
	extension(x, issuer ? issuer : x, NID_key_usage, usage);
	extension(x, issuer ? issuer : x, NID_subject_key_identifier, "hash");
	if (issuer)
		extension(x, issuer, NID_ext_key_usage, "emailProtection");
	if (!X509_sign(x, by, EVP_sha256()))
		die("a certificate cannot be signed");
	return x;
}

struct world *fake_world(void)
{
	struct world *w = need(sizeof(*w));

	w->ca_key = EVP_RSA_gen(2048);
	w->ca = certificate(w->ca_key, "Test CA", 1, NULL, w->ca_key, "keyCertSign,cRLSign");
	for (size_t i = 0; i < SPECS; i++) {
		struct credential *c = &w->all[i];

		c->key = specs[i].ec ? EVP_EC_gen("P-256") : EVP_RSA_gen(2048);
		c->cert = certificate(c->key, specs[i].name, 10 + (long)i, w->ca, w->ca_key, specs[i].usage);
		c->chain = sk_X509_new_null();
		if (!strcmp(specs[i].name, "gsig") || !strcmp(specs[i].name, "genc")) {
			w->shown[specs[i].name[1] == 'e'] = *c;
			w->shown[specs[i].name[1] == 'e'].key = NULL;
		}
	}
	return w;
}

void fake_world_free(struct world *w)
{
	for (size_t i = 0; i < SPECS; i++) {
		X509_free(w->all[i].cert);
		EVP_PKEY_free(w->all[i].key);
		sk_X509_free(w->all[i].chain);
	}
	X509_free(w->ca);
	EVP_PKEY_free(w->ca_key);
	free(w);
}

static void write_pem(const char *dir, const char *name, const char *end, X509 *x, EVP_PKEY *key)
{
	char *path = text_make("%s/%s.%s", dir, name, end);
	FILE *f = fopen(path, "we");

	if (!f || (x ? PEM_write_X509(f, x) : PEM_write_PKCS8PrivateKey(f, key, NULL, NULL, 0, NULL, NULL)) != 1)
		die("%s cannot be written", path);
	fclose(f);
	free(path);
}

void fake_world_write(struct world *w, const char *dir)
{
	write_pem(dir, "ca", "pem", w->ca, NULL);
	for (size_t i = 0; i < SPECS; i++) {
		write_pem(dir, specs[i].name, "pem", w->all[i].cert, NULL);
		write_pem(dir, specs[i].name, "key", NULL, w->all[i].key);
	}
}

const struct credential *fake_world_gateway(struct world *w, char use)
{
	return world_credential(w, NULL, use == 'e' ? "genc" : "gsig", use);
}

const struct credential *world_credential(struct world *w, const struct case_file *c, const char *name, char use)
{
	(void)c;
	if (!strcmp(name, "gateway"))
		return &w->shown[use == 'e'];
	for (size_t i = 0; i < SPECS; i++)
		if (!strcmp(name, specs[i].name))
			return &w->all[i];
	return NULL;
}

const char *world_domain(struct world *w, const struct case_file *c, const char *name)
{
	(void)w;
	(void)c;
	return !strcmp(name, "p") ? "test-case.kit.test" : !strcmp(name, "q") ? "q-test-case.kit.test" : NULL;
}
