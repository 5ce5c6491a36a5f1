/* The reading connection and its statements. Locked: any thread, one at a time; the loop's in fact. relay. */
#ifndef POSTERN_QUEUE_QUEUE_READER_H
#define POSTERN_QUEUE_QUEUE_READER_H

#include <pthread.h>
#include <sqlite3.h>

#include "gateway/queue/queue.h"

struct queue_reader {
	pthread_mutex_t lock;
	sqlite3 *db;
	sqlite3_stmt *due, *msg, *rcpts, *content, *sealed, *oldest;
};

/* The connection is the reader's from now on. */
void queue_reader_init(struct queue_reader *r, sqlite3 *db);
void queue_reader_clear(struct queue_reader *r);
/* What queue.h says of queue_content and queue_was_sealed. */
struct spool *queue_reader_content(
    struct queue_reader *r, int spool_fd, int64_t msg, const uint8_t key[SPOOL_KEY], struct problem *pr);
int queue_reader_was_sealed(struct queue_reader *r, const char *const *ids, size_t n, int64_t since_ms);
/* When the oldest queued message came, unix ms; 0 none, -1 cannot tell. */
int64_t queue_reader_oldest(struct queue_reader *r);
/* Sets pr to what the connection says. Returns -1. */
int queue_reader_problem(struct queue_reader *r, struct problem *pr);

#endif
