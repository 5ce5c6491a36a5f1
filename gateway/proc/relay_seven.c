#include "gateway/proc/relay_seven.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_failures.h"
#include "gateway/proc/relay_inbound.h"
#include "gateway/proc/relay_jobs.h"
#include "gateway/smtp/smtpc_settings.h"

struct relay_seven {
	struct relay *r;
	relay_seven_fn *fn;
	void *ctx;
	struct job_request rq;
	struct job_rcpt rcpt; /* none is needed; an output belongs to somebody */
	uint8_t key[SHA256_DIGEST_LENGTH];
};

static int64_t wall_ms(void)
{
	return (int64_t)time(NULL) * 1000;
}

static void crashed(struct relay_seven *q, struct problem *pr)
{
	relay_failures_key_count(q->r->crashes, q->key, wall_ms());
	log_error(q->rq.id, "relay", "alarm=crash converting=yes why=\"%s\"", pr->text);
	if (relay_failures_key_over(q->r->crashes, q->key, wall_ms()))
		problem_set(pr, PROBLEM_PERM, 554, "5.6.3", "RFC 6152 3",
		    "the next host takes no 8-bit content, and the sealing process died %lld times over converting "
		    "it: "
		    "keep a copy of it for the maintainers",
		    (long long)q->r->top->crashes_max);
}

static void on_result(void *ctx, const struct job_result *res, struct spool *const *outs, bool dead)
{
	struct relay_seven *q = ctx;
	struct problem pr = res->pr;

	if (dead)
		crashed(q, &pr);
	if (res->status == JOB_DONE && res->noutputs == 1) {
		q->fn(q->ctx, spool_ref(outs[0]), NULL);
	} else {
		if (pr.cls == PROBLEM_NONE)
			problem_temp(&pr, "the sealing process gave no 7-bit form of this message");
		q->fn(q->ctx, NULL, &pr);
	}
	free(q);
}

struct relay_seven *relay_seven_start(
    struct relay *r, const char *id, struct spool *content, relay_seven_fn *fn, void *ctx)
{
	const struct smtpc_settings *set = conf_section(r->conf, "smtp-client");
	struct relay_seven *q = mem_new(sizeof(*q));

	q->r = r;
	q->fn = fn;
	q->ctx = ctx;
	q->rcpt.address = "";
	q->rq.kind = JOB_SEVEN;
	q->rq.id = id;
	q->rq.sender = q->rq.trace = "";
	q->rq.rcpts = &q->rcpt;
	q->rq.nrcpts = 1;
	relay_inbound_common(r, &q->rq);
	q->rq.message_max = (uint64_t)set->convert_max;
	SHA256((const uint8_t *)id, strlen(id), q->key);
	relay_jobs_run(r->jobs, &q->rq, content, RELAY_JOB_LATER, on_result, q);
	return q;
}

void relay_seven_cancel(struct relay_seven *q)
{
	if (q == NULL)
		return;
	relay_jobs_cancel(q->r->jobs, q);
	free(q);
}
