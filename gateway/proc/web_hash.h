/*
 * Argon2id (RFC 9106) for those who sign in: 64 MiB and a good tenth of a second each, so in a thread of its own, one
 * after the other. Role web.
 */
#ifndef POSTERN_PROC_WEB_HASH_H
#define POSTERN_PROC_WEB_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/loop.h"

enum { WEB_HASH_SALT = 16, WEB_HASH_KEY = 32, WEB_HASH_WAITING = 16 };

struct web_hash;
/* Starts the thread. Ended with the process. */
struct web_hash *web_hash_new(struct loop *l);
/* password: copied, and wiped when it is done. done: from the loop, once; key NULL: it could not be worked out. 0;
 * -1: as many wait as may. */
int web_hash_ask(struct web_hash *h, const char *password, const uint8_t salt[WEB_HASH_SALT], uint32_t memory,
    uint32_t passes, void (*done)(void *ctx, const uint8_t *key), void *ctx) __attribute__((warn_unused_result));

#endif
