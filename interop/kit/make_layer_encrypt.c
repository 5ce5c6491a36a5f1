/* encrypt (RFC 5652 6, RFC 5083, RFC 5084, RFC 8551 2.3, 2.7). */
#include "interop/kit/make_layer.h"

#include "interop/kit/cms_names.h"

#include <openssl/cms.h>
#include <openssl/err.h>
#include <openssl/rsa.h>
#include <stdlib.h>
#include <string.h>

static int set_keys(CMS_RecipientInfo *ri, EVP_PKEY *key, const char *keys, struct buf *why)
{
	EVP_PKEY_CTX *ctx = CMS_RecipientInfo_get0_pkey_ctx(ri);
	bool oaep1 = !strcmp(keys, "oaep-sha1"), oaep256 = !strcmp(keys, "oaep-sha256");

	if (EVP_PKEY_is_a(key, "EC")) { /* RFC 5753 3.1: X9.63 with SHA-256 */
		if (ctx && EVP_PKEY_CTX_set_ecdh_kdf_md(ctx, EVP_sha256()) > 0)
			return 0;
		return fail_openssl(why, "the key agreement cannot be set");
	}
	if (!strcmp(keys, "pkcs1"))
		return 0;
	if (!oaep1 && !oaep256)
		return fail(why,
		    !strcmp(keys, "ecdh") ? "keys=ecdh needs a certificate with an EC key" : "keys= is not known");
	if (!ctx || EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) <= 0)
		return fail_openssl(why, "OAEP is not for this key");
	if (oaep256 && (EVP_PKEY_CTX_set_rsa_oaep_md(ctx, EVP_sha256()) <= 0 ||
			   EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, EVP_sha256()) <= 0))
		return fail_openssl(why, "OAEP with SHA-256 is not for this key");
	return 0;
}

static int add_recipient(struct draft *d, CMS_ContentInfo *cms, const char *name, struct buf *why)
{
	const struct credential *c =
	    draft_credential(d, name, !strcmp(stmt_attribute(d->layer, "keys", ""), "ecdh") ? 'a' : 'e', why);
	const char *ski = stmt_attribute(d->layer, "ski", "no");
	CMS_RecipientInfo *ri;

	if (!c)
		return -1;
	/* the kit encrypts to certificates that are not for it, too: that is what cases are about */
	ri = CMS_add1_recipient_cert(cms, c->cert, CMS_KEY_PARAM | (!strcmp(ski, "yes") ? CMS_USE_KEYID : 0));
	if (!ri)
		return fail_openssl(why, "this certificate cannot be a recipient");
	return set_keys(ri, X509_get0_pubkey(c->cert), stmt_attribute(d->layer, "keys", "pkcs1"), why);
}

int layer_encrypt(struct draft *d, struct buf *why)
{
	const char *to = stmt_attribute(d->layer, "to", ""), *name = stmt_attribute(d->layer, "cipher", "aes256-cbc");
	bool stream = !strcmp(stmt_attribute(d->layer, "stream", "no"), "yes");
	const EVP_CIPHER *cipher = cms_names_cipher(name);
	unsigned flags = CMS_BINARY | CMS_PARTIAL | (stream ? CMS_STREAM : 0);
	struct buf entity = {0};
	BIO *in, *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = cipher ? CMS_encrypt(NULL, NULL, cipher, flags) : NULL;
	char *p;
	int rc = cms ? 0 : fail_openssl(why, "the cipher cannot be used"), n;

	draft_entity(d, &entity);
	in = BIO_new_mem_buf(entity.p, (int)entity.n);
	if (rc == 0 && !*to)
		rc = fail(why, "to= names certificates");
	for (char *one; rc == 0 && (one = list_next(&to)); free(one))
		rc = add_recipient(d, cms, one, why);
	if (rc == 0 && stream)
		rc = i2d_CMS_bio_stream(out, cms, in, (int)flags) == 1 ? 0 : fail_openssl(why, "cannot be encrypted");
	else if (rc == 0)
		rc = CMS_final(cms, in, NULL, flags) == 1 && i2d_CMS_bio(out, cms) == 1
			 ? 0
			 : fail_openssl(why, "cannot be encrypted");
	n = (int)BIO_get_mem_data(out, &p);
	if (rc == 0)
		draft_object(d, strstr(name, "gcm") ? DRAFT_AUTH_SEALED : DRAFT_SEALED, p, (size_t)n);
	CMS_ContentInfo_free(cms);
	BIO_free(in);
	BIO_free(out);
	buf_free(&entity);
	return rc;
}
