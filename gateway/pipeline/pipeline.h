/*
 * The way of one message through a sealer. Two tables of stages, outbound.c and inbound.c, are the page to read
 * first; this file runs them. A stage looks at the work so far and says what comes next. Memory of a job is its
 * arena; nothing of one message survives into the next but certificates and keys by hash or name. Role sealer. Blocks
 * on the keeper (bounded by its time-out) and on the spool's files.
 */
#ifndef POSTERN_PIPELINE_PIPELINE_H
#define POSTERN_PIPELINE_PIPELINE_H

#include "gateway/keys/keys.h"
#include "gateway/pipeline/job_proto.h"
#include "gateway/queue/spool.h"

enum stage_result {
	STAGE_NEXT,   /* go on with the following stage */
	STAGE_DONE,   /* finished well: result is filled */
	STAGE_NEEDS,  /* ends; the relay finds out what the result asks and runs the job again */
	STAGE_DEFER,  /* temporary: result.pr */
	STAGE_REJECT, /* refused or held: result.pr / result.why */
};
struct work;
struct stage {
	const char *name;
	enum stage_result (*run)(struct work *w);
};

struct pipeline;
/* k is used for every private operation; not owned. */
struct pipeline *pipeline_new(struct keys_client *k);
void pipeline_free(struct pipeline *p);
/* Runs one job. res and its strings live in a. outs[i] belongs to res->outputs[i] (finished; the caller frees each).
 * The request's descriptors stay the caller's. Never fails: what goes wrong is in res. */
void pipeline_run(struct pipeline *p, struct arena *a, const struct job_request *rq, struct job_result *res,
    struct spool *outs[JOB_VERDICTS_MAX]);

#endif
