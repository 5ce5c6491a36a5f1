#include "gateway/proc/relay_xsmg.h"

#include <stdlib.h>

#include "gateway/base/mem.h"
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

struct relay_xsmg_dues *relay_xsmg_dues_of(struct relay_xsmg *x)
{
	return x->dues;
}

struct relay_xsmg_given *relay_xsmg_given_of(struct relay_xsmg *x)
{
	return x->given;
}
