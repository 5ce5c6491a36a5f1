/* What speaks for and against a statement's key. Role judge; reads the store, asks by the run. */
#ifndef POSTERN_PROC_JUDGE_XSMG_FACTS_H
#define POSTERN_PROC_JUDGE_XSMG_FACTS_H

#include "certstore/cert.h"
#include "gateway/proc/judge_xsmg_case.h"

/* Fills c->f; c->v is OK, CURRENT, OLD or CONFLICT. 0; -1 with pr. While run->pending grew, nothing is known yet. */
int judge_xsmg_facts(struct judge_xsmg_case *c, struct problem *pr) __attribute__((warn_unused_result));
/* Does the path of a certificate in it end at an anchor for this domain alone; was it, or one above it, revoked? */
int judge_xsmg_facts_path(struct judge_xsmg_case *c, const struct statement_octets *der, enum cert_purpose use,
    enum store_direction dir, enum xsmg_known *anchored_r, enum xsmg_known *revoked_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* NULL when the key was never seen. */
const struct store_statement_key *judge_xsmg_facts_key(const struct judge_xsmg_case *c, const char *key);

#endif
