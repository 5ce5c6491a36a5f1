/*
 * How one output of outgoing mail is made: sealed (sign, then encrypt), signed in the clear, or as it came. The front
 * (outer header fields) stands ready in w->front. Sealer; memory does not grow with the message but for
 * multipart/signed of 8-bit content (bounded).
 */
#ifndef POSTERN_PIPELINE_SEAL_H
#define POSTERN_PIPELINE_SEAL_H

#include "gateway/pipeline/entity.h"
#include "gateway/pipeline/work.h"

struct seal {
	struct work *w;
	const struct judge_verdict *v;
	bool sealed;	      /* encrypted, or only signed */
	struct reader *ready; /* the signed entity where it was made before; NULL: it is made on the way */
};
/* Would both sign the same octets in the same way? Then it need be done only once. */
bool seal_same(const struct seal *a, const struct seal *b);
/* Signs into scratch A, where se->ready then is: for outputs that are the same. 0 / -1 with w->res->pr. */
int seal_prepare(struct seal *se) __attribute__((warn_unused_result));

/* Each writes the whole message. 0 / -1 with w->res->pr. */
int seal_write(struct seal *se, struct writer *out) __attribute__((warn_unused_result));
int seal_write_plain(struct work *w, const struct judge_verdict *v, struct job_output *o, struct writer *out);

#endif
