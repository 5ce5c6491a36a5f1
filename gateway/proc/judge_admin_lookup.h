/* lookup, cert.show: the certificates that are found for one address, in one place or in all that count for it. Role
 * judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_LOOKUP_H
#define POSTERN_PROC_JUDGE_ADMIN_LOOKUP_H

#include "gateway/proc/judge_call.h"

int judge_admin_lookup(struct judge_call *c);
/* owner; or sha256: judge_admin_fingerprint.h */
int judge_admin_cert_show(struct judge_call *c);

#endif
