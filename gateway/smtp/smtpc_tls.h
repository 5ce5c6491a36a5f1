/*
 * TLS of the client beyond the handshake itself: the last session of each host kept for resumption, and words about a
 * certificate that did not verify. Role relay. RFC 8446 2.2, RFC 6125.
 */
#ifndef POSTERN_SMTP_SMTPC_TLS_H
#define POSTERN_SMTP_SMTPC_TLS_H

#include <openssl/ssl.h>

#define SMTPC_TLS_SESSIONS_MAX 512 /* kept; the one not used for longest goes first */
#define SMTPC_TLS_WORDS 320

struct smtpc_tls_store;
struct smtpc_tls_store *smtpc_tls_store_new(void);
void smtpc_tls_store_free(struct smtpc_tls_store *s);
/* level: sessions made under one demand are not resumed under another. */
void smtpc_tls_keep(struct smtpc_tls_store *s, const char *host, int level, SSL_CTX *ctx, SSL *ssl);
void smtpc_tls_resume(struct smtpc_tls_store *s, const char *host, int level, SSL_CTX *ctx, SSL *ssl);
/* A session with which something was wrong is not tried again. */
void smtpc_tls_forget(struct smtpc_tls_store *s, const char *host, int level, SSL_CTX *ctx);

/* Words about the certificate that fails verification, noted during the handshake: OpenSSL drops it afterwards. */
struct smtpc_tls_note {
	char words[SMTPC_TLS_WORDS]; /* "" = no failure seen */
};
/* Before the handshake; n must live as long as ssl. Only where ssl verifies. */
void smtpc_tls_watch(SSL *ssl, struct smtpc_tls_note *n);
/* "subject CN=x serial 01 valid 2026-01-01T00:00:00Z to ..." */
void smtpc_tls_cert_words(const X509 *cert, char out[SMTPC_TLS_WORDS]);
/* After the handshake under a demand for a verified peer: is it? 0, or -1 with why (cert words in n). */
int smtpc_tls_verified(SSL *ssl, const char *host, struct smtpc_tls_note *n, const char **why_r)
    __attribute__((warn_unused_result));

#endif
