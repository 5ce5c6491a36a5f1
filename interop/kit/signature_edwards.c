#include "interop/kit/signature_edwards.h"

#include "interop/kit/der.h"

#include <stdlib.h>

#define ED25519 "1.3.101.112"

X509 *signature_stand_in(X509 *cert, EVP_PKEY **key_out)
{
	X509 *x = X509_dup(cert);

	*key_out = EVP_EC_gen("P-256");
	if (!x || !*key_out || X509_set_pubkey(x, *key_out) != 1)
		die("out of memory");
	return x;
}

/* RFC 5652 5.4: over the attributes as a SET OF; RFC 8419 3.1: as they are, without a digest before */
static int sign(const struct der *attributes, EVP_PKEY *key, struct buf *out)
{
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	unsigned char signature[64];
	size_t n = sizeof(signature);
	struct buf set = {0};
	int rc = -1;

	der_add(&set, DER_SET, attributes->p, attributes->n);
	if (ctx && EVP_DigestSignInit(ctx, NULL, NULL, NULL, key) == 1 &&
	    EVP_DigestSign(ctx, signature, &n, (unsigned char *)set.p, set.n) == 1) {
		der_add(out, DER_OCTETS, signature, n);
		rc = 0;
	}
	EVP_MD_CTX_free(ctx);
	buf_free(&set);
	return rc;
}

static int signer_of(const struct buf *der, struct der *signer, struct der *attributes)
{
	struct cms_parts parts;

	return cms_parts_read(der->p, der->n, &parts) == 0 && der_child(&parts.signers, 0, signer) == 0
		   ? der_tagged(signer, 3, 0xa0, attributes)
		   : -1;
}

int signature_edwards(struct buf *der, EVP_PKEY *key, struct buf *why)
{
	struct der signer, attributes, old;
	struct buf value = {0}, oid = {0}, algorithm = {0};
	int rc = -1;

	der_add_oid(&oid, ED25519);
	der_add(&algorithm, DER_SEQUENCE, oid.p, oid.n);
	if (signer_of(der, &signer, &attributes) == 0 && sign(&attributes, key, &value) == 0 &&
	    der_tagged(&signer, 4, DER_OCTETS, &old) == 0) {
		der_replace(der, &old, value.p, value.n);
		if (signer_of(der, &signer, &attributes) == 0 && der_child(&signer, 4, &old) == 0) {
			der_replace(der, &old, algorithm.p, algorithm.n);
			rc = 0;
		}
	}
	buf_free(&value);
	buf_free(&oid);
	buf_free(&algorithm);
	return rc < 0 ? fail(why, "this cannot be signed by Ed25519: it has no signed attributes") : 0;
}
