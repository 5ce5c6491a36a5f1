/*
 * Certification requests (PKCS #10, RFC 2986) and self-signed certificates (RFC 5280) for keys of the keeper. Role
 * keeper. The keeper builds them itself from names, so that no client can have a certificate of its own making
 * signed.
 */
#ifndef POSTERN_KEYS_KEEPER_CERTIFY_H
#define POSTERN_KEYS_KEEPER_CERTIFY_H

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/keys/keeper_keys.h"
#include "gateway/keys/keeper_proto.h"

#define KEEPER_CERTIFY_DAYS_MAX 7300

/* Appends DER to der_r. now: seconds since 1970. 0, or -1 with pr which says what is wrong with the names. */
int keeper_certify(const struct keeper_key *key, const struct keeper_certify *rq, int64_t now, struct buf *der_r,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
