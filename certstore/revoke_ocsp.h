/* Asking a certificate's issuer about it (OCSP, RFC 6960, nonce RFC 8954). Judge. For revoke.c. */
#ifndef POSTERN_CERTSTORE_REVOKE_OCSP_H
#define POSTERN_CERTSTORE_REVOKE_OCSP_H

#include "certstore/revoke_crl.h"

/* From what is kept, or through the run. Leaves s->known NOT when x names no place to ask, and with words when
 * nothing was learned there. */
void revoke_ocsp_ask(struct revoke *r, X509 *x, X509 *issuer, int64_t at, struct revoke_status *s);
/* One response. nonce: of REVOKE_CACHE_NONCE octets, NULL: none was sent. 0 with status, dates and reason in reply_r;
 * -1 with why. */
int revoke_ocsp_read(const void *p, size_t n, X509 *x, X509 *issuer, const uint8_t *nonce, int64_t at,
    struct revoke_reply *reply_r, char *why, size_t cap) __attribute__((warn_unused_result));

#endif
