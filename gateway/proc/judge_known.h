/* Whose certificate did a signer mean who did not send it? Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_KNOWN_H
#define POSTERN_PROC_JUDGE_KNOWN_H

#include "certstore/judge_proto.h"
#include "certstore/store.h"
#include "gateway/mail/address.h"
#include "gateway/proc/judge_world.h"

/*
 * Certificates in the store that `id` names (RFC 5652 5.3), of nobody but the author: of the author's address and
 * domain, those pinned first; of one of our own domains, our own signing certificates. At most max of them, each
 * once, copied to the arena, not yet weighed. 0 with *n_r; -1 with pr when the store cannot be read.
 */
int judge_known(struct store *s, const struct judge_world *w, const struct address *author,
    const struct judge_signer_id *id, struct arena *a, size_t max, struct judge_octets *list_r, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* "the signer's certificate is not in the message, and ..." */
void judge_known_none(const struct judge_signer_id *id, const struct address *author, char *why, size_t cap);

#endif
