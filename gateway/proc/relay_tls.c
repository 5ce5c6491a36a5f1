#include "gateway/proc/relay_tls.h"

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpc_dane.h"

void relay_tls_common(SSL_CTX *c)
{
	SSL_CTX_set_min_proto_version(c, TLS1_2_VERSION);
	SSL_CTX_set_mode(
	    c, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	SSL_CTX_set_options(c, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
	SSL_CTX_set_cipher_list(
	    c, "ECDHE+AESGCM:ECDHE+CHACHA20:ECDHE+AES256:ECDHE+AES128:!kRSA:!aNULL:!eNULL:!MD5:!3DES");
}

SSL_CTX *relay_tls_client(const char *ca_file, struct problem *pr)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL) {
		problem_temp(pr, "no TLS context");
		return NULL;
	}
	relay_tls_common(c);
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

SSL_CTX *relay_tls_client_sts(SSL_CTX *verify)
{
	SSL_CTX *c = SSL_CTX_new(TLS_client_method());

	if (c == NULL)
		log_fatal("no TLS context");
	relay_tls_common(c);
	SSL_CTX_set_verify(c, SSL_VERIFY_PEER, NULL);
	SSL_CTX_set1_cert_store(c, SSL_CTX_get_cert_store(verify));
	X509_VERIFY_PARAM_set_hostflags(SSL_CTX_get0_param(c), X509_CHECK_FLAG_NEVER_CHECK_SUBJECT);
	return c;
}
