/*
 * What waits for the writer: a transaction copied from its caller, or a call that runs inside the writer's
 * transaction (admin, purge). relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_ITEM_H
#define POSTERN_QUEUE_QUEUE_ITEM_H

#include "gateway/queue/queue.h"

struct queue_batch;
struct queue_sent_run;

/* What queue_tx.cancel says; the first who changes it decides. */
enum queue_item_state { QUEUE_ITEM_OPEN, QUEUE_ITEM_CANCELLED, QUEUE_ITEM_BEGUN };

/* Runs in the writer's thread inside a transaction that is committed and synced before the caller goes on. */
struct queue_call {
	/* An SQLite result; other than SQLITE_OK undoes everything. */
	int (*run)(struct queue_call *c, struct queue_batch *b);
	void *ctx;
	int err; /* set by run, or -1 with pr when the commit could not be */
	struct problem pr;
	long count; /* set by run: how much was done */
	bool more;  /* set by run: there is more of it */
	bool finished;
	bool waited_for; /* by queue_writer_call; else its item has a done */
};

struct queue_item {
	struct queue_item *next;
	struct queue_tx tx; /* the copy */
	queue_done *done;
	void *ctx;
	struct queue_call *call;    /* instead of tx */
	struct queue_sent_run *run; /* instead of a tx's content: notes for the index of what was sent; freed with
				       it */
	int64_t *numbers;	    /* of the messages */
	int64_t *rows;		    /* recipient rows of all messages */
	size_t nrows;
	uint8_t *before; /* states before settling */
	int err;
	struct problem *pr; /* with err -1 */
	void *memory;	    /* holds all of the copy */
};

/* Copies; takes references to the contents. A transaction that breaks the contract of queue.h is a bug. */
struct queue_item *queue_item_new(const struct queue_tx *tx, queue_done *done, void *ctx);
void queue_item_free(struct queue_item *it);
/* The item's problem to be filled in; sets err. */
struct problem *queue_item_refuse(struct queue_item *it);

/* The writer begins with it: 0. -1: its owner cancelled it before; nothing of it may be done. Decided once, with
 * queue_cancel. */
int queue_item_begin(struct queue_item *it) __attribute__((warn_unused_result));

#endif
