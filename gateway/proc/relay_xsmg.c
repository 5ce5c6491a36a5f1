#include "gateway/proc/relay_xsmg.h"

#include <stdlib.h>
#include <string.h>

#include "certstore/judge_xsmg_proto.h"
#include "gateway/base/mem.h"
#include "gateway/mail/address.h"
#include "gateway/proc/relay.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_xsmg_due.h"
#include "gateway/proc/relay_xsmg_server.h"

struct relay_xsmg {
	struct relay_xsmg_dues *dues;
	struct relay_xsmg_given *given;
};

struct relay_xsmg *relay_xsmg_new(struct relay *r)
{
	struct relay_xsmg *x = mem_new(sizeof(*x));

	x->dues = relay_xsmg_dues_new();
	x->given = relay_xsmg_given_new(r);
	return x;
}

void relay_xsmg_free(struct relay_xsmg *x)
{
	if (x == NULL)
		return;
	relay_xsmg_dues_free(x->dues);
	relay_xsmg_given_free(x->given);
	free(x);
}

void relay_xsmg_met(struct relay *r, const char *domain)
{
	struct judge_xsmg_note n = {.seen = JUDGE_XSMG_MET};
	struct ipc_out o;

	if (!r->top->xsmg || address_domain(domain, strlen(domain), n.partner, NULL) != 0)
		return;
	ipc_out_init(&o, JUDGE_XSMG_NOTE, 0);
	judge_xsmg_note_put(&o, &n);
	(void)relay_ask_tell(r->ask, &o);
}

struct relay_xsmg_dues *relay_xsmg_dues_of(struct relay_xsmg *x)
{
	return x->dues;
}

struct relay_xsmg_given *relay_xsmg_given_of(struct relay_xsmg *x)
{
	return x->given;
}
