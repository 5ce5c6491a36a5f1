/* outcome, never, once: seen at their place, judged when the case has settled. What they find goes into the scene. */
#ifndef INTEROP_STEP_END_H
#define INTEROP_STEP_END_H

#include "interop/kit/play.h"

void step_outcome(struct play *p, const struct stmt *st);
void step_never(struct play *p, const struct stmt *st);
/* All of them, after the case has settled. */
void steps_end(struct play *p);

#endif
