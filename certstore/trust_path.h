/*
 * From a certificate to an anchor, by whatever of several ways holds (RFC 5280 6, RFC 4158). Judge; works over what
 * it is given; what is missing is asked for through the run.
 */
#ifndef POSTERN_CERTSTORE_TRUST_PATH_H
#define POSTERN_CERTSTORE_TRUST_PATH_H

#include "certstore/trust.h"

/* At most: certificates that may be issuers (those given, and those fetched), whole paths that are tried, candidate
 * issuers whose signature is looked at. */
#define TRUST_PATH_POOL 64
#define TRUST_PATH_TRIES 24
#define TRUST_PATH_LOOKS 200

/* The first path that is valid and of which nothing is revoked; else the nearest to it, with what stands against it.
 * Strength, use and time of the certificate itself are trust_fit's. */
void trust_path_find(X509 *x, const struct trust_question *q, struct trust_found *found_r);

/* The rules by which every path is put to OpenSSL; for revoke_crl.c as well. */
void trust_path_rules(X509_VERIFY_PARAM *p, int64_t at);

#endif
