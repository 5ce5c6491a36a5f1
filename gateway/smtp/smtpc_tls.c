/* Kept TLS sessions and what can be said about a certificate. Role relay; one loop's thread. No I/O. */
#include "gateway/smtp/smtpc_tls.h"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/cert.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

struct kept {
	struct kept *next; /* most recently used first */
	char *host;
	int level;
	SSL_CTX *ctx;
	SSL_SESSION *session;
};
struct smtpc_tls_store {
	struct kept *first;
	size_t n;
};

struct smtpc_tls_store *smtpc_tls_store_new(void)
{
	return mem_new(sizeof(struct smtpc_tls_store));
}

static void kept_free(struct kept *k)
{
	SSL_SESSION_free(k->session);
	SSL_CTX_free(k->ctx);
	free(k->host);
	free(k);
}

void smtpc_tls_store_free(struct smtpc_tls_store *s)
{
	if (!s)
		return;
	while (s->first) {
		struct kept *k = s->first;

		s->first = k->next;
		kept_free(k);
	}
	free(s);
}

/*
 * Takes the entry out of the list. The context is part of the key, because a session brings its verification result
 * along: one made by a context that verifies nothing must not pass for verified (nor under another trust anchor).
 */
static struct kept *take(struct smtpc_tls_store *s, const char *host, int level, const SSL_CTX *ctx)
{
	for (struct kept **at = &s->first; *at; at = &(*at)->next) {
		struct kept *k = *at;

		if (k->level != level || k->ctx != ctx || strcmp(k->host, host) != 0)
			continue;
		*at = k->next;
		s->n--;
		return k;
	}
	return NULL;
}

static void drop_last(struct smtpc_tls_store *s)
{
	struct kept **at = &s->first;

	while ((*at)->next)
		at = &(*at)->next;
	kept_free(*at);
	*at = NULL;
	s->n--;
}

static void put(struct smtpc_tls_store *s, struct kept *k)
{
	if (s->n >= SMTPC_TLS_SESSIONS_MAX)
		drop_last(s);
	k->next = s->first;
	s->first = k;
	s->n++;
}

void smtpc_tls_keep(struct smtpc_tls_store *s, const char *host, int level, SSL_CTX *ctx, SSL *ssl)
{
	SSL_SESSION *session = SSL_get1_session(ssl);

	if (!session || !SSL_SESSION_is_resumable(session)) {
		SSL_SESSION_free(session);
		return;
	}

	struct kept *k = take(s, host, level, ctx);

	if (!k) {
		k = mem_new(sizeof *k);
		k->host = mem_str(host);
		k->level = level;
		k->ctx = ctx;
		SSL_CTX_up_ref(ctx);
	}
	SSL_SESSION_free(k->session);
	k->session = session;
	put(s, k);
}

void smtpc_tls_resume(struct smtpc_tls_store *s, const char *host, int level, SSL_CTX *ctx, SSL *ssl)
{
	struct kept *k = take(s, host, level, ctx);

	if (!k)
		return;
	if (SSL_set_session(ssl, k->session) == 1) {
		put(s, k);
		return;
	}
	/* It would only have been faster. */
	ERR_clear_error();
	kept_free(k);
}

void smtpc_tls_forget(struct smtpc_tls_store *s, const char *host, int level, SSL_CTX *ctx)
{
	struct kept *k = take(s, host, level, ctx);

	if (k)
		kept_free(k);
}

static void time_words(const ASN1_TIME *t, char out[21])
{
	struct tm tm;

	if (ASN1_TIME_to_tm(t, &tm) == 1)
		encode_time((int64_t)timegm(&tm), out);
	else
		snprintf(out, 21, "(unreadable)");
}

static void serial_words(const X509 *cert, char *out, size_t cap)
{
	BIGNUM *n = ASN1_INTEGER_to_BN(X509_get0_serialNumber(cert), NULL);
	char *hex = n ? BN_bn2hex(n) : NULL;

	snprintf(out, cap, "%s", hex ? hex : "(unreadable)");
	OPENSSL_free(hex);
	BN_free(n);
}

void smtpc_tls_cert_words(const X509 *cert, char out[SMTPC_TLS_WORDS])
{
	char subject[128], serial[48], from[21], to[21];

	cert_name(X509_get_subject_name(cert), subject, sizeof subject);
	serial_words(cert, serial, sizeof serial);
	time_words(X509_get0_notBefore(cert), from);
	time_words(X509_get0_notAfter(cert), to);
	snprintf(out, SMTPC_TLS_WORDS, "subject %s, serial %s, valid %s to %s", *subject ? subject : "(empty)",
	    serial, from, to);
	ERR_clear_error();
}

static pthread_once_t once = PTHREAD_ONCE_INIT;
static int note_index = -1;

static void make_index(void)
{
	note_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
	if (note_index < 0)
		log_fatal("no index for TLS data");
}

/* Notes, and leaves the decision as it is. */
static int on_verify(int ok, X509_STORE_CTX *x)
{
	SSL *ssl = X509_STORE_CTX_get_ex_data(x, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct smtpc_tls_note *n = ssl ? SSL_get_ex_data(ssl, note_index) : NULL;
	const X509 *leaf = X509_STORE_CTX_get0_cert(x);

	if (!ok && n && leaf && !n->words[0])
		smtpc_tls_cert_words(leaf, n->words);
	return ok;
}

void smtpc_tls_watch(SSL *ssl, struct smtpc_tls_note *n)
{
	pthread_once(&once, make_index);
	n->words[0] = 0;
	/* A callback of the context's owner decides things: it stays. */
	if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE || SSL_get_verify_callback(ssl))
		return;
	if (SSL_set_ex_data(ssl, note_index, n) != 1)
		log_fatal("no memory for TLS data");
	SSL_set_verify(ssl, SSL_get_verify_mode(ssl), on_verify);
}

static int names(X509 *cert, const char *host)
{
	struct in6_addr any;

	if (inet_pton(AF_INET, host, &any) == 1 || inet_pton(AF_INET6, host, &any) == 1)
		return X509_check_ip_asc(cert, host, 0) == 1;
	return X509_check_host(cert, host, 0, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS, NULL) == 1;
}

/* The handshake has checked all this already if the context was set up well; a demand is worth a second look. */
int smtpc_tls_verified(SSL *ssl, const char *host, struct smtpc_tls_note *n, const char **why_r)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	long v = SSL_get_verify_result(ssl);

	*why_r = NULL;
	if (!cert)
		*why_r = "the peer showed no certificate";
	else if (SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE)
		*why_r = "the TLS context was not set up to verify";
	else if (v != X509_V_OK)
		*why_r = X509_verify_cert_error_string(v);
	else if (!names(cert, host))
		*why_r = "its certificate is for another name";
	if (*why_r && cert)
		smtpc_tls_cert_words(cert, n->words);
	X509_free(cert);
	return *why_r ? -1 : 0;
}
