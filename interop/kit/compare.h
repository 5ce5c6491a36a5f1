/* `report --compare OLD RUN`: what is otherwise than in an earlier run. */
#ifndef INTEROP_COMPARE_H
#define INTEROP_COMPARE_H

#include "interop/kit/util.h"

/* Adds to say: who was tested then and now, and a line for each case whose result is another ("CASE: passed before,
 * failed now"), that is new, or that is gone; and how many are the same. *worse (may be NULL): how many passed before
 * and do not now, or are gone. 0, or -1 with why when one of the results cannot be read. */
int compare_runs(const char *old_dir, const char *new_dir, struct buf *say, size_t *worse, struct buf *why);

#endif
