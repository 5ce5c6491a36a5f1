/*
 * What was sent outside, found again by its Message-ID or ENVID: the queue's record of done mail, and a small index
 * to it that costs the way of a message nothing but a few octets of memory. relay.
 *
 * Every outbound message given to the queue is noted in memory (a hash and its number). When RUN notes are together
 * they go, sorted, with the next group commit into table `sent` as one run, a blob: written in no time, where an
 * index by hash would dirty a page for each message. A look-up searches each run and the notes in memory; whatever it
 * finds is compared with the record itself. After a crash the notes since the last run are read back from the record
 * by the first look-up (a message that was more than an hour on its way into the queue then may be missed: its
 * reports are unmatched).
 */
#ifndef POSTERN_QUEUE_QUEUE_SENT_H
#define POSTERN_QUEUE_QUEUE_SENT_H

#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct queue_msg;

struct queue_sent_note {
	int64_t hash, number;
};
/* Notes on their way into the table. */
struct queue_sent_run {
	int64_t upto; /* what it and those before it have of all numbers: upto_of in queue_sent.c */
	size_t n;
	struct queue_sent_note notes[];
};
struct queue_sent {
	pthread_mutex_t lock; /* for what follows */
	struct queue_sent_note *v;
	size_t n, cap;
	bool loaded;	    /* what stands in the record, but in no run, is in memory */
	int64_t from, upto; /* the numbers that an earlier process noted and may not have written */
	bool noted;	    /* anything since the queue was opened */
};

void queue_sent_init(struct queue_sent *s);
void queue_sent_clear(struct queue_sent *s);
/* Notes m when it goes outside. Any thread. While no run can be written the oldest notes give way. */
void queue_sent_note(struct queue_sent *s, const struct queue_msg *m, int64_t number);
/* There is enough for a run. */
bool queue_sent_full(struct queue_sent *s);
/* A full run, cut off from the notes, or NULL; with `last` what there is, marked as complete. free() it. */
struct queue_sent_run *queue_sent_cut(struct queue_sent *s, int64_t last_number, bool last);
/* Writes a run (writer thread, inside its transaction). insert: of QUEUE_SENT_INSERT. SQLite result. */
#define QUEUE_SENT_INSERT "INSERT INTO sent (upto, at, notes) VALUES (?1, ?2, ?3)"
int queue_sent_write(sqlite3_stmt *insert, const struct queue_sent_run *run, int64_t now_ms);
/* What earlier processes may have left unwritten: looked at when the queue is opened (last: the last number), read
 * back when it is needed. SQLite results. */
int queue_sent_open(struct queue_sent *s, sqlite3 *db, int64_t last_number);
int queue_sent_load(struct queue_sent *s, sqlite3 *db, int64_t since_ms);
/* The hashes of a Message-ID (with or without brackets) and of an ENVID (without xtext); 0 for none. */
int64_t queue_sent_hash_id(const char *message_id);
int64_t queue_sent_hash_envid(const char *envid);
/* Numbers of noted messages with this hash, appended to v_r up to max. The new count. */
size_t queue_sent_noted(struct queue_sent *s, int64_t hash, int64_t *v_r, size_t n, size_t max);

#endif
