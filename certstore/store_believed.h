/* By what reason a partner's certificate was believed last, and one that waits for the admin. Part of store.h, which
 * says who calls, what blocks and who frees. */
#ifndef POSTERN_CERTSTORE_STORE_BELIEVED_H
#define POSTERN_CERTSTORE_STORE_BELIEVED_H

#include <stdint.h>

#include "gateway/base/problem.h"

struct store;

struct store_believed {
	char sha256[65]; /* "": none yet */
	int reason;	 /* enum trust_reason */
	int64_t at;
	char waiting[65]; /* one that would take its place by a weaker reason, "" none */
	int waiting_reason;
	int64_t waiting_at;
};
/* owner: a domain or an address. use: enum cert_purpose. All "" when there is nothing. */
int store_believed(struct store *s, const char *owner, int use, struct store_believed *b_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* what, detail: for the audit log; NULL: no row. */
int store_believed_put(struct store *s, const char *owner, int use, const struct store_believed *b, const char *who,
    const char *what, const char *detail, struct problem *pr) __attribute__((warn_unused_result));

#endif
