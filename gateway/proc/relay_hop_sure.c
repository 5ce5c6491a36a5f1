#include "gateway/proc/relay_hop_sure.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
#include "gateway/proc/relay_hop_tls.h"
#include "gateway/proc/relay_hops.h"

/* Belongs to the look-up, which cannot be called off. */
struct relay_hop_sure {
	relay_hop_sure_fn *fn; /* NULL: cancelled */
	void *ctx;
	struct relay_hop_sure **slot;
	char domain[256];
};

static void unknown(struct relay_hop_sure *q, const char *why)
{
	struct problem later;

	problem_set(&later, PROBLEM_TEMP, 451, "4.7.1", "",
	    "%s: mail must go over verified TLS, and whether that can be had cannot be told now: %s", q->domain, why);
	q->fn(q->ctx, RELAY_HOP_SURE_UNKNOWN, &later);
}

static void on_hop(void *ctx, const struct smtpc_dest *d, const struct problem *pr)
{
	struct relay_hop_sure *q = ctx;

	if (q->fn != NULL) {
		*q->slot = NULL;
		if (d != NULL && relay_hop_tls_sure(d, NULL) > 0) {
			q->fn(q->ctx, RELAY_HOP_SURE_YES, NULL);
		} else if (d != NULL && d->unsure) {
			unknown(q, "its MTA-STS policy, or TLSA records of its mail hosts, cannot be had");
		} else if (d != NULL) {
			q->fn(q->ctx, RELAY_HOP_SURE_NO, NULL);
		} else if (pr->cls != PROBLEM_TEMP) { /* no such domain, takes no mail */
			q->fn(q->ctx, RELAY_HOP_SURE_NO, NULL);
		} else {
			unknown(q, pr->text);
		}
	}
	free(q);
}

void relay_hop_sure_ask(
    struct relay *r, const char *domain, relay_hop_sure_fn *fn, void *ctx, struct relay_hop_sure **slot)
{
	struct relay_hop_sure *q;
	char key[RELAY_HOP_MAX];

	if (relay_hops_verified(r, domain)) {
		fn(ctx, RELAY_HOP_SURE_YES, NULL);
		return;
	}
	q = mem_new(sizeof(*q));
	q->fn = fn;
	q->ctx = ctx;
	q->slot = slot;
	if (mem_copy_str(q->domain, sizeof(q->domain), domain) != 0)
		q->domain[0] = '\0';
	*slot = q;
	relay_hops_key(r, domain, key);
	relay_hops_find(r->hops, key, on_hop, q);
}

void relay_hop_sure_cancel(struct relay_hop_sure *q)
{
	if (q == NULL)
		return;
	q->fn = NULL;
	*q->slot = NULL;
}
