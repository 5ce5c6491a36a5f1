/* What the log says of a recipient's certificates, and which questions are kept (judge_traces.h). Role judge. */
#ifndef POSTERN_PROC_JUDGE_LOG_H
#define POSTERN_PROC_JUDGE_LOG_H

#include "certstore/judge_proto.h"
#include "certstore/source.h"
#include "gateway/proc/judge_world.h"

/*
 * The question is answered. One that fails (put off, or refused whatever the content is) is kept, gets its id into
 * v->trace, and has its sentence and its steps in the log under that id. So has one that is uncertain, or whose
 * certificates are all unusable; one that asked the network is kept, with a line in the log. What is known already
 * and goes out costs nothing. Nothing while run->pending is not 0, or without a run.
 */
void judge_log_certs(const struct judge_world *w, const struct source_run *run, const struct judge_resolve *rq,
    struct judge_verdict *v);

#endif
