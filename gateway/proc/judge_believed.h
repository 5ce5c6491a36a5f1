/* Who was believed last, and whether another may take its place (trust_change.h). Role judge; reads and writes the
 * store. */
#ifndef POSTERN_PROC_JUDGE_BELIEVED_H
#define POSTERN_PROC_JUDGE_BELIEVED_H

#include "certstore/store.h"
#include "certstore/trust_change.h"

/* May it be used for owner (a domain, or an address in lower case)? Changes nothing. WAITS: why says so, in one
 * sentence with what the admin can do. 0 / -1 with pr. */
int judge_believed_ask(struct store *s, const char *owner, enum cert_purpose use, const char *sha256,
    enum trust_reason reason, bool listed, enum trust_change *change_r, char *why, size_t cap, struct problem *pr)
    __attribute__((warn_unused_result));
/* It is used: it is the known one from now on; an alarm when it may be but should not. Cheap when it was already. */
int judge_believed_used(struct store *s, const char *owner, enum cert_purpose use, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr) __attribute__((warn_unused_result));
/* It would have been used, and waits: an alarm, once for each certificate. */
int judge_believed_waits(struct store *s, const char *owner, enum cert_purpose use, const char *sha256,
    enum trust_reason reason, int64_t now, struct problem *pr) __attribute__((warn_unused_result));
/* The admin says that the one that waits is right. sha256: 8 or more digits of it. -1 with pr: none such waits. */
int judge_believed_accept(struct store *s, const char *owner, enum cert_purpose use, const char *sha256, int64_t now,
    const char *who, struct problem *pr) __attribute__((warn_unused_result));

#endif
