/*
 * Certificates by the hash of their DER and keeper keys by their name: parsing a certificate costs more than
 * decrypting a small message. Bounded; the oldest place is reused. Sealer.
 */
#ifndef POSTERN_PIPELINE_CACHE_H
#define POSTERN_PIPELINE_CACHE_H

#include <openssl/evp.h>
#include <openssl/x509.h>

#include "certstore/judge_proto.h"
#include "gateway/keys/keys.h"

struct cache;
struct cache *cache_new(struct keys_client *k);
void cache_free(struct cache *c);
/* The parsed certificate; belongs to the cache, valid until the next job. NULL with pr. */
X509 *cache_cert(struct cache *c, const struct judge_octets *der, struct problem *pr);
/* The private key `id` in the keeper that goes with cert; belongs to the cache. NULL with pr. */
EVP_PKEY *cache_key(struct cache *c, const char *id, X509 *cert, struct problem *pr);
/* Concatenated DER to a stack (certificates belong to the cache; free only the stack). NULL when there are none. */
STACK_OF(X509) * cache_chain(struct cache *c, const struct judge_octets *chain);
/* Called between jobs: only then are places reused. */
void cache_tick(struct cache *c);

#endif
