/* Which domains are ours. Role judge; pure. */
#include "gateway/proc/judge_world.h"

#include <string.h>

int judge_world_domain(const struct judge_world *w, const char *domain)
{
	for (size_t i = 0; i < w->ndomains; i++)
		if (strcmp(w->domains[i], domain) == 0)
			return (int)i;
	return -1;
}
