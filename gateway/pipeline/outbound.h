/*
 * Outgoing mail, before it is accepted: read the header, decide for each recipient, group by keys, sign and encrypt,
 * render. Sealer.
 */
#ifndef POSTERN_PIPELINE_OUTBOUND_H
#define POSTERN_PIPELINE_OUTBOUND_H

#include "gateway/pipeline/pipeline.h"
#include "gateway/policy/policy.h"

extern const struct stage outbound_stages[];

/* A verdict as facts for policy: the same at RCPT (answer JOB_UNASKED) and when the content is known. */
void outbound_facts(
    const struct judge_verdict *v, bool tls_verified, enum job_answer reply_to_sealed, struct policy_out *f_r);
/* Puts the id under which the judge keeps the question behind the text: with it the admin finds its steps. */
void outbound_trace(const struct judge_verdict *v, struct problem *pr);

#endif
