/*
 * The writer thread: group commit, checkpoints, purging. The one durable commit point of the gateway is in
 * queue_writer.c. relay. The thread starts with the first work, not with queue_writer_new: a sandbox entered in
 * between (Landlock holds for a thread and those it makes) holds for it too.
 */
#ifndef POSTERN_QUEUE_QUEUE_WRITER_H
#define POSTERN_QUEUE_QUEUE_WRITER_H

#include <sqlite3.h>

#include "gateway/queue/queue_box.h"
#include "gateway/queue/queue_clock.h"
#include "gateway/queue/queue_due.h"
#include "gateway/queue/queue_item.h"
#include "gateway/queue/queue_settings.h"

struct queue_writer;

struct queue_writer_config {
	sqlite3 *db; /* owned by the writer from now on */
	struct queue_due *due;
	struct queue_box *box;
	const struct queue_settings *set;
	int spool_fd;
	const char *dir;		 /* for sentences; copied */
	const struct queue_clock *clock; /* read from the writer's thread too */
};
struct queue_writer *queue_writer_new(const struct queue_writer_config *c);
/* Waits until all that was given is done, checkpoints, closes the database. */
void queue_writer_free(struct queue_writer *w);
/* So many more (or less) are expected that somebody will wait for. Any thread. */
void queue_writer_expect(struct queue_writer *w, int more);
/* Gives an item; it is finished through the box. Any thread; does not block. */
void queue_writer_add(struct queue_writer *w, struct queue_item *it);
/* Runs a call in a transaction and waits for its commit. 0; -1: c->pr says why nothing happened. Not from the
 * writer's thread. */
int queue_writer_call(struct queue_writer *w, struct queue_call *c);
/* Purges what there is to purge, and waits for it. Returns the number of messages removed, -1 with pr. */
long queue_writer_purge(struct queue_writer *w, struct problem *pr);
/* Starts the thread when it has not been. */
void queue_writer_start(struct queue_writer *w);
/* Can nothing be written now (no room, read-only, damaged)? pr (may be NULL) says why and how to mend. Any thread. */
bool queue_writer_in_trouble(struct queue_writer *w, struct problem *pr);
/* A reading statement failed with this result: damage stops the writing until the next start. */
void queue_writer_reader_failed(struct queue_writer *w, int rc);
/* Commits so far: for tests and figures. */
uint64_t queue_writer_commits(struct queue_writer *w);

#endif
