/* What the log says of a recipient without a usable certificate. Role judge. */
#ifndef POSTERN_PROC_JUDGE_LOG_H
#define POSTERN_PROC_JUDGE_LOG_H

#include "certstore/judge_proto.h"
#include "certstore/source.h"

/* One line with the sentence and a trace id; with the same id each step that led there, where mail will not go out
 * for it. Nothing while run->pending is not 0, without a run, or where a certificate is usable. */
void judge_log_certs(const struct source_run *run, const struct judge_resolve *rq, const struct judge_verdict *v);

#endif
