/* A reader over memory that gives at most `step` octets a call: for the tests of gateway/mail. */
#ifndef POSTERN_TESTS_SLOW_READER_H
#define POSTERN_TESTS_SLOW_READER_H

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/stream.h"
#include "tests/unit/suite.h"

struct slow_reader {
	struct reader reader;
	const uint8_t *p;
	size_t step;
	uint64_t given; /* octets handed out in all */
};

static inline int slow_read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct slow_reader *s = (struct slow_reader *)r;
	size_t left = off < r->size ? (size_t)(r->size - off) : 0;

	(void)pr;
	n = n < left ? n : left;
	n = n < s->step ? n : s->step;
	memcpy(p, s->p + (left ? off : 0), n);
	s->given += n;
	*got_r = n;
	return 0;
}

static inline void slow_init(struct slow_reader *s, const void *p, size_t n, size_t step)
{
	s->reader.read_at = slow_read_at;
	s->reader.size = n;
	s->p = p;
	s->step = step;
	s->given = 0;
}

#endif
