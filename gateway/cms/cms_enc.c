/*
 * Encryption with OpenSSL's streaming write side. Sealer and tests. issuerAndSerialNumber names recipients (RFC
 * 8551 2.3 and what all readers take) unless the key identifier is asked for; EC: ephemeral-static ECDH with X9.63
 * SHA-256 (as strong as the curve: SHA-384, SHA-512) and AES key wrap of the content key's size (RFC 5753 7.1, 8).
 */
#include "gateway/cms/cms_enc.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/bio_stream.h"
#include "gateway/cms/cms_cert.h"

/* Small writes (a signer's headers) would each become a segment of their own. */
enum { GATHER = 16384 };

struct cms_enc {
	struct writer writer;
	struct bio_stream bridge;
	CMS_ContentInfo *cms;
	BIO *sink, *chain;
	size_t have;
	bool begun;
	uint8_t gather[GATHER];
};

static int enc_failed(struct cms_enc *e, struct problem *pr)
{
	if (e->bridge.failed) {
		ERR_clear_error();
		*pr = e->bridge.why;
		return -1;
	}
	return problem_temp(pr, "Encrypting failed: %s.", cms_cert_openssl_error());
}

static int put(struct cms_enc *e, const uint8_t *p, size_t n, struct problem *pr)
{
	while (n > 0) {
		int now = n < GATHER ? (int)n : GATHER;

		if (BIO_write(e->chain, p, now) != now)
			return enc_failed(e, pr);
		p += now;
		n -= (size_t)now;
	}
	return 0;
}

static int put_gathered(struct cms_enc *e, struct problem *pr)
{
	size_t n = e->have;

	e->have = 0;
	return put(e, e->gather, n, pr);
}

static int enc_write(struct writer *w, const void *octets, size_t n, struct problem *pr)
{
	struct cms_enc *e = (struct cms_enc *)w;
	const uint8_t *p = octets;

	e->begun = e->begun || n > 0;
	if (e->have > 0 || n < GATHER) {
		size_t room = GATHER - e->have, now = n < room ? n : room;

		memcpy(e->gather + e->have, p, now);
		e->have += now;
		p += now;
		n -= now;
		if (e->have == GATHER && put_gathered(e, pr) == -1)
			return -1;
	}
	if (n >= GATHER) {
		size_t now = n - n % GATHER;

		if (put(e, p, now, pr) == -1)
			return -1;
		p += now;
		n -= now;
	}
	memcpy(e->gather + e->have, p, n);
	e->have += n;
	return 0;
}

/* What OpenSSL would choose by itself is v1.5 for RSA and X9.63 with SHA-1 for EC. */
static int set_mode(CMS_RecipientInfo *ri, EVP_PKEY *key, enum cms_keymode mode)
{
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	const EVP_MD *md;
	int bits;

	if (mode == CMS_KEY_RSA_V15)
		return 0;
	if (ctx == NULL)
		return -1;
	if (mode == CMS_KEY_ECDH) {
		bits = EVP_PKEY_get_bits(key);
		md = bits <= 256 ? EVP_sha256() : bits <= 384 ? EVP_sha384() : EVP_sha512();
		return EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, md) > 0 ? 0 : -1;
	}
	md = mode == CMS_KEY_RSA_OAEP_SHA1 ? EVP_sha1() : EVP_sha256();
	if (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0 ||
	    EVP_PKEY_CTX_set_rsa_oaep_md(ctx, md) <= 0 || EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, md) <= 0)
		return -1;
	return 0;
}

static int add_recipient(struct cms_enc *e, const struct cms_recipient *r, struct problem *pr)
{
	EVP_PKEY *key;
	CMS_RecipientInfo *ri;
	char text[CMS_CERT_TEXT];
	enum cms_keymode mode = r->mode;
	unsigned int flags = 0;

	if (cms_cert_key_ok(r->cert, pr) == -1)
		return -1;
	key = X509_get0_pubkey(r->cert);
	if (EVP_PKEY_is_a(key, "EC"))
		mode = CMS_KEY_ECDH;
	else if (mode == CMS_KEY_ECDH)
		mode = CMS_KEY_RSA_V15;
	if (r->ski && X509_get0_subject_key_id(r->cert) != NULL)
		flags |= CMS_USE_KEYID;
	if (mode != CMS_KEY_RSA_V15)
		flags |= CMS_KEY_PARAM;
	ri = CMS_add1_recipient_cert(e->cms, r->cert, flags);
	if (ri != NULL && set_mode(ri, key, mode) == 0)
		return 0;
	cms_cert_text(r->cert, text, sizeof(text));
	return problem_temp(pr, "Encrypting for the certificate %s failed: %s.", text, cms_cert_openssl_error());
}

struct cms_enc *cms_enc_new(
    const struct cms_recipient *rcpt, size_t n, enum cms_cipher cipher, struct writer *out, struct problem *pr)
{
	struct cms_enc *e = mem_new(sizeof(*e));

	REQUIRE(n > 0);
	ERR_clear_error();
	e->writer.write = enc_write;
	e->sink = bio_stream_new(&e->bridge, out);
	e->cms = CMS_encrypt(NULL, NULL, cms_alg_evp_cipher(cipher), CMS_BINARY | CMS_STREAM | CMS_PARTIAL);
	if (e->cms == NULL)
		log_fatal("cms: no memory for EnvelopedData");
	for (size_t i = 0; i < n; i++)
		if (add_recipient(e, &rcpt[i], pr) == -1)
			goto failed;
	/* makes the content key and wraps it for everyone */
	e->chain = BIO_new_CMS(e->sink, e->cms);
	if (e->chain != NULL)
		return e;
	enc_failed(e, pr);
failed:
	cms_enc_free(e);
	return NULL;
}

struct writer *cms_enc_writer(struct cms_enc *e)
{
	return &e->writer;
}

int cms_enc_end(struct cms_enc *e, struct problem *pr)
{
	int r = put_gathered(e, pr);

	/* no mail entity is empty; OpenSSL's streaming does not know how to end what never began */
	if (r == 0 && !e->begun)
		r = problem_perm(pr, "There is nothing to encrypt.");
	/* the last block, the tag and the end of the structure */
	if (r == 0 && (BIO_flush(e->chain) <= 0 || e->bridge.failed))
		r = enc_failed(e, pr);
	cms_enc_free(e);
	return r;
}

void cms_enc_free(struct cms_enc *e)
{
	if (e == NULL)
		return;
	if (e->chain != NULL)
		bio_stream_pop(e->chain, e->sink);
	BIO_free(e->sink);
	CMS_ContentInfo_free(e->cms);
	mem_free_secret(e, sizeof(*e));
	ERR_clear_error();
}
