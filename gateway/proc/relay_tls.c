#include "gateway/proc/relay_tls.h"

#include <openssl/err.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/store.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/smtp/smtpc_dane.h"

static const struct judge_identity *tls_identity(const struct relay *r)
{
	const struct judge_identity *v, *first = NULL;
	size_t n;

	if (!relay_ask_identities(r->ask, &v, &n))
		return NULL;
	for (size_t i = 0; i < n; i++) {
		if (v[i].use != STORE_TLS || v[i].cert.n == 0)
			continue;
		if (strcmp(v[i].domain, r->top->hostname) == 0)
			return &v[i];
		if (first == NULL)
			first = &v[i];
	}
	return first;
}

static void common(SSL_CTX *c)
{
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_mode(
	    c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_cipher_list(
	    c, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES256:ECDHE+AES128:!kRSA:!aNULL:!eNULL:!MD5:!3DES");
}

static int add_chain(SSL_CTX *c, const struct judge_octets *chain)
{
	const uint8_t *p = chain->p, *end = chain->p + chain->n;

	while (p != NULL && p < end) {
		X509 *x = d2i_X509(NULL, &p, end - p);

		if (x == NULL)
			return -1;
		if (SSL_CTX_add0_chain_cert(c, x) != 1) {
			X509_free(x);
			return -1;
		}
	}
	return 0;
}

SSL_CTX *relay_tls_server(const struct relay *r, struct problem *pr)
{
	const struct judge_identity *id = tls_identity(r);
	SSL_CTX *c = NULL;
	X509 *x = NULL;
	EVP_PKEY *key = NULL;
	bool good = false;

	if (id == NULL)
		return NULL;
	x = cert_parse(id->cert.p, id->cert.n, pr);
	if (x == NULL)
		goto out;
	key = keys_pkey(r->keys, id->key_id, X509_get0_pubkey(x), pr);
	if (key == NULL)
		goto out;
	c = SSL_CTX_new(TLS_server_method());
	if (c == NULL)
		goto out;
	common(c);
	SSL_CTX_set_options(c, SSL_OP_CIPHER_SERVER_PREFERENCE);
	SSL_CTX_set_session_id_context(c, (const unsigned char *)"postern", 7);
	good = SSL_CTX_use_certificate(c, x) == 1 && SSL_CTX_use_PrivateKey(c, key) == 1 &&
	       add_chain(c, &id->chain) == 0;
out:
	if (!good) {
		if (pr->cls == PROBLEM_NONE)
			problem_temp(pr, "the TLS certificate of %s cannot be used: %s", id->domain,
			    ERR_reason_error_string(ERR_peek_last_error()));
		SSL_CTX_free(c);
		c = NULL;
	}
	ERR_clear_error();
	EVP_PKEY_free(key);
	X509_free(x);
	return c;
}

SSL_CTX *relay_tls_client(const char *ca_file, struct problem *pr)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL) {
		problem_temp(pr, "no TLS context");
		return NULL;
	}
	common(c);
	if (ca_file == NULL) {
		SSL_CTX_set_verify(c, SSL_VERIFY_NONE, NULL);
		if (smtpc_dane_context(c) == 0)
			return c;
		problem_temp(pr, "OpenSSL gives no TLS context with DANE");
		SSL_CTX_free(c);
		return NULL;
	}
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	if (SSL_CTX_load_verify_locations(c, ca_file, NULL) != 1) {
		problem_perm(pr,
		    "tls-ca-file %s cannot be read as PEM certificates: install ca-certificates or name another file",
		    ca_file);
		SSL_CTX_free(c);
		ERR_clear_error();
		return NULL;
	}
	return c;
}
