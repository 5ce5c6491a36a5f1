/* `plan verify FILE RUN_A RUN_B`: what two operators show when they are done. */
#ifndef INTEROP_PLAN_VERIFY_H
#define INTEROP_PLAN_VERIFY_H

#include "interop/kit/util.h"

/* Adds a line for each fact to say ("holds: ", "does not hold: "): all that verify_report says of both runs, with the
 * certificates of the plan; each run is of this plan, of its cases and within its time, by one party's tester against
 * the other's domain; and all cases passed in both. 0 only when all hold; 1 otherwise. */
int plan_verify(const char *plan_path, const char *run_a, const char *run_b, struct buf *say);

#endif
