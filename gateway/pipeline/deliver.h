/*
 * The message as the inside server gets it: our trace and verdict in front, forged verdicts stripped, header fields
 * in order and byte for byte, then the content.
 */
#ifndef POSTERN_PIPELINE_DELIVER_H
#define POSTERN_PIPELINE_DELIVER_H

#include "gateway/pipeline/work.h"

/* 0 / -1 with w->res->pr. */
int deliver_write(struct work *w, const struct policy_in_decision *d, struct job_output *o, struct writer *out);

#endif
