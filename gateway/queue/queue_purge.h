/*
 * Forgetting: messages whose recipients are all done since done-keep (outgoing ones: also dsn-match-days),
 * Message-IDs older than sealed-ids-days, and what is needed to find mail that is too old for a report about it. In
 * small steps by the writer when it has nothing else to do. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_PURGE_H
#define POSTERN_QUEUE_QUEUE_PURGE_H

#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/queue/queue_item.h"
#include "gateway/queue/queue_settings.h"

struct queue_purge {
	const struct queue_settings *set;
	sqlite3_stmt *old, *kept, *drop_rcpts, *drop_msg, *drop_body, *drop_sealed;
	sqlite3_stmt *drop_report, *drop_about, *drop_run;
	int64_t cursor; /* the last message looked at in this round */
	unsigned slice; /* of the Message-IDs, next */
	bool round_done;
};

void queue_purge_init(struct queue_purge *p, sqlite3 *db, const struct queue_settings *set);
void queue_purge_clear(struct queue_purge *p);
/* Makes a call that does one step; its count: messages removed. */
void queue_purge_call(struct queue_purge *p, struct queue_call *c);
/* How long to wait before the next step, in ms. */
int64_t queue_purge_wait_ms(const struct queue_purge *p);

#endif
