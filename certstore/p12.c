/* PKCS#12, see the header. */
#include "certstore/p12.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <openssl/provider.h>
#include <stdbool.h>

static int fail(struct problem *pr, const char *why)
{
	ERR_clear_error();
	return problem_perm(pr, "%s", why);
}

void p12_prepare(void)
{
	(void)OSSL_PROVIDER_load(NULL, "default");
	(void)OSSL_PROVIDER_load(NULL, "legacy");
	ERR_clear_error();
}

static PKCS12 *parse(const void *file, size_t n, struct problem *pr)
{
	const unsigned char *at = file;
	PKCS12 *p = n > 0 && n <= P12_FILE_MAX ? d2i_PKCS12(NULL, &at, (long)n) : NULL;

	if (!p)
		fail(pr, "it is not a PKCS#12 file");
	return p;
}

static int fits(PKCS12 *p, const char *password)
{
	int ok = !PKCS12_mac_present(p) || PKCS12_verify_mac(p, password, -1);

	ERR_clear_error();
	return ok;
}

int p12_fits(const void *file, size_t n, const char *password, struct problem *pr)
{
	PKCS12 *p = parse(file, n, pr);
	int ok = p ? fits(p, password) : -1;

	PKCS12_free(p);
	return ok;
}

/* Only what older programs wrote needs what is loaded then. */
static bool taken_apart(PKCS12 *p, const char *password, struct p12 *p_r)
{
	if (PKCS12_parse(p, password, &p_r->key, &p_r->cert, &p_r->chain))
		return true;
	p12_prepare();
	return PKCS12_parse(p, password, &p_r->key, &p_r->cert, &p_r->chain);
}

int p12_open(const void *file, size_t n, const char *password, struct p12 *p_r, struct problem *pr)
{
	PKCS12 *p = parse(file, n, pr);
	int rc = 0;

	*p_r = (struct p12){.key = NULL};
	if (!p)
		return -1;
	if (!fits(p, password))
		rc = fail(pr, "the password is wrong, or the file was changed");
	else if (!taken_apart(p, password, p_r))
		rc = fail(pr, "it cannot be opened: export it anew with AES (openssl pkcs12 -export)");
	else if (!p_r->key)
		rc = fail(pr, "it holds no private key: export certificate and private key together");
	else if (!p_r->cert)
		rc = fail(pr, "it holds no certificate that belongs to its key: export certificate and private key "
			      "together");
	PKCS12_free(p);
	ERR_clear_error();
	return rc;
}

void p12_clear(struct p12 *p)
{
	EVP_PKEY_free(p->key);
	X509_free(p->cert);
	sk_X509_pop_free(p->chain, X509_free);
	*p = (struct p12){.key = NULL};
}

unsigned char *p12_key(const struct p12 *p, size_t *n_r, struct problem *pr)
{
	PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(p->key);
	unsigned char *der = NULL;
	int n = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : -1;

	PKCS8_PRIV_KEY_INFO_free(info);
	*n_r = n > 0 ? (size_t)n : 0;
	if (n <= 0)
		fail(pr, "the private key in the file is of a kind that cannot be used");
	return der;
}

BIO *p12_certs(const struct p12 *p, struct problem *pr)
{
	BIO *b = BIO_new(BIO_s_mem());
	int ok = b && PEM_write_bio_X509(b, p->cert) == 1;

	for (int i = 0; ok && i < sk_X509_num(p->chain); i++)
		ok = PEM_write_bio_X509(b, sk_X509_value(p->chain, i)) == 1;
	if (ok)
		return b;
	BIO_free(b);
	fail(pr, "the certificates in the file cannot be written out");
	return NULL;
}
