/* Ed25519 over signed attributes. Sealer and tests. */
#include "gateway/cms/cms_eddsa.h"

#include <openssl/asn1.h>
#include <openssl/objects.h>
#include <openssl/x509.h>

#include "gateway/base/buf.h"
#include "gateway/cms/cms_attr.h"

enum { ATTRIBUTES_MAX = 1 << 20 };

bool cms_eddsa_is(CMS_SignerInfo *si)
{
	const ASN1_OBJECT *obj;
	X509_ALGOR *sig;
	int type;

	CMS_SignerInfo_get0_algs(si, NULL, NULL, NULL, &sig);
	X509_ALGOR_get0(&obj, &type, NULL, sig);
	return OBJ_obj2nid(obj) == NID_ED25519 && type == V_ASN1_UNDEF; /* RFC 8410 3: no parameters */
}

/* RFC 5652 5.4: with the tag of a SET OF instead of [0]; in the order in which they came, which is that of DER or no
 * signature of anybody fits. */
static int add_attributes(CMS_SignerInfo *si, struct buf *out)
{
	for (int i = 0; i < CMS_signed_get_attr_count(si); i++) {
		unsigned char *der = NULL;
		int n = i2d_X509_ATTRIBUTE(CMS_signed_get_attr(si, i), &der), err = -1;

		if (n > 0)
			err = buf_add(out, der, (size_t)n);
		OPENSSL_free(der);
		if (err)
			return -1;
	}
	return 0;
}

static int add_head(size_t n, struct buf *out)
{
	unsigned char head[8], *p = head;

	if (n > ATTRIBUTES_MAX)
		return -1;
	ASN1_put_object(&p, 1, (int)n, V_ASN1_SET, V_ASN1_UNIVERSAL);
	return buf_add(out, head, (size_t)(p - head));
}

bool cms_eddsa_fits(CMS_SignerInfo *si, EVP_PKEY *key)
{
	const ASN1_OCTET_STRING *sig = CMS_SignerInfo_get0_signature(si);
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buf attributes, all;
	bool ok = false;

	buf_init(&attributes, ATTRIBUTES_MAX);
	buf_init(&all, ATTRIBUTES_MAX + 16);
	if (ctx && sig && CMS_signed_get_attr_count(si) > 0 && add_attributes(si, &attributes) == 0 &&
	    add_head(attributes.len, &all) == 0 && buf_add(&all, attributes.p, attributes.len) == 0)
		ok = EVP_DigestVerifyInit(ctx, NULL, NULL, NULL, key) == 1 &&
		     EVP_DigestVerify(
			 ctx, ASN1_STRING_get0_data(sig), (size_t)ASN1_STRING_length(sig), all.p, all.len) == 1;
	EVP_MD_CTX_free(ctx);
	buf_clear_public(&attributes);
	buf_clear_public(&all);
	return ok;
}
