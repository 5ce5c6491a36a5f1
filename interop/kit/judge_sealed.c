#include "interop/kit/judge_layer.h"

#include "interop/kit/cms_names.h"

#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>

enum { RECIPIENTS_MAX = 200, TAG_MIN = 12, TAG_MAX = 16 };

/* --- recipients ------------------------------------------------------------------------------------------------- */

/* SHA-256 of IssuerAndSerialNumber (RFC 5652 10.2.4) in DER. */
static char *issuer_serial(X509_NAME *issuer, const ASN1_INTEGER *serial)
{
	unsigned char *a = NULL, *b = NULL, hash[32];
	int n = i2d_X509_NAME(issuer, &a), m = i2d_ASN1_INTEGER(serial, &b);
	struct buf both = {0}, seq = {0}, hex = {0};

	if (n > 0)
		buf_add(&both, a, (size_t)n);
	if (m > 0)
		buf_add(&both, b, (size_t)m);
	der_add(&seq, DER_SEQUENCE, both.p ? both.p : "", both.n);
	sha256_of(seq.p, seq.n, hash);
	hex_add(&hex, hash, sizeof(hash));
	buf_free(&both);
	buf_free(&seq);
	OPENSSL_free(a);
	OPENSSL_free(b);
	return hex.p;
}

static char *hex_of(const ASN1_OCTET_STRING *o)
{
	struct buf hex = {0};

	buf_add(&hex, "", 0);
	hex_add(&hex, ASN1_STRING_get0_data(o), (size_t)ASN1_STRING_length(o));
	return hex.p;
}

static char *oid_text(const ASN1_OBJECT *o)
{
	char text[256] = "";

	OBJ_obj2txt(text, sizeof(text), o, 1);
	return text_copy(text);
}

static struct recipient *add(
    struct layer *l, ASN1_OCTET_STRING *ski, X509_NAME *issuer, ASN1_INTEGER *serial, char *keys)
{
	l->recipients = need_more(l->recipients, (l->n_recipients + 1) * sizeof(*l->recipients));
	l->recipients[l->n_recipients] = (struct recipient){.by_ski = ski != NULL, .keys = keys};
	l->recipients[l->n_recipients].id = ski		       ? hex_of(ski)
					    : issuer && serial ? issuer_serial(issuer, serial)
							       : text_copy("");
	return &l->recipients[l->n_recipients++];
}

/* RFC 4055 4.1: hashAlgorithm is [0], SHA-1 when it is not there. */
static char *oaep(const X509_ALGOR *algorithm)
{
	const void *value = NULL;
	int type = V_ASN1_UNDEF;
	struct der seq, hash, id, oid;
	struct buf name = {0};
	const ASN1_STRING *s;
	char *out;

	X509_ALGOR_get0(NULL, &type, &value, algorithm);
	s = type == V_ASN1_SEQUENCE ? value : NULL;
	if (!s || der_read(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s), &seq) < 0 ||
	    der_tagged(&seq, 0, 0xa0, &hash) < 0 || der_child(&hash, 0, &id) < 0 || der_child(&id, 0, &oid) < 0)
		return text_copy("oaep-sha1");
	der_oid(&oid, &name);
	out = text_make("oaep-%s", cms_names_of_digest(name.p));
	buf_free(&name);
	return out;
}

static char *transport_keys(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *o;
	int nid;

	X509_ALGOR_get0(&o, NULL, NULL, algorithm);
	nid = OBJ_obj2nid(o);
	return nid == NID_rsaEncryption ? text_copy("pkcs1") : nid == NID_rsaesOaep ? oaep(algorithm) : oid_text(o);
}

static char *agree_keys(const X509_ALGOR *algorithm)
{
	const ASN1_OBJECT *o;
	char *oid;

	X509_ALGOR_get0(&o, NULL, NULL, algorithm);
	oid = oid_text(o);
	/* RFC 5753 7.1.4: x9-63-scheme 2 (SHA-1), and secg-scheme 11 with its digests */
	if (!strcmp(oid, "1.3.133.16.840.63.0.2") || !strncmp(oid, "1.3.132.1.11.", 13)) {
		free(oid);
		oid = text_copy("ecdh");
	}
	return oid;
}

static void read_recipient(CMS_RecipientInfo *ri, struct layer *l)
{
	ASN1_OCTET_STRING *ski = NULL;
	X509_NAME *issuer = NULL;
	ASN1_INTEGER *serial = NULL;
	X509_ALGOR *algorithm = NULL;
	STACK_OF(CMS_RecipientEncryptedKey) * each;

	if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_TRANS) {
		CMS_RecipientInfo_ktri_get0_signer_id(ri, &ski, &issuer, &serial);
		CMS_RecipientInfo_ktri_get0_algs(ri, NULL, NULL, &algorithm);
		add(l, ski, issuer, serial, transport_keys(algorithm));
	} else if (CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_AGREE) {
		each = CMS_RecipientInfo_kari_get0_reks(ri);
		CMS_RecipientInfo_kari_get0_alg(ri, &algorithm, NULL);
		for (int i = 0; i < sk_CMS_RecipientEncryptedKey_num(each) && l->n_recipients < RECIPIENTS_MAX; i++) {
			ski = NULL;
			issuer = NULL;
			serial = NULL;
			CMS_RecipientEncryptedKey_get0_id(
			    sk_CMS_RecipientEncryptedKey_value(each, i), &ski, NULL, NULL, &issuer, &serial);
			add(l, ski, issuer, serial, agree_keys(algorithm));
		}
	} else {
		add(l, NULL, NULL, NULL,
		    text_copy(CMS_RecipientInfo_type(ri) == CMS_RECIPINFO_PASS ? "password" : "kek"));
	}
}

bool judge_names(const struct recipient *r, X509 *cert)
{
	const ASN1_OCTET_STRING *ski = X509_get0_subject_key_id(cert);
	char *id = !r->by_ski ? issuer_serial(X509_get_issuer_name(cert), X509_get0_serialNumber(cert))
		   : ski      ? hex_of(ski)
			      : NULL;
	bool same = id && *id && !strcmp(id, r->id);

	free(id);
	return same;
}

/* --- opening ---------------------------------------------------------------------------------------------------- */

static CMS_ContentInfo *read_cms(const struct buf *der)
{
	const unsigned char *p = (const unsigned char *)der->p;

	return d2i_CMS_ContentInfo(NULL, &p, (long)der->n);
}

/* Everything is decrypted before anything is used: GCM gives octets out before the tag is right. */
static int open_with(const struct buf *der, const struct credential *c, struct buf *out, struct buf *why)
{
	CMS_ContentInfo *cms = read_cms(der);
	BIO *to = BIO_new(BIO_s_mem());
	char *p;
	long n;
	int rc = -1;

	if (cms && to && CMS_decrypt(cms, c->key, c->cert, NULL, to, CMS_BINARY) == 1) {
		n = BIO_get_mem_data(to, &p);
		buf_add(out, n > 0 ? p : "", n > 0 ? (size_t)n : 0);
		rc = 0;
	} else {
		judge_openssl(why, "it does not decrypt");
	}
	CMS_ContentInfo_free(cms);
	BIO_free(to);
	return rc;
}

static bool named(const struct layer *l, X509 *cert)
{
	for (size_t i = 0; i < l->n_recipients; i++)
		if (judge_names(&l->recipients[i], cert))
			return true;
	return false;
}

/* Tries each key whose certificate is named; all must see the same. */
static int open_all(
    const struct buf *der, const struct judge_keys *keys, struct layer *l, struct buf *content, struct buf *why)
{
	struct buf said = {0};
	int rc = 0;

	for (size_t i = 0; rc == 0 && i < keys->n; i++) {
		struct buf mine = {0};

		if (!keys->all[i]->key || !named(l, keys->all[i]->cert))
			continue;
		if (open_with(der, keys->all[i], &mine, &said) == 0) {
			l->opened_by[i] = true;
			if (!l->opened)
				buf_add(content, mine.p, mine.n);
			else if (content->n != mine.n || memcmp(content->p, mine.p, mine.n) != 0)
				rc = fail(why, "two recipients see different contents");
			l->opened = true;
		}
		buf_free(&mine);
	}
	if (rc == 0 && !l->opened && said.n > 0)
		rc = fail(why, "%s", said.p);
	buf_free(&said);
	return rc;
}

/* RFC 5084 1.5, 3.2: AEAD in AuthEnvelopedData alone, tags from 12 to 16 octets as the parameters say. */
static int check_cipher(const struct cms_parts *parts, const char *oid, struct buf *why)
{
	bool auth = parts->type == CMS_AUTH_ENVELOPED;
	struct der length;
	unsigned told = 12;

	if (auth != cms_names_aead(oid))
		return fail(why, "%s with the cipher %s", auth ? "AuthEnvelopedData" : "EnvelopedData",
		    cms_names_of_cipher(oid));
	if (!auth)
		return 0;
	if (der_child(&parts->parameters, 1, &length) == 0)
		told = length.tag == DER_INTEGER && length.n == 1 ? length.p[0] : 0;
	if (!parts->mac.at || parts->mac.n != told || told < TAG_MIN || told > TAG_MAX)
		return fail(why, "a tag of %zu octets where the parameters say %u", parts->mac.n, told);
	return 0;
}

int judge_sealed(const struct buf *der, const struct cms_parts *parts, const struct judge_keys *keys,
    struct layer *out, struct buf *content, struct buf *why)
{
	CMS_ContentInfo *cms = read_cms(der);
	STACK_OF(CMS_RecipientInfo) *all = cms ? CMS_get0_RecipientInfos(cms) : NULL;
	struct der cipher;
	struct buf oid = {0};
	int rc = -1;

	if (!all || der_child(&parts->cipher, 0, &cipher) < 0) {
		CMS_ContentInfo_free(cms);
		return judge_openssl(why, "the encrypted object is damaged");
	}
	der_oid(&cipher, &oid);
	out->cipher = text_copy(cms_names_of_cipher(oid.p));
	for (int i = 0; i < sk_CMS_RecipientInfo_num(all) && out->n_recipients < RECIPIENTS_MAX; i++)
		read_recipient(sk_CMS_RecipientInfo_value(all, i), out);
	if (!strcmp(out->cipher, "rc2"))
		cms_names_legacy();
	if (out->n_recipients == RECIPIENTS_MAX)
		fail(why, "%d RecipientInfos or more", RECIPIENTS_MAX);
	else if (OBJ_obj2nid(CMS_get0_eContentType(cms)) != NID_pkcs7_data)
		fail(why, "an encrypted content that is not of the type data");
	else if (check_cipher(parts, oid.p, why) == 0)
		rc = open_all(der, keys, out, content, why);
	CMS_ContentInfo_free(cms);
	buf_free(&oid);
	return rc;
}
