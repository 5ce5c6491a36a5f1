#include "gateway/proc/relay_outputs.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/policy/policy.h"
#include "gateway/proc/relay_deliver.h"
#include "gateway/proc/relay_hops.h"

static void fill_rcpt(
    struct relay_settle *s, struct queue_rcpt *q, const char *address, const struct job_output *o, bool room)
{
	struct relay *r = relay_settle_relay(s);
	struct arena *a = relay_settle_arena(s);
	const char *at = strrchr(address, '@');
	char hop[RELAY_HOP_MAX];

	relay_hops_key(r, at == NULL ? r->top->hostname : at + 1, hop);
	q->address = arena_str(a, address);
	q->nexthop = arena_str(a, hop);
	q->treatment = arena_str(a, o->treatment);
	q->reason = arena_str(a, o->why);
	q->state = o->action == POLICY_HOLD ? QUEUE_HELD : room ? QUEUE_ACTIVE : QUEUE_QUEUED;
	REQUIRE(q->address != NULL && q->nexthop != NULL && q->treatment != NULL && q->reason != NULL);
}

static int wrap_key(struct relay_settle *s, const uint8_t key[KEYS_DATA_KEY], struct queue_msg *m, struct problem *pr)
{
	struct buf w;
	int err;

	buf_init(&w, DATAKEYS_WRAPPED_MAX);
	err = datakeys_wrap(relay_settle_relay(s)->datakeys, key, &w, pr);
	if (err == 0) {
		m->wrapped = arena_dup(relay_settle_arena(s), w.p, w.len);
		m->wrapped_len = w.len;
		REQUIRE(m->wrapped != NULL);
	}
	buf_clear(&w);
	return err;
}

/* The transaction, and with it these strings, may be gone when the message is delivered. */
static void copy_env(struct arena *a, const struct envelope_rcpt *from, struct envelope_rcpt *to)
{
	to->notify = from->notify;
	to->orcpt = arena_str(a, from->orcpt == NULL ? "" : from->orcpt);
	REQUIRE(to->orcpt != NULL);
}

/* Their outcome stands from the start (P6). */
static void add_refused(
    struct relay_settle *s, const struct relay_outputs_in *in, struct queue_msg *m, struct queue_rcpt *v)
{
	struct arena *a = relay_settle_arena(s);

	for (size_t i = 0; i < in->nrefused; i++) {
		const struct job_output *o = &in->refused[i];

		for (size_t k = 0; k < o->nrcpts; k++) {
			struct queue_rcpt *q = &v[m->nrcpts++];

			fill_rcpt(s, q, in->rcpts[o->rcpts[k]].address, o, false);
			q->state = QUEUE_DONE;
			q->outcome = QUEUE_BOUNCED;
			if (in->env_rcpts != NULL)
				copy_env(a, &in->env_rcpts[o->rcpts[k]], &q->env);
		}
	}
}

static int add_output(struct relay_settle *s, const struct relay_outputs_in *in, size_t i, struct problem *pr)
{
	struct relay *r = relay_settle_relay(s);
	struct arena *a = relay_settle_arena(s);
	const struct job_output *o = &in->res->outputs[i];
	struct queue_rcpt *v = arena_alloc(a, (in->nrcpts + 1) * sizeof(*v));
	char id[QUEUE_ID_MAX];
	struct queue_msg m = {.kind = in->kind, .trace = "", .nrcpts = o->nrcpts, .rcpts = v, .content = in->outs[i]};
	bool room = relay_deliver_room(r->deliver) && !r->stopping;

	REQUIRE(v != NULL);
	queue_id(r->queue, id);
	m.id = arena_str(a, i == 0 && in->id != NULL ? in->id : id);
	m.sender = arena_str(a, in->sender);
	m.message_id = arena_str(a, in->res->message_id);
	m.facts = arena_str(a, in->facts == NULL ? "" : in->facts);
	m.env = *in->env;
	m.env.envid = arena_str(a, in->env->envid == NULL ? "" : in->env->envid);
	m.env.body8 = o->eight_bit;
	/* RFC 8689 5: REQUIRETLS of the envelope goes before it */
	m.env.tls_no = in->res->tls_no && !m.env.requiretls;
	REQUIRE(m.id != NULL && m.sender != NULL && m.facts != NULL && m.message_id != NULL && m.env.envid != NULL);
	for (size_t k = 0; k < o->nrcpts; k++) {
		fill_rcpt(s, &v[k], in->rcpts[o->rcpts[k]].address, o, room);
		if (in->env_rcpts != NULL)
			copy_env(a, &in->env_rcpts[o->rcpts[k]], &v[k].env);
	}
	if (i == 0)
		add_refused(s, in, &m, v);
	if (wrap_key(s, o->key, &m, pr) != 0)
		return -1;
	relay_settle_message(s, &m);
	return 0;
}

int relay_outputs_add(
    struct relay_settle *s, const struct relay_outputs_in *in, char first_id[QUEUE_ID_MAX], struct problem *pr)
{
	const struct queue_msg *msgs;
	size_t n;

	for (size_t i = 0; i < in->res->noutputs; i++)
		if (add_output(s, in, i, pr) != 0)
			return -1;
	msgs = relay_settle_messages(s, &n);
	if (n == 0)
		return problem_temp(pr, "the sealing process gave no message back; try again");
	if (in->dsn != NULL)
		relay_settle_reports(s, in->dsn->reports, in->dsn->nreports);
	return mem_copy_str(first_id, QUEUE_ID_MAX, msgs[0].id);
}

/* All recipients of m with the next hop of recipient `first` that are ACTIVE, as one delivery. */
static void deliver_hop(struct relay *r, const struct queue_msg *m, const int64_t *rows, size_t first, int64_t now)
{
	struct relay_deliver_rcpt *v = mem_new(m->nrcpts * sizeof(*v));
	size_t n = 0;

	for (size_t i = first; i < m->nrcpts; i++) {
		if (m->rcpts[i].state != QUEUE_ACTIVE || strcmp(m->rcpts[i].nexthop, m->rcpts[first].nexthop) != 0)
			continue;
		v[n].row = rows[i];
		v[n].address = m->rcpts[i].address;
		v[n].treatment = m->rcpts[i].treatment;
		v[n].env = m->rcpts[i].env;
		v[n].warned = false;
		v[n++].attempts = 0;
	}
	relay_deliver_begin(r->deliver,
	    &(struct relay_deliver_msg){.id = m->id,
		.kind = m->kind,
		.sender = m->sender,
		.nexthop = m->rcpts[first].nexthop,
		.facts = m->facts,
		.env = m->env,
		.arrived = now,
		.content = m->content},
	    v, n);
	free(v);
}

static bool hop_seen(const struct queue_msg *m, size_t i)
{
	for (size_t k = 0; k < i; k++)
		if (m->rcpts[k].state == QUEUE_ACTIVE && strcmp(m->rcpts[k].nexthop, m->rcpts[i].nexthop) == 0)
			return true;
	return false;
}

void relay_outputs_deliver(struct relay *r, const struct queue_msg *msgs, size_t nmsgs, const int64_t *rows)
{
	int64_t now = queue_now(r->queue);

	if (r->stopping) /* the rows are durable: the next relay delivers them */
		return;
	for (size_t i = 0; i < nmsgs; i++) {
		for (size_t k = 0; k < msgs[i].nrcpts; k++)
			if (msgs[i].rcpts[k].state == QUEUE_ACTIVE && !hop_seen(&msgs[i], k))
				deliver_hop(r, &msgs[i], rows, k, now);
		rows += msgs[i].nrcpts;
	}
}
