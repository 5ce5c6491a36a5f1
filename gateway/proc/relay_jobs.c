#include "gateway/proc/relay_jobs.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/ipc_chan.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum {
	AHEAD = 2, /* jobs a sealer has at once */
	RESULT_MEMORY = 512 * 1024,
	PIECES_MAX = 1024 * 1024,	      /* octets of one output that come back through the channel */
	PACKET_ROOM = IPC_PACKET_MAX - 16384, /* what the rest of a request needs at most stays below 16 KiB, else the
						 content goes as a descriptor */
};

struct task {
	struct task *next;
	uint32_t id;
	struct job_request *rq; /* the caller's: gone when fn is NULL */
	size_t outputs, nrcpts; /* of it */
	struct spool *content;
	relay_job_fn *fn; /* NULL: cancelled */
	void *ctx;
	int out_fds[JOB_VERDICTS_MAX]; /* our ends of the outputs' files */
	struct buf pieces[JOB_VERDICTS_MAX];
	bool blamed; /* its sealer died over it */
};
struct sealer {
	struct relay_jobs *of;
	struct ipc_chan *chan;
	struct task *busy; /* in the order sent */
	size_t nbusy;
};
struct relay_jobs {
	struct loop *loop;
	int spool_dir;
	uint32_t next_id;
	struct sealer *sealers;
	size_t nsealers;
	struct task *first[2], **last[2]; /* by rank */
	size_t waiting;
	struct task *lost; /* of sealers that are gone; what becomes of them is being told */
	bool telling;
};

static void pump(struct relay_jobs *j);
static void again(struct relay_jobs *j, struct task *t);
static void sealer_lost(struct sealer *s, const char *why);

static void task_free(struct task *t)
{
	spool_free(t->content);
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++) {
		if (t->out_fds[i] >= 0)
			close(t->out_fds[i]);
		buf_clear(&t->pieces[i]);
	}
	free(t);
}

static void task_fail(struct task *t, const char *why, bool crashed)
{
	struct job_result *res = mem_new(sizeof(*res));
	struct spool *outs[JOB_VERDICTS_MAX] = {NULL};

	res->status = JOB_LATER;
	problem_temp(&res->pr, "%s", why);
	if (t->fn != NULL)
		t->fn(t->ctx, res, outs, crashed);
	free(res);
	task_free(t);
}

/* ---- sending ---- */

static int temporary_file(struct relay_jobs *j)
{
	return openat(j->spool_dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
}

/* Large content: input, two scratch files and one file per possible output travel as descriptors
 * (gateway/pipeline/job_proto.h has the order). */
static int add_files(struct relay_jobs *j, struct task *t)
{
	size_t n;
	const uint8_t *mem = spool_sealed(t->content, &n);

	if (mem != NULL)
		t->rq->fds[0] = file_memfd("postern-job", mem, n);
	else
		t->rq->fds[0] = fcntl(spool_fd(t->content), F_DUPFD_CLOEXEC, 3);
	if (t->rq->fds[0] < 0)
		return -1;
	t->rq->nfds = 1;
	for (size_t i = 0; i < 2 + t->outputs; i++) {
		int fd = temporary_file(j);

		if (fd < 0)
			return -1;
		t->rq->fds[t->rq->nfds++] = fd;
		if (i >= 2) {
			t->out_fds[i - 2] = fcntl(fd, F_DUPFD_CLOEXEC, 3);
			if (t->out_fds[i - 2] < 0)
				return -1;
		}
	}
	return 0;
}

static size_t request_octets(const struct job_request *rq)
{
	size_t n = 4096;

	for (size_t i = 0; i < rq->nrcpts; i++)
		n += strlen(rq->rcpts[i].address) + 8;
	for (size_t i = 0; i < rq->nverdicts; i++) {
		const struct judge_verdict *v = rq->verdicts[i];

		n += 2048 + v->sign_cert.n + v->sign_chain.n + v->enc_cert.n;
		for (size_t k = 0; k < v->nrcpt_certs; k++)
			n += v->rcpt_certs[k].n + 4;
	}
	for (size_t i = 0; i < rq->nids; i++)
		n += 400 + rq->ids[i].cert.n + rq->ids[i].chain.n;
	for (size_t i = 0; rq->have_trust && i < rq->trust.nknown; i++)
		n += rq->trust.known[i].cert.n;
	return n + (rq->have_trust ? sizeof(rq->trust) : 0);
}

static int content_into(struct relay_jobs *j, struct task *t)
{
	size_t n;
	const uint8_t *mem = spool_sealed(t->content, &n);

	memcpy(t->rq->key, spool_key(t->content), sizeof(t->rq->key));
	t->rq->sealed_len = spool_sealed_len(t->content);
	t->rq->nfds = 0;
	t->rq->inline_sealed.p = NULL;
	t->rq->inline_sealed.n = 0;
	if (mem != NULL && n <= JOB_INLINE_MAX && n + request_octets(t->rq) <= PACKET_ROOM) {
		t->rq->inline_sealed.p = mem;
		t->rq->inline_sealed.n = n;
		return 0;
	}
	return add_files(j, t);
}

static int send_task(struct relay_jobs *j, struct sealer *s, struct task *t)
{
	struct ipc_out o;
	int err = -1;

	if (content_into(j, t) == 0) {
		ipc_out_init(&o, JOB_REQUEST, t->id);
		job_request_put(&o, t->rq);
		err = ipc_chan_send(s->chan, &o);
	}
	for (int i = 0; i < t->rq->nfds; i++)
		close(t->rq->fds[i]);
	t->rq->nfds = 0;
	mem_wipe(t->rq->key, sizeof(t->rq->key));
	return err;
}

static struct sealer *least_busy(struct relay_jobs *j)
{
	struct sealer *best = NULL;

	for (size_t i = 0; i < j->nsealers; i++) {
		struct sealer *s = &j->sealers[i];

		/* one that is broken is read to its end first (on_close): what it finished counts */
		if (s->chan != NULL && !ipc_chan_broken(s->chan) && s->nbusy < AHEAD &&
		    (best == NULL || s->nbusy < best->nbusy))
			best = s;
	}
	return best;
}

static struct task *next_task(struct relay_jobs *j)
{
	for (int rank = 0; rank < 2; rank++) {
		struct task *t = j->first[rank];

		if (t == NULL)
			continue;
		j->first[rank] = t->next;
		if (j->first[rank] == NULL)
			j->last[rank] = &j->first[rank];
		t->next = NULL;
		j->waiting--;
		return t;
	}
	return NULL;
}

static void give(struct relay_jobs *j, struct sealer *s, struct task *t)
{
	struct task **end = &s->busy;

	if (t->fn == NULL) {
		task_free(t);
		return;
	}
	if (send_task(j, s, t) != 0) {
		if (ipc_chan_broken(s->chan)) { /* it died a moment ago: nothing is wrong with the task */
			again(j, t);
			return;
		}
		task_fail(t,
		    "the message cannot be handed to a sealing process: no descriptors, no disk, or too many "
		    "certificates",
		    false);
		return;
	}
	while (*end != NULL)
		end = &(*end)->next;
	*end = t;
	s->nbusy++;
}

static void pump(struct relay_jobs *j)
{
	struct sealer *s;
	struct task *t;

	while (j->waiting > 0 && (s = least_busy(j)) != NULL && (t = next_task(j)) != NULL)
		give(j, s, t);
}

static void pump_soon(void *ctx)
{
	pump(ctx);
}

void relay_jobs_run(struct relay_jobs *j, struct job_request *rq, struct spool *content, enum relay_job_rank rank,
    relay_job_fn *fn, void *ctx)
{
	struct task *t = mem_new(sizeof(*t));

	t->id = ++j->next_id;
	t->rq = rq;
	t->outputs = rq->kind == JOB_SEAL ? rq->nverdicts : 1;
	t->nrcpts = rq->nrcpts;
	t->content = spool_ref(content);
	t->fn = fn;
	t->ctx = ctx;
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++) {
		t->out_fds[i] = -1;
		buf_init(&t->pieces[i], PIECES_MAX);
	}
	*j->last[rank] = t;
	j->last[rank] = &t->next;
	j->waiting++;
	loop_soon(j->loop, pump_soon, j);
}

void relay_jobs_cancel(struct relay_jobs *j, void *ctx)
{
	for (int rank = 0; rank < 2; rank++)
		for (struct task *t = j->first[rank]; t != NULL; t = t->next)
			if (t->ctx == ctx)
				t->fn = NULL;
	for (size_t i = 0; i < j->nsealers; i++)
		for (struct task *t = j->sealers[i].busy; t != NULL; t = t->next)
			if (t->ctx == ctx)
				t->fn = NULL;
	for (struct task *t = j->lost; t != NULL; t = t->next)
		if (t->ctx == ctx)
			t->fn = NULL;
}

size_t relay_jobs_waiting(const struct relay_jobs *j)
{
	return j->waiting;
}

size_t relay_jobs_running(const struct relay_jobs *j)
{
	size_t n = 0;

	for (size_t i = 0; i < j->nsealers; i++)
		n += j->sealers[i].nbusy;
	return n;
}

/* ---- coming back ---- */

static struct task *busy_task(struct sealer *s, uint32_t id)
{
	for (struct task *t = s->busy; t != NULL; t = t->next)
		if (t->id == id)
			return t;
	return NULL;
}

static void not_busy(struct sealer *s, struct task *t)
{
	for (struct task **p = &s->busy; *p != NULL; p = &(*p)->next)
		if (*p == t) {
			*p = t->next;
			t->next = NULL;
			s->nbusy--;
			return;
		}
}

static struct spool *output_spool(struct task *t, const struct job_output *o, size_t i)
{
	struct spool *s;

	if (o->in_fd) {
		if (t->out_fds[i] < 0)
			return NULL;
		s = spool_open_fd(o->key, t->out_fds[i], o->sealed_len);
		t->out_fds[i] = -1;
		return s;
	}
	if (t->pieces[i].len != o->sealed_len)
		return NULL;
	return spool_open_buf(o->key, &t->pieces[i]);
}

/* What a sealer says is checked like anything from outside: recipients it was not given, outputs that do not fit
 * together. */
static bool sound(struct task *t, const struct job_result *res, struct spool *outs[JOB_VERDICTS_MAX])
{
	bool good = true;
	uint8_t seen[JOB_RCPTS_MAX] = {0};
	size_t named = 0;

	for (size_t i = 0; i < res->noutputs; i++) {
		good = good && res->outputs[i].nrcpts > 0;
		for (size_t k = 0; k < res->outputs[i].nrcpts; k++) {
			good = good && res->outputs[i].rcpts[k] < t->nrcpts && seen[res->outputs[i].rcpts[k]]++ == 0;
			named++;
		}
		outs[i] = output_spool(t, &res->outputs[i], i);
		good = good && outs[i] != NULL;
	}
	/* every recipient in exactly one output: a 250 for nobody would be a lost message (P6) */
	return good && (res->status != JOB_DONE || named == t->nrcpts);
}

static void again(struct relay_jobs *j, struct task *t)
{
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++) {
		if (t->out_fds[i] >= 0)
			close(t->out_fds[i]);
		t->out_fds[i] = -1;
		buf_reset(&t->pieces[i]);
	}
	t->next = j->first[RELAY_JOB_NOW];
	j->first[RELAY_JOB_NOW] = t;
	if (j->last[RELAY_JOB_NOW] == &j->first[RELAY_JOB_NOW])
		j->last[RELAY_JOB_NOW] = &t->next;
	j->waiting++;
}

/* Who is told may cancel other tasks, so that those not yet told stay in a list of ours. */
static void tell_lost(struct relay_jobs *j)
{
	struct task *t;

	if (j->telling)
		return;
	j->telling = true;
	while ((t = j->lost) != NULL) {
		j->lost = t->next;
		t->next = NULL;
		if (t->blamed)
			task_fail(t, "the sealing process died while it worked on this message; try again", true);
		else
			again(j, t);
	}
	j->telling = false;
}

static void sealer_lost(struct sealer *s, const char *why)
{
	struct task **end = &s->of->lost;

	while (*end != NULL)
		end = &(*end)->next;
	log_warn(
	    NULL, "relay", "sealer-away number=%zu jobs=%zu why=\"%s\"", (size_t)(s - s->of->sealers), s->nbusy, why);
	ipc_chan_free(s->chan);
	s->chan = NULL;
	if (s->busy != NULL)
		s->busy->blamed = true; /* the first was being worked on; those sent ahead go to another sealer */
	*end = s->busy;
	s->busy = NULL;
	s->nbusy = 0;
	tell_lost(s->of);
	loop_soon(s->of->loop, pump_soon, s->of);
}

static void got_result(struct sealer *s, struct task *t, struct ipc_in *in)
{
	struct arena *a = arena_new(RESULT_MEMORY);
	struct job_result *res = mem_new(sizeof(*res));
	struct spool *outs[JOB_VERDICTS_MAX] = {NULL};
	const char *bad = NULL;

	if (job_result_get(in, a, res) != 0)
		bad = "unreadable result";
	else if (!sound(t, res, outs))
		bad = "outputs that do not fit together";
	if (bad == NULL) {
		not_busy(s, t);
		if (t->fn != NULL)
			t->fn(t->ctx, res, outs, false);
		task_free(t);
	}
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++)
		spool_free(outs[i]);
	mem_free_secret(res, sizeof(*res));
	arena_free(a);
	if (bad != NULL)
		sealer_lost(s, bad); /* closing its channel ends it; the parent starts another */
	else
		pump(s->of);
}

static void on_msg(void *ctx, struct ipc_chan *c, struct ipc_in *in)
{
	struct sealer *s = ctx;
	struct task *t = busy_task(s, in->id);
	uint8_t output;
	const uint8_t *p;
	size_t n;

	(void)c;
	if (t != NULL && in->type == JOB_RESULT) {
		got_result(s, t, in);
		return;
	}
	if (t != NULL && in->type == JOB_PIECE && job_piece_get(in, &output, &p, &n) == 0 &&
	    buf_add(&t->pieces[output], p, n) == 0)
		return;
	sealer_lost(s, "a message that was not expected");
}

static void on_close(void *ctx, struct ipc_chan *c, const char *why)
{
	(void)c;
	sealer_lost(ctx, why);
}

static const struct ipc_chan_ops ops = {on_msg, on_close};

struct relay_jobs *relay_jobs_new(struct loop *l, size_t sealers, int spool_dir)
{
	struct relay_jobs *j = mem_new(sizeof(*j));

	j->loop = l;
	j->spool_dir = spool_dir;
	j->nsealers = sealers;
	j->sealers = mem_new(sealers * sizeof(*j->sealers));
	for (size_t i = 0; i < sealers; i++)
		j->sealers[i].of = j;
	j->last[0] = &j->first[0];
	j->last[1] = &j->first[1];
	return j;
}

void relay_jobs_channel(struct relay_jobs *j, size_t i, int fd)
{
	if (i >= j->nsealers) {
		close(fd);
		return;
	}
	if (j->sealers[i].chan != NULL) /* what it finished before it died is as good as any */
		ipc_chan_drain(j->sealers[i].chan);
	if (j->sealers[i].chan != NULL)
		sealer_lost(&j->sealers[i], "replaced");
	j->sealers[i].chan = ipc_chan_new(j->loop, fd, &ops, &j->sealers[i]);
	pump(j);
}

void relay_jobs_free(struct relay_jobs *j)
{
	struct task *t;

	if (j == NULL)
		return;
	for (size_t i = 0; i < j->nsealers; i++) {
		ipc_chan_free(j->sealers[i].chan);
		while ((t = j->sealers[i].busy) != NULL) {
			j->sealers[i].busy = t->next;
			task_free(t);
		}
	}
	while ((t = next_task(j)) != NULL)
		task_free(t);
	free(j->sealers);
	free(j);
}
