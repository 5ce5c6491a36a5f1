/* RSA key transport by keys in the keeper through CMS_decrypt: v1.5, OAEP, and that bad padding looks like any other.
 */
#include "gateway/keys/provider_cipher.h"

#include "tests/unit/provider_fixture.h"

START_TEST(cms_decrypt_rsa)
{
	const EVP_CIPHER *const ciphers[] = {
	    EVP_aes_128_cbc(), EVP_aes_192_cbc(), EVP_aes_256_cbc(), EVP_aes_256_gcm()};
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, KEYS_RSA_2048);
	for (int how = DEC_PLAIN; how < DEC_HOWS; how++)
		for (size_t i = 0; i < 4; i++) {
			CMS_ContentInfo *cms = encrypt(s.cert, ciphers[i], how, NULL);

			ck_assert_msg(decrypts(cms, s.pkey, i % 2 ? s.cert : NULL), "how %d cipher %zu", how, i);
			keys_client_expect(s.client, (unsigned)EVP_CIPHER_get_key_length(ciphers[i]));
			ck_assert_msg(decrypts(cms, s.pkey, s.cert), "how %d cipher %zu", how, i);
			/* a key of another length than the one expected is none */
			keys_client_expect(s.client, i == 0 ? 32 : 16);
			ck_assert(!decrypts(cms, s.pkey, s.cert));
			keys_client_begin(s.client);
			CMS_ContentInfo_free(cms);
		}
	ck_assert(!keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

/* v1.5 padding of a key into em[0..256), made bad as asked. */
static void pad_v15(uint8_t *em, const uint8_t *key, size_t n)
{
	memset(em, 0xa5, 256);
	em[0] = 0;
	em[1] = 2;
	em[255 - n] = 0;
	memcpy(em + 256 - n, key, n);
}

static void raw_encrypt(EVP_PKEY *pub, const uint8_t *em, uint8_t *c)
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(pub, NULL);
	size_t n = 256;

	ck_assert_int_gt(EVP_PKEY_encrypt_init(ctx), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 0);
	ck_assert_int_gt(EVP_PKEY_encrypt(ctx, c, &n, em, 256), 0);
	EVP_PKEY_CTX_free(ctx);
}

static size_t transport(const struct subject *s, int pad, const uint8_t *c, size_t n, uint8_t out[256])
{
	EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(s->pkey, NULL);
	size_t len = 256;

	memset(out, 0, 256);
	ck_assert_int_gt(EVP_PKEY_decrypt_init(ctx), 0);
	ck_assert_int_gt(EVP_PKEY_CTX_set_rsa_padding(ctx, pad), 0);
	ck_assert_int_gt(EVP_PKEY_decrypt(ctx, out, &len, c, n), 0);
	EVP_PKEY_CTX_free(ctx);
	return len;
}

/* Whatever is wrong with the ciphertext: a key of 32 octets, the same for the same ciphertext, another for another.
 */
START_TEST(implicit_rejection)
{
	static const uint8_t key[32] = "0123456789abcdef0123456789abcde";
	uint8_t em[256], c[256], a[256], b[256], last[32] = {0};
	struct subject s;

	subject_make(&s, KEYS_USE_DECRYPT, KEYS_RSA_2048);
	pad_v15(em, key, 32);
	raw_encrypt(s.pub, em, c);
	ck_assert_uint_eq(transport(&s, RSA_PKCS1_PADDING, c, 256, a), 32);
	ck_assert_mem_eq(a, key, 32);
	for (int i = 0; i < 8; i++) {
		int pad = i == 6 ? RSA_PKCS1_OAEP_PADDING : RSA_PKCS1_PADDING;

		pad_v15(em, key, i == 4 ? 20 : 32);
		em[1] = i == 0 ? 1 : 2;
		em[2 + (i == 1 ? 3 : 0)] = i == 1 ? 0 : 0xa5; /* padding too short */
		em[223] = i == 2 ? 7 : em[223];		      /* a key that is too long */
		memset(em + 2, 1, i == 3 ? 254 : 0);	      /* no end of padding */
		raw_encrypt(s.pub, em, c);
		if (i == 5)
			memset(c, 0xff, 256); /* not below the modulus */
		ck_assert_uint_eq(transport(&s, pad, c, i == 7 ? 100 : 256, a), 32);
		ck_assert_uint_eq(transport(&s, pad, c, i == 7 ? 100 : 256, b), 32);
		ck_assert_mem_eq(a, b, 32);
		ck_assert_mem_ne(a, key, 32);
		ck_assert_mem_ne(a, last, 32);
		memcpy(last, a, 32);
		keys_client_expect(s.client, 16);
		ck_assert_uint_eq(transport(&s, pad, c, i == 7 ? 100 : 256, b), 16);
		ck_assert_mem_eq(a, b, 16);
		keys_client_expect(s.client, 0);
	}
	ck_assert(!keys_client_failed(s.client));
	/* a restarted keeper gives the same key for the same ciphertext */
	transport(&s, RSA_PKCS1_PADDING, c, 100, b);
	fixture_down(&fx);
	fixture_up(&fx);
	keys_client_replace(s.client, fixture_fd(&fx, KEEPER_FOR_SEALER));
	transport(&s, RSA_PKCS1_PADDING, c, 100, a);
	ck_assert_mem_eq(a, b, 32);
	subject_drop(&s);
}
END_TEST

/* An encryptedKey of any length is answered or refused here; it never costs the sealer its channel. */
START_TEST(overlong_ciphertext)
{
	uint8_t big[4096], out[256];
	struct subject s;
	EVP_PKEY_CTX *ctx;
	size_t len = 256;

	memset(big, 1, sizeof(big));
	subject_make(&s, KEYS_USE_DECRYPT, KEYS_RSA_2048);
	ck_assert_uint_eq(transport(&s, RSA_PKCS1_PADDING, big, 1000, out), 32);
	ctx = EVP_PKEY_CTX_new(s.pkey, NULL);
	ck_assert_int_gt(EVP_PKEY_decrypt_init(ctx), 0);
	ck_assert_int_le(EVP_PKEY_decrypt(ctx, out, &len, big, sizeof(big)), 0);
	EVP_PKEY_CTX_free(ctx);
	ck_assert(!keys_client_failed(s.client));
	ck_assert_uint_eq(transport(&s, RSA_PKCS1_PADDING, big, 256, out), 32);
	subject_drop(&s);
}
END_TEST

int main(void)
{
	TCase *t = provider_case();

	tcase_add_test(t, cms_decrypt_rsa);
	tcase_add_test(t, implicit_rejection);
	tcase_add_test(t, overlong_ciphertext);
	return provider_run("provider_cipher", t);
}
