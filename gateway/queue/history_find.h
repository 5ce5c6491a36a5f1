/* Questions to the history. relay, the history's reader thread; a question is given up after some ten milliseconds of
 * work, and its answer says where to go on. */
#ifndef POSTERN_QUEUE_HISTORY_FIND_H
#define POSTERN_QUEUE_HISTORY_FIND_H

#include <jansson.h>
#include <sqlite3.h>

#include "gateway/base/problem.h"
#include "gateway/queue/history_index.h"

/*
 * args: from, to (an address, or a domain with or without "@"), id, message_id, since, until (unix s), outcome (a
 * word of history_outcome_word, or sealed, signed, tls, clear, opened), direction (in, out, notice), limit (50, at
 * most 1000), cursor. -> messages: [history_rows_msg and recipients: those that fit, RECIPIENTS at most;
 * recipients_total], newest first; cursor: to go on with, when there may be more. *rc_r: SQLite result. NULL: pr,
 * when *rc_r is OK.
 */
json_t *history_find(sqlite3 *db, struct history_index *x, const json_t *args, int *rc_r, struct problem *pr);
/* args: id -> all that is known: history_rows_msg with events, recipients (the first ones, when they are more than a
 * reply takes: recipients_total); children of the message stand in it. */
json_t *history_find_show(sqlite3 *db, const json_t *args, int *rc_r, struct problem *pr);
/* -> hours: [{at (unix s), in, out, sealed, signed, tls, clear, opened, refused, held, deferred, delivered, bounced,
 * by: {in, out: {sealed, signed, tls, clear, refused, held, deferred, delivered, bounced}}}] of the last 24, oldest
 * first: recipients; what is 0 is missing. by.in.sealed: opened here. left_out: refusals that were only counted; they
 * stand in refused and in by.in.refused. Some hundred rows are read, however many messages there are. */
json_t *history_find_counts(sqlite3 *db, int64_t now_ms, int *rc_r);

#endif
