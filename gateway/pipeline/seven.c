#include "gateway/pipeline/seven.h"

#include <stdio.h>

#include "gateway/mail/sevenbit.h"
#include "gateway/pipeline/work.h"

static enum stage_result write_seven(struct work *w);

const struct stage seven_stages[] = {
    {"seven", write_seven}, /* one output for all recipients; streaming */
    {NULL, NULL},
};

static enum stage_result write_seven(struct work *w)
{
	struct problem *pr = &w->res->pr;
	struct job_output *o;
	struct spool *s = work_output(w, &o);
	struct reader *r = spool_reader(w->in);

	if (s == NULL)
		return STAGE_DEFER;
	for (; o->nrcpts < w->rq->nrcpts; o->nrcpts++)
		o->rcpts[o->nrcpts] = (uint16_t)o->nrcpts;
	snprintf(o->treatment, sizeof(o->treatment), "clear");
	if (sevenbit_write(r, 0, r->size, (size_t)w->rq->message_max, spool_writer(s), pr) != 0 ||
	    work_output_end(w, o) != 0)
		return pr->cls == PROBLEM_TEMP ? STAGE_DEFER : STAGE_REJECT;
	w->res->status = JOB_DONE;
	return STAGE_DONE;
}
