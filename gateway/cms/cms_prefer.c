/*
 * SMIMEEncryptionKeyPreference ::= CHOICE { issuerAndSerialNumber [0], recipientKeyId [1] RecipientKeyIdentifier,
 * subjectAltKeyIdentifier [2] SubjectKeyIdentifier }, tags implicit. Sealer and tests.
 */
#include "gateway/cms/cms_prefer.h"

#include <openssl/err.h>
#include <openssl/objects.h>
#include <string.h>

#include "gateway/cms/ber.h"

/* [0] IMPLICIT IssuerAndSerialNumber as a string that holds the whole element. NULL without memory. */
static ASN1_STRING *issuer_and_serial(X509 *cert)
{
	const X509_NAME *name = X509_get_issuer_name(cert);
	int issuer = i2d_X509_NAME(name, NULL), serial = i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), NULL);
	ASN1_STRING *s = ASN1_STRING_type_new(V_ASN1_OTHER);
	unsigned char *p;

	if (s == NULL || issuer <= 0 || serial <= 0 ||
	    !ASN1_STRING_set(s, NULL, ASN1_object_size(1, issuer + serial, 0))) {
		ASN1_STRING_free(s);
		return NULL;
	}
	p = (unsigned char *)ASN1_STRING_get0_data(s);
	ASN1_put_object(&p, 1, issuer + serial, 0, V_ASN1_CONTEXT_SPECIFIC);
	i2d_X509_NAME(name, &p);
	i2d_ASN1_INTEGER(X509_get0_serialNumber(cert), &p);
	return s;
}

/* By X509_ATTRIBUTE_create, because the functions that take octets mistake V_ASN1_OTHER for a character set. */
int cms_prefer_add(CMS_SignerInfo *si, X509 *enc_cert)
{
	ASN1_STRING *value = issuer_and_serial(enc_cert);
	X509_ATTRIBUTE *a =
	    value != NULL ? X509_ATTRIBUTE_create(NID_id_smime_aa_encrypKeyPref, V_ASN1_OTHER, value) : NULL;
	int r = -1;

	if (a == NULL) {
		ASN1_STRING_free(value);
		return -1;
	}
	if (CMS_signed_add1_attr(si, a) == 1)
		r = 0;
	X509_ATTRIBUTE_free(a); /* with the value */
	return r;
}

/* ---- read ---- */

static X509 *by_issuer(STACK_OF(X509) * certs, const unsigned char *p, size_t n)
{
	const unsigned char *end = p + n;
	X509_NAME *name = d2i_X509_NAME(NULL, &p, (long)n);
	ASN1_INTEGER *serial = name != NULL ? d2i_ASN1_INTEGER(NULL, &p, end - p) : NULL;
	X509 *found = NULL;

	for (int i = 0; serial != NULL && p == end && found == NULL && i < sk_X509_num(certs); i++) {
		X509 *x = sk_X509_value(certs, i);

		if (ASN1_INTEGER_cmp(serial, X509_get0_serialNumber(x)) == 0 &&
		    X509_NAME_cmp(name, X509_get_issuer_name(x)) == 0)
			found = x;
	}
	X509_NAME_free(name);
	ASN1_INTEGER_free(serial);
	ERR_clear_error();
	return found;
}

static X509 *by_key_id(STACK_OF(X509) * certs, const uint8_t *p, size_t n)
{
	for (int i = 0; i < sk_X509_num(certs); i++) {
		const ASN1_OCTET_STRING *id = X509_get0_subject_key_id(sk_X509_value(certs, i));

		if (id != NULL && n > 0 && (size_t)ASN1_STRING_length(id) == n &&
		    memcmp(ASN1_STRING_get0_data(id), p, n) == 0)
			return sk_X509_value(certs, i);
	}
	return NULL;
}

/* RecipientKeyIdentifier ::= SEQUENCE { subjectKeyIdentifier OCTET STRING, ... }: its first element is the key's. */
static X509 *by_recipient_id(STACK_OF(X509) * certs, struct ber *b, const struct ber_item *it)
{
	struct ber_item id;
	const uint8_t *p;
	size_t n;

	if (ber_enter(b, it, NULL) == -1 || ber_next(b, &id, NULL) != 1 || !ber_is(&id, BER_UNIVERSAL, BER_OCTETS) ||
	    id.constructed || ber_run(b, &p, &n, NULL) != 1)
		return NULL;
	return by_key_id(certs, p, n);
}

static X509 *find(STACK_OF(X509) * certs, const uint8_t *der, size_t len)
{
	struct ber_item it;
	struct ber b;

	ber_open_mem(&b, der, len, 0, 8);
	if (ber_next(&b, &it, NULL) != 1 || it.cls != BER_CONTEXT || it.indefinite || it.nhead + it.len != len)
		return NULL;
	if (it.tag == 0 && it.constructed)
		return by_issuer(certs, der + it.nhead, (size_t)it.len);
	if (it.tag == 1 && it.constructed)
		return by_recipient_id(certs, &b, &it);
	if (it.tag == 2 && !it.constructed)
		return by_key_id(certs, der + it.nhead, (size_t)it.len);
	return NULL;
}

X509 *cms_prefer_find(CMS_SignerInfo *si, STACK_OF(X509) * certs)
{
	int i = CMS_signed_get_attr_by_NID(si, NID_id_smime_aa_encrypKeyPref, -1);
	X509_ATTRIBUTE *a = i >= 0 ? CMS_signed_get_attr(si, i) : NULL;
	const ASN1_STRING *v =
	    a != NULL && X509_ATTRIBUTE_count(a) == 1 ? X509_ATTRIBUTE_get0_data(a, 0, V_ASN1_OTHER, NULL) : NULL;

	return v != NULL ? find(certs, ASN1_STRING_get0_data(v), (size_t)ASN1_STRING_length(v)) : NULL;
}
