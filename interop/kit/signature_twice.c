#include "interop/kit/signature_twice.h"

#include "interop/kit/der.h"

#include <openssl/asn1.h>
#include <stdlib.h>
#include <string.h>

static int by_octets(const void *a, const void *b)
{
	const struct der *x = a, *y = b;
	size_t n = (size_t)(x->end - x->at), m = (size_t)(y->end - y->at);
	int c = memcmp(x->at, y->at, n < m ? n : m);

	return c ? c : (n > m) - (n < m);
}

/* Attribute signingTime (RFC 5652 11.3) of tomorrow */
static void add_time(struct buf *out)
{
	ASN1_TIME *t = ASN1_TIME_set(NULL, time(NULL) + 86400);
	struct buf value = {0}, set = {0}, attribute = {0};

	if (!t)
		die("out of memory");
	der_add(&value, (unsigned char)t->type, t->data, (size_t)t->length);
	der_add(&set, DER_SET, value.p, value.n);
	der_add_oid(&attribute, "1.2.840.113549.1.9.5");
	buf_add(&attribute, set.p, set.n);
	der_add(out, DER_SEQUENCE, attribute.p, attribute.n);
	ASN1_TIME_free(t);
	buf_free(&value);
	buf_free(&set);
	buf_free(&attribute);
}

/* The content of the SET OF with the new one, in the order of DER (X.690 11.6). */
static void with_second(const struct der *attributes, struct buf *out)
{
	struct buf second = {0};
	struct der all[32];
	size_t n = 0;

	add_time(&second);
	while (n < 31 && der_child(attributes, n, &all[n]) == 0)
		n++;
	if (der_read((const unsigned char *)second.p, second.n, &all[n]) == 0)
		n++;
	qsort(all, n, sizeof(*all), by_octets);
	for (size_t i = 0; i < n; i++)
		buf_add(out, all[i].at, (size_t)(all[i].end - all[i].at));
	buf_free(&second);
}

static int sign(const struct buf *content, EVP_PKEY *key, const char *hash, struct buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	struct buf set = {0};
	size_t n = (size_t)EVP_PKEY_get_size(key);
	unsigned char *signature = need(n);
	int rc = -1;

	der_add(&set, DER_SET, content->p, content->n); /* RFC 5652 5.4: signed as SET OF */
	if (ctx && EVP_DigestSignInit_ex(ctx, NULL, hash, NULL, NULL, key, NULL) == 1 &&
	    EVP_DigestSign(ctx, signature, &n, (unsigned char *)set.p, set.n) == 1) {
		der_add(out, DER_OCTETS, signature, n);
		rc = 0;
	}
	EVP_MD_CTX_free(ctx);
	buf_free(&set);
	free(signature);
	return rc;
}

int signature_twice(struct buf *der, EVP_PKEY *key, const char *hash, struct buf *why)
{
	struct cms_parts parts;
	struct der signer, attributes, signature;
	struct buf content = {0}, value = {0}, whole = {0};
	int rc = -1;

	if (cms_parts_read(der->p, der->n, &parts) < 0 || der_child(&parts.signers, 0, &signer) < 0 ||
	    der_tagged(&signer, 3, 0xa0, &attributes) < 0 || der_tagged(&signer, 4, DER_OCTETS, &signature) < 0)
		return fail(why, "no signed attributes");
	with_second(&attributes, &content);
	der_add(&whole, 0xa0, content.p, content.n);
	if (sign(&content, key, hash, &value) == 0) {
		der_replace(der, &signature, value.p, value.n);
		if (cms_parts_read(der->p, der->n, &parts) == 0 && der_child(&parts.signers, 0, &signer) == 0 &&
		    der_tagged(&signer, 3, 0xa0, &attributes) == 0) {
			der_replace(der, &attributes, whole.p, whole.n);
			rc = 0;
		}
	}
	buf_free(&content);
	buf_free(&value);
	buf_free(&whole);
	return rc < 0 ? fail(why, "the attributes cannot be signed") : 0;
}
