/*
 * Role sealer.
 * holds:   one message at a time, as open descriptors or a packet
 * may:     ask the keeper to sign and decrypt; answer relay
 * accepts: gateway/pipeline/job_proto.h from relay
 * never:   network, paths, private keys, the store, exec, ptrace
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"
#include "gateway/cms/cms.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/proc/proc.h"
#include "gateway/proc/sealer_warm.h"

enum {
	JOB_MEMORY = 16 * 1024 * 1024,
	SEND_MS = 60000,
	JOB_SECONDS = 300, /* many times what the largest message takes when the keeper hangs as well */
	ALONE_MS = 12000,  /* longer than the parent lets pass before it starts a relay again */
};

static struct {
	int relay;
	struct keys_client *keys;
	struct pipeline *pipe;
	struct buf packet;
	int64_t alone; /* since when the relay's channel is closed; 0: it is not, or there was none yet */
	bool stop;
} me = {.relay = -1};

static int message(struct child *c, struct ipc_in *in)
{
	struct control_peer p;

	(void)c;
	if (in->type == CONTROL_STOP) {
		me.stop = true;
		return 0;
	}
	if (in->type != CONTROL_PEER || control_peer_get(in, &p) != 0)
		return -1;
	if (p.role == ROLE_RELAY) {
		if (me.relay >= 0)
			close(me.relay);
		me.relay = p.fd;
		me.alone = 0;
	} else if (p.role == ROLE_KEEPER && me.keys == NULL) {
		me.keys = keys_client_new(p.fd);
	} else if (p.role == ROLE_KEEPER) {
		keys_client_replace(me.keys, p.fd);
	} else {
		log_fatal("the parent connected a role that has no business here");
	}
	return 0;
}

/* ---- one job ---- */

static int send_packet(struct ipc_out *o)
{
	int err = ipc_send(me.relay, o, SEND_MS);

	ipc_out_clear(o);
	return err;
}

static int send_pieces(uint32_t id, uint8_t output, struct spool *s)
{
	size_t n;
	const uint8_t *p = spool_sealed(s, &n);

	while (n > 0) {
		size_t k = n < JOB_INLINE_MAX ? n : JOB_INLINE_MAX;
		struct ipc_out o;

		ipc_out_init(&o, JOB_PIECE, id);
		job_piece_put(&o, output, p, k);
		if (send_packet(&o) != 0)
			return -1;
		p += k;
		n -= k;
	}
	return 0;
}

static int send_result(uint32_t id, const struct job_result *res, struct spool *const *outs)
{
	struct ipc_out o;

	for (size_t i = 0; i < res->noutputs; i++)
		if (!res->outputs[i].in_fd && send_pieces(id, (uint8_t)i, outs[i]) != 0)
			return -1;
	ipc_out_init(&o, JOB_RESULT, id);
	job_result_put(&o, res);
	if (o.bad) { /* more octets than a packet holds: never half an answer */
		struct job_result *later = mem_new(sizeof(*later));

		ipc_out_clear(&o);
		later->status = JOB_LATER;
		problem_temp(
		    &later->pr, "the answer on this message is too large: too many certificates or references in it");
		ipc_out_init(&o, JOB_RESULT, id);
		job_result_put(&o, later);
		free(later);
	}
	return send_packet(&o);
}

static void drop_relay(const char *why)
{
	log_warn(NULL, "sealer", "relay-away why=\"%s\"", why);
	close(me.relay);
	me.relay = -1;
	me.alone = loop_now_ms();
}

/* The time of a job, 0: none runs. Past it SIGALRM ends the process: neither the relay nor the parent would see that
 * it goes round for ever, and what the relay sent ahead would wait behind it. The relay then sees a job that killed
 * its sealer, tries it on others, and holds it. */
static void limit_time(time_t seconds)
{
	const struct itimerval t = {.it_value = {.tv_sec = seconds}};

	if (setitimer(ITIMER_REAL, &t, NULL) != 0)
		log_fatal("setitimer: %s", strerror(errno));
}

static void one_job(struct ipc_in *in)
{
	struct arena *a = arena_new(JOB_MEMORY);
	struct job_request *rq = arena_alloc(a, sizeof(*rq));
	struct job_result *res = arena_alloc(a, sizeof(*res));
	struct spool *outs[JOB_VERDICTS_MAX] = {NULL};
	uint32_t id = in->id;

	REQUIRE(rq != NULL && res != NULL);
	if (in->type != JOB_REQUEST || job_request_get(in, a, rq) != 0)
		log_fatal("the relay sent a job that cannot be read");
	limit_time(JOB_SECONDS);
	pipeline_run(me.pipe, a, rq, res, outs);
	limit_time(0);
	int err = send_result(id, res, outs);
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++)
		spool_free(outs[i]);
	for (int i = 0; i < rq->nfds; i++)
		close(rq->fds[i]);
	arena_free(a);
	if (err != 0)
		drop_relay("it does not take the result");
}

/* ---- waiting ---- */

static void from_parent(struct child *c)
{
	struct ipc_in in;
	int got = ipc_recv(c->control, &me.packet, &in, 0);

	if (got == 0)
		log_fatal("the parent is gone");
	if (got < 0 && errno == ETIMEDOUT)
		return;
	if (got < 0 || message(c, &in) != 0)
		log_fatal("a message from the parent is not for this role");
}

static void from_relay(void)
{
	struct ipc_in in;
	int got = ipc_recv(me.relay, &me.packet, &in, 0);

	if (got == 1)
		one_job(&in);
	else if (got == 0 || errno != ETIMEDOUT)
		drop_relay("closed");
}

/* A relay that died is replaced and brings a channel. One that lives and let go of this process for an answer it
 * could not use does not: the place would be empty for ever, so the parent is made to fill it. */
static int patience(void)
{
	int64_t left;

	if (me.alone == 0)
		return -1;
	left = me.alone + ALONE_MS - loop_now_ms();
	if (left <= 0)
		log_fatal("the relay closed its channel and brought no other");
	return (int)left;
}

static void wait_and_work(struct child *c)
{
	struct pollfd p[2] = {{.fd = c->control, .events = POLLIN}, {.fd = me.relay, .events = POLLIN}};

	if (poll(p, 2, patience()) < 0) {
		if (errno != EINTR)
			log_fatal("poll: %s", strerror(errno));
		return;
	}
	if (p[0].revents != 0)
		from_parent(c); /* may replace the relay's channel: then p[1] speaks of the old one */
	else if (p[1].revents != 0)
		from_relay();
}

static int run(struct child *c)
{
	const struct sandbox s = {.net = SANDBOX_NET_NONE};

	if (me.keys == NULL)
		me.keys = keys_client_new(-1);
	me.pipe = pipeline_new(me.keys);
	buf_init(&me.packet, IPC_PACKET_MAX);
	sealer_warm();
	signal(SIGALRM, SIG_DFL);
	child_sandbox(c, &s);
	child_ready(c);
	while (!me.stop)
		wait_and_work(c);
	pipeline_free(me.pipe);
	keys_client_free(me.keys);
	return 0;
}

const struct child_role proc_sealer_role = {message, run};
