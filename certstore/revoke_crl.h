/* Revocation lists: reading one, getting those that a certificate names, putting a path to them (RFC 5280 5, 6.3).
 * Judge. For revoke.c. */
#ifndef POSTERN_CERTSTORE_REVOKE_CRL_H
#define POSTERN_CERTSTORE_REVOKE_CRL_H

#include "certstore/revoke.h"
#include "certstore/revoke_cache.h"

/* What was learned of one certificate of a path. */
enum revoke_known {
	REVOKE_KNOWN_NOT,  /* nothing was asked yet */
	REVOKE_KNOWN_NONE, /* its issuer names no place where one could ask */
	REVOKE_KNOWN_AWAITED,
	REVOKE_KNOWN_UNSURE, /* words: why */
	REVOKE_KNOWN_GOOD,
	REVOKE_KNOWN_REVOKED, /* words: who says so */
};
struct revoke_status {
	enum revoke_known known;
	int64_t as_of; /* GOOD: the date of what says so; 0 not told */
	char words[300];
};

/* One list in DER or PEM, exactly; never more than 2^31 octets. NULL with l_r->why; else l_r->this_update and
 * next_update are set. Its signature is looked at when a path is put to it. X509_CRL_free. */
X509_CRL *revoke_crl_read(const void *p, size_t n, struct revoke_list *l_r);
/* Adds the lists that x names, from what is kept or through the run. Sets s->known to NONE, AWAITED, UNSURE or (lists
 * were added) NOT. */
void revoke_crl_gather(struct revoke *r, X509 *x, int64_t at, STACK_OF(X509_CRL) * lists, struct revoke_status *s);
/* Puts the path to the lists: sets v[0..n-2] where the present word is NOT, NONE or UNSURE. */
void revoke_crl_check(const struct revoke *r, X509 *const *path, size_t n, X509 *const *pool, size_t npool,
    STACK_OF(X509_CRL) * lists, int64_t at, struct revoke_status *v);

#endif
