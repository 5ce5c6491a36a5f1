/* Our own signing, opening and TLS certificates; the private halves are in the keeper. Part of store.h, which says
 * who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_IDENTITY_H
#define POSTERN_CERTSTORE_STORE_IDENTITY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

enum store_use { STORE_SIGN = 1, STORE_DECRYPT = 2, STORE_TLS = 3, STORE_ENCRYPT = 4, STORE_STATEMENT = 5 };
const char *store_use_word(enum store_use u);

struct store_identity {
	int64_t id;
	char *domain;	    /* ours */
	enum store_use use; /* SIGN, DECRYPT, TLS, STATEMENT */
	char *key_id;	    /* keeper's id */
	uint8_t *cert;	    /* DER; NULL while only a CSR exists */
	size_t cert_len;
	uint8_t *chain; /* concatenated DER, may be NULL */
	size_t chain_len;
	uint8_t *spki; /* SubjectPublicKeyInfo, DER: which certificate belongs to the key */
	size_t spki_len;
	bool active; /* false: kept for opening only */
	int64_t added;
	int64_t from; /* unix s from which it is used; 0: at once; STORE_FROM_NEVER: not before that is said */
	int64_t
	    until; /* unix s to which a statement lists it although another took its place; 0: its certificate's end
		    */
	int64_t
	    retired; /* unix s: it opens and signs nothing any more, and goes when the keeper has forgotten it; 0 */
};
#define STORE_FROM_NEVER INT64_C(253402300799)
/* domain NULL: all. Newest first within a domain and use. */
int store_identities(struct store *s, const char *domain, struct store_identity **list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
void store_identities_free(struct store_identity *l, size_t n);
int store_identity_add(struct store *s, const struct store_identity *i, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* Gives the key its certificate (the first, or a renewed one) and chain. -1 when no such key is ours. */
int store_identity_cert(struct store *s, const char *key_id, const void *cert, size_t n, const void *chain,
    size_t chain_n, const char *who, struct problem *pr) __attribute__((warn_unused_result));
/* When it is used from, and listed until. No audit row: it goes with the change that says why. */
int store_identity_times(struct store *s, const char *key_id, int64_t from, int64_t until, struct problem *pr)
    __attribute__((warn_unused_result));
/* Not used any more; one that opens mail still does. */
int store_identity_replaced(struct store *s, const char *key_id, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* From now on the key is of no use. -1 when no such key is ours. Again: nothing happens. */
int store_identity_retire(struct store *s, const char *key_id, int64_t at, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));
/* The keeper has forgotten a retired key: its row goes. */
int store_identity_forget(struct store *s, const char *key_id, const char *who, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
