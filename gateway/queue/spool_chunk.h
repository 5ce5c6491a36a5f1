/*
 * One chunk of sealed content: AES-256-GCM with the chunk's number and a final flag as nonce. relay and sealer. Knows
 * nothing of files or of the order of chunks; spool.c does.
 */
#ifndef POSTERN_QUEUE_SPOOL_CHUNK_H
#define POSTERN_QUEUE_SPOOL_CHUNK_H

#include <openssl/evp.h>
#include <stddef.h>
#include <stdint.h>

#define SPOOL_CHUNK_KEY 32
#define SPOOL_CHUNK_TAG 16

enum spool_chunk_last { SPOOL_CHUNK_MORE, SPOOL_CHUNK_LAST };

struct spool_chunk {
	EVP_CIPHER_CTX *ctx; /* made at the first use, then used again */
	uint8_t key[SPOOL_CHUNK_KEY];
	int keyed; /* what ctx has the key for: 0 nothing, 1 sealing, 2 opening */
};

/* Copies the key; allocates nothing. */
void spool_chunk_init(struct spool_chunk *c, const uint8_t key[SPOOL_CHUNK_KEY]);
/* Wipes the key. */
void spool_chunk_clear(struct spool_chunk *c);
/* Seals n octets where they are and puts the tag behind them (p has room for n + SPOOL_CHUNK_TAG). Cannot fail: a
 * cipher that does not work is fatal. A number must be sealed once under a key, never twice. */
void spool_chunk_seal(struct spool_chunk *c, uint64_t number, enum spool_chunk_last last, uint8_t *p, size_t n);
/* Opens n sealed octets (tag included) from in to out, which may be the same place. 0; -1 when they are not what was
 * sealed under this key with this number and flag: then out was wiped. */
int spool_chunk_open(struct spool_chunk *c, uint64_t number, enum spool_chunk_last last, const uint8_t *in, size_t n,
    uint8_t *out) __attribute__((warn_unused_result));

#endif
