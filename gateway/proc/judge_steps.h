/* The steps of a question (certstore/trace.h) as JSON, for explain and lookup. Role judge; pure. */
#ifndef POSTERN_PROC_JUDGE_STEPS_H
#define POSTERN_PROC_JUDGE_STEPS_H

#include <jansson.h>

#include "certstore/trace.h"

/* An array of {place, query, answer, dnssec, sha256, age_s, ttl_s, took_ms, pending}; NULL: an empty one. */
json_t *judge_steps(const struct trace *t);
/* One line for the log, cut at cap: what spoke in which place. */
const char *judge_steps_line(const struct trace_step *s, char *out, size_t cap);

#endif
