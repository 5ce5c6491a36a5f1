/*
 * Certificates of many domains at once: certs CA.pem CA.key KEY.pem, a domain a line on standard input; writes each
 * one's certificate (for that key, issued by that CA, for ten days) as a line of base64. For benchmarks with
 * thousands of partners, where a process a certificate takes too long. Not part of the gateway.
 */
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

enum { DAYS = 10, LINE = 512 };

static FILE *open_file(const char *path)
{
	FILE *f = fopen(path, "r");

	if (!f)
		log_fatal("%s cannot be read", path);
	return f;
}

static EVP_PKEY *key_of(const char *path)
{
	FILE *f = open_file(path);
	EVP_PKEY *k = PEM_read_PrivateKey(f, NULL, NULL, NULL);

	(void)fclose(f);
	REQUIRE(k);
	return k;
}

static void extend(X509 *x, int nid, const char *value)
{
	X509_EXTENSION *e = X509V3_EXT_conf_nid(NULL, NULL, nid, value);

	REQUIRE(e && X509_add_ext(x, e, -1) == 1);
	X509_EXTENSION_free(e);
}

static X509 *issue(const char *domain, long serial, X509 *ca, EVP_PKEY *ca_key, EVP_PKEY *key)
{
	char san[LINE + 8];
	X509 *x = X509_new();

	REQUIRE(x);
	(void)snprintf(san, sizeof san, "DNS:%s", domain);
	REQUIRE(X509_set_version(x, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(x), serial) == 1);
	REQUIRE(
	    X509_gmtime_adj(X509_getm_notBefore(x), -3600L) && X509_gmtime_adj(X509_getm_notAfter(x), DAYS * 86400L));
	REQUIRE(X509_set_issuer_name(x, X509_get_subject_name(ca)) == 1 && X509_set_pubkey(x, key) == 1);
	REQUIRE(X509_NAME_add_entry_by_txt(
		    X509_get_subject_name(x), "CN", MBSTRING_ASC, (const unsigned char *)"partner", -1, -1, 0) == 1);
	extend(x, NID_subject_alt_name, san);
	extend(x, NID_key_usage, "critical,digitalSignature,keyAgreement");
	extend(x, NID_ext_key_usage, "emailProtection");
	REQUIRE(X509_sign(x, ca_key, EVP_sha256()) > 0);
	return x;
}

static void write_line(X509 *x)
{
	unsigned char *der = NULL, text[8192];
	int n = i2d_X509(x, &der);

	REQUIRE(n > 0 && (size_t)n < sizeof text / 2);
	(void)EVP_EncodeBlock(text, der, n);
	(void)puts((const char *)text);
	OPENSSL_free(der);
}

int main(int argc, char **argv)
{
	char line[LINE];
	EVP_PKEY *ca_key, *key;
	X509 *ca;
	FILE *f;

	if (argc != 4)
		log_fatal("usage: certs CA.pem CA.key KEY.pem < domains");
	f = open_file(argv[1]);
	ca = PEM_read_X509(f, NULL, NULL, NULL);
	(void)fclose(f);
	REQUIRE(ca);
	ca_key = key_of(argv[2]);
	key = key_of(argv[3]);
	for (long serial = 1; fgets(line, sizeof line, stdin); serial++) {
		X509 *x;

		line[strcspn(line, "\n")] = '\0';
		x = issue(line, serial, ca, ca_key, key);
		write_line(x);
		X509_free(x);
	}
	X509_free(ca);
	EVP_PKEY_free(ca_key);
	EVP_PKEY_free(key);
	return 0;
}
