/*
 * The keys that sign a partner's statements (XSMG): when each was announced, used, left, marked, and the certificate
 * by which it was believed. Part of store.h, which says who calls, what blocks and who frees. Changes of keys go
 * within one transaction with store_statement_save, which sees to it that nothing is decided on an older state.
 */
#ifndef POSTERN_CERTSTORE_STORE_STATEMENT_KEY_H
#define POSTERN_CERTSTORE_STORE_STATEMENT_KEY_H

#include "certstore/store_statement.h"

/* A statement key of the domain, as it was seen. */
struct store_statement_key {
	char key[STORE_STATEMENT_HASH];
	int64_t announced; /* unix s: first listed in a trusted statement; 0 never */
	int64_t used;	   /* first signed the trusted statement; 0 never */
	int64_t retired;   /* another one took its place; 0 not */
	int64_t bad;	   /* revoked or compromised; 0 not */
	int64_t refused;   /* the admin refused it; 0 not */
};
/* The certificate that a key had when a statement of it was trusted, and what came around it. */
struct store_statement_key_cert {
	char key[STORE_STATEMENT_HASH];
	uint8_t *der;
	size_t der_len;
	uint8_t *chain; /* DER, one behind the other; NULL none */
	size_t chain_len;
};

int store_statement_keys(struct store *s, const char *domain, struct store_statement_key **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* Adds or changes one; free(list) of store_statement_keys. Without an audit row: it goes with a save. */
int store_statement_key_put(struct store *s, const char *domain, const struct store_statement_key *k,
    struct problem *pr) __attribute__((warn_unused_result));

int store_statement_key_certs(struct store *s, const char *domain, struct store_statement_key_cert **list_r,
    size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));
void store_statement_key_certs_free(struct store_statement_key_cert *l, size_t n);
/* In the place of the one that the key had. */
int store_statement_key_cert_put(struct store *s, const char *domain, const struct store_statement_key_cert *c,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
