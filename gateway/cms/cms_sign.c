/* Signing with OpenSSL's streaming write side. Sealer and tests. RFC 5652 5, RFC 8551 2.5, RFC 3183 2.1, RFC 5035
 * (through CMS_CADES). */
#include "gateway/cms/cms_sign.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/objects.h>
#include <openssl/rsa.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/bio_stream.h"
#include "gateway/cms/cms_alg.h"
#include "gateway/cms/cms_attr.h"
#include "gateway/cms/cms_cert.h"

enum {
	CHUNK = 16384,
	FLAGS = CMS_BINARY | CMS_STREAM | CMS_PARTIAL,
};

/* The digest as strong as the curve (RFC 5753 8); OpenSSL's own choice is SHA-256 for every key. */
static const struct cms_alg_digest *choose_digest(const struct cms_signer *s)
{
	int bits = EVP_PKEY_get_bits(s->key);

	if (s->digest != NULL)
		return cms_alg_digest_named(s->digest);
	if (!EVP_PKEY_is_a(s->key, "EC") || bits <= 256)
		return cms_alg_digest(NID_sha256);
	return cms_alg_digest(bits <= 384 ? NID_sha384 : NID_sha512);
}

/* What stands in the message cannot be the reason, so it is ours: the key is away, or OpenSSL is out of order. */
static int sign_failed(const struct cms_signer *s, struct problem *pr)
{
	char text[CMS_CERT_TEXT];

	cms_cert_text(s->cert, text, sizeof(text));
	return problem_temp(pr, "Signing with the key of %s failed: %s.", text, cms_cert_openssl_error());
}

static bool is_rsa(const struct cms_signer *s)
{
	return EVP_PKEY_is_a(s->key, "RSA") || EVP_PKEY_is_a(s->key, "RSA-PSS");
}

static int check_signer(const struct cms_signer *s, const struct cms_alg_digest *md, struct problem *pr)
{
	char text[CMS_CERT_TEXT];

	REQUIRE(s->cert != NULL && s->key != NULL);
	if (cms_cert_sign_key_ok(s->cert, pr) == -1)
		return -1;
	if (md == NULL)
		return problem_policy(pr, "Signing with %s is not allowed; use SHA256, SHA384 or SHA512.", s->digest);
	if (is_rsa(s) || EVP_PKEY_is_a(s->key, "EC"))
		return 0;
	cms_cert_text(s->cert, text, sizeof(text));
	return problem_policy(pr, "The private key for %s is neither RSA nor EC.", text);
}

/* One that is there already is no failure. */
static int add_cert(CMS_ContentInfo *cms, X509 *cert)
{
	if (CMS_add1_cert(cms, cert) || ERR_GET_REASON(ERR_peek_last_error()) == CMS_R_CERTIFICATE_ALREADY_PRESENT) {
		ERR_clear_error();
		return 0;
	}
	return -1;
}

static int add_certs(CMS_ContentInfo *cms, const struct cms_signer *s, X509 *enc_cert)
{
	for (int i = 0; i < sk_X509_num(s->chain); i++)
		if (add_cert(cms, sk_X509_value(s->chain, i)) == -1)
			return -1;
	/* RFC 8551 2.5.3: send along the certificate the preference names */
	return enc_cert != NULL ? add_cert(cms, enc_cert) : 0;
}

/* RFC 4056 3: the hash also in MGF1 (OpenSSL's choice), the salt as long as the digest. */
static int set_pss(CMS_SignerInfo *si)
{
	EVP_PKEY_CTX *ctx = CMS_SignerInfo_get0_pkey_ctx(si);
	X509_ALGOR *sig;

	if (ctx == NULL || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) <= 0)
		return -1;
	/* streaming writes the structure before the signature and its parameters are there, and refuses an
	 * algorithm that is not; what stands here is replaced when it signs */
	CMS_SignerInfo_get0_algs(si, NULL, NULL, NULL, &sig);
	return X509_ALGOR_set0(sig, OBJ_nid2obj(NID_rsassaPss), V_ASN1_UNDEF, NULL) == 1 ? 0 : -1;
}

static CMS_SignerInfo *add_signer(
    CMS_ContentInfo *cms, const struct cms_signer *s, const struct cms_alg_digest *md, unsigned int flags)
{
	bool pss = is_rsa(s) && (s->pss || EVP_PKEY_is_a(s->key, "RSA-PSS"));
	CMS_SignerInfo *si;

	flags |= CMS_NOSMIMECAP | CMS_CADES;
	if (s->ski && X509_get0_subject_key_id(s->cert) != NULL)
		flags |= CMS_USE_KEYID;
	if (pss)
		flags |= CMS_KEY_PARAM;
	si = CMS_add1_signer(cms, s->cert, s->key, EVP_get_digestbynid(md->nid), flags);
	return si == NULL || (pss && set_pss(si) == -1) ? NULL : si;
}

/* The SignedData with its signer and attributes, before any content. NULL with pr. */
static CMS_ContentInfo *prepare(const struct reader *in, const struct cms_signer *s, X509 *enc_cert,
    const struct cms_alg_digest *md, unsigned int flags, struct problem *pr)
{
	CMS_ContentInfo *cms;
	CMS_SignerInfo *si;

	if (check_signer(s, md, pr) == -1)
		return NULL;
	/* no mail entity is empty; OpenSSL's streaming does not know how to end what never began */
	if (in->size == 0) {
		problem_perm(pr, "There is nothing to sign.");
		return NULL;
	}
	ERR_clear_error();
	cms = CMS_sign(NULL, NULL, NULL, NULL, flags);
	if (cms == NULL)
		log_fatal("cms: no memory for SignedData");
	si = add_signer(cms, s, md, flags);
	if (si != NULL && cms_attr_add(si, enc_cert, s->domain) == 0 && add_certs(cms, s, enc_cert) == 0)
		return cms;
	sign_failed(s, pr);
	CMS_ContentInfo_free(cms);
	return NULL;
}

/* Everything of the reader into the chain of BIOs. */
static int feed(struct reader *in, BIO *chain, struct problem *pr)
{
	uint8_t *chunk = mem_raw(CHUNK);
	uint64_t off = 0;
	int r = 0;

	while (r == 0 && off < in->size) {
		size_t n;

		r = stream_read_at(in, off, chunk, CHUNK, &n, pr);
		if (r == 0 && BIO_write(chain, chunk, (int)n) != (int)n)
			r = problem_temp(pr, "Signing failed: %s.", cms_cert_openssl_error());
		off += n;
	}
	mem_free_secret(chunk, CHUNK);
	return r;
}

int cms_sign(struct reader *in, const struct cms_signer *s, X509 *enc_cert, struct writer *out, struct problem *pr)
{
	CMS_ContentInfo *cms = prepare(in, s, enc_cert, choose_digest(s), FLAGS, pr);
	struct bio_stream bridge;
	BIO *sink, *chain;
	int r;

	if (cms == NULL)
		return -1;
	sink = bio_stream_new(&bridge, out);
	chain = BIO_new_CMS(sink, cms);
	if (chain == NULL) {
		r = sign_failed(s, pr);
	} else {
		r = feed(in, chain, pr);
		/* the flush computes the signature: it is the only place where a failed key shows */
		if (r == 0 && BIO_flush(chain) <= 0)
			r = sign_failed(s, pr);
		bio_stream_pop(chain, sink);
	}
	if (r == -1 && bridge.failed)
		*pr = bridge.why;
	BIO_free(sink);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return r;
}

/* Digests the content and signs; the structure holds no content then. */
static int digest_and_sign(struct reader *in, const struct cms_signer *s, CMS_ContentInfo *cms, struct problem *pr)
{
	BIO *null = BIO_new(BIO_s_null()), *chain;
	int r;

	if (null == NULL)
		log_fatal("cms: no memory for a BIO");
	chain = CMS_dataInit(cms, null);
	if (chain == NULL) {
		BIO_free(null);
		return sign_failed(s, pr);
	}
	r = feed(in, chain, pr);
	if (r == 0 && CMS_dataFinal(cms, chain) != 1)
		r = sign_failed(s, pr);
	bio_stream_pop(chain, NULL);
	return r;
}

int cms_sign_detached(struct reader *in, const struct cms_signer *s, X509 *enc_cert, struct writer *out,
    const char **micalg_r, struct problem *pr)
{
	const struct cms_alg_digest *md = choose_digest(s);
	CMS_ContentInfo *cms = prepare(in, s, enc_cert, md, FLAGS | CMS_DETACHED, pr);
	unsigned char *der = NULL;
	int r = -1, n;

	*micalg_r = md != NULL ? md->micalg : "";
	if (cms == NULL)
		return -1;
	if (digest_and_sign(in, s, cms, pr) == 0) {
		n = i2d_CMS_ContentInfo(cms, &der);
		r = n > 0 ? stream_write(out, der, (size_t)n, pr) : sign_failed(s, pr);
	}
	OPENSSL_free(der);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return r;
}
