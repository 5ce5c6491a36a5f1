/* The settings' tables as text, for `posternd -H` and the man page. Pure. */
#ifndef POSTERN_BASE_SETTINGS_HELP_H
#define POSTERN_BASE_SETTINGS_HELP_H

#include <stddef.h>

#include "gateway/base/buf.h"
#include "gateway/base/settings.h"

/* Appends every setting with default, what is allowed and help. 0, or -1 when out is full. */
int settings_help(const struct settings_section *sections, size_t nsections, struct buf *out)
    __attribute__((warn_unused_result));

#endif
