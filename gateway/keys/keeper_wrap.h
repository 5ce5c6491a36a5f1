/*
 * Wrapping of the queue's data keys. Role keeper. Pure but for random octets.
 * Wrapped form (89 octets): version 1, name of the queue key (4), random (24), sealed data key (12 + 32 + 16). A
 * fresh AES-256-GCM key for each, made from the queue key and the random octets: no number of messages wears the
 * queue key out.
 */
#ifndef POSTERN_KEYS_KEEPER_WRAP_H
#define POSTERN_KEYS_KEEPER_WRAP_H

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/keys/keeper_seal.h"
#include "gateway/keys/keys.h"

int keeper_wrap(const uint8_t queue[KEEPER_SEAL_KEY], const uint8_t key[KEYS_DATA_KEY], struct buf *wrapped_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* -1 with pr: not ours, wrapped under another queue key, damaged. */
int keeper_wrap_open(const uint8_t queue[KEEPER_SEAL_KEY], const uint8_t *wrapped, size_t n,
    uint8_t key_r[KEYS_DATA_KEY], struct problem *pr) __attribute__((warn_unused_result));

#endif
