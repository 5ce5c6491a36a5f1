/*
 * Why the queue cannot be written, in a sentence that says how to mend it, and what an error of SQLite means for the
 * writer. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_TROUBLE_H
#define POSTERN_QUEUE_QUEUE_TROUBLE_H

#include <sqlite3.h>

#include "gateway/base/problem.h"

enum queue_trouble_kind {
	QUEUE_TROUBLE_NONE,
	QUEUE_TROUBLE_FULL,	/* no room, or the quota is used up: 452 4.3.1 */
	QUEUE_TROUBLE_READONLY, /* cannot be written: 451 4.3.0 */
	QUEUE_TROUBLE_DAMAGED,	/* 451 4.3.0; until the next start */
	QUEUE_TROUBLE_LOCKED,	/* another process writes: 451 4.3.0 */
	QUEUE_TROUBLE_UNSYNCED, /* a failed sync: 451 4.3.0; until the next start */
	QUEUE_TROUBLE_FATAL,	/* whatever else nobody can go on after */
};
struct queue_trouble {
	enum queue_trouble_kind kind;
	struct problem pr;
};
/* What the connection's last error is. dir: the queue directory. Returns the kind; FATAL sets no pr. */
enum queue_trouble_kind queue_trouble_of(struct queue_trouble *t_r, sqlite3 *db, const char *dir);
void queue_trouble_damaged(struct queue_trouble *t_r, const char *dir, const char *why);
void queue_trouble_unsynced(struct queue_trouble *t_r, const char *dir, const char *why);
/* "queue-full", "queue-read-only", "queue-damaged", "queue-locked", "queue-unsynced". */
const char *queue_trouble_word(enum queue_trouble_kind k);

#endif
