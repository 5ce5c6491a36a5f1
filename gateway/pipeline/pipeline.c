#include "gateway/pipeline/pipeline.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/pipeline/inbound.h"
#include "gateway/pipeline/outbound.h"
#include "gateway/pipeline/seven.h"
#include "gateway/pipeline/work.h"

struct pipeline {
	struct keys_client *keys;
	struct cache *cache;
};

struct pipeline *pipeline_new(struct keys_client *k)
{
	struct pipeline *p = mem_new(sizeof(*p));

	p->keys = k;
	p->cache = cache_new(k);
	return p;
}

void pipeline_free(struct pipeline *p)
{
	if (p == NULL)
		return;
	cache_free(p->cache);
	free(p);
}

static int open_input(struct work *w)
{
	const struct job_request *rq = w->rq;

	if (rq->nfds == 0) {
		w->in = spool_open_view(rq->key, rq->inline_sealed.p, rq->inline_sealed.n);
	} else {
		int fd = dup(rq->fds[JOB_FD_INPUT]);

		if (fd < 0)
			return problem_temp(&w->res->pr, "no free descriptor for the message");
		w->in = spool_open_fd(rq->key, fd, rq->sealed_len);
	}
	if (w->in == NULL)
		return problem_temp(&w->res->pr, "the spooled message cannot be read back");
	return 0;
}

/* What a stage's word means for the relay, where the stage did not say it itself. */
static void conclude(struct work *w, enum stage_result r, const char *stage)
{
	struct job_result *res = w->res;

	if (r == STAGE_DEFER)
		res->status = JOB_LATER;
	else if (r == STAGE_REJECT && res->status != JOB_HOLD)
		res->status = JOB_REFUSE;
	if (r == STAGE_DEFER || r == STAGE_REJECT) {
		log_info(w->rq->id, "sealer", "stopped stage=%s why=\"%s\"", stage,
		    res->status == JOB_HOLD ? res->why : res->pr.text);
		res->noutputs = 0;
	}
	if ((r == STAGE_DEFER || res->status == JOB_REFUSE) && res->pr.cls == PROBLEM_NONE)
		problem_temp(&res->pr, "stage %s stopped without a reason", stage);
}

static void run_table(struct work *w, const struct stage *table)
{
	for (; table->run != NULL; table++) {
		enum stage_result r = table->run(w);

		if (r == STAGE_NEXT)
			continue;
		conclude(w, r, table->name);
		return;
	}
	log_panic("a table of stages ended without an end");
}

static void work_clear(struct work *w)
{
	if (w->res->status != JOB_DONE || w->res->noutputs == 0)
		for (size_t i = 0; i < JOB_VERDICTS_MAX; i++) {
			spool_free(w->outs[i]);
			w->outs[i] = NULL;
		}
	spool_free(w->in);
	spool_free(w->der);
	spool_free(w->plain);
	buf_clear(&w->front);
}

void pipeline_run(struct pipeline *p, struct arena *a, const struct job_request *rq, struct job_result *res,
    struct spool *outs[JOB_VERDICTS_MAX])
{
	struct work *w = arena_alloc(a, sizeof(*w));

	memset(res, 0, sizeof(*res));
	memset(outs, 0, JOB_VERDICTS_MAX * sizeof(*outs));
	if (w == NULL) {
		res->status = JOB_LATER;
		problem_temp(&res->pr, "the job does not fit into its memory");
		return;
	}
	w->a = a;
	w->cache = p->cache;
	w->keys = p->keys;
	w->rq = rq;
	w->res = res;
	w->outs = outs;
	w->lim = mime_limits_default;
	w->lim.header.octets = rq->header_max;
	buf_init(&w->front, (size_t)rq->header_max * 2 + 65536);
	cache_tick(p->cache);
	keys_client_begin(p->keys);
	if (open_input(w) != 0)
		conclude(w, STAGE_DEFER, "input");
	else
		run_table(w, rq->kind == JOB_SEAL    ? outbound_stages
			     : rq->kind == JOB_SEVEN ? seven_stages
						     : inbound_stages);
	work_clear(w);
}
