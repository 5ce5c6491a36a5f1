#include "interop/kit/tester.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/visible.h"

#define CERT_MAX (64 * 1024)
#define SIGNATURE_MAX (64 * 1024)
#define YEARS 10

static int add_extension(X509 *c, int nid, const char *value)
{
	X509V3_CTX ctx;
	X509_EXTENSION *e;
	int rc;

	X509V3_set_ctx(&ctx, c, c, NULL, NULL, 0);
	e = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	rc = e && X509_add_ext(c, e, -1) == 1 ? 0 : -1;
	X509_EXTENSION_free(e);
	return rc;
}

static int set_serial(X509 *c)
{
	unsigned char serial[16];
	BIGNUM *n;
	int rc;

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return -1;
	serial[0] = (serial[0] & 0x7f) | 0x40;
	n = BN_bin2bn(serial, sizeof(serial), NULL);
	rc = n && BN_to_ASN1_INTEGER(n, X509_get_serialNumber(c)) ? 0 : -1;
	BN_free(n);
	return rc;
}

static X509 *self_signed(EVP_PKEY *key, const char *name)
{
	struct buf shown = {0};
	X509 *c = X509_new();
	X509_NAME *subject = c ? X509_get_subject_name(c) : NULL;
	bool good;

	visible_add(&shown, name, strlen(name));
	if (shown.n > 64 || shown.n == 0) { /* ub-common-name of RFC 5280 */
		buf_clear(&shown);
		buf_adds(&shown, "Tester");
	}
	good = c && X509_set_version(c, 2) && set_serial(c) == 0 &&
	       X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (unsigned char *)shown.p, -1, -1, 0) &&
	       X509_set_issuer_name(c, subject) && X509_gmtime_adj(X509_getm_notBefore(c), -3600) &&
	       X509_time_adj_ex(X509_getm_notAfter(c), YEARS * 365, 0, NULL) && X509_set_pubkey(c, key) &&
	       add_extension(c, NID_basic_constraints, "critical,CA:FALSE") == 0 &&
	       add_extension(c, NID_key_usage, "critical,digitalSignature") == 0 &&
	       add_extension(c, NID_subject_key_identifier, "hash") == 0 && X509_sign(c, key, EVP_sha256());
	buf_free(&shown);
	if (good)
		return c;
	X509_free(c);
	return NULL;
}

static int write_pem(const char *path, X509 *cert, EVP_PKEY *key, struct buf *why)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL;
	long n = 0;
	int rc = -1;

	if (b && (cert ? PEM_write_bio_X509(b, cert) : PEM_write_bio_PrivateKey(b, key, NULL, NULL, 0, NULL, NULL)))
		n = BIO_get_mem_data(b, &p);
	if (n > 0)
		rc = file_write(path, p, (size_t)n, cert ? 0644 : 0600, why);
	else
		fail(why, "%s cannot be made", path);
	BIO_free(b);
	return rc;
}

int tester_make(const struct kit *k, struct buf *why)
{
	char *pem = text_make("%s/tester.pem", k->dir), *key_path = text_make("%s/tester.key", k->dir);
	EVP_PKEY *key = NULL;
	X509 *cert = NULL;
	int rc = 0;

	if (file_there(pem) && file_there(key_path))
		goto out;
	if (file_there(pem) || file_there(key_path)) {
		rc = fail(why, "%s is there without the other of tester.pem and tester.key",
		    file_there(pem) ? pem : key_path);
		goto out;
	}
	key = EVP_EC_gen("P-256");
	cert = key ? self_signed(key, k->tester ? k->tester : "") : NULL;
	if (!cert)
		rc = fail(why, "the tester's certificate cannot be made");
	else if ((rc = write_pem(key_path, NULL, key, why)) == 0)
		rc = write_pem(pem, cert, NULL, why);
out:
	X509_free(cert);
	EVP_PKEY_free(key);
	free(pem);
	free(key_path);
	return rc;
}

static X509 *certificate_of(const struct buf *text, const char *path, struct buf *why)
{
	const unsigned char *p;
	X509 *c = NULL;
	BIO *b;

	if (text->n <= CERT_MAX && (b = BIO_new_mem_buf(text->p, (int)text->n))) {
		c = PEM_read_bio_X509(b, NULL, NULL, NULL);
		BIO_free(b);
		p = (const unsigned char *)text->p;
		if (!c)
			c = d2i_X509(NULL, &p, (long)text->n);
	}
	ERR_clear_error();
	if (!c)
		fail(why, "%s holds no certificate", path);
	return c;
}

X509 *certificate_read(const char *path, struct buf *why)
{
	struct buf text = {0};
	X509 *c = file_read(path, &text, why) < 0 ? NULL : certificate_of(&text, path, why);

	buf_free(&text);
	return c;
}

X509 *certificate_read_plain(const char *path, struct buf *why)
{
	struct buf text = {0};
	X509 *c = file_read_plain(path, CERT_MAX, &text, why) < 0 ? NULL : certificate_of(&text, path, why);

	buf_free(&text);
	return c;
}

void certificate_sha256(X509 *cert, char hex[65])
{
	unsigned char sum[32], *der = NULL;
	struct buf b = {0};
	int n = i2d_X509(cert, &der);

	if (n < 0)
		die("out of memory");
	sha256_of(der, (size_t)n, sum);
	hex_add(&b, sum, sizeof(sum));
	memcpy(hex, b.p, 65);
	buf_free(&b);
	OPENSSL_free(der);
}

void certificate_name(X509 *cert, struct buf *out)
{
	BIO *b = BIO_new(BIO_s_mem());
	char *p = NULL, hex[65];
	long n;

	if (!b)
		die("out of memory");
	X509_NAME_print_ex(b, X509_get_subject_name(cert), 0, XN_FLAG_RFC2253 & ~ASN1_STRFLGS_ESC_MSB);
	n = BIO_get_mem_data(b, &p);
	visible_add(out, p, n > 512 ? 512 : (size_t)(n < 0 ? 0 : n));
	BIO_free(b);
	certificate_sha256(cert, hex);
	buf_adds(out, " (SHA-256 ");
	for (int i = 0; i < 64; i += 4)
		buf_addf(out, "%s%.4s", i ? " " : "", hex + i);
	buf_adds(out, ")");
}

int tester_sign(const struct kit *k, const void *octets, size_t n, struct buf *out, struct buf *why)
{
	char *pem = text_make("%s/tester.pem", k->dir), *key_path = text_make("%s/tester.key", k->dir);
	X509 *cert = certificate_read(pem, why);
	BIO *file = BIO_new_file(key_path, "r"), *in = n <= INT32_MAX ? BIO_new_mem_buf(octets, (int)n) : NULL;
	EVP_PKEY *key = file ? PEM_read_bio_PrivateKey(file, NULL, NULL, NULL) : NULL;
	CMS_ContentInfo *cms = NULL;
	unsigned char *der = NULL;
	int len = -1;

	if (cert && key && in)
		cms = CMS_sign(cert, key, NULL, in, CMS_DETACHED | CMS_BINARY | CMS_NOSMIMECAP);
	if (cms)
		len = i2d_CMS_ContentInfo(cms, &der);
	if (len > 0)
		buf_add(out, der, (size_t)len);
	else
		fail(why, "the tester's key (%s) cannot sign", key_path);
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	EVP_PKEY_free(key);
	X509_free(cert);
	BIO_free(file);
	BIO_free(in);
	free(pem);
	free(key_path);
	ERR_clear_error();
	return len > 0 ? 0 : -1;
}

static void der_wrap(struct buf *b, unsigned char tag, const struct buf *inside)
{
	unsigned char head[5] = {tag, 0};
	size_t n = inside->n, used = 2;

	if (n < 0x80) {
		head[1] = (unsigned char)n;
	} else if (n < 0x100) {
		head[1] = 0x81;
		head[2] = (unsigned char)n;
		used = 3;
	} else {
		head[1] = 0x82;
		head[2] = (unsigned char)(n >> 8);
		head[3] = (unsigned char)n;
		used = 4;
	}
	buf_add(b, head, used);
	buf_add(b, inside->p, n);
}

/* what is in it becomes an element of b, and is empty afterwards */
static void der_close(struct buf *b, unsigned char tag, struct buf *inside)
{
	der_wrap(b, tag, inside);
	buf_free(inside);
}

#define DER(b, ...) buf_add(b, (const unsigned char[]){__VA_ARGS__}, sizeof((const unsigned char[]){__VA_ARGS__}))
#define SHA256_OID 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01

static void add_signed_attributes(struct buf *out, CMS_SignerInfo *si)
{
	struct buf in = {0};

	for (int i = 0; i < CMS_signed_get_attr_count(si); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(si, i), &der);

		if (n > 0)
			buf_add(&in, der, (size_t)n);
		OPENSSL_free(der);
	}
	der_close(out, 0xa0, &in);
}

static void add_signer(struct buf *out, CMS_SignerInfo *si, X509 *cert)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(cert);
	ASN1_OCTET_STRING *value = CMS_SignerInfo_get0_signature(si);
	struct buf in = {0}, sid = {0}, one = {0};
	unsigned char *der = NULL;
	int n = i2d_X509_NAME(X509_get_issuer_name(cert), &der);

	DER(&in, 0x02, 0x01, 0x01); /* version 1 */
	if (n > 0)
		buf_add(&sid, der, (size_t)n);
	OPENSSL_free(der);
	der = NULL;
	n = i2d_ASN1_INTEGER(serial, &der);
	if (n > 0)
		buf_add(&sid, der, (size_t)n);
	OPENSSL_free(der);
	der_close(&in, 0x30, &sid);
	DER(&in, SHA256_OID);
	add_signed_attributes(&in, si);
	DER(&in, 0x30, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x04, 0x03, 0x02); /* ecdsa-with-SHA256 */
	buf_add(&one, ASN1_STRING_get0_data(value), (size_t)ASN1_STRING_length(value));
	der_close(&in, 0x04, &one);
	der_close(out, 0x30, &in);
}

/* What tester_sign writes when these are its certificate, its signed attributes and its signature value: nothing can
 * stand anywhere else in it, so each octet of the file counts. */
static void shape(struct buf *out, CMS_SignerInfo *si, X509 *cert)
{
	struct buf data = {0}, one = {0}, content = {0};
	unsigned char *der = NULL;
	int n = i2d_X509(cert, &der);

	DER(&data, 0x02, 0x01, 0x01);
	DER(&one, SHA256_OID);
	der_close(&data, 0x31, &one);
	DER(&data, 0x30, 0x0b, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x01); /* id-data */
	if (n > 0)
		buf_add(&one, der, (size_t)n);
	der_close(&data, 0xa0, &one);
	OPENSSL_free(der);
	add_signer(&one, si, cert);
	der_close(&data, 0x31, &one);
	der_close(&one, 0x30, &data);
	DER(&content, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x07, 0x02); /* id-signedData */
	der_close(&content, 0xa0, &one);
	der_close(out, 0x30, &content);
}

/* The only certificate of the only signer. */
static X509 *only_signer(CMS_ContentInfo *cms, struct buf *why)
{
	STACK_OF(CMS_SignerInfo) *infos = CMS_get0_SignerInfos(cms);
	STACK_OF(X509) *certs = CMS_get1_certs(cms);
	X509 *cert = NULL;

	if (sk_CMS_SignerInfo_num(infos) != 1 || sk_X509_num(certs) != 1)
		fail(why, "it does not have one signer and one certificate");
	else if (CMS_SignerInfo_cert_cmp(sk_CMS_SignerInfo_value(infos, 0), sk_X509_value(certs, 0)) != 0)
		fail(why, "its certificate is not the signer's");
	else
		cert = sk_X509_shift(certs);
	sk_X509_pop_free(certs, X509_free);
	return cert;
}

static int verify_parsed(
    CMS_ContentInfo *cms, const void *der, size_t der_n, BIO *in, X509 *cert, X509 *expected, struct buf *why)
{
	struct buf again = {0};
	bool same;

	shape(&again, sk_CMS_SignerInfo_value(CMS_get0_SignerInfos(cms), 0), cert);
	same = again.n == der_n && !memcmp(again.p, der, der_n);
	buf_free(&again);
	if (!same)
		return fail(why, "it is not encoded as a tester's signature is");
	if (X509_verify(cert, X509_get0_pubkey(cert)) != 1)
		return fail(why, "the certificate in it is not signed by its own key");
	if (CMS_verify(cms, NULL, NULL, in, NULL, CMS_BINARY | CMS_DETACHED | CMS_NO_SIGNER_CERT_VERIFY) != 1)
		return fail(why, "its value does not fit what it is said to sign");
	if (expected && X509_cmp(cert, expected) != 0)
		return fail(why, "it is by another certificate than was expected");
	return 0;
}

int tester_verify(
    const void *der, size_t der_n, const void *octets, size_t n, X509 *expected, X509 **signer, struct buf *why)
{
	const unsigned char *p = der;
	CMS_ContentInfo *cms = der_n <= SIGNATURE_MAX ? d2i_CMS_ContentInfo(NULL, &p, (long)der_n) : NULL;
	BIO *in = n <= INT32_MAX ? BIO_new_mem_buf(octets, (int)n) : NULL;
	X509 *cert = NULL;
	int rc = -1;

	if (!cms || !in || OBJ_obj2nid(CMS_get0_type(cms)) != NID_pkcs7_signed)
		fail(why, "it is not a CMS signature");
	else if ((cert = only_signer(cms, why)))
		rc = verify_parsed(cms, der, der_n, in, cert, expected, why);
	if (rc == 0 && signer) {
		*signer = cert;
		cert = NULL;
	}
	X509_free(cert);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	ERR_clear_error();
	return rc;
}
