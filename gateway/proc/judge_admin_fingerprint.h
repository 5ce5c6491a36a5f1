/* cert.show by fingerprint: a certificate that the store has, whatever for. Role judge; reads the store. */
#ifndef POSTERN_PROC_JUDGE_ADMIN_FINGERPRINT_H
#define POSTERN_PROC_JUDGE_ADMIN_FINGERPRINT_H

#include "gateway/proc/judge_call.h"

/* sha256: 8 or more digits -> certificates: [facts + place ("partner", "anchor", "bundle", "ours"), what that list
 * says of it (cert.list, anchor.list, domain.list), pem; revoked: who says so, when that is known]. not-found when
 * there is none. */
int judge_admin_fingerprint(struct judge_call *c, const char *sha256);

#endif
