/* Facts that are said in sentences, a line each, and counted. */
#ifndef INTEROP_VERIFY_FACT_H
#define INTEROP_VERIFY_FACT_H

#include "interop/kit/util.h"

struct facts {
	struct buf *say;
	const char *about; /* stands before each sentence; NULL: nothing */
	size_t wrong;
};

/* Adds "holds: SENTENCE" or "does not hold: SENTENCE"; what is in it becomes visible. Returns holds. */
bool verify_fact(struct facts *f, bool holds, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
