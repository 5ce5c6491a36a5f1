/* What each statement of a case does when the case is run. */
#ifndef INTEROP_STEPS_H
#define INTEROP_STEPS_H

#include "interop/kit/play.h"

/* Does one statement; what it finds goes into the scene. World statements do nothing here. */
void steps_do(struct play *p, const struct stmt *st);
/* Is this a statement of the language, with what it needs? 0 or -1 with why. */
int steps_check(const struct stmt *st, struct buf *why);

#endif
