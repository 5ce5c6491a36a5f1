/*
 * The last questions for a recipient's certificate that failed, or that asked the network: their steps, under an id
 * that stands in the log and in the refusal. Role judge; memory alone, bounded in number and octets; the oldest go
 * first.
 */
#ifndef POSTERN_PROC_JUDGE_TRACES_H
#define POSTERN_PROC_JUDGE_TRACES_H

#include "certstore/judge_proto.h"
#include "certstore/trace.h"

struct judge_trace_kept {
	char id[JUDGE_TRACE_ID + 1];
	int64_t at; /* unix s */
	char *sender, *recipient;
	char *result; /* "none", "usable", "uncertain", "unusable", "no answer" */
	char *why;
	char *steps; /* JSON, as judge_steps makes it */
};
struct judge_traces;
/* number 0: none is kept. Never NULL. */
struct judge_traces *judge_traces_new(size_t number, size_t octets);
void judge_traces_free(struct judge_traces *t); /* NULL allowed */
/* Keeps the steps (NULL: none); the id is valid until the next call. NULL: t is NULL or keeps none, or the steps
 * alone have more octets than all may have. */
const char *judge_traces_keep(struct judge_traces *t, const struct judge_resolve *rq, const char *result,
    const char *why, const struct trace *steps, int64_t at);
/* The newest that ended in the same way for anybody of the recipient's domain within the last JUDGE_TRACES_SAME_S;
 * NULL none. Questions that say no more than it need not be kept, and are known by its id. */
#define JUDGE_TRACES_SAME_S 60
const struct judge_trace_kept *judge_traces_same(
    const struct judge_traces *t, const struct judge_resolve *rq, const char *result, const char *why, int64_t now);
const struct judge_trace_kept *judge_traces_find(const struct judge_traces *t, const char *id);
/* The i-th, newest first; NULL: there are no more. */
const struct judge_trace_kept *judge_traces_at(const struct judge_traces *t, size_t i);

#endif
