/* Looks after our own statements and keys: remakes what is due, takes rollovers on. Role judge; on the loop. */
#ifndef POSTERN_PROC_JUDGE_XSMG_TEND_H
#define POSTERN_PROC_JUDGE_XSMG_TEND_H

#include "gateway/base/loop.h"
#include "gateway/proc/judge_xsmg_own.h"

struct judge_xsmg_tend;
/*
 * All stay. Looks when the store changed, and as often as the shortest of the settings' times asks, at least every
 * minute. told is called after each look that changed something, with true when keys that are used changed (others
 * must forget what they know), false when only a statement did. Never NULL; lives as long as the process.
 */
struct judge_xsmg_tend *judge_xsmg_tend_new(struct loop *l, struct judge_xsmg_own *own, struct store *s,
    const struct statement_settings *set, void (*told)(bool keys_changed));

#endif
