/*
 * The judge's end of the channel to the scout, with the book of answers and the questions that wait for them. Role
 * judge.
 */
#ifndef POSTERN_PROC_JUDGE_SCOUT_H
#define POSTERN_PROC_JUDGE_SCOUT_H

#include "gateway/proc/judge_park.h"

struct judge_scout;
/* set stays. Never NULL; lives as long as the process. */
struct judge_scout *judge_scout_new(struct loop *l, const struct find_settings *set);
/* The channel (owned), at start and whenever the scout was replaced. */
void judge_scout_channel(struct judge_scout *s, int fd);
struct judge_park *judge_scout_park(struct judge_scout *s);
/* What `postern status` shows; waiting: questions to the judge that wait for the network. */
struct source_book_counts judge_scout_counts(const struct judge_scout *s);
size_t judge_scout_waiting(const struct judge_scout *s);

#endif
