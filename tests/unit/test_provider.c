/* libssl with a key in the keeper, many clients at once, a keeper that dies and comes back. */
#include "gateway/keys/provider.h"

#include <openssl/ssl.h>

#include "tests/unit/provider_fixture.h"

static int handshake(SSL *server, SSL *client)
{
	int a = 0, b = 0;

	for (int i = 0; i < 20 && (a != 1 || b != 1); i++) {
		b = SSL_do_handshake(client);
		a = SSL_do_handshake(server);
		if (a != 1 && SSL_get_error(server, a) != SSL_ERROR_WANT_READ)
			return 0;
		if (b != 1 && SSL_get_error(client, b) != SSL_ERROR_WANT_READ)
			return 0;
	}
	return a == 1 && b == 1;
}

static int tls(const struct subject *s, int version, const char *ciphers, const char *sigalgs)
{
	SSL_CTX *sctx = SSL_CTX_new(TLS_server_method()), *cctx = SSL_CTX_new(TLS_client_method());
	SSL *server, *client;
	BIO *up, *down;
	int ok;

	ck_assert_int_eq(SSL_CTX_use_certificate(sctx, s->cert), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(sctx, s->pkey), 1);
	ck_assert_int_eq(SSL_CTX_check_private_key(sctx), 1);
	SSL_CTX_set_min_proto_version(cctx, version);
	SSL_CTX_set_max_proto_version(cctx, version);
	if (ciphers)
		ck_assert_int_eq(SSL_CTX_set_cipher_list(cctx, ciphers), 1);
	if (sigalgs)
		ck_assert_int_eq(SSL_CTX_set1_sigalgs_list(cctx, sigalgs), 1);
	server = SSL_new(sctx);
	client = SSL_new(cctx);
	ck_assert_int_eq(BIO_new_bio_pair(&up, 0, &down, 0), 1);
	SSL_set_bio(server, up, up);
	SSL_set_bio(client, down, down);
	SSL_set_accept_state(server);
	SSL_set_connect_state(client);
	ok = handshake(server, client);
	SSL_free(server);
	SSL_free(client);
	SSL_CTX_free(sctx);
	SSL_CTX_free(cctx);
	ERR_clear_error();
	return ok;
}

START_TEST(tls_server)
{
	struct subject s;

	subject_make(&s, KEYS_USE_TLS, provider_algos[_i]);
	ck_assert(tls(&s, TLS1_3_VERSION, NULL, NULL));
	ck_assert(tls(&s, TLS1_2_VERSION, NULL, NULL));
	if (EVP_PKEY_is_a(s.pkey, "RSA")) {
		ck_assert(tls(&s, TLS1_2_VERSION, NULL, "RSA+SHA256"));
		ck_assert(tls(&s, TLS1_2_VERSION, NULL, "rsa_pss_rsae_sha512"));
		ck_assert(tls(&s, TLS1_3_VERSION, NULL, "rsa_pss_rsae_sha384"));
		/* key transport needs decryption, which no client of a TLS key gets */
		ck_assert(!tls(&s, TLS1_2_VERSION, "AES128-GCM-SHA256:AES256-GCM-SHA384", NULL));
	}
	subject_drop(&s);
}
END_TEST

START_TEST(tls_wrong_key)
{
	struct subject s;

	/* the relay with a key for mail: the handshake fails, and the client knows that it was the keeper */
	subject_make(&s, KEYS_USE_SIGN, KEYS_EC_P256);
	keys_client_free(s.client);
	EVP_PKEY_free(s.pkey);
	subject_use(&s, KEEPER_FOR_RELAY);
	ck_assert(!tls(&s, TLS1_3_VERSION, NULL, NULL));
	ck_assert(keys_client_failed(s.client));
	subject_drop(&s);
}
END_TEST

struct crowd {
	struct subject *sign, *decrypt;
	int ok;
};

static void *crowd_thread(void *arg)
{
	struct crowd *c = arg;
	struct subject sign = *c->sign, decrypt = *c->decrypt;

	subject_use(&sign, KEEPER_FOR_SEALER);
	subject_use(&decrypt, KEEPER_FOR_SEALER);
	c->ok = 1;
	for (int i = 0; i < 12 && c->ok; i++) {
		BIO *der = sign_message(&sign, i % 2 ? SIGN_PLAIN : SIGN_STREAM);
		CMS_ContentInfo *cms = encrypt(decrypt.cert, EVP_aes_256_cbc(), DEC_PLAIN, NULL);

		c->ok = der && verifies(der, sign.cert) == 1 && decrypts(cms, decrypt.pkey, decrypt.cert);
		BIO_free(der);
		CMS_ContentInfo_free(cms);
	}
	EVP_PKEY_free(sign.pkey);
	EVP_PKEY_free(decrypt.pkey);
	keys_client_free(sign.client);
	keys_client_free(decrypt.client);
	return NULL;
}

START_TEST(many_clients)
{
	struct subject sign, decrypt;
	struct crowd crowd[6];
	pthread_t threads[6];

	subject_make(&sign, KEYS_USE_SIGN, _i ? KEYS_EC_P384 : KEYS_RSA_2048);
	subject_make(&decrypt, KEYS_USE_DECRYPT, _i ? KEYS_EC_P256 : KEYS_RSA_2048);
	for (int i = 0; i < 6; i++) {
		crowd[i] = (struct crowd){&sign, &decrypt, 0};
		ck_assert_int_eq(pthread_create(&threads[i], NULL, crowd_thread, &crowd[i]), 0);
	}
	for (int i = 0; i < 6; i++) {
		ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
		ck_assert_msg(crowd[i].ok, "thread %d", i);
	}
	subject_drop(&sign);
	subject_drop(&decrypt);
}
END_TEST

START_TEST(restart)
{
	struct subject sign, decrypt;
	CMS_ContentInfo *cms;
	BIO *der;

	subject_make(&sign, KEYS_USE_SIGN, provider_algos[_i]);
	subject_make(&decrypt, KEYS_USE_DECRYPT, provider_algos[_i]);
	cms = encrypt(decrypt.cert, EVP_aes_256_cbc(), DEC_PLAIN, NULL);

	fixture_down(&fx);
	ck_assert_ptr_null(sign_message(&sign, SIGN_PLAIN));
	ck_assert(keys_client_failed(sign.client));
	ck_assert_ptr_nonnull(keys_client_problem(sign.client));
	ck_assert_int_eq(keys_client_problem(sign.client)->cls, PROBLEM_TEMP);
	/* libcrypto says the message is bad, or nothing at all; the client knows better */
	ck_assert(!decrypts(cms, decrypt.pkey, decrypt.cert));
	ck_assert(keys_client_failed(decrypt.client));

	fixture_up(&fx);
	keys_client_replace(sign.client, fixture_fd(&fx, KEEPER_FOR_SEALER));
	keys_client_replace(decrypt.client, fixture_fd(&fx, KEEPER_FOR_SEALER));
	keys_client_begin(sign.client);
	keys_client_begin(decrypt.client);
	der = sign_message(&sign, SIGN_STREAM);
	ck_assert_ptr_nonnull(der);
	ck_assert_int_eq(verifies(der, sign.cert), 1);
	ck_assert(decrypts(cms, decrypt.pkey, decrypt.cert));
	ck_assert(!keys_client_failed(sign.client) && !keys_client_failed(decrypt.client));
	BIO_free(der);
	CMS_ContentInfo_free(cms);
	subject_drop(&sign);
	subject_drop(&decrypt);
}
END_TEST

int main(void)
{
	TCase *t = provider_case();

	tcase_add_loop_test(t, tls_server, 0, NALGOS);
	tcase_add_test(t, tls_wrong_key);
	tcase_add_loop_test(t, many_clients, 0, 2);
	tcase_add_loop_test(t, restart, 0, NALGOS);
	return provider_run("provider", t);
}
