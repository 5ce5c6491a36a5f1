/* AES-256-GCM in one piece (NIST SP 800-38D). Role keeper. */
#include "gateway/keys/keeper_seal.h"

#include <limits.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdbool.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { NONCE = 12, TAG = 16 };

int keeper_seal_lock(
    const uint8_t key[KEEPER_SEAL_KEY], const void *aad, size_t aad_n, const void *p, size_t n, struct buf *out_r)
{
	uint8_t *out = buf_room(out_r, n + KEEPER_SEAL_MORE);
	EVP_CIPHER_CTX *ctx;
	int l = 0, last = 0;
	bool ok;

	REQUIRE(n < INT_MAX && aad_n < INT_MAX);
	if (!out)
		return -1;
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && RAND_bytes(out, NONCE) == 1 && EVP_EncryptInit_ex2(ctx, EVP_aes_256_gcm(), key, out, NULL) &&
	     EVP_EncryptUpdate(ctx, NULL, &l, aad, (int)aad_n) &&
	     EVP_EncryptUpdate(ctx, out + NONCE, &l, p, (int)n) && EVP_EncryptFinal_ex(ctx, out + NONCE + l, &last) &&
	     (size_t)l + (size_t)last == n && EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, TAG, out + NONCE + n);
	EVP_CIPHER_CTX_free(ctx);
	if (!ok)
		return -1;
	buf_added(out_r, n + KEEPER_SEAL_MORE);
	return 0;
}

int keeper_seal_open(
    const uint8_t key[KEEPER_SEAL_KEY], const void *aad, size_t aad_n, const void *sealed, size_t n, uint8_t *plain_r)
{
	const uint8_t *in = sealed;
	uint8_t tag[TAG];
	EVP_CIPHER_CTX *ctx;
	int l = 0, last = 0;
	bool ok;

	REQUIRE(n < INT_MAX && aad_n < INT_MAX);
	if (n < KEEPER_SEAL_MORE)
		return -1;
	n -= KEEPER_SEAL_MORE;
	for (size_t i = 0; i < TAG; i++)
		tag[i] = in[NONCE + n + i];
	ctx = EVP_CIPHER_CTX_new();
	ok = ctx && EVP_DecryptInit_ex2(ctx, EVP_aes_256_gcm(), key, in, NULL) &&
	     EVP_DecryptUpdate(ctx, NULL, &l, aad, (int)aad_n) &&
	     EVP_DecryptUpdate(ctx, plain_r, &l, in + NONCE, (int)n) &&
	     EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, TAG, tag) &&
	     EVP_DecryptFinal_ex(ctx, plain_r + l, &last) && (size_t)l + (size_t)last == n;
	EVP_CIPHER_CTX_free(ctx);
	if (ok)
		return 0;
	mem_wipe(plain_r, n);
	return -1;
}
