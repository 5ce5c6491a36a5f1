/*
 * Certificates that a signer names and did not send. Role judge. RFC 5652 5.3, RFC 8551 2.3 (a sender may leave out
 * what the receiver has). Nothing is fetched: what nobody has given us before stays unknown, so a message cannot make
 * us ask anybody for anything.
 */
#include "gateway/proc/judge_known.h"

#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "gateway/proc/judge_cache.h"

enum { LOOKED_MAX = 200 }; /* certificates of one owner */

struct search {
	struct store *store;
	const struct judge_world *w;
	struct arena *a;
	X509_NAME *issuer;
	ASN1_INTEGER *serial;
	const struct judge_octets *ski;
	struct judge_octets *list;
	size_t n, max;
};

static void read_id(struct search *q, const struct judge_signer_id *id)
{
	const unsigned char *p = id->issuer.p;

	q->issuer = id->issuer.n > 0 ? d2i_X509_NAME(NULL, &p, (long)id->issuer.n) : NULL;
	p = id->serial.p;
	q->serial = id->serial.n > 0 ? d2i_ASN1_INTEGER(NULL, &p, (long)id->serial.n) : NULL;
	q->ski = &id->ski;
}

static bool is_named(const struct search *q, X509 *x)
{
	const ASN1_OCTET_STRING *own = X509_get0_subject_key_id(x);

	if (q->ski->n > 0)
		return own && (size_t)ASN1_STRING_length(own) == q->ski->n &&
		       memcmp(ASN1_STRING_get0_data(own), q->ski->p, q->ski->n) == 0;
	return q->issuer && q->serial && X509_NAME_cmp(X509_get_issuer_name(x), q->issuer) == 0 &&
	       ASN1_INTEGER_cmp(X509_get0_serialNumber(x), q->serial) == 0;
}

static void take(struct search *q, const uint8_t *der, size_t n)
{
	struct judge_cert *k;
	const uint8_t *copy;

	for (size_t i = 0; i < q->n; i++)
		if (q->list[i].n == n && memcmp(q->list[i].p, der, n) == 0)
			return;
	k = q->n < q->max ? judge_cache_cert(q->w->cache, der, n, NULL) : NULL;
	if (k && is_named(q, k->x)) {
		copy = (const uint8_t *)arena_dup(q->a, der, n);
		if (copy)
			q->list[q->n++] = (struct judge_octets){copy, n};
	}
	judge_cert_drop(k);
}

static void of_owner(struct search *q, const struct judge_owner *o, bool pinned)
{
	for (size_t i = 0; i < o->ncerts && i < LOOKED_MAX; i++)
		if (o->certs[i].pinned == pinned)
			take(q, o->certs[i].der, o->certs[i].der_len);
}

static int of_partner(struct search *q, const struct address *author, struct problem *pr)
{
	const struct judge_owner *o;

	for (int pinned = 1; pinned >= 0; pinned--) {
		if (judge_cache_person(q->w->cache, q->store, author, &o, pr) < 0)
			return -1;
		of_owner(q, o, pinned);
		if (judge_cache_owner(q->w->cache, q->store, author->domain, &o, pr) < 0)
			return -1;
		of_owner(q, o, pinned);
	}
	return 0;
}

static int of_ours(struct search *q, const struct address *author, struct problem *pr)
{
	const struct store_identity *list;
	size_t n;

	if (judge_cache_identities(q->w->cache, q->store, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (list[i].use == STORE_SIGN && list[i].cert && strcmp(list[i].domain, author->domain) == 0)
			take(q, list[i].cert, list[i].cert_len);
	return 0;
}

int judge_known(struct store *s, const struct judge_world *w, const struct address *author,
    const struct judge_signer_id *id, struct arena *a, size_t max, struct judge_octets *list_r, size_t *n_r,
    struct problem *pr)
{
	struct search q = {.store = s, .w = w, .a = a, .list = list_r, .max = max};
	int rc;

	read_id(&q, id);
	rc = judge_world_domain(w, author->domain) >= 0 ? of_ours(&q, author, pr) : of_partner(&q, author, pr);
	*n_r = q.n;
	X509_NAME_free(q.issuer);
	ASN1_INTEGER_free(q.serial);
	return rc;
}

void judge_known_none(const struct judge_signer_id *id, const struct address *author, char *why, size_t cap)
{
	char name[160] = "", ski[2 * JUDGE_SKI_MAX + 1] = "", *serial;
	struct search q = {0};
	BIGNUM *bn;

	read_id(&q, id);
	bn = q.serial ? ASN1_INTEGER_to_BN(q.serial, NULL) : NULL;
	serial = bn ? BN_bn2hex(bn) : NULL;
	encode_hex(id->ski.p, id->ski.n < JUDGE_SKI_MAX ? id->ski.n : JUDGE_SKI_MAX, ski);
	if (q.issuer)
		cert_name(q.issuer, name, sizeof name);
	(void)snprintf(why, cap,
	    "the signer's certificate is not in the message, and none that is known here for %s has %s%s%s%s",
	    author->domain, id->ski.n > 0 ? "the key identifier " : "serial ",
	    id->ski.n > 0 ? ski
	    : serial	  ? serial
			  : "(unreadable)",
	    name[0] ? ", issuer " : "", name);
	OPENSSL_free(serial);
	BN_free(bn);
	X509_NAME_free(q.issuer);
	ASN1_INTEGER_free(q.serial);
}
