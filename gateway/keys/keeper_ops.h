/*
 * The private operations: what a request with a key makes of it. Role keeper, any of its threads. Who may ask for
 * what with which key was decided before (keeper.c). Each: 0 with the reply filled in, or -1 with pr: PERM when the
 * data cannot be meant for this key, TEMP when the keeper is at fault.
 */
#ifndef POSTERN_KEYS_KEEPER_OPS_H
#define POSTERN_KEYS_KEEPER_OPS_H

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/keys/keeper_keys.h"
#include "gateway/keys/keeper_proto.h"

/* Octets of the reply go to data_r. */
int keeper_ops_sign(const struct keeper_key *key, const struct keeper_sign *rq, struct buf *data_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* What keeper_statement.h lets through, hashed here and signed. */
int keeper_ops_statement(const struct keeper_key *key, const struct keeper_attrs *rq, struct buf *data_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* Always a key for an RSA key and known hashes: implicit rejection, keeper_unpad.h. */
int keeper_ops_decrypt(const struct keeper_key *key, const struct keeper_decrypt *rq, struct keeper_cek *cek_r,
    struct problem *pr) __attribute__((warn_unused_result));
int keeper_ops_agree(const struct keeper_key *key, const struct keeper_agree *rq, struct buf *data_r,
    struct problem *pr) __attribute__((warn_unused_result));

/* The hash behind the protocol's number. */
const EVP_MD *keeper_ops_md(enum keeper_md md);

#endif
