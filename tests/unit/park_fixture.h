/* Questions that wait, with a book whose scout is the test. Header only. */
#ifndef POSTERN_TESTS_UNIT_PARK_FIXTURE_H
#define POSTERN_TESTS_UNIT_PARK_FIXTURE_H

#include "certstore/find_settings.h"
#include "certstore/source_book.h"
#include "gateway/base/loop.h"
#include "gateway/proc/judge_park.h"

struct park_fixture {
	struct find_settings set;
	struct source_book_ops ops;
	struct loop *loop;
	struct source_book *book;
	struct judge_park *park;
};

static inline int64_t park_fixture_now(void *ctx)
{
	(void)ctx;
	return loop_now_ms();
}

/* scout: as in source_book_ops. f stays. */
static inline void park_fixture_start(
    struct park_fixture *f, int (*scout)(void *ctx, uint32_t id, const struct source_ask *a))
{
	f->set = (struct find_settings){.found_least = 60000,
	    .found_most = 60000,
	    .none_least = 60000,
	    .none_most = 60000,
	    .unsure_for = 30000,
	    .kept_max = 1000,
	    .kept_octets = 1 << 20,
	    .asking_max = 512,
	    .asking_site = 512,
	    .asks_max = 10,
	    .waiting_max = 40,
	    .waiting_octets = 1 << 20};
	f->ops = (struct source_book_ops){scout, park_fixture_now, park_fixture_now};
	f->loop = loop_new();
	f->book = source_book_new(&f->set, &f->ops, NULL);
	f->park = judge_park_new(f->loop, f->book, &f->set);
}

static inline void park_fixture_end(struct park_fixture *f)
{
	judge_park_free(f->park);
	source_book_free(f->book);
	loop_free(f->loop);
}

#endif
