/* RFC 7672 3, RFC 7671 5 and 9. Role relay. The matching is OpenSSL's (SSL_dane_*), digest agility included. */
#include "gateway/smtp/smtpc_dane.h"

#include <openssl/err.h>
#include <openssl/sha.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { RECORDS_MAX = 16, NAMES_MAX = 4, MARK = 2 * 16 + 1 };
enum { USAGE_TA = 2, USAGE_EE = 3, SELECTOR_CERT = 0, SELECTOR_SPKI = 1 };
enum { MATCH_FULL = 0, MATCH_SHA256 = 1, MATCH_SHA512 = 2 };

struct record {
	uint8_t usage, selector, matching;
	uint8_t *data;
	size_t n;
};
struct smtpc_dane {
	size_t refs;
	char *names[NAMES_MAX]; /* the first one is the TLSA base domain */
	size_t nnames;
	struct record records[RECORDS_MAX];
	size_t nrecords;
	char mark[MARK];
};

/* The whole of it is one certificate, or one public key. */
static bool parses(uint8_t selector, const uint8_t *data, size_t n)
{
	const uint8_t *p = data;
	X509 *x = selector == SELECTOR_CERT ? d2i_X509(NULL, &p, (long)n) : NULL;
	EVP_PKEY *k = selector == SELECTOR_SPKI ? d2i_PUBKEY(NULL, &p, (long)n) : NULL;
	bool good = (x || k) && p == data + n;

	X509_free(x);
	EVP_PKEY_free(k);
	ERR_clear_error();
	return good;
}

bool smtpc_dane_usable(uint8_t usage, uint8_t selector, uint8_t matching, const uint8_t *data, size_t n)
{
	if ((usage != USAGE_TA && usage != USAGE_EE) || selector > SELECTOR_SPKI)
		return false;
	switch (matching) {
	case MATCH_FULL:
		return n > 0 && parses(selector, data, n);
	case MATCH_SHA256:
		return n == SHA256_DIGEST_LENGTH;
	case MATCH_SHA512:
		return n == SHA512_DIGEST_LENGTH;
	default:
		return false;
	}
}

/* Over the one before, so that order and number count. */
static void add_mark(struct smtpc_dane *d, const void *p, size_t n)
{
	uint8_t sum[SHA256_DIGEST_LENGTH];
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1 ||
	    EVP_DigestUpdate(c, d->mark, strlen(d->mark)) != 1 || EVP_DigestUpdate(c, p, n) != 1 ||
	    EVP_DigestFinal_ex(c, sum, NULL) != 1)
		log_fatal("no SHA-256");
	EVP_MD_CTX_free(c);
	for (size_t i = 0; i < (MARK - 1) / 2; i++)
		snprintf(d->mark + 2 * i, 3, "%02x", sum[i]);
}

struct smtpc_dane *smtpc_dane_new(const char *base)
{
	struct smtpc_dane *d = mem_new(sizeof *d);

	d->refs = 1;
	smtpc_dane_name(d, base);
	return d;
}

void smtpc_dane_record(
    struct smtpc_dane *d, uint8_t usage, uint8_t selector, uint8_t matching, const uint8_t *data, size_t n)
{
	const uint8_t head[3] = {usage, selector, matching};

	REQUIRE(smtpc_dane_usable(usage, selector, matching, data, n));
	/* one left out can only make the check fail */
	if (d->nrecords == RECORDS_MAX)
		return;

	struct record *r = &d->records[d->nrecords++];

	*r = (struct record){.usage = usage, .selector = selector, .matching = matching, .n = n};
	r->data = mem_new(n);
	memcpy(r->data, data, n);
	add_mark(d, head, sizeof head);
	add_mark(d, data, n);
}

void smtpc_dane_name(struct smtpc_dane *d, const char *name)
{
	for (size_t i = 0; i < d->nnames; i++) {
		if (strcmp(d->names[i], name) == 0)
			return;
	}
	REQUIRE(d->nnames < NAMES_MAX);
	d->names[d->nnames++] = mem_str(name);
	add_mark(d, name, strlen(name) + 1);
}

struct smtpc_dane *smtpc_dane_ref(struct smtpc_dane *d)
{
	if (d)
		d->refs++;
	return d;
}

void smtpc_dane_free(struct smtpc_dane *d)
{
	if (!d || --d->refs > 0)
		return;
	for (size_t i = 0; i < d->nnames; i++)
		free(d->names[i]);
	for (size_t i = 0; i < d->nrecords; i++)
		free(d->records[i].data);
	free(d);
}

bool smtpc_dane_same(const struct smtpc_dane *a, const struct smtpc_dane *b)
{
	return a == b || (a && b && strcmp(a->mark, b->mark) == 0);
}

const char *smtpc_dane_mark(const struct smtpc_dane *d)
{
	return d->mark;
}

int smtpc_dane_context(SSL_CTX *ctx)
{
	if (SSL_CTX_dane_enable(ctx) <= 0) {
		ERR_clear_error();
		return -1;
	}
	/* RFC 7672 3.1.1: usage 3 vouches for the key alone; names and dates do not count */
	SSL_CTX_dane_set_flags(ctx, DANE_FLAG_NO_DANE_EE_NAMECHECKS);
	return 0;
}

int smtpc_dane_use(const struct smtpc_dane *d, SSL *ssl)
{
	size_t usable = 0;

	if (SSL_dane_enable(ssl, d->names[0]) <= 0) {
		ERR_clear_error();
		return -1;
	}
	SSL_set_hostflags(ssl, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	for (size_t i = 1; i < d->nnames; i++) {
		if (SSL_add1_host(ssl, d->names[i]) != 1)
			log_fatal("no memory for a name");
	}
	for (size_t i = 0; i < d->nrecords; i++) {
		const struct record *r = &d->records[i];

		usable += SSL_dane_tlsa_add(ssl, r->usage, r->selector, r->matching, r->data, r->n) == 1;
	}
	ERR_clear_error();
	SSL_set_verify(ssl, SSL_VERIFY_PEER, NULL);
	return usable > 0 ? 0 : -1;
}

/* The handshake has checked it; a demand is worth a second look. A resumed session brings its result along, and no
 * record: it was made under the same ones (smtpc_dane_mark is in its key). */
int smtpc_dane_verified(SSL *ssl, struct smtpc_tls_note *n, const char **why_r)
{
	X509 *cert = SSL_get1_peer_certificate(ssl);
	long v = SSL_get_verify_result(ssl);

	*why_r = NULL;
	if (!cert)
		*why_r = "the peer showed no certificate";
	else if (v != X509_V_OK)
		*why_r = X509_verify_cert_error_string(v);
	else if (!SSL_session_reused(ssl) && SSL_get0_dane_authority(ssl, NULL, NULL) < 0)
		*why_r = "no TLSA record names its certificate or key";
	if (*why_r && cert)
		smtpc_tls_cert_words(cert, n->words);
	X509_free(cert);
	return *why_r ? -1 : 0;
}
