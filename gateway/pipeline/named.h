/*
 * The statement that a signed mail names (XSMG-Statement, docs/XSMG.md 9.3): found on the entity that a signature
 * covers directly, weighed when the signers are judged. Sealer. Fetches nothing: what is found goes to the relay in
 * the result of the job.
 *
 * Only the entity directly under a signature counts, and only its outermost signature with such a field: its header
 * fields are written by whoever signed, a gateway, which takes such a field out of what its users wrote. What lies
 * deeper (a message inside, a user's own signature) may be a user's words.
 */
#ifndef POSTERN_PIPELINE_NAMED_H
#define POSTERN_PIPELINE_NAMED_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/xsmg/xsmg_field.h"

struct work;
struct named {
	bool found;   /* a field, good or not; the first one counts */
	size_t layer; /* signature around it: index in the verdict's layers */
	struct xsmg_field f;
	const char *why; /* it is ignored: a clause; NULL it is good */
};
/* The present entity is what the verdict's last layer signed. */
void named_look(struct work *w);
/* Into w->res, once the signers are judged. */
void named_tell(struct work *w);

#endif
