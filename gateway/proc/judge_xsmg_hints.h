/* Hints about statements that were followed of late: one of a domain in HINT_S. Role judge; pure. */
#ifndef POSTERN_PROC_JUDGE_XSMG_HINTS_H
#define POSTERN_PROC_JUDGE_XSMG_HINTS_H

#include <stdbool.h>
#include <stdint.h>

enum { JUDGE_XSMG_HINTS = 256, JUDGE_XSMG_HINT_S = 600 };
struct judge_xsmg_hints {
	struct {
		char domain[256];
		int64_t at; /* unix s; 0 free */
	} v[JUDGE_XSMG_HINTS];
};

/* May a hint about this domain be followed now? When it may, it counts as followed. The oldest is forgotten when
 * there are too many. */
bool judge_xsmg_hints_may(struct judge_xsmg_hints *h, const char *domain, int64_t now);

#endif
