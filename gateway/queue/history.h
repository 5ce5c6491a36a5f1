/*
 * The history: what became of each message, for the admin who is asked why a mail did not arrive. An observer: no
 * decision reads it, and nothing waits for it. relay.
 *
 * A file of its own, history.db, beside the queue. What is noted is copied and written about once a second by a
 * thread of its own (WAL, synchronous=NORMAL): a crash of the process or a power cut loses the last second or two. A
 * full disk or a damaged file raises an alarm and loses notes; mail goes on. Never content, never the Subject.
 *
 * A message is known by its queue id; an opened message, or the second form of one that went out in several, is a
 * child of the message that came in and is shown with it. A recipient is known by its row in the queue; one refused
 * at RCPT, who never had a row, has a place from HISTORY_REFUSED_PLACE on.
 */
#ifndef POSTERN_QUEUE_HISTORY_H
#define POSTERN_QUEUE_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"

#define HISTORY_REFUSED_PLACE 32768
#define HISTORY_TEXT_MAX 1000 /* octets of one text that are kept */

/* The numbers are stored. */
enum history_outcome {
	HISTORY_AS_IT_WAS,
	HISTORY_QUEUED,
	HISTORY_DEFERRED,
	HISTORY_HELD,
	HISTORY_DELIVERED,
	HISTORY_REFUSED,
	HISTORY_BOUNCED,
	HISTORY_EXPIRED,
	HISTORY_DELETED,
	HISTORY_REPLACED, /* by its opened form, which is shown instead */
	HISTORY_OUTCOMES
};
/* "queued", "delivered" ...; "" for AS_IT_WAS. */
const char *history_outcome_word(enum history_outcome o);
/* 0 for none. */
enum history_outcome history_outcome_parse(const char *word);

enum history_direction { HISTORY_UNKNOWN, HISTORY_IN, HISTORY_OUT, HISTORY_NOTICE };

/* One event of a message's way. Strings may be NULL; all are copied. */
struct history_rcpt {
	int64_t place; /* in the message: its queue row is made of both */
	enum history_outcome outcome;
	const char *address, *treatment, *reason, *rule, *partner, *certs, *signed_by;
};
struct history_note {
	const char *event; /* one word: "received", "refused", "deferred" ... */
	const char *id;	   /* the message's */
	const char *parent;
	int64_t row; /* the recipient's row in the queue; 0: none, or all */
	enum history_outcome outcome;
	bool refused_at_rcpt; /* bounded by refusals-per-minute */
	const char *text;     /* the sentence, or the server's reply */
	const char *remote, *tls_out, *status;
	/* of a message that begins with it */
	enum history_direction direction;
	uint64_t size;
	const char *sender, *message_id, *client, *helo, *tls_in, *judged, *trace;
	const struct history_rcpt *rcpts;
	size_t nrcpts;
};

struct history_settings;
struct history;
struct history_item;
/* Never fails: what is wrong is an alarm in the log, and nothing is remembered. NULL when it is switched off; all
 * functions take NULL then and do nothing. */
struct history *history_open(const char *dir, const struct history_settings *set, struct loop *loop);
/* Writes what is noted, ends the threads; questions that are left are answered "unavailable". Loop thread. */
void history_close(struct history *h);

/* Notes made now and put later, when they have become true, or freed: added to the end of a list, which begins with
 * NULL. Loop thread; does not block. */
void history_item_add(struct history_item **list, const struct history_note *n);
void history_item_free(struct history_item *list);
/* Takes all of the list; NULL is allowed. */
void history_put(struct history *h, struct history_item *list);
void history_note(struct history *h, const struct history_note *n);
/* What the admin did to the recipients of a message: those with a state that the verb changes get the other.
 * address NULL or "": all. */
enum history_verb {
	HISTORY_VERB_NONE,
	HISTORY_VERB_HOLD,
	HISTORY_VERB_RELEASE,
	HISTORY_VERB_RETRY,
	HISTORY_VERB_DELETE
};
void history_admin(struct history *h, enum history_verb verb, const char *id, const char *address, const char *text);

/* ---- questions, answered by a thread of their own; done from the loop. data: taken by done; NULL: pr says why ----
 */
typedef void history_done(void *ctx, json_t *data, const struct problem *pr);
enum history_question { HISTORY_FIND, HISTORY_SHOW, HISTORY_COUNTS };
/* args: what history_find.h says; a reference is taken. */
void history_ask(struct history *h, enum history_question q, json_t *args, history_done *done, void *ctx);

#endif
