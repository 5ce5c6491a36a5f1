/*
 * Questions to the judge that wait for the network. Role judge, one thread. A question is worked out over what is
 * known (source_run); while something is missing it is parked, and worked out again from its start when an answer has
 * come, at last when its time is up: then what is missing counts as uncertain. Bounded in number, in octets, and for
 * one whom: past that a question is not parked, and has its last run at once.
 */
#ifndef POSTERN_PROC_JUDGE_PARK_H
#define POSTERN_PROC_JUDGE_PARK_H

#include "certstore/find_settings.h"
#include "certstore/source_book.h"
#include "gateway/base/loop.h"

struct judge_park;
struct judge_park_ops {
	/* Works it out. With r->pending != 0 at its end nothing was answered and nothing changed; else it is
	 * answered. */
	void (*run)(void *question, struct source_run *r);
	void (*free)(void *question);
};

/* All stay. Never NULL. */
struct judge_park *judge_park_new(struct loop *l, struct source_book *b, const struct find_settings *set);
/* Questions that wait are freed without an answer. NULL is allowed. */
void judge_park_free(struct judge_park *p);
/* question is taken over, and freed after its answer. octets: what it holds. owner: of judge_park_drop. whom: whose
 * certificates are looked for, a domain; no one has more than a quarter of the places. Runs it at once, from inside.
 */
void judge_park_ask(struct judge_park *p, const struct judge_park_ops *ops, void *question, size_t octets,
    const void *owner, const char *whom, int64_t timeout_ms);
/* Whoever asked is gone: its questions are freed without an answer. */
void judge_park_drop(struct judge_park *p, const void *owner);
size_t judge_park_waiting(const struct judge_park *p);

#endif
