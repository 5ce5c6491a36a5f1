#include "gateway/proc/relay_partly.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_fate.h"
#include "gateway/proc/relay_notice.h"

struct relay_partly *relay_partly_new(const struct job_result *res, struct spool *const *outs)
{
	struct relay_partly *p;
	size_t refused = 0, at = 0;

	for (size_t i = 0; i < res->noutputs; i++)
		refused += res->outputs[i].refused[0] != '\0';
	if (refused == 0)
		return NULL;
	p = mem_new(sizeof(*p));
	p->res = *res;
	p->nrefused = refused;
	p->res.noutputs = res->noutputs - refused;
	for (int pass = 0; pass < 2; pass++)
		for (size_t i = 0; i < res->noutputs; i++) {
			if ((res->outputs[i].refused[0] != '\0') != (pass == 1))
				continue;
			p->outs[at] = outs[i];
			p->res.outputs[at++] = res->outputs[i];
		}
	return p;
}

/* One recipient; true: the sender is told. */
static bool tell(const struct relay_tx *t, const struct job_output *o, size_t k, struct relay_settle *s)
{
	const char *address = t->rcpts[o->rcpts[k]].address;
	const struct envelope_rcpt *env = t->env_rcpts != NULL ? &t->env_rcpts[o->rcpts[k]] : NULL;
	struct relay_fate f = relay_fate(&(struct relay_fate_in){.kind = QUEUE_OUTBOUND,
	    .null_sender = t->sender_text[0] == '\0',
	    .notify = env != NULL ? env->notify : 0});

	log_info(t->id, "relay", "failed to=<%s> treatment=%s dsn=%s why=\"%s\"", address, o->treatment, o->refused,
	    o->why);
	if (f.tell != RELAY_FATE_SENDER)
		return false;
	relay_settle_tell(s, &(struct dsn_rcpt){.action = f.action,
				 .address = address,
				 .orcpt = env != NULL ? env->orcpt : NULL,
				 .status = o->refused,
				 .sentence = o->why});
	return true;
}

int relay_partly_tell(
    const struct relay_partly *p, const struct relay_tx *t, struct relay_settle *s, struct problem *pr)
{
	size_t at = p->res.noutputs;
	struct relay_notice about = {
	    .sender = t->sender_text, .env = &t->env, .arrived = queue_now(t->r->queue), .content = p->outs[at]};
	bool any = false;

	for (size_t i = at; i < at + p->nrefused; i++)
		for (size_t k = 0; k < p->res.outputs[i].nrcpts; k++)
			any = tell(t, &p->res.outputs[i], k, s) || any;
	if (any && relay_notice_make(s, &about) != 0)
		return problem_temp(pr, "the message is too large for some of its recipients, and the notice that "
					"says so cannot be made at "
					"the moment; try again");
	return 0;
}

/* Base64 alone makes 4 octets of 3: less it never is. */
static uint64_t at_least(uint64_t size, bool sealed)
{
	return !sealed ? size : size > UINT64_MAX - size / 3 ? UINT64_MAX : size + size / 3;
}

bool relay_partly_too_large(
    const struct judge_verdict *v, const char *recipient, uint64_t size, bool sealed, struct problem *pr)
{
	const char *at = strrchr(recipient, '@');
	uint64_t least;

	/* what the content is may make it go unprotected */
	sealed = sealed && v->exempt == 0 && v->any_exempt == 0;
	least = at_least(size, sealed);
	if (v->octets_max == 0 || size == 0 || least <= v->octets_max)
		return false;
	problem_set(pr, PROBLEM_PERM, 552, "5.3.4", "RFC 1870 6.1",
	    "the gateway of %.200s takes messages of at most %llu octets, as its statement says; this one has %llu "
	    "by its "
	    "SIZE%s",
	    at != NULL ? at + 1 : "the recipient", (unsigned long long)v->octets_max, (unsigned long long)size,
	    sealed ? ", and a third more when it is encrypted" : "");
	return true;
}
