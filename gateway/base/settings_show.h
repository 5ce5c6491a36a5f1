/* What a parsed configuration comes to, setting by setting. Pure. */
#ifndef POSTERN_BASE_SETTINGS_SHOW_H
#define POSTERN_BASE_SETTINGS_SHOW_H

#include <stdbool.h>

#include "gateway/base/settings.h"

struct settings_shown {
	const char *section, *title; /* "" the top level; "" not titled */
	const char *name, *help;
	const char *value;
	const char *dflt; /* NULL: it must be given */
	bool changed;	  /* the value is not the default */
	bool hidden;	  /* a secret: value is "" and stays here */
};

/* Calls one for every setting of every section, of titled ones for each title, with what lives until it returns. A
 * setting whose name says that it is a secret itself, and not the file of one, has no value. 0, or -1 when a value is
 * longer than what is shown of one. */
int settings_show(const struct settings *s, const struct settings_section *sections, size_t nsections,
    void (*one)(void *ctx, const struct settings_shown *shown), void *ctx) __attribute__((warn_unused_result));

#endif
