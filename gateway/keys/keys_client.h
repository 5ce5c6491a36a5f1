/*
 * The client's side of the channel to the keeper: one request, one reply, and the memory of what failed. For keys.c
 * and the provider; other folders use keys.h. Blocks up to the client's time-out.
 */
#ifndef POSTERN_KEYS_KEYS_CLIENT_H
#define POSTERN_KEYS_KEYS_CLIENT_H

#include "gateway/base/problem.h"
#include "gateway/keys/keeper_proto.h"
#include "gateway/keys/keys.h"

/* Every key object holds one, so that a client may be freed before its keys; their calls then fail as with a dead
 * keeper. */
void keys_client_ref(struct keys_client *k);
void keys_client_unref(struct keys_client *k);
/*
 * Sends rq (its seq is set here) and waits for the reply. 0 with rp_r, whose octets are valid until keys_client_done;
 * -1 with pr (may be NULL). Whatever failed for another reason than the data (no channel, time-out, sealed, a key the
 * keeper does not have or will not use) marks the client as failed.
 */
int keys_client_call(struct keys_client *k, struct keeper_request *rq, struct keeper_reply *rp_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* Wipes what the last reply left in memory. */
void keys_client_done(struct keys_client *k, struct keeper_reply *rp);
/* What keys_client_expect said. */
unsigned keys_client_expected(const struct keys_client *k);

#endif
