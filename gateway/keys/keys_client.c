/*
 * One channel to the keeper as seen by one thread of relay, sealer or judge. What is not here: what the requests mean
 * (keys.c, provider_*.c).
 *
 * libcrypto turns a failed private operation into "bad decrypt" or into silence, so a dead keeper looks exactly like
 * a forged message. Therefore the client itself remembers that a call failed for a reason that has nothing to do with
 * the data; whoever judges a message asks keys_client_failed first, and answers "try later".
 */
#include "gateway/keys/keys_client.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"

enum {
	CALL_TIMEOUT_MS = 5000,
	SILENT_TIMEOUT_MS = 250,  /* for one that let a call pass without an answer, until it answers again */
	MAKE_TIMEOUT_MS = 120000, /* at least: an RSA-4096 key on a slow and busy machine */
};

struct keys_client {
	_Atomic int refs;
	int fd; /* -1: none */
	int timeout_ms;
	uint32_t seq;
	unsigned expected;
	bool failed;
	bool silent; /* the last call timed out */
	struct problem problem;
	struct buf store; /* the last reply */
};

struct keys_client *keys_client_new(int fd)
{
	struct keys_client *k = mem_new(sizeof(*k));

	k->refs = 1;
	k->fd = fd;
	k->timeout_ms = CALL_TIMEOUT_MS;
	buf_init(&k->store, IPC_PACKET_MAX);
	return k;
}

static void hang_up(struct keys_client *k)
{
	if (k->fd >= 0)
		close(k->fd);
	k->fd = -1;
}

void keys_client_ref(struct keys_client *k)
{
	k->refs++;
}

void keys_client_unref(struct keys_client *k)
{
	if (k && --k->refs == 0) {
		buf_clear(&k->store);
		mem_free_secret(k, sizeof(*k));
	}
}

void keys_client_free(struct keys_client *k)
{
	if (!k)
		return;
	hang_up(k);
	keys_client_unref(k);
}

void keys_client_replace(struct keys_client *k, int fd)
{
	hang_up(k);
	k->fd = fd;
	k->silent = false;
}

void keys_client_timeout(struct keys_client *k, int ms)
{
	k->timeout_ms = ms;
}

void keys_client_begin(struct keys_client *k)
{
	k->failed = false;
	k->expected = 0;
	problem_clear(&k->problem);
}

bool keys_client_failed(const struct keys_client *k)
{
	return k->failed;
}

const struct problem *keys_client_problem(const struct keys_client *k)
{
	return k->problem.cls == PROBLEM_NONE ? NULL : &k->problem;
}

void keys_client_expect(struct keys_client *k, unsigned octets)
{
	REQUIRE(octets == 0 || octets == 16 || octets == 24 || octets == 32);
	k->expected = octets;
}

unsigned keys_client_expected(const struct keys_client *k)
{
	return k->expected;
}

static int deadline(const struct keys_client *k, enum keeper_msg msg)
{
	bool slow = msg == KEEPER_MSG_GENERATE || msg == KEEPER_MSG_IMPORT;

	/* each call stops the whole process: a keeper that hangs must not take the full time from every session */
	if (!slow && k->silent && k->timeout_ms > SILENT_TIMEOUT_MS)
		return SILENT_TIMEOUT_MS;
	return slow && k->timeout_ms < MAKE_TIMEOUT_MS ? MAKE_TIMEOUT_MS : k->timeout_ms;
}

static int lost(struct keys_client *k, const char *why, struct problem *pr)
{
	hang_up(k);
	return problem_temp(pr, "The keeper of the private keys %s; it is started again by itself, try later", why);
}

/*
 * Waits for the reply to rq. A reply to an earlier request that had timed out may come first and is passed over;
 * anything else that does not fit means that both sides no longer agree, and ends the channel.
 */
static int receive(
    struct keys_client *k, const struct keeper_request *rq, struct keeper_reply *rp_r, struct problem *pr)
{
	int patience = deadline(k, rq->msg);
	int64_t end = loop_now_ms() + patience;

	for (;;) {
		int64_t left = end - loop_now_ms();
		struct ipc_in in;
		int r = ipc_recv(k->fd, &k->store, &in, left > 0 ? (int)left : 0);

		if (r < 0 && errno == ETIMEDOUT) {
			k->silent = true;
			return problem_temp(pr,
			    "The keeper of the private keys did not answer a %s request within %d ms; try later",
			    keeper_proto_word(rq->msg), patience);
		}
		k->silent = false;
		if (r <= 0)
			return lost(k, r == 0 ? "went away" : "sent something malformed", pr);
		if (keeper_proto_get_reply(&in, rp_r) < 0)
			return lost(k, "sent something malformed", pr);
		if (rp_r->seq == rq->seq && rp_r->msg == rq->msg)
			return 0;
		/* sequence numbers wrap: "earlier" is the half of the circle behind us */
		if ((int32_t)(rp_r->seq - rq->seq) >= 0)
			return lost(k, "answered something that was not asked", pr);
	}
}

static int call(struct keys_client *k, const struct keeper_request *rq, struct keeper_reply *rp_r, struct problem *pr)
{
	struct ipc_out o;
	int r;

	if (keeper_proto_put_request(&o, rq) < 0) {
		ipc_out_clear(&o);
		return problem_perm(pr, "A %s request with data beyond the limits of the keeper was not sent",
		    keeper_proto_word(rq->msg));
	}
	r = k->fd < 0 ? -1 : ipc_send(k->fd, &o, deadline(k, rq->msg));
	ipc_out_clear(&o);
	if (r < 0)
		return lost(k, "cannot be reached", pr);
	if (receive(k, rq, rp_r, pr) < 0)
		return -1;
	if (rp_r->ok)
		return 0;
	if (pr)
		*pr = rp_r->problem;
	return -1;
}

int keys_client_call(struct keys_client *k, struct keeper_request *rq, struct keeper_reply *rp_r, struct problem *pr)
{
	struct problem own = {0};

	memset(rp_r, 0, sizeof(*rp_r));
	rq->seq = ++k->seq;
	if (call(k, rq, rp_r, &own) == 0)
		return 0;
	/* PERM speaks of the data (a point off the curve, an unknown hash); all else of the keeper or its keys */
	if (own.cls != PROBLEM_PERM)
		k->failed = true;
	k->problem = own;
	if (pr)
		*pr = own;
	return -1;
}

void keys_client_done(struct keys_client *k, struct keeper_reply *rp)
{
	buf_reset(&k->store);
	mem_wipe(rp, sizeof(*rp));
}
