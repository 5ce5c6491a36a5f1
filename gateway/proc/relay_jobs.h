/*
 * The relay's sealers: who is free, what waits, what came back. A sealer gets at most two jobs ahead, so that it
 * never idles between two. A sealer that dies takes its jobs with it: they end with JOB_LATER and `crashed`. Loop
 * thread.
 */
#ifndef POSTERN_PROC_RELAY_JOBS_H
#define POSTERN_PROC_RELAY_JOBS_H

#include <stdbool.h>

#include "gateway/base/loop.h"
#include "gateway/pipeline/job_proto.h"
#include "gateway/queue/spool.h"

struct relay_jobs;
/* spool_dir: directory descriptor for the scratch files of large messages (not owned). */
struct relay_jobs *relay_jobs_new(struct loop *l, size_t sealers, int spool_dir);
void relay_jobs_free(struct relay_jobs *j);
/* The channel to sealer i (owned), at start and whenever it was replaced. */
void relay_jobs_channel(struct relay_jobs *j, size_t i, int fd);

/* res and outs are valid during the call; outs[i] (finished) belongs to res->outputs[i]: spool_ref what is kept.
 * crashed: the sealer died over it. */
typedef void relay_job_fn(void *ctx, const struct job_result *res, struct spool *const *outs, bool crashed);
enum relay_job_rank { RELAY_JOB_NOW /* a client waits for its 250 */, RELAY_JOB_LATER };
/* Queues a job. rq stays the caller's, with all it points at, until fn is called or the job cancelled; its key,
 * sealed_len, inline_sealed and fds are filled in from content. Exactly one call of fn, from the loop, unless
 * cancelled. */
void relay_jobs_run(struct relay_jobs *j, struct job_request *rq, struct spool *content, enum relay_job_rank rank,
    relay_job_fn *fn, void *ctx);
/* fn is not called any more for ctx; a job under way runs to its end unheard. What rq points at may go at once. */
void relay_jobs_cancel(struct relay_jobs *j, void *ctx);
size_t relay_jobs_waiting(const struct relay_jobs *j);
/* In sealers now. */
size_t relay_jobs_running(const struct relay_jobs *j);

#endif
