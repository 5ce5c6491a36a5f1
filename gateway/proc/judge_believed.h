/* Who was believed last, and whether another may take its place (trust_change.h). Role judge; reads and writes the
 * store. */
#ifndef POSTERN_PROC_JUDGE_BELIEVED_H
#define POSTERN_PROC_JUDGE_BELIEVED_H

#include "certstore/store.h"
#include "certstore/trust_change.h"

/* May it be used? Changes nothing. WAITS: why says so, in one sentence with what the admin can do. 0 / -1 with pr.
 * key: an address in it is in lower case. */
int judge_believed_ask(struct store *s, const struct store_believed_key *key, const char *sha256,
    enum trust_reason reason, bool listed, enum trust_change *change_r, char *why, size_t cap, struct problem *pr)
    __attribute__((warn_unused_result));
/* It is used: it is the known one from now on; an alarm when it may be but should not. The same one by a weaker
 * reason is no change: who can only make the weaker reason must not lower what the next one is compared with. Nothing
 * is written when nothing changes. */
int judge_believed_used(struct store *s, const struct store_believed_key *key, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr) __attribute__((warn_unused_result));
/* It would have been used, and waits: an alarm, once for each certificate. */
int judge_believed_waits(struct store *s, const struct store_believed_key *key, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr) __attribute__((warn_unused_result));
/* The admin says that the one that waits is right, wherever it waits: for the mail of each of our domains, or with
 * local of that one. sha256: 8 or more digits of it. whole_r: all of them. -1 with pr: none such waits (PERM). */
int judge_believed_accept(struct store *s, const char *owner, const char *local, const char *sha256, int64_t now,
    const char *who, char whole_r[CERT_HASH_TEXT], struct problem *pr) __attribute__((warn_unused_result));

#endif
