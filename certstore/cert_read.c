/*
 * Certificates out of whatever file an admin or a partner has: PEM, DER, PKCS#7. Judge, CLI, tests; pure over octets,
 * OpenSSL; no I/O. One certificate that cannot be read spoils the file: to leave one out silently would let the admin
 * believe it was imported.
 */
#include "certstore/cert_read.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/pkcs12.h>
#include <stdbool.h>
#include <string.h>

#include "certstore/cert.h"

struct reading {
	X509 **list;
	size_t n, max;
	struct problem *pr;
};

static int bad_file(struct reading *r, const char *why)
{
	ERR_clear_error();
	return problem_set(r->pr, PROBLEM_PERM, 0, "", "", "%s", why);
}

void cert_list_free(X509 **list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		X509_free(list[i]);
}

static int add_der(struct reading *r, const void *der, size_t n)
{
	X509 *x;

	if (r->n >= r->max)
		return problem_set(
		    r->pr, PROBLEM_PERM, 0, "", "", "there are more than %zu certificates in this file", r->max);
	x = cert_parse(der, n, r->pr);
	if (!x)
		return r->n == 0 ? -1 : problem_prefix(r->pr, "certificate %zu of the file: ", r->n + 1);
	r->list[r->n++] = x;
	return 0;
}

static int add_x509(struct reading *r, X509 *x)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der), rc;

	rc = n > 0 ? add_der(r, der, (size_t)n) : bad_file(r, "a certificate in this file cannot be read");
	OPENSSL_free(der);
	return rc;
}

/* PKCS#7 or CMS: a SignedData whose only use is to carry certificates. Order as in the file. NOT_PKCS7 when it is
 * something else. */
enum { NOT_PKCS7 = -2 };

static int add_pkcs7(struct reading *r, const void *der, size_t n)
{
	const unsigned char *p = der;
	CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)n);
	STACK_OF(X509) *all = NULL;
	int rc = -1;

	if (!c || p != (const unsigned char *)der + n || OBJ_obj2nid(CMS_get0_type(c)) != NID_pkcs7_signed) {
		bad_file(r, "this is neither a certificate nor PKCS#7 with certificates in it");
		rc = NOT_PKCS7;
		goto out;
	}
	all = CMS_get1_certs(c);
	rc = sk_X509_num(all) > 0 ? 0 : bad_file(r, "there is no certificate in this PKCS#7 file");
	for (int i = 0; rc == 0 && i < sk_X509_num(all); i++)
		rc = add_x509(r, sk_X509_value(all, i));
out:
	sk_X509_pop_free(all, X509_free);
	CMS_ContentInfo_free(c);
	return rc;
}

static bool is_one_of(const char *name, const char *const *words)
{
	for (; *words; words++)
		if (strcmp(name, *words) == 0)
			return true;
	return false;
}

static int add_pem_block(struct reading *r, const char *name, const unsigned char *data, long n)
{
	static const char *const certs[] = {"CERTIFICATE", "X509 CERTIFICATE", NULL};
	static const char *const bags[] = {"PKCS7", "PKCS #7 SIGNED DATA", "CMS", NULL};

	if (strstr(name, "PRIVATE KEY"))
		return bad_file(r, "there is a private key in this file: it belongs to nobody but its owner; give a "
				   "file with the certificate alone");
	if (is_one_of(name, certs))
		return add_der(r, data, (size_t)n);
	if (is_one_of(name, bags))
		return add_pkcs7(r, data, (size_t)n) == 0 ? 0 : -1;
	return 0; /* revocation lists, parameters: no certificate */
}

static int read_pem(struct reading *r, const void *p, size_t n)
{
	BIO *b = BIO_new_mem_buf(p, (int)n);
	int rc = b ? 0 : -1;

	while (rc == 0) {
		char *name = NULL, *header = NULL;
		unsigned char *data = NULL;
		long len = 0;

		if (PEM_read_bio(b, &name, &header, &data, &len) != 1) {
			bool end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;

			if (!end)
				rc = bad_file(r, "a PEM block of this file is damaged or cut off");
			break;
		}
		rc = add_pem_block(r, name, data, len);
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_clear_free(data, (size_t)len);
	}
	BIO_free(b);
	ERR_clear_error();
	if (rc == 0 && r->n == 0)
		rc = bad_file(r, "there is no certificate in this PEM file");
	return rc;
}

int cert_read_no_pkcs12(const void *p, size_t n, struct problem *pr)
{
	const unsigned char *q = p;
	PKCS12 *p12 = d2i_PKCS12(NULL, &q, (long)n);

	ERR_clear_error();
	if (!p12)
		return 0;
	PKCS12_free(p12);
	return problem_perm(pr,
	    "this is a PKCS#12 file (.p12, .pfx), the kind that carries a private key with its certificate. "
	    "The private key of a partner or of an authority is never wanted here; the file was not "
	    "opened, and nothing of it is stored. Ask for the certificate alone (.cer, .crt, .pem or .p7b); "
	    "whoever sent you a private key has to replace it, since it is no longer secret. A key of a "
	    "domain of your own is taken on the page of that domain, or with \"postern domain add "
	    "--pkcs12\"");
}

static int read_der(struct reading *r, const void *p, size_t n)
{
	struct problem as_cert = {0}, *pr = r->pr;
	int rc;

	r->pr = &as_cert;
	rc = n <= CERT_DER_MAX ? add_der(r, p, n) : -1;
	r->pr = pr;
	if (rc == 0)
		return 0;
	rc = add_pkcs7(r, p, n);
	if (rc != NOT_PKCS7)
		return rc;
	if (cert_read_no_pkcs12(p, n, r->pr) < 0)
		return -1;
	if (pr && as_cert.cls != PROBLEM_NONE)
		*pr = as_cert;
	return -1;
}

/* The armour's first words; a DER file may hold them too, but begins with a SEQUENCE. */
static bool looks_like_pem(const void *p, size_t n)
{
	static const char begin[] = "-----BEGIN ";

	return n > 0 && *(const unsigned char *)p != 0x30 && memmem(p, n, begin, sizeof begin - 1) != NULL;
}

int cert_read_any(const void *p, size_t n, X509 **list, size_t max, struct problem *pr)
{
	struct reading r = {list, 0, max, pr};
	int rc;

	problem_clear(pr);
	if (n == 0 || n > CERT_FILE_MAX)
		return bad_file(&r, n ? "the file is larger than 4 MiB" : "the file is empty");
	rc = looks_like_pem(p, n) ? read_pem(&r, p, n) : read_der(&r, p, n);
	if (rc == 0)
		return (int)r.n;
	cert_list_free(list, r.n);
	ERR_clear_error();
	return -1;
}

/* How many octets the DER element at p takes: a certificate is a SEQUENCE of less than 64 KiB. 0 when it is none or
 * does not end. */
static size_t element_size(const uint8_t *p, size_t n)
{
	size_t len;

	if (n < 2 || p[0] != 0x30)
		return 0;
	if (p[1] < 0x80)
		len = 2u + p[1];
	else if (p[1] == 0x81 && n >= 3)
		len = 3u + p[2];
	else if (p[1] == 0x82 && n >= 4)
		len = 4u + ((size_t)p[2] << 8 | p[3]);
	else
		return 0;
	return len <= n ? len : 0;
}

int cert_read_chain(const void *p, size_t n, X509 **list, size_t max, struct problem *pr)
{
	struct reading r = {list, 0, max, pr};
	const uint8_t *at = p;

	while (n > 0) {
		size_t k = element_size(at, n);

		if (k == 0 ? bad_file(&r, "the chain is not a row of DER certificates") < 0
			   : add_der(&r, at, k) < 0) {
			cert_list_free(list, r.n);
			return -1;
		}
		at += k;
		n -= k;
	}
	return (int)r.n;
}
