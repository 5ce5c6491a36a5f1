/* explain: what would happen to mail from one address to another, and why. Handler of judge_admin.c; role judge;
 * changes nothing. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_EXPLAIN_H
#define POSTERN_PROC_JUDGE_ADMIN_EXPLAIN_H

#include "gateway/proc/judge_call.h"

/*
 * sender, recipient, reply_to_sealed (false) -> direction "outbound", "inbound" or "local", lines: [sentences], and
 * outbound: rule, treatment, strength, listed, seen_protected, certificates: [{owner, sha256, usable, chosen, pinned,
 * why}], cert_why, signer: {have, key_id, why}, decision: {action "pass"/"refuse"/"later", treatment, why, reply}
 * inbound: signers: [{owner, sha256, usable, pinned, why}], anchors: [row], opens: [identity rows],
 *   actions: {unsigned, untrusted, broken, sealed_unsigned}
 */
int judge_admin_explain(struct judge_call *c);

#endif
