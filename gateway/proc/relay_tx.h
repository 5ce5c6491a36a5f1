/*
 * One mail transaction of a session: envelope, verdicts, spooled content, and what is under way for it. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_TX_H
#define POSTERN_PROC_RELAY_TX_H

#include <stdatomic.h>

#include "gateway/pipeline/job_proto.h"
#include "gateway/proc/relay.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_dsn.h"
#include "gateway/smtp/smtpd.h"

struct relay_commit;
struct relay_tx {
	struct relay *r;
	struct smtpd *session;
	struct arena *a;
	char id[QUEUE_ID_MAX]; /* for logs until the queue ids are known; the raw message's own id */
	struct address sender;
	char sender_text[ADDRESS_TEXT_MAX];
	char identity_text[ADDRESS_TEXT_MAX]; /* whose keys sign: the sender, or postmaster of our first domain for
						 the null path */
	char pending_rcpt[ADDRESS_TEXT_MAX];
	unsigned pending_notify; /* with it */
	char pending_orcpt[ENVELOPE_ORCPT_MAX + 1];
	struct job_rcpt *rcpts;
	size_t nrcpts, cap;
	struct envelope env;		 /* strings in the arena */
	uint64_t size;			 /* as MAIL declared it, 0 not */
	struct envelope_rcpt *env_rcpts; /* one for each of rcpts, or NULL: none said anything */
	size_t rcpt_octets;
	struct relay_rcpts_wait *rcpt_wait; /* is being asked whether pending_rcpt exists */
	struct relay_hop_sure *hop_wait;    /* or whether the way to it is under verified TLS: its verdict, held */
	struct relay_verdict *pending_verdict;
	struct relay_verdict *verdicts[JOB_VERDICTS_MAX];
	size_t nverdicts;
	uint64_t asked;	      /* relay_ask_changes when the first verdict was asked for */
	uint64_t trust_asked; /* relay_ask_trust_changes when mail from outside was first judged */
	char *author;	      /* whose signers the judge was asked about */
	unsigned again_rounds;
	size_t again; /* recipients whose verdict was asked for again (relay_again.c) */
	void (*again_done)(struct relay_tx *t, const struct problem *pr);
	struct spool *content;
	char *trace;
	struct job_request rq;
	bool expected;		     /* the queue knows that it will come */
	struct relay_dsn dsn;	     /* it is a delivery report: about what */
	unsigned refused;	     /* recipients at RCPT, for the history */
	struct relay_commit *commit; /* under way: it outlives the transaction */
};
struct relay_tx *relay_tx_new(struct relay *r, struct smtpd *s, const struct smtpd_mail *m);
/* Forgets all questions and jobs of it; a commit under way is cancelled when it has not begun. NULL is allowed. */
void relay_tx_free(struct relay_tx *t);
/* Adds a recipient with what pending_notify and pending_orcpt say of it; v NULL for mail from outside. 0, or -1 with
 * pr (452 4.5.3: send this one again by itself). */
int relay_tx_add(struct relay_tx *t, const char *address, struct relay_verdict *v, struct problem *pr);
/* Is address a recipient already? Then what pending_notify and pending_orcpt say of it is added to what was said: it
 * gets the message once, and every notice that was asked for (RFC 3461 4.1; ORCPT stays the first one's). */
bool relay_tx_known(struct relay_tx *t, const char *address);
/* Another verdict for recipient i, of those all of which were forgotten before. As relay_tx_add. */
int relay_tx_verdict(struct relay_tx *t, size_t i, struct relay_verdict *v, struct problem *pr);
/* May a mail of this verdict have to go over verified TLS? any_treatment: when the author turns out not to be the
 * sender. */
bool relay_tx_asks_tls(const struct relay_verdict *v);
void relay_tx_forget_verdicts(struct relay_tx *t);
/* The Received field (RFC 5321 4.4, RFC 3848, RFC 8314 4.3). */
const char *relay_tx_trace(struct relay_tx *t);

#endif
