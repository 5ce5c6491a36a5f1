/* Hints about statements, see the header. Role judge; pure. */
#include "gateway/proc/judge_xsmg_hints.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

bool judge_xsmg_hints_may(struct judge_xsmg_hints *h, const char *domain, int64_t now)
{
	size_t place = 0;

	for (size_t i = 0; i < JUDGE_XSMG_HINTS; i++) {
		if (h->v[i].at != 0 && strcmp(h->v[i].domain, domain) == 0) {
			if (now >= h->v[i].at && now - h->v[i].at < JUDGE_XSMG_HINT_S)
				return false;
			place = i;
			break;
		}
		if (h->v[i].at < h->v[place].at)
			place = i;
	}
	(void)snprintf(h->v[place].domain, sizeof h->v[place].domain, "%s", domain);
	h->v[place].at = now;
	return true;
}
