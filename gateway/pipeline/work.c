#include "gateway/pipeline/work.h"

#include <openssl/rand.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/* Sealed octets of an output or scratch that stay in memory when there are no files for them: several times what
 * travels inline. */
enum { MEMORY_MAX = 512 * 1024 };

static void new_key(uint8_t key[32])
{
	if (RAND_bytes(key, 32) != 1)
		log_fatal("no random octets");
}

static int given_fd(const struct work *w, size_t i)
{
	return i < (size_t)w->rq->nfds ? w->rq->fds[i] : -1;
}

struct spool *work_output(struct work *w, struct job_output **out_r)
{
	size_t i = w->res->noutputs;
	struct job_output *o = &w->res->outputs[i];

	REQUIRE(i < JOB_VERDICTS_MAX);
	memset(o, 0, sizeof(*o));
	o->rcpts = arena_alloc(w->a, (w->rq->nrcpts + 1) * sizeof(*o->rcpts));
	if (o->rcpts == NULL) {
		problem_temp(&w->res->pr, "too many recipients for one job");
		return NULL;
	}
	new_key(o->key);
	int fd = given_fd(w, JOB_FD_OUTPUT + i);
	w->outs[i] = spool_new(o->key, fd < 0 ? MEMORY_MAX : JOB_INLINE_MAX, -1, fd, w->rq->message_max * 3 + 65536);
	w->res->noutputs++;
	*out_r = o;
	return w->outs[i];
}

int work_output_end(struct work *w, struct job_output *o)
{
	struct spool *s = w->outs[o - w->res->outputs];

	if (spool_finish(s, &w->res->pr) != 0)
		return -1;
	o->size = spool_size(s);
	o->sealed_len = spool_sealed_len(s);
	o->in_fd = spool_fd(s) >= 0;
	return 0;
}

struct spool *work_scratch(struct work *w, int which)
{
	uint8_t key[32];
	struct spool **place = which == 0 ? &w->der : &w->plain;

	new_key(key);
	spool_free(*place);
	int fd = given_fd(w, JOB_FD_SCRATCH + (size_t)which);
	*place = spool_new(key, fd < 0 ? MEMORY_MAX : JOB_INLINE_MAX, -1, fd, w->rq->message_max * 2 + 65536);
	mem_wipe(key, sizeof(key));
	return *place;
}
