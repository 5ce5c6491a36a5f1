/*
 * The configuration file, table-driven on libconfuse. Each module has a table of its settings (name, type, default,
 * range, help) and a struct they are stored in; the file's sections are the tables put together. Every wrong thing is
 * one exact sentence `FILE:LINE: ...` that names what is allowed. Parent and every child before its sandbox; does no
 * I/O.
 *
 * In the file: name = value, name = {a, b}, name += {c}, section {...}, section "title" {...}; comments with #, //
 * and C's. Double quotes (escapes \\, \" and \$) or single quotes (taken literally) where a value has blanks or any
 * of #{}()=+,*; a string ends on its line. ${NAME} outside single quotes is refused: libconfuse would put the
 * environment in. There is no include().
 */
#ifndef POSTERN_BASE_SETTINGS_H
#define POSTERN_BASE_SETTINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

enum setting_type {
	SETTING_INT,	  /* int64_t; min..max */
	SETTING_SIZE,	  /* int64_t octets; "64k" "50M" "1G"; min..max */
	SETTING_DURATION, /* int64_t milliseconds; "500ms" "60s" "5m" "4h" "5d"; min..max in ms */
	SETTING_BOOL,	  /* bool; yes/no/true/false/on/off */
	SETTING_STR,	  /* char *; owned by the settings */
	SETTING_ENUM,	  /* int; words = NULL-ended list of allowed words, the value is the index */
	SETTING_LIST,	  /* struct settings_list of strings */
};

struct settings_list {
	char **v;
	size_t n;
};

struct setting {
	const char *name; /* as written in the file, words joined by '-' */
	enum setting_type type;
	size_t offset;	  /* in the module's struct */
	const char *dflt; /* default as it would be written; NULL = required (only where the section is present;
			   * otherwise it reads as zero). A list: "a, b"; "" is empty */
	int64_t min,
	    max; /* for numbers, in base units (both 0: from 0 up); for STR and LIST: length (max 0 = 1024) */
	const char *const *words;
	const char *help; /* one sentence */
	/* Extra check of the value as written (addresses, names); -1 with pr text = what is allowed. May be NULL. */
	int (*check)(const char *value, struct problem *pr);
};

/* One section of the file. name "" = top level. titled: `domain "x" { ... }`, any number; else at most once. */
struct settings_section {
	const char *name;
	const struct setting *rows;
	size_t nrows;
	size_t size; /* of the module's struct */
	bool titled;
};

struct settings; /* a whole parsed file */

/* Parses text (the content of `file`, which is only used for messages). 0 and *out_r (settings_free), or -1 with
 * every problem found first in pr (text begins with FILE:LINE:). */
int settings_parse(const char *file, const char *text, size_t n, const struct settings_section *sections,
    size_t nsections, struct settings **out_r, struct problem *pr) __attribute__((warn_unused_result));
void settings_free(struct settings *s);
/* The struct of an untitled section (defaults where the file has none). Never NULL for a known name. */
const void *settings_get(const struct settings *s, const char *section);
/* How often the section stands in the file (untitled: 0 or 1). Titled sections are in file order. */
size_t settings_count(const struct settings *s, const char *section);
const void *settings_at(const struct settings *s, const char *section, size_t i, const char **title_r);

#endif
