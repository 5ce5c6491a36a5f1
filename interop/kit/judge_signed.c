#include "interop/kit/judge_layer.h"

#include "interop/kit/cms_names.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { SIGNERS_MAX = 50, ATTRIBUTES_MAX = 200 };

#define SIGNATURE_TYPE "1.2.840.113549.1.9.16.2.28"

static void add_attribute(struct signer *s, X509_ATTRIBUTE *a)
{
	char oid[256] = "";
	ASN1_TYPE *value;
	struct der seq, one;
	struct buf name = {0};

	OBJ_obj2txt(oid, sizeof(oid), X509_ATTRIBUTE_get0_object(a), 1);
	s->attributes = need_more(s->attributes, (s->n_attributes + 1) * sizeof(*s->attributes));
	s->attributes[s->n_attributes++] = text_copy(oid);
	value = X509_ATTRIBUTE_get0_type(a, 0);
	if (strcmp(oid, SIGNATURE_TYPE) != 0 || !value || value->type != V_ASN1_SEQUENCE ||
	    der_read(value->value.sequence->data, (size_t)value->value.sequence->length, &seq) < 0)
		return;
	for (size_t i = 0; i < 8 && der_child(&seq, i, &one) == 0; i++) {
		der_oid(&one, &name);
		buf_addf(&s->types, "%s,", name.p);
	}
	buf_free(&name);
}

/* RFC 5652 11.1: the contentType attribute, where there are attributes, is that of the content. */
static bool type_fits(CMS_ContentInfo *cms, CMS_SignerInfo *si)
{
	const ASN1_OBJECT *there;

	if (CMS_signed_get_attr_count(si) < 0)
		return true;
	there = CMS_signed_get0_data_by_OBJ(si, OBJ_nid2obj(NID_pkcs9_contentType), -3, V_ASN1_OBJECT);
	return there && OBJ_cmp(there, CMS_get0_eContentType(cms)) == 0;
}

/* chain has digested all of the content. */
static bool verify(CMS_ContentInfo *cms, CMS_SignerInfo *si, X509 *cert, BIO *chain, struct buf *why)
{
	CMS_SignerInfo_set1_signer_cert(si, cert);
	if (!type_fits(cms, si)) {
		fail(why, "the contentType attribute is missing or wrong");
		return false;
	}
	if (CMS_signed_get_attr_count(si) >= 0 && CMS_SignerInfo_verify(si) != 1) {
		judge_openssl(why, "the signature over the attributes is wrong");
		return false;
	}
	if (CMS_SignerInfo_verify_content(si, chain) != 1) {
		judge_openssl(why, "the content is not what was signed");
		return false;
	}
	return true;
}

static void try_cert(CMS_ContentInfo *cms, CMS_SignerInfo *si, X509 *cert, bool inside, BIO *chain, struct signer *s)
{
	struct buf why = {0};

	if (s->valid || CMS_SignerInfo_cert_cmp(si, cert) != 0)
		return;
	judge_certificate(cert, s->cert_sha256);
	s->inside = inside || s->inside;
	s->valid = verify(cms, si, cert, chain, &why);
	free(s->why);
	s->why = s->valid ? NULL : text_copy(why.n ? why.p : "the signature is wrong");
	buf_free(&why);
}

static void read_signer(CMS_ContentInfo *cms, CMS_SignerInfo *si, STACK_OF(X509) * inside,
    const struct judge_keys *keys, BIO *chain, struct signer *s)
{
	X509_ALGOR *digest = NULL;
	const ASN1_OBJECT *o = NULL;
	char oid[256] = "";

	CMS_SignerInfo_get0_algs(si, NULL, NULL, &digest, NULL);
	if (digest)
		X509_ALGOR_get0(&o, NULL, NULL, digest);
	if (o)
		OBJ_obj2txt(oid, sizeof(oid), o, 1);
	s->digest = text_copy(cms_names_of_digest(oid));
	s->why = text_copy("its certificate is not known");
	for (int i = 0; i < CMS_signed_get_attr_count(si) && i < ATTRIBUTES_MAX; i++)
		add_attribute(s, CMS_signed_get_attr(si, i));
	for (int i = 0; i < sk_X509_num(inside); i++)
		try_cert(cms, si, sk_X509_value(inside, i), true, chain, s);
	for (size_t i = 0; i < keys->n; i++)
		try_cert(cms, si, keys->all[i]->cert, false, chain, s);
}

/* Reads all of the content through the digests. NULL with why. */
static BIO *digested(CMS_ContentInfo *cms, const struct buf *detached, struct buf *content, struct buf *why)
{
	BIO *from = detached ? BIO_new_mem_buf(detached->p, (int)detached->n) : NULL;
	BIO *chain = CMS_dataInit(cms, from);
	char part[16384];
	int n;

	if (!chain) {
		BIO_free(from);
		judge_openssl(why, "the content cannot be digested");
		return NULL;
	}
	buf_add(content, "", 0);
	while ((n = BIO_read(chain, part, sizeof(part))) > 0)
		buf_add(content, part, (size_t)n);
	return chain;
}

int judge_signed(const struct buf *der, const struct buf *detached, const struct judge_keys *keys, struct layer *out,
    struct buf *content, struct buf *why)
{
	const unsigned char *p = (const unsigned char *)der->p;
	CMS_ContentInfo *cms = d2i_CMS_ContentInfo(NULL, &p, (long)der->n);
	STACK_OF(CMS_SignerInfo) *all = cms ? CMS_get0_SignerInfos(cms) : NULL;
	STACK_OF(X509) *inside = cms ? CMS_get1_certs(cms) : NULL;
	ASN1_OCTET_STRING **own = cms ? CMS_get0_content(cms) : NULL;
	BIO *chain = NULL;
	int rc = -1;

	if (!cms || !own)
		judge_openssl(why, "the signed object is damaged");
	else if (detached && *own)
		fail(why, "the SignedData of a multipart/signed has a content of its own");
	else if (!detached && !*own)
		fail(why, "a SignedData without its content");
	else if (sk_CMS_SignerInfo_num(all) > SIGNERS_MAX)
		fail(why, "more than %d signers", SIGNERS_MAX);
	else
		chain = digested(cms, detached, content, why);
	for (int i = 0; chain && i < sk_CMS_SignerInfo_num(all); i++) {
		out->signers = need_more(out->signers, (out->n_signers + 1) * sizeof(*out->signers));
		out->signers[out->n_signers] = (struct signer){0};
		read_signer(
		    cms, sk_CMS_SignerInfo_value(all, i), inside, keys, chain, &out->signers[out->n_signers++]);
	}
	if (chain)
		rc = 0;
	BIO_free_all(chain);
	sk_X509_pop_free(inside, X509_free);
	CMS_ContentInfo_free(cms);
	ERR_clear_error();
	return rc;
}
