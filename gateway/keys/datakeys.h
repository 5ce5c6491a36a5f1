/*
 * Data keys of the queue without a call to the keeper for each. relay; one thread; blocks only when a new group key
 * has to be wrapped or an unknown one unwrapped (keys.h says for how long); one that does not answer is then left
 * alone for some seconds, with a temporary problem at once.
 *
 * A content's data key is wrapped (RFC 3394) under a group key that lives in the relay for DATAKEYS_SECONDS or
 * DATAKEYS_USES, and the group key by the keeper. Stored with each message: both. The relay can have any data key
 * unwrapped at any time, so that keeping a group key gives it nothing new; what it saves is two context switches a
 * message, and a busy keeper's time for signatures. But what is read out of a relay's memory once, should not open
 * what it sent long ago: after DATAKEYS_KEEP_SECONDS a group key is wiped, and the keeper asked again.
 */
#ifndef POSTERN_KEYS_DATAKEYS_H
#define POSTERN_KEYS_DATAKEYS_H

#include <time.h>

#include "gateway/keys/keys.h"

#define DATAKEYS_WRAPPED_MAX (1 + KEYS_WRAPPED_MAX + KEYS_DATA_KEY + 8)

enum { DATAKEYS_SECONDS = 600, DATAKEYS_USES = 65536, DATAKEYS_KNOWN = 32, DATAKEYS_KEEP_SECONDS = 3600 };

struct datakeys;
/* k must outlive it. Never NULL. */
struct datakeys *datakeys_new(struct keys_client *k);
/* Wipes every group key; NULL is allowed. */
void datakeys_free(struct datakeys *d);
/* Another clock (monotonic seconds), for tests. */
void datakeys_set_clock(struct datakeys *d, time_t (*now_s)(void));
/* Wipes what is older than DATAKEYS_KEEP_SECONDS, as each use does: for a timer, when there is no use. How many are
 * left. */
size_t datakeys_forget_old(struct datakeys *d);
/* Appends at most DATAKEYS_WRAPPED_MAX octets. -1 with pr as keys_wrap, and when wrapped_r has no room. */
int datakeys_wrap(struct datakeys *d, const uint8_t key[KEYS_DATA_KEY], struct buf *wrapped_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* -1 with pr: temporary when the keeper does not answer, permanent when it is not a wrapped key of this keeper, or
 * damaged. */
int datakeys_unwrap(struct datakeys *d, const void *wrapped, size_t n, uint8_t key_r[KEYS_DATA_KEY],
    struct problem *pr) __attribute__((warn_unused_result));

#endif
