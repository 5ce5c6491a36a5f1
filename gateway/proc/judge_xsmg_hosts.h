/* Which hosts of a partner were seen to offer XSMG: one that never did is a backup that lacks it, one that did and
 * does not any more is a downgrade. Role judge; kept in the store, so that no restart hides one. */
#ifndef POSTERN_PROC_JUDGE_XSMG_HOSTS_H
#define POSTERN_PROC_JUDGE_XSMG_HOSTS_H

#include "certstore/store.h"
#include "gateway/proc/partner_statement_settings.h"

/* remote: "mx.lab.example[192.0.2.1]:25"; its name counts, and what has none as it is. now: unix s. 0, -1 the store.
 */
int judge_xsmg_hosts_offers(struct store *s, const struct partner_statement_settings *set, const char *domain,
    const char *remote, int64_t now, struct problem *pr) __attribute__((warn_unused_result));
/* 1, 0, -1. */
int judge_xsmg_hosts_offered(struct store *s, const struct partner_statement_settings *set, const char *domain,
    const char *remote, int64_t now, struct problem *pr) __attribute__((warn_unused_result));

#endif
