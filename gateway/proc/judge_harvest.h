/* Certificates to encrypt to, out of mail whose signers are believed (RFC 8551 2.5.3). Role judge; writes the store.
 */
#ifndef POSTERN_PROC_JUDGE_HARVEST_H
#define POSTERN_PROC_JUDGE_HARVEST_H

#include "certstore/judge_proto.h"
#include "certstore/source.h"
#include "certstore/store.h"
#include "gateway/proc/judge_world.h"

enum { JUDGE_HARVEST_OWNER_MAX = 4 }; /* kept of one partner or person: the last ones */

/* Of every signer that was answered with GOOD, and of no other: the certificate that it wants mail encrypted to, else
 * its own, when it may be encrypted to for the author and is believed itself. run as for judge_signers; nothing is
 * waited for: what cannot be told now is taken from the next mail. A store that cannot be written loses a certificate
 * and nothing else: it is logged. */
void judge_harvest(struct store *s, const struct judge_world *w, struct source_run *run,
    const struct judge_signers *rq, const struct judge_trust *t, int64_t now);

#endif
