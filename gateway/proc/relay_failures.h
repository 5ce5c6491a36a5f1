/*
 * Promise P10's counter: messages an hour that could not be opened, by client address and by encryptedKey hash. Above
 * the limit what comes next is held unopened, so that nobody gets an oracle by trying often. Bounded; old entries
 * make room. Loop thread; does not survive a restart.
 */
#ifndef POSTERN_PROC_RELAY_FAILURES_H
#define POSTERN_PROC_RELAY_FAILURES_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/proc/relay_facts.h"

struct relay_failures;
struct relay_failures *relay_failures_new(int64_t max_per_hour);
void relay_failures_free(struct relay_failures *f);
/* Has the client or the key of this message failed too often within the hour before now_ms? */
bool relay_failures_over(const struct relay_failures *f, const struct relay_facts *m, int64_t now_ms);
void relay_failures_count(struct relay_failures *f, const struct relay_facts *m, int64_t now_ms);

/* Nothing was counted yet: no key is over. */
bool relay_failures_none(const struct relay_failures *f);
/* The same counting of anything that has a key: messages over which a sealer died (relay_end.c). */
bool relay_failures_key_over(const struct relay_failures *f, const uint8_t key[32], int64_t now_ms);
void relay_failures_key_count(struct relay_failures *f, const uint8_t key[32], int64_t now_ms);

#endif
