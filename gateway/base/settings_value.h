/* One setting's value: from text to the module's struct, and what is allowed in words. Pure. */
#ifndef POSTERN_BASE_SETTINGS_VALUE_H
#define POSTERN_BASE_SETTINGS_VALUE_H

#include <stddef.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/base/settings.h"

/* What is allowed, as a phrase without a line end, cut to cap. */
void settings_value_allowed(const struct setting *row, char *out, size_t cap);
/* Checks one value (one element, for lists) without storing it. 0, or -1 with pr: `setting "x" is "v": allowed is
 * ...`. */
int settings_value_check(const struct setting *row, const char *value, struct problem *pr)
    __attribute__((warn_unused_result));
/* The stored value at base + row->offset as it could be written in the file; a list with ", " between. 0, or -1 when
 * out is full. */
int settings_value_text(const struct setting *row, const void *base, struct buf *out)
    __attribute__((warn_unused_result));
/* Stores one or, for lists, any number of values that settings_value_check allowed at base + row->offset. Texts go to
 * the arena. 0, or -1 when the arena is full. */
int settings_value_store(const struct setting *row, char *const *values, size_t n, struct arena *a, void *base)
    __attribute__((warn_unused_result));
/* Stores the row's default (lists: words between commas, blanks and braces). A default that is not allowed is a bug.
 */
int settings_value_default(const struct setting *row, struct arena *a, void *base)
    __attribute__((warn_unused_result));

#endif
