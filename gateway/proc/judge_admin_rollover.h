/*
 * domain.show, domain.rollover: where a domain's statement and the change of its keys stand, and changing them by
 * hand. Role judge; asks the keeper, reads and writes the store.
 *
 *   domain.show {domain} -> {domain, statement: {id, serial, issued, expires, der} or null, rollovers: [{keys, step,
 *     started, switch_at, finish_at, early, new: [identity], old: [identity]}], partners: [{domain, at, holds}]}
 *     holds: "present", "announcement" (older, but it announces the new certificates), "older"
 *   domain.rollover {domain, keys: "mail" | "statement", csr, cancel, due} -> {domain, keys, step, requests: [{use,
 *     key_id, csr}]}: starts one, or, with csr and one that waits for its certificates, gives the requests once more;
 *     with due, does nothing else
 */
#ifndef POSTERN_PROC_JUDGE_ADMIN_ROLLOVER_H
#define POSTERN_PROC_JUDGE_ADMIN_ROLLOVER_H

#include "gateway/proc/judge_call.h"

int judge_admin_domain_show(struct judge_call *c);
int judge_admin_domain_rollover(struct judge_call *c);

#endif
