/*
 * Decryption. Sealer and tests. OpenSSL unwraps the content key and sets up the cipher; the content then goes through
 * that cipher context segment by segment, without OpenSSL's own reading, which keeps a whole GCM plaintext in memory.
 *
 * The plaintext comes out before the tag (GCM) or the padding (CBC) has been looked at; that is why the caller keeps
 * it private. A failed unwrap of RSA v1.5 is not visible here at all: OpenSSL or the keeper goes on with a random
 * key, and the end is the same as for a damaged content.
 */
#include "gateway/cms/cms_decrypt.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/cms_alg.h"
#include "gateway/cms/cms_cert.h"

enum { OUT_MAX = BER_WINDOW + EVP_MAX_BLOCK_LENGTH };

static int bad_message(const char *why, struct problem *pr)
{
	ERR_clear_error();
	return problem_perm(pr, "The message cannot be decrypted: %s.", why);
}

/* RFC 5753 7.1.5: the parameter of the key agreement is the algorithm of the wrap. */
static int wrap_ok(const X509_ALGOR *agreement, unsigned key)
{
	const unsigned char *p;
	const ASN1_OBJECT *obj;
	const void *param;
	X509_ALGOR *wrap;
	int type, ok = 0;

	X509_ALGOR_get0(NULL, &type, &param, agreement);
	if (type != V_ASN1_SEQUENCE)
		return 0;
	p = ASN1_STRING_get0_data(param);
	wrap = d2i_X509_ALGOR(NULL, &p, ASN1_STRING_length(param));
	if (wrap != NULL) {
		X509_ALGOR_get0(&obj, NULL, NULL, wrap);
		ok = cms_alg_keywrap_ok(OBJ_obj2nid(obj), key);
	}
	X509_ALGOR_free(wrap);
	return ok;
}

static int key_encryption_ok(CMS_RecipientInfo *ri, unsigned key)
{
	const ASN1_OBJECT *obj;
	X509_ALGOR *alg = NULL;

	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE)
		return CMS_RecipientInfo_kari_get0_alg(ri, &alg, NULL) && wrap_ok(alg, key);
	if (CMS_RecipientInfo_type(ri) != CMS_RECIPINFO_TRANS ||
	    !CMS_RecipientInfo_ktri_get0_algs(ri, NULL, NULL, &alg))
		return 0;
	X509_ALGOR_get0(&obj, NULL, NULL, alg);
	return cms_alg_keytrans_ok(OBJ_obj2nid(obj));
}

/*
 * How the key is encrypted for us: 3DES wraps, wraps weaker than the content and the like are refused, whatever
 * OpenSSL would do. In every RecipientInfo that names us, because OpenSSL chooses among them.
 */
static int check_recipients(struct cms_outline *o, X509 *cert, struct problem *pr)
{
	STACK_OF(CMS_RecipientInfo) *infos = CMS_get0_RecipientInfos(cms_outline_openssl(o));
	int i = cms_outline_recipient(o, cert, 0);

	if (i == -1)
		return bad_message("it is not encrypted for this certificate", pr);
	for (; i != -1; i = cms_outline_recipient(o, cert, i + 1))
		if (!key_encryption_ok(sk_CMS_RecipientInfo_value(infos, i), cms_outline_key_octets(o)))
			return bad_message("its key is encrypted for us in a way that is not accepted", pr);
	return 0;
}

static int unwrap(
    struct cms_outline *o, X509 *cert, EVP_PKEY *key, bool (*transport_failed)(void), struct problem *pr)
{
	int ok;

	if (check_recipients(o, cert, pr) == -1)
		return -1;
	/* with the certificate: without it a wrong key would be tried on every RecipientInfo and give random octets
	 */
	ok = CMS_decrypt_set1_pkey(cms_outline_openssl(o), key, cert);
	/* a dead keeper looks exactly like a bad message, but the message must not suffer for it */
	if (transport_failed != NULL && transport_failed()) {
		ERR_clear_error();
		return problem_temp(
		    pr, "The keeper of the private keys did not answer; the message is opened later.");
	}
	return ok == 1 ? 0 : bad_message("its key does not open with our private key", pr);
}

/* RFC 5083 2.2: authAttrs go into the tag before the content. */
static int add_aad(EVP_CIPHER_CTX *ctx, const struct buf *aad)
{
	int n;

	return aad->len == 0 || EVP_CipherUpdate(ctx, NULL, &n, aad->p, (int)aad->len) == 1 ? 0 : -1;
}

static int run_cipher(
    EVP_CIPHER_CTX *ctx, struct cms_content *c, uint8_t *plain, struct writer *out, struct problem *pr)
{
	const uint8_t *p;
	size_t n;
	int r, got;

	while ((r = cms_content_next(c, &p, &n, pr)) == 1) {
		REQUIRE(n <= BER_WINDOW);
		if (EVP_CipherUpdate(ctx, plain, &got, p, (int)n) != 1)
			return bad_message("the cipher failed", pr);
		if (got > 0 && stream_write(out, plain, (size_t)got, pr) == -1)
			return -1;
	}
	if (r == -1)
		return -1;
	if (EVP_CipherFinal_ex(ctx, plain, &got) != 1)
		return bad_message("wrong key, or the content was changed on its way", pr);
	return got > 0 ? stream_write(out, plain, (size_t)got, pr) : 0;
}

static int decrypt_content(struct cms_outline *o, EVP_CIPHER_CTX *ctx, struct writer *out, struct problem *pr)
{
	struct cms_content c;
	uint8_t *plain;
	int r;

	if (add_aad(ctx, &cms_outline_skeleton(o)->aad) == -1)
		return bad_message("the authenticated attributes are refused by the cipher", pr);
	if (cms_outline_content(o, &c, pr) == -1)
		return -1;
	plain = mem_raw(OUT_MAX);
	r = run_cipher(ctx, &c, plain, out, pr);
	mem_free_secret(plain, OUT_MAX);
	cms_content_close(&c);
	return r;
}

int cms_decrypt(struct cms_outline *o, X509 *cert, EVP_PKEY *key, bool (*transport_failed)(void), struct writer *out,
    struct problem *pr)
{
	EVP_CIPHER_CTX *ctx = NULL;
	BIO *null, *chain;
	int r;

	ERR_clear_error();
	if (cms_outline_check(o, pr) == -1)
		return -1;
	if (cms_outline_kind(o) == CMS_KIND_SIGNED)
		return bad_message("it is not encrypted", pr);
	if (unwrap(o, cert, key, transport_failed, pr) == -1)
		return -1;
	null = BIO_new(BIO_s_null());
	if (null == NULL)
		log_fatal("cms: no memory for a BIO");
	chain = CMS_dataInit(cms_outline_openssl(o), null);
	if (chain == NULL) {
		BIO_free(null);
		return bad_message("its content key or parameters do not fit the cipher", pr);
	}
	if (BIO_get_cipher_ctx(chain, &ctx) != 1 || ctx == NULL)
		r = bad_message("the cipher cannot be set up", pr);
	else
		r = decrypt_content(o, ctx, out, pr);
	BIO_free_all(chain);
	ERR_clear_error();
	return r;
}
