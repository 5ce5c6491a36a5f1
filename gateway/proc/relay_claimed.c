#include "gateway/proc/relay_claimed.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_fate.h"
#include "gateway/proc/relay_held.h"
#include "gateway/proc/relay_notice.h"
#include "gateway/proc/relay_open.h"
#include "gateway/proc/relay_settle.h"

enum { AT_ONCE = 64, PUT_BACK_MS = 10000 };

/* ---- a message that is due ---- */

/* NULL with pr: TEMP, the keeper (*keyless_r) or the disk does not answer now; else key or content are damaged. */
static struct spool *content_of(struct relay *r, const struct queue_job *j, struct problem *pr, bool *keyless_r)
{
	uint8_t key[SPOOL_KEY];
	struct spool *content = NULL;

	*keyless_r = datakeys_unwrap(r->datakeys, j->wrapped, j->wrapped_len, key, pr) != 0;
	if (!*keyless_r)
		content = queue_content(r->queue, j->msg, key, pr);
	mem_wipe(key, sizeof(key));
	return content;
}

void relay_claimed_put_back(struct relay *r, const struct queue_job *j, const struct problem *pr)
{
	queue_give_back(r->queue, j, j->held ? 0 : queue_now(r->queue) + PUT_BACK_MS);
	if (j->held)
		relay_held_rest(r->held);
	log_warn(j->id, "relay", "put-back recipients=%zu again=10s why=\"%s\"", j->nrcpts, pr->text);
}

/* It alone cannot be read now: it goes by the schedule of what could not be delivered, and past the queue's life it
 * is held for this machine to be mended. */
static void put_off_unread(struct relay *r, const struct queue_job *j, const struct problem *pr)
{
	struct relay_settle *s = relay_settle_new(r, j->id);
	bool expired = queue_expired(r->queue, j->arrived, queue_now(r->queue));
	struct queue_hold h = {
	    .waits = QUEUE_WAITS_SERVICE, .again_at = queue_held_again(r->queue, QUEUE_WAITS_SERVICE, 0)};
	struct relay_why why = {j->held ? NULL : pr->text, NULL, j->held ? NULL : pr->enh};

	if (j->held)
		h = relay_held_same(r, j->tries);
	for (size_t i = 0; i < j->nrcpts; i++) {
		if (j->held || expired)
			relay_settle_hold(s, j->rcpts[i].row, &why, &h);
		else
			relay_settle_retry(s, j->rcpts[i].row,
			    queue_next_try(r->queue, j->rcpts[i].attempts + 1, queue_now(r->queue)), pr->text, NULL,
			    pr->enh);
	}
	relay_settle_commit(s);
	queue_hop_again(r->queue, j->nexthop);
	log_error(j->id, "relay", "%s recipients=%zu why=\"%s\"", expired && !j->held ? "alarm=held" : "unread",
	    j->nrcpts, pr->text);
}

/* A claimed message that cannot be read back is held: its key or its octets are damaged, and a person must look. */
static void unreadable(struct relay *r, const struct queue_job *j, const struct problem *pr, bool keyless)
{
	static const struct queue_hold admin = {.waits = QUEUE_WAITS_ADMIN};
	struct relay_settle *s;

	if (pr->cls == PROBLEM_TEMP && keyless &&
	    (j->held || !queue_expired(r->queue, j->arrived, queue_now(r->queue)))) {
		relay_claimed_put_back(r, j, pr);
		return;
	}
	if (pr->cls == PROBLEM_TEMP) {
		put_off_unread(r, j, pr);
		return;
	}
	s = relay_settle_new(r, j->id);
	for (size_t i = 0; i < j->nrcpts; i++)
		relay_settle_hold(s, j->rcpts[i].row, &(struct relay_why){pr->text, NULL, pr->enh}, &admin);
	relay_settle_commit(s);
	queue_hop_again(r->queue, j->nexthop);
	log_error(j->id, "relay", "alarm=unreadable why=\"%s\"", pr->text);
}

void relay_claimed_begin(struct relay *r, const struct queue_job *j)
{
	struct problem pr = {0};
	struct relay_deliver_rcpt *v;
	bool keyless;
	struct spool *content = content_of(r, j, &pr, &keyless);

	if (content == NULL) {
		unreadable(r, j, &pr, keyless);
		return;
	}
	if (j->kind == QUEUE_RAW) {
		relay_open_claimed(r, j, content);
		spool_free(content);
		return;
	}
	v = mem_new((j->nrcpts + 1) * sizeof(*v));
	for (size_t i = 0; i < j->nrcpts; i++) {
		v[i].row = j->rcpts[i].row;
		v[i].address = j->rcpts[i].address;
		v[i].treatment = j->rcpts[i].treatment;
		v[i].attempts = j->rcpts[i].attempts;
		v[i].warned = j->rcpts[i].warned;
		v[i].env = j->rcpts[i].env;
	}
	relay_deliver_begin(r->deliver,
	    &(struct relay_deliver_msg){.id = j->id,
		.kind = j->kind,
		.sender = j->sender,
		.nexthop = j->nexthop,
		.facts = j->facts,
		.env = j->env,
		.arrived = j->arrived,
		.probe = j->probe,
		.stranger = j->stranger,
		.held = j->held,
		.tries = j->tries,
		.content = content},
	    v, j->nrcpts);
	free(v);
	spool_free(content);
}

/* ---- held for too long ---- */

static void expire_one(struct relay_settle *s, const struct queue_job *j, size_t i)
{
	static const char why[] = "the message was held and nobody released it in time";

	relay_settle_done(s, j->rcpts[i].row, QUEUE_EXPIRED, "held longer than hold-expire", NULL, "5.4.7");
	log_error(j->id, "relay", "alarm=hold-expired to=<%s> from=<%s>", j->rcpts[i].address, j->sender);
	if (j->kind == QUEUE_OUTBOUND && j->sender[0] != '\0' &&
	    relay_fate_wanted(j->rcpts[i].env.notify, DSN_FAILED))
		relay_settle_tell(s, &(struct dsn_rcpt){.action = DSN_FAILED,
					 .address = j->rcpts[i].address,
					 .orcpt = j->rcpts[i].orcpt,
					 .status = "5.4.7",
					 .sentence = why});
}

/* Outbound: the inside sender is told. Inbound: nobody outside ever is; the alarm is for the admin. Content that is
 * damaged for good keeps nobody from being told. */
static void expire_held(struct relay *r, const struct queue_job *j)
{
	struct relay_settle *s = relay_settle_new(r, j->id);
	struct relay_notice about = {.sender = j->sender, .env = &j->env, .arrived = j->arrived};
	struct problem pr = {0};
	bool keyless;

	about.content = content_of(r, j, &pr, &keyless);
	for (size_t i = 0; i < j->nrcpts; i++)
		expire_one(s, j, i);
	if ((about.content == NULL && pr.cls == PROBLEM_TEMP) || relay_notice_make(s, &about) != 0) {
		relay_settle_abandon(s);
		queue_give_back(r->queue, j, 0); /* the next look tries again */
	} else {
		relay_settle_commit(s);
	}
	spool_free(about.content);
}

void relay_claimed_stale(struct relay *r)
{
	struct queue_job *jobs[AT_ONCE];
	size_t n = queue_claim_stale(r->queue, AT_ONCE, jobs);

	for (size_t i = 0; i < n; i++) {
		expire_held(r, jobs[i]);
		queue_job_free(jobs[i]);
	}
}
