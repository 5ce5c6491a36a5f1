/* `run`: does the cases, many side by side, and writes runs/<time>/results.json with the evidence. */
#ifndef INTEROP_RUN_H
#define INTEROP_RUN_H

#include <jansson.h>

#include "interop/kit/case_file.h"
#include "interop/kit/kit.h"

struct sink;
struct world;
struct second;
struct web;

struct run_options {
	const struct kit *kit;
	const struct case_list *cases;
	const char *plan; /* hash of the plan file, or NULL */
	struct world *world;
	struct sink *sink;
	struct web *web;
	struct second *second;
	const char *second_missing; /* why there is none */
};

struct run_counts {
	size_t passed, failed, not_run;
};

/* Prints a line a case as it ends. dir: where the run's files are, made by this; free it. 0, or -1 with why (nothing
 * was run). */
int run_cases(const struct run_options *o, struct run_counts *counts, char **dir, struct buf *why);

#endif
