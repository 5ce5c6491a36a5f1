/*
 * The first pass over the configuration's text, before libconfuse sees it. Parent and children before their sandbox.
 * Pure.
 */
#ifndef POSTERN_BASE_SETTINGS_TEXT_H
#define POSTERN_BASE_SETTINGS_TEXT_H

#include <stddef.h>

#include "gateway/base/problem.h"

/* A larger file is refused. */
#define SETTINGS_TEXT_MAX ((size_t)1024 * 1024)

/* Copies text to out (n + 1 octets, NUL-ended) with every comment blanked and every line in its place. 0, or -1 with
 * pr (FILE:LINE: and what is allowed) for what libconfuse would take silently in another sense. */
int settings_text_clean(const char *file, const char *text, size_t n, char *out, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
