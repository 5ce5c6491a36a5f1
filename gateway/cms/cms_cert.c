/* Words about certificates, and the floor for their keys (RFC 8551 section 4.1 to 4.4). Sealer and tests. */
#include "gateway/cms/cms_cert.h"

#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "certstore/cert.h"
#include "gateway/cms/cms_alg.h"

static void date_text(const ASN1_TIME *t, char out[16])
{
	struct tm tm;

	memset(&tm, 0, sizeof(tm));
	if (t == NULL || !ASN1_TIME_to_tm(t, &tm) || strftime(out, 16, "%Y-%m-%d", &tm) == 0)
		snprintf(out, 16, "?");
}

static void serial_text(X509 *cert, char *out, size_t cap)
{
	BIGNUM *bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = bn != NULL ? BN_bn2hex(bn) : NULL;

	snprintf(out, cap, "%.64s", hex != NULL ? hex : "?");
	OPENSSL_free(hex);
	BN_free(bn);
}

void cms_cert_text(X509 *cert, char *text, size_t cap)
{
	char subject[160] = "", serial[72], from[16], to[16];

	cert_name(X509_get_subject_name(cert), subject, sizeof(subject));
	serial_text(cert, serial, sizeof(serial));
	date_text(X509_get0_notBefore(cert), from);
	date_text(X509_get0_notAfter(cert), to);
	snprintf(text, cap, "%s, serial %s, valid %s to %s", subject, serial, from, to);
}

int cms_cert_key_ok(X509 *cert, struct problem *pr)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);
	char text[CMS_CERT_TEXT];
	int bits = key != NULL ? EVP_PKEY_get_bits(key) : 0;

	if (key != NULL && EVP_PKEY_is_a(key, "RSA") && bits >= CMS_ALG_RSA_BITS_MIN)
		return 0;
	if (key != NULL && EVP_PKEY_is_a(key, "EC") && bits >= CMS_ALG_EC_BITS_MIN)
		return 0;
	ERR_clear_error();
	cms_cert_text(cert, text, sizeof(text));
	if (key == NULL || (!EVP_PKEY_is_a(key, "RSA") && !EVP_PKEY_is_a(key, "EC")))
		return problem_policy(
		    pr, "The key of the certificate %s is neither RSA nor EC; S/MIME needs one of them here.", text);
	return problem_policy(pr,
	    "The key of the certificate %s has %d bits; at least %d are required. Get a new certificate.", text, bits,
	    EVP_PKEY_is_a(key, "RSA") ? CMS_ALG_RSA_BITS_MIN : CMS_ALG_EC_BITS_MIN);
}

int cms_cert_sign_key_ok(X509 *cert, struct problem *pr)
{
	EVP_PKEY *key = X509_get0_pubkey(cert);

	if (key != NULL && EVP_PKEY_is_a(key, "RSA-PSS") && EVP_PKEY_get_bits(key) >= CMS_ALG_RSA_BITS_MIN)
		return 0;
	if (key != NULL && EVP_PKEY_is_a(key, "ED25519"))
		return 0;
	return cms_cert_key_ok(cert, pr);
}

const char *cms_cert_openssl_error(void)
{
	const char *why = ERR_reason_error_string(ERR_peek_last_error());

	ERR_clear_error();
	return why != NULL ? why : "no reason given";
}
