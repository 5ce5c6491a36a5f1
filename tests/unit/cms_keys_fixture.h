/*
 * For the CMS tests that take messages apart: a text, three who have keys, and SignedData that OpenSSL makes of them
 * step by step, so that it can be made wrong. Header only.
 */
#ifndef POSTERN_TESTS_CMS_KEYS_FIXTURE_H
#define POSTERN_TESTS_CMS_KEYS_FIXTURE_H

#include <openssl/cms.h>

#include "tests/unit/cms_fixture.h"

static struct buf text;
static struct fx_id rsa, ec, other;

/* Around each test; the text has n octets. */
FX void fx_keys_setup(size_t n)
{
	text = fx_text(n);
	rsa = fx_id("rsa");
	ec = fx_id("ec");
	other = fx_id("other");
}

FX void fx_keys_teardown(void)
{
	buf_clear(&text);
	fx_id_clear(&rsa);
	fx_id_clear(&ec);
	fx_id_clear(&other);
}

/* ---- SignedData: begin, add the signers, finish, encode ---- */

FX CMS_ContentInfo *fx_begin(void)
{
	CMS_ContentInfo *cms = CMS_sign(NULL, NULL, NULL, NULL, CMS_BINARY | CMS_PARTIAL | CMS_STREAM);

	ck_assert_ptr_nonnull(cms);
	return cms;
}

FX CMS_SignerInfo *fx_add(CMS_ContentInfo *cms, const struct fx_id *id, const EVP_MD *md, unsigned int flags)
{
	CMS_SignerInfo *si = CMS_add1_signer(cms, id->cert, id->key, md, CMS_BINARY | CMS_PARTIAL | flags);

	ck_assert_ptr_nonnull(si);
	return si;
}

/* Signs the text. */
FX void fx_finish(CMS_ContentInfo *cms)
{
	BIO *in = BIO_new_mem_buf(text.p, (int)text.len);

	ck_assert_int_eq(CMS_final(cms, in, NULL, CMS_BINARY), 1);
	BIO_free(in);
}

/* Frees cms. */
FX struct buf fx_encode(CMS_ContentInfo *cms)
{
	unsigned char *p = NULL;
	int n = i2d_CMS_ContentInfo(cms, &p);
	struct buf b;

	ck_assert_int_gt(n, 0);
	buf_init(&b, FX_MAX);
	ck_assert_int_eq(buf_add(&b, p, (size_t)n), 0);
	OPENSSL_free(p);
	CMS_ContentInfo_free(cms);
	return b;
}

#endif
