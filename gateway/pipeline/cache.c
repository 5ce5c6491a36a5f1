#include "gateway/pipeline/cache.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/mem.h"

enum { CERTS = 512, KEYS = 128 };

struct cert_place {
	uint8_t hash[32];
	X509 *x;
	uint64_t used; /* job number */
};
struct key_place {
	char id[KEYS_ID_MAX + 1];
	EVP_PKEY *key;
	uint64_t used;
};
struct cache {
	struct keys_client *keys;
	uint64_t job;
	struct cert_place certs[CERTS];
	struct key_place keyv[KEYS];
};

struct cache *cache_new(struct keys_client *k)
{
	struct cache *c = mem_new(sizeof(*c));

	c->keys = k;
	c->job = 1;
	return c;
}

void cache_free(struct cache *c)
{
	if (c == NULL)
		return;
	for (size_t i = 0; i < CERTS; i++)
		X509_free(c->certs[i].x);
	for (size_t i = 0; i < KEYS; i++)
		EVP_PKEY_free(c->keyv[i].key);
	free(c);
}

void cache_tick(struct cache *c)
{
	c->job++;
}

/* The places a hash may lie in: a short row, so that a look-up is a few compares and what is in use by this job is
 * never thrown out from under it. */
enum { ROW = 16 };

static struct cert_place *cert_row(struct cache *c, const uint8_t hash[32])
{
	return &c->certs[(((unsigned)hash[0] << 8 | hash[1]) % (CERTS / ROW)) * ROW];
}

X509 *cache_cert(struct cache *c, const struct judge_octets *der, struct problem *pr)
{
	uint8_t hash[32];
	struct cert_place *row, *old = NULL;

	SHA256(der->p, der->n, hash);
	row = cert_row(c, hash);
	for (size_t i = 0; i < ROW; i++) {
		if (row[i].x != NULL && memcmp(row[i].hash, hash, sizeof(hash)) == 0) {
			row[i].used = c->job;
			return row[i].x;
		}
		if (row[i].used != c->job && (old == NULL || row[i].used < old->used))
			old = &row[i];
	}
	if (old == NULL) {
		problem_temp(pr, "too many certificates in one message");
		return NULL;
	}
	X509 *x = cert_parse(der->p, der->n, pr);
	if (x == NULL)
		return NULL;
	X509_free(old->x);
	old->x = x;
	memcpy(old->hash, hash, sizeof(hash));
	old->used = c->job;
	return x;
}

EVP_PKEY *cache_key(struct cache *c, const char *id, X509 *cert, struct problem *pr)
{
	struct key_place *old = NULL;

	for (size_t i = 0; i < KEYS; i++) {
		struct key_place *k = &c->keyv[i];

		if (k->key != NULL && strcmp(k->id, id) == 0 && EVP_PKEY_eq(k->key, X509_get0_pubkey(cert)) == 1) {
			k->used = c->job;
			return k->key;
		}
		if (k->used != c->job && (old == NULL || k->used < old->used))
			old = k;
	}
	if (old == NULL) {
		problem_temp(pr, "too many keys in one message");
		return NULL;
	}
	EVP_PKEY *key = keys_pkey(c->keys, id, X509_get0_pubkey(cert), pr);
	if (key == NULL)
		return NULL;
	EVP_PKEY_free(old->key);
	old->key = key;
	old->used = c->job;
	if (mem_copy_str(old->id, sizeof(old->id), id) != 0)
		old->id[0] = '\0';
	return key;
}

STACK_OF(X509) * cache_chain(struct cache *c, const struct judge_octets *chain)
{
	STACK_OF(X509) *st = NULL;
	const uint8_t *p = chain->p;
	size_t left = chain->n;

	while (left > 0) {
		long len = 0;
		int tag, cls;
		const uint8_t *q = p;

		if (ASN1_get_object(&q, &len, &tag, &cls, (long)left) & 0x80 || len < 0)
			break;
		struct judge_octets one = {p, (size_t)(q - p) + (size_t)len};
		X509 *x = cache_cert(c, &one, NULL);
		if (x == NULL)
			break;
		if (st == NULL)
			st = sk_X509_new_null();
		if (st == NULL || sk_X509_push(st, x) == 0)
			break;
		p += one.n;
		left -= one.n;
	}
	return st;
}
