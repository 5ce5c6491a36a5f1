/*
 * Where messages of the history are found by address, domain and Message-ID. relay.
 *
 * Each becomes a note of 16 octets: a hash and the message's number. When RUN notes are together they are sorted and
 * written as one run, split by hash into BUCKETS rows; an index over the rows themselves would dirty a page for each
 * message. A look-up reads one bucket of each run, the newest first. Notes that are in no run yet are in memory;
 * after a crash they are read back from the rows. Whatever is found is compared with the row itself.
 */
#ifndef POSTERN_QUEUE_HISTORY_INDEX_H
#define POSTERN_QUEUE_HISTORY_INDEX_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct history_index_note {
	int64_t hash, number;
};
struct history_index {
	pthread_mutex_t lock;
	struct history_index_note *v;
	size_t n, cap;
};
enum history_index_kind { HISTORY_INDEX_ID = 'm', HISTORY_INDEX_FROM = 'f', HISTORY_INDEX_TO = 't' };

void history_index_init(struct history_index *x);
void history_index_clear(struct history_index *x);
/* Of an address in any case, its domain (from the '@' on, or "@" and the domain), or a Message-ID in any brackets.
 * 0: of nothing. */
int64_t history_index_hash(enum history_index_kind k, const char *text);
/* Writer thread. */
void history_index_add(struct history_index *x, int64_t hash, int64_t number);
/* An address and its domain. */
void history_index_address(struct history_index *x, enum history_index_kind k, const char *address, int64_t number);
/* How many are in memory; and back to so many: what was added since did not come into the file. */
size_t history_index_mark(struct history_index *x);
void history_index_back(struct history_index *x, size_t n);
bool history_index_full(struct history_index *x);
/* Writes the notes as a run, inside the caller's transaction; they stay in memory until history_index_written.
 * SQLite result. */
int history_index_write(struct history_index *x, sqlite3 *db, size_t *n_r);
void history_index_written(struct history_index *x, size_t n);
/* Forgets runs of numbers below this alone. SQLite result. */
int history_index_purge(sqlite3 *db, int64_t number);
/* After opening: notes of rows that are in no run. SQLite result. */
int history_index_load(struct history_index *x, sqlite3 *db);

/* The greatest numbers from `from` to `to` (both included) that have a note with each of these hashes, descending, at
 * most max (and at least all of them down to the last one given). SQLite result. The reading connection's thread. */
int history_index_find(struct history_index *x, sqlite3 *db, const int64_t *hashes, size_t nhashes, int64_t from,
    int64_t to, size_t max, int64_t **v_r, size_t *n_r);

#endif
