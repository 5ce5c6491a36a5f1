/* A header read from text, in an arena made anew for each test. Header only. */
#ifndef POSTERN_TESTS_UNIT_HEADER_FIXTURE_H
#define POSTERN_TESTS_UNIT_HEADER_FIXTURE_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/mail/header.h"

static struct arena *arena;

static inline void header_setup(void)
{
	arena = arena_new(8 << 20);
}

static inline void header_teardown(void)
{
	arena_free(arena);
}

/* The fields of text, which needs no empty line at its end. Gone with the test. */
static inline struct header header_of(const char *text)
{
	struct problem pr = {0};
	struct stream_mem m;
	struct header h;

	stream_mem_init(&m, text, strlen(text));
	ck_assert_msg(
	    header_read(arena, &m.reader, 0, m.reader.size, &header_limits_default, &h, &pr) == 0, "%s", pr.text);
	return h;
}

#endif
