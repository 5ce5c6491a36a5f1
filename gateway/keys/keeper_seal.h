/*
 * AES-256-GCM in one piece: what the keeper gives out of its hands (key files, wrapped data keys). Role keeper. Pure
 * but for random octets. Sealed form: nonce (12), ciphertext, tag (16).
 */
#ifndef POSTERN_KEYS_KEEPER_SEAL_H
#define POSTERN_KEYS_KEEPER_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

#define KEEPER_SEAL_KEY 32
#define KEEPER_SEAL_MORE 28 /* octets that sealing adds */

/* Appends the sealed form of p[0..n), bound to aad. A random nonce: at most 2^32 times with one key. 0, or -1 when
 * out_r is full or libcrypto fails. */
int keeper_seal_lock(const uint8_t key[KEEPER_SEAL_KEY], const void *aad, size_t aad_n, const void *p, size_t n,
    struct buf *out_r) __attribute__((warn_unused_result));
/* Opens sealed[0..n) into plain_r, which has room for n - KEEPER_SEAL_MORE. 0, or -1 when it is not authentic
 * (plain_r is wiped then). */
int keeper_seal_open(const uint8_t key[KEEPER_SEAL_KEY], const void *aad, size_t aad_n, const void *sealed, size_t n,
    uint8_t *plain_r) __attribute__((warn_unused_result));

#endif
