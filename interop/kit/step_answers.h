/* same-answers: may a sender learn from the answers what only a private key can know? What they find goes into the
 * scene. */
#ifndef INTEROP_STEP_ANSWERS_H
#define INTEROP_STEP_ANSWERS_H

#include "interop/kit/play.h"

void step_same_answers(struct play *p, const struct stmt *st);

#endif
