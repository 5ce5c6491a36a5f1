/* The writer's statements: what a transaction of queue.h is in SQL. Writer thread. relay. */
#ifndef POSTERN_QUEUE_QUEUE_STORE_H
#define POSTERN_QUEUE_QUEUE_STORE_H

#include <sqlite3.h>

#include "gateway/queue/queue_batch.h"
#include "gateway/queue/queue_held_store.h"
#include "gateway/queue/queue_item.h"

/* msg.flags */
enum queue_store_flag {
	QUEUE_STORE_BODY8 = 1,
	QUEUE_STORE_UTF8 = 2,
	QUEUE_STORE_REQUIRETLS = 4,
	QUEUE_STORE_TLS_NO = 8
};

struct queue_store {
	sqlite3_stmt *msg, *body, *rcpt, *sealed;
	sqlite3_stmt *state, *settle, *nexthop, *open, *drop_body;
	sqlite3_stmt *sent, *report, *reports_over, *drop_report, *about, *drop_about;
	struct queue_held_store held;
};

void queue_store_init(struct queue_store *s, sqlite3 *db);
void queue_store_clear(struct queue_store *s);
/* Inside a transaction: all of the item or nothing. SQLITE_OK: applied, or refused (it->err) without a change.
 * Anything else: the whole transaction must be undone. */
int queue_store_apply(struct queue_store *s, struct queue_batch *b, struct queue_item *it);
/* One recipient gets its new state (the caller made sure that it is not done). SQLite result. */
enum queue_store_try {
	QUEUE_STORE_UNTRIED,
	QUEUE_STORE_TRIED,   /* counts as an attempt */
	QUEUE_STORE_HOLD,    /* the admin holds what was on its way: releasing it lets it go on as before */
	QUEUE_STORE_RELEASE, /* the admin releases: what the gateway itself had held is then delivered in spite of its
				reason */
	QUEUE_STORE_RETRY,   /* the admin wants it tried now */
};
int queue_store_settle(struct queue_store *s, struct queue_batch *b, const struct queue_settle *t, int before,
    enum queue_store_try tried);

#endif
