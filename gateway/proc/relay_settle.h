/*
 * What is written down after a try: outcomes of recipients, and with them, in the same transaction, a notice to the
 * sender or the opened form of a message. All is copied, so the commit may be tried again when the disk is full for a
 * moment. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_SETTLE_H
#define POSTERN_PROC_RELAY_SETTLE_H

#include "gateway/mail/dsn.h"
#include "gateway/proc/relay.h"

struct relay_settle;
struct relay_settle *relay_settle_new(struct relay *r, const char *id);
struct arena *relay_settle_arena(struct relay_settle *s);
struct relay *relay_settle_relay(struct relay_settle *s);
const char *relay_settle_id(const struct relay_settle *s);
void relay_settle_done(struct relay_settle *s, int64_t row, enum queue_outcome o, const char *why, const char *remote,
    const char *status);
void relay_settle_retry(
    struct relay_settle *s, int64_t row, int64_t at, const char *why, const char *remote, const char *status);
/* why NULL: held again for the reason that stands there. */
struct relay_why {
	const char *text, *remote, *status;
};
void relay_settle_hold(
    struct relay_settle *s, int64_t row, const struct relay_why *why, const struct queue_hold *hold);
/* A delay notice goes out with the settlement added last. */
void relay_settle_warned(struct relay_settle *s);
/* A message to be queued with it. m and what it points at must be in the arena; the content gets a reference. */
void relay_settle_message(struct relay_settle *s, const struct queue_msg *m);
/* For the history: what was seen of TLS on the way out; what the opening found. */
void relay_settle_tls(struct relay_settle *s, const char *tls);
void relay_settle_judged(struct relay_settle *s, const char *judged);
/* The Message-ID of mail that was opened: replies to it must be sealed. Empty: nothing. */
void relay_settle_sealed(struct relay_settle *s, const char *message_id);
/* What a report from outside, which is the first message queued with it, says. Copied. */
void relay_settle_reports(struct relay_settle *s, const struct queue_report *v, size_t n);
const struct queue_report *relay_settle_reported(const struct relay_settle *s, size_t *n_r);
/* after: called once committed (may be NULL), before everything is freed. Tries again every few seconds while the
 * queue cannot write. */
void relay_settle_after(
    struct relay_settle *s, void (*fn)(void *ctx, struct relay_settle *s, const int64_t *rows, size_t n), void *ctx);
const struct queue_msg *relay_settle_messages(const struct relay_settle *s, size_t *n_r);
void relay_settle_commit(struct relay_settle *s);
/* Forgets it: nothing is written. */
void relay_settle_abandon(struct relay_settle *s);
/* Recipients the sender is told of (copied; relay_notice.c reads it). */
void relay_settle_tell(struct relay_settle *s, const struct dsn_rcpt *d);
const struct dsn_rcpt *relay_settle_told(const struct relay_settle *s, size_t *n_r);

#endif
