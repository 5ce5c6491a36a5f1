/*
 * What kind of content an outgoing message is, where that matters: invitations, TNEF and automatic replies are read
 * by programs that may not understand S/MIME. Sealer; one bounded pass over the message, and only when a rule or a
 * form of signature depends on it.
 */
#ifndef POSTERN_PIPELINE_KIND_H
#define POSTERN_PIPELINE_KIND_H

#include <stdbool.h>
#include <stdint.h>

struct kind {
	bool known;
	bool delicate;	/* has an invitation or TNEF in it: an old reader sees neither inside a multipart/signed */
	uint8_t exempt; /* enum policy_exempt: the one kind it is as a whole */
};

struct work;
/* Fills w->kind, once. A structure that cannot be read for certain is of no kind. 0; -1 with w->res->pr (TEMP). */
int kind_find(struct work *w) __attribute__((warn_unused_result));

#endif
