/*
 * A message in the clear in 7 bits, for a host without 8BITMIME (setting convert-8bit): made by a sealer, because the
 * relay reads no MIME. Relay, loop thread.
 */
#ifndef POSTERN_PROC_RELAY_SEVEN_H
#define POSTERN_PROC_RELAY_SEVEN_H

#include "gateway/proc/relay.h"
#include "gateway/queue/spool.h"

struct relay_seven;
/* content: of the caller until it is freed with the answer; NULL with pr: PERM 5.6.3 (what is signed is not touched;
 * no MIME; it killed sealers), 5.3.4 (larger than convert-max) or TEMP. */
typedef void relay_seven_fn(void *ctx, struct spool *content, const struct problem *pr);
/* fn is called once, from the loop. id stays until then. */
struct relay_seven *relay_seven_start(
    struct relay *r, const char *id, struct spool *content, relay_seven_fn *fn, void *ctx);
/* fn is not called. NULL is allowed. */
void relay_seven_cancel(struct relay_seven *q);

#endif
