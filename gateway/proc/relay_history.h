/*
 * What the relay's parts tell the history: who was refused with which sentence, what was accepted and how it was
 * treated, and what became of it. Loop thread; copies and goes on. Nothing here decides anything.
 */
#ifndef POSTERN_PROC_RELAY_HISTORY_H
#define POSTERN_PROC_RELAY_HISTORY_H

#include "gateway/proc/relay_settle.h"
#include "gateway/proc/relay_tx.h"
#include "gateway/queue/history.h"

/* The recipient that is being answered is refused. */
void relay_history_rcpt(struct relay_tx *t, const struct problem *pr);
/* The message is refused at its end, for all recipients. */
void relay_history_refused(struct relay_tx *t, const struct problem *pr);
/* What is to be noted of the messages in s once they are committed; history_put or history_item_free it. */
struct history_item *relay_history_accepted(
    const struct relay_tx *t, struct relay_settle *s, const struct job_result *res);

/* A committed settlement. */
struct relay_history_settled {
	const char *id;
	const struct queue_settle *v;
	size_t n;
	const struct queue_msg *msgs;
	size_t nmsgs;
	const struct queue_report *reports;
	size_t nreports;
	const char *tls, *judged; /* NULL none */
};
void relay_history_settled(struct relay *r, const struct relay_history_settled *s);

#endif
