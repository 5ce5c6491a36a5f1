/* Looking up what was sent outside, for a report about it. Blocks for a few milliseconds. relay. */
#ifndef POSTERN_QUEUE_QUEUE_SENT_FIND_H
#define POSTERN_QUEUE_QUEUE_SENT_FIND_H

#include "gateway/base/arena.h"
#include "gateway/queue/queue.h"

#define QUEUE_SENT_FIND_MAX 16	   /* messages of one Message-ID that are looked at, the newest */
#define QUEUE_SENT_FIND_RCPTS 1000 /* of one of them */

struct queue_sent_rcpt {
	int64_t row;
	const char *address, *orcpt; /* orcpt as the client said it, or "" */
};
struct queue_sent_found {
	char id[QUEUE_ID_MAX];
	const char *sender, *message_id, *envid; /* envid as xtext */
	const struct queue_sent_rcpt *rcpts;
	size_t nrcpts;
};
struct queue_sent_ask {
	const char *sender;		/* whose they are; ASCII letters in any case */
	const char *message_id, *envid; /* either of them; envid not as xtext; "" or NULL: not asked for */
};
/* An arena of this size is never full: 16 messages to 1000 of the longest addresses each take half of it. */
#define QUEUE_SENT_FIND_MEMORY (32 * 1024 * 1024)
/* Outbound messages of that sender with this Message-ID or this ENVID that are not done, or have been for at most
 * dsn-match-days; the newest first. All in the arena. The number; -1 with pr (TEMP): cannot be told now, or does not
 * fit into the arena. */
int queue_sent_find(struct queue *q, const struct queue_sent_ask *ask, struct arena *a,
    struct queue_sent_found found_r[QUEUE_SENT_FIND_MAX], struct problem *pr) __attribute__((warn_unused_result));

#endif
