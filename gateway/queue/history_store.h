/* Writing notes into the history's tables. relay, the history's writer thread. */
#ifndef POSTERN_QUEUE_HISTORY_STORE_H
#define POSTERN_QUEUE_HISTORY_STORE_H

#include <sqlite3.h>

#include "gateway/queue/history_index.h"
#include "gateway/queue/history_item.h"

struct history_store;
/* NULL: the file is not what it should be. */
struct history_store *history_store_new(sqlite3 *db, struct history_index *index);
void history_store_free(struct history_store *s);
/* One transaction for all of them: what happens to one message meanwhile is one row's change. left_out: refusals that
 * were only counted. SQLite result; after a failure nothing is written and the notes are lost. */
int history_store_write(struct history_store *s, const struct history_item *first, int64_t left_out, int64_t now_ms);
/* Rows of messages. */
int64_t history_store_messages(const struct history_store *s);

/* How often what was counted since this process began, index from 0: "in.sealed", "out.refused" ...; NULL behind the
 * last one. Any thread. */
const char *history_store_total(size_t i, uint64_t *n_r);

/* Forgets the oldest messages before `number`, some hundreds at most; *n_r: how many. SQLite result. */
int history_store_purge(struct history_store *s, int64_t number, int64_t *n_r);

#endif
