/*
 * The history's database file: opening, schema; one that is damaged is set aside. relay; blocks on the disk.
 *
 *  msg    one message; its number is that of its queue id; way: its events (history_way.h)
 *  rcpt   one recipient; its id is its row in the queue
 *  alias  message number is a child of message root
 *  notes  where messages are found by address and Message-ID (history_index.h)
 *  run    what numbers each run of notes has
 *  hour   what happened in each hour; left_out: refusals at RCPT that were only counted, by minute
 */
#ifndef POSTERN_QUEUE_HISTORY_DB_H
#define POSTERN_QUEUE_HISTORY_DB_H

#include <sqlite3.h>

#include "gateway/base/problem.h"

/* The writing connection to dir/history.db. One that is damaged, or of another program or version, is renamed to
 * history.db.damaged first (an older one of that name goes), with an alarm. NULL with pr. */
sqlite3 *history_db_open(const char *dir, struct problem *pr);
/* A connection that only reads. NULL with pr. */
sqlite3 *history_db_open_reader(const char *dir, struct problem *pr);
/* Renames it away. The caller has closed it. */
void history_db_set_aside(const char *dir, const char *why);
/* NULL: it does not compile, because the file is not what it should be. */
sqlite3_stmt *history_db_prepare(sqlite3 *db, const char *sql);

#endif
