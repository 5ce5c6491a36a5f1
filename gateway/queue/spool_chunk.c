/*
 * One chunk of sealed content. The nonce is {0, 0, 0, final flag, number as 64 bits}: a chunk in another place or
 * another order, and a file cut after any chunk, fail the tag (the STREAM construction). No nonce repeats, because a
 * key belongs to one content and a number is sealed once.
 */
#include "gateway/queue/spool_chunk.h"

#include <limits.h>
#include <pthread.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { NONCE = 12, KEYED_SEAL = 1, KEYED_OPEN = 2 };

static EVP_CIPHER *cipher;

static void fetch(void)
{
	cipher = EVP_CIPHER_fetch(NULL, "AES-256-GCM", NULL);
	if (!cipher)
		log_fatal("OpenSSL has no AES-256-GCM: check its configuration file and the default provider");
}

void spool_chunk_init(struct spool_chunk *c, const uint8_t key[SPOOL_CHUNK_KEY])
{
	*c = (struct spool_chunk){0};
	memcpy(c->key, key, SPOOL_CHUNK_KEY);
}

void spool_chunk_clear(struct spool_chunk *c)
{
	EVP_CIPHER_CTX_free(c->ctx);
	mem_wipe(c, sizeof *c);
}

static void begin(struct spool_chunk *c, int keyed, uint64_t number, enum spool_chunk_last last)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	uint8_t nonce[NONCE] = {0, 0, 0, last == SPOOL_CHUNK_LAST};

	for (int i = 0; i < 8; i++)
		nonce[4 + i] = (uint8_t)(number >> (56 - 8 * i));
	pthread_once(&once, fetch);
	if (!c->ctx && !(c->ctx = EVP_CIPHER_CTX_new()))
		log_fatal("out of memory: cipher context");

	/* the key schedule is kept from chunk to chunk */
	int again = c->keyed == keyed;

	if (EVP_CipherInit_ex2(
		c->ctx, again ? NULL : cipher, again ? NULL : c->key, nonce, keyed == KEYED_SEAL, NULL) != 1)
		log_fatal("AES-256-GCM could not be started");
	c->keyed = keyed;
}

void spool_chunk_seal(struct spool_chunk *c, uint64_t number, enum spool_chunk_last last, uint8_t *p, size_t n)
{
	int len = 0, rest = 0;

	REQUIRE(n <= INT_MAX);
	begin(c, KEYED_SEAL, number, last);
	if (n && EVP_EncryptUpdate(c->ctx, p, &len, p, (int)n) != 1)
		log_fatal("AES-256-GCM failed");
	if (EVP_EncryptFinal_ex(c->ctx, p + len, &rest) != 1 || (size_t)len + (size_t)rest != n ||
	    EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_GET_TAG, SPOOL_CHUNK_TAG, p + n) != 1)
		log_fatal("AES-256-GCM failed");
}

int spool_chunk_open(
    struct spool_chunk *c, uint64_t number, enum spool_chunk_last last, const uint8_t *in, size_t n, uint8_t *out)
{
	uint8_t tag[SPOOL_CHUNK_TAG];
	int len = 0, rest = 0;

	REQUIRE(n <= INT_MAX);
	if (n < SPOOL_CHUNK_TAG)
		return -1;
	n -= SPOOL_CHUNK_TAG;
	memcpy(tag, in + n, sizeof tag);
	begin(c, KEYED_OPEN, number, last);
	if (EVP_CIPHER_CTX_ctrl(c->ctx, EVP_CTRL_AEAD_SET_TAG, SPOOL_CHUNK_TAG, tag) != 1)
		log_fatal("AES-256-GCM failed");
	if ((n == 0 || EVP_DecryptUpdate(c->ctx, out, &len, in, (int)n) == 1) &&
	    EVP_DecryptFinal_ex(c->ctx, out + len, &rest) == 1 && (size_t)len + (size_t)rest == n)
		return 0;
	mem_wipe(out, n);
	return -1;
}
