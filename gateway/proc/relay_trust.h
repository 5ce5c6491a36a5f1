/*
 * What the judge lately said of the signers of one author's mail to one of our domains, given along with the next
 * mail from that envelope sender, so that a sealer need not open it twice to ask the same again. Relay. Only that all
 * signers are to be believed is remembered, for a minute, until anything changes in the store; the sealer takes it
 * only for the same author (From) and exactly the same certificates, and asks otherwise.
 */
#ifndef POSTERN_PROC_RELAY_TRUST_H
#define POSTERN_PROC_RELAY_TRUST_H

#include <stdint.h>

#include "gateway/pipeline/job_proto.h"

enum { RELAY_TRUST_PLACES = 1024, RELAY_TRUST_SIGNERS = 2, RELAY_TRUST_MS = 60 * 1000 };

struct relay_trust;
struct relay_trust *relay_trust_new(void);
void relay_trust_free(struct relay_trust *t);
/* The judge's answer about mail of that author; `changes`: relay_ask_trust_changes when it was asked, or before. */
void relay_trust_note(struct relay_trust *t, const char *our_domain, const char *author,
    const struct judge_trust *answer, uint64_t changes, int64_t now_ms);
/* Fills rq->trust, trust_from and have_trust when something is known for rq->sender and rq->our_domain. */
void relay_trust_give(const struct relay_trust *t, struct job_request *rq, uint64_t changes, int64_t now_ms);
/* The same of what the author's domain promises of its mail (XSMG), given along with mail whose envelope sender is of
 * that domain. give: rq->promises is not NONE afterwards. */
void relay_trust_promise_note(
    struct relay_trust *t, const char *author, const struct judge_trust *answer, uint64_t changes, int64_t now_ms);
void relay_trust_promise_give(const struct relay_trust *t, struct job_request *rq, uint64_t changes, int64_t now_ms);

#endif
