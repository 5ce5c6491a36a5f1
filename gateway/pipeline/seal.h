/*
 * How one output of outgoing mail is made: sealed (sign, then encrypt), signed in the clear, or as it came. The front
 * (outer header fields) stands ready in w->front. Sealer; memory does not grow with the message but for `sign` of
 * 8-bit content (bounded).
 */
#ifndef POSTERN_PIPELINE_SEAL_H
#define POSTERN_PIPELINE_SEAL_H

#include "gateway/pipeline/entity.h"
#include "gateway/pipeline/work.h"

/* Each writes the whole message. 0 / -1 with w->res->pr. */
int seal_write(struct work *w, const struct judge_verdict *v, struct writer *out);
int seal_write_signed(struct work *w, const struct judge_verdict *v, struct writer *out);
int seal_write_plain(struct work *w, const struct judge_verdict *v, struct job_output *o, struct writer *out);

#endif
