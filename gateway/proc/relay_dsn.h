/*
 * Delivery reports from outside, matched to what we sent. A report is about a message of ours when it names its
 * Message-ID or its envelope id, is for the sender of that message and nobody else, and speaks of somebody it was
 * sent to. What it says is recorded beside the recipient; it stops, retries and deletes nothing, for anybody can
 * write one. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_DSN_H
#define POSTERN_PROC_RELAY_DSN_H

#include "gateway/pipeline/job_proto.h"
#include "gateway/proc/relay.h"
#include "gateway/queue/queue_sent_find.h"

#define RELAY_DSN_REPORTS_MAX 64 /* recipients of ours that one report may speak of */

struct relay_dsn {
	const struct queue_report *reports; /* in the arena */
	size_t nreports;
};
/* Matches d, a report for the recipients of rq, to the messages found. Pure. The answer goes to rq, to be asked again
 * with; the reports to m_r. 0; -1 with pr (TEMP): the arena is full. */
int relay_dsn_weigh(struct arena *a, const struct job_dsn *d, const struct queue_sent_found *found, size_t n,
    struct job_request *rq, struct relay_dsn *m_r, struct problem *pr) __attribute__((warn_unused_result));
/* A look-up takes the loop's time, milliseconds with a million messages on record. One more of this client (as
 * smtpd_clients_key names it, "" nobody in particular) at now (ms): is that more than rate within this second, or
 * more than five such clients may have together? What is too much is not counted. */
bool relay_dsn_too_many(const char *client, int64_t rate, int64_t now);
/* The same as relay_dsn_weigh, looked up in the queue for a client as above. 0; -1 with pr (TEMP): the queue cannot
 * be read now, dsn-rate is used up, or the arena is full. Blocks for milliseconds. */
int relay_dsn_match(struct relay *r, struct arena *a, const char *client, const struct job_dsn *d,
    struct job_request *rq, struct relay_dsn *m_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
