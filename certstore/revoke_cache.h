/*
 * Lists and answers on revocation as they were read, kept by their address with their times: a list of 10 MiB is read
 * once, not for each message. Judge; one thread; bounded in number and octets. For revoke*.c.
 */
#ifndef POSTERN_CERTSTORE_REVOKE_CACHE_H
#define POSTERN_CERTSTORE_REVOKE_CACHE_H

#include <openssl/x509.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define REVOKE_CACHE_LISTS 64
#define REVOKE_CACHE_OCTETS (64u << 20) /* of all lists together, as they were sent */
#define REVOKE_CACHE_ANSWERS 2048
#define REVOKE_CACHE_NONCE 16

struct revoke_cache;
struct revoke_cache *revoke_cache_new(void);
void revoke_cache_free(struct revoke_cache *c);

struct revoke_list {
	X509_CRL *crl; /* NULL: what came could not be used; why says so */
	char *url;
	char why[200];
	int64_t this_update, next_update; /* unix s; 0 none */
	int64_t got_at;			  /* when it came, by the book */
	int64_t until;			  /* asked for again then */
	size_t octets;
	uint32_t max; /* that it might have had */
	uint64_t used;
};
/* The list of a URL, as it is kept; NULL: none. Valid until the next put. */
const struct revoke_list *revoke_cache_list(struct revoke_cache *c, const char *url);
/* Whose list it is, for sentences; NULL: not from here. */
const struct revoke_list *revoke_cache_of(const struct revoke_cache *c, const X509_CRL *crl);
/* Takes over l->crl; the rest is copied. What was longest unused makes room. */
const struct revoke_list *revoke_cache_put(struct revoke_cache *c, const struct revoke_list *l);

enum revoke_cache_status { REVOKE_CACHE_NONE, REVOKE_CACHE_GOOD, REVOKE_CACHE_REVOKED };
struct revoke_reply {
	uint8_t key[32]; /* SHA-256 of the certificate and of its issuer's key */
	enum revoke_cache_status status;
	int64_t this_update, next_update, revoked_at, until;
	int reason;
	char where[200];
	/* The number in a question that is under way: the same each time the question is worked out anew. */
	uint8_t nonce[REVOKE_CACHE_NONCE];
	int64_t nonce_at;
	int64_t refused_at; /* when the last answer came that could not be used; 0 none */
};
/* The place of a key: the kept reply, or an empty one that took the place of another. */
struct revoke_reply *revoke_cache_reply(struct revoke_cache *c, const uint8_t key[32]);

#endif
