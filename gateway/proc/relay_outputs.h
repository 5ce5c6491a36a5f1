/*
 * From a sealer's outputs to queued messages: data keys are wrapped by the keeper, recipients get their next hop and
 * state, and after the commit those that may go at once are delivered straight from memory. Used by sessions (before
 * the 250) and by opening (after it). Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_OUTPUTS_H
#define POSTERN_PROC_RELAY_OUTPUTS_H

#include "gateway/pipeline/job_proto.h"
#include "gateway/proc/relay_dsn.h"
#include "gateway/proc/relay_settle.h"

struct relay_outputs_in {
	enum queue_kind kind;
	const char *id; /* of the first message; NULL: a new one */
	const char *sender;
	const struct job_rcpt *rcpts; /* as in the job's request */
	size_t nrcpts;
	const struct job_result *res;
	struct spool *const *outs;
	const char *facts; /* NULL: none */
	const struct envelope *env;
	const struct envelope_rcpt *env_rcpts; /* one for each of rcpts, or NULL */
	const struct relay_dsn *dsn;	       /* what it reports of mail we sent, or NULL */
	const struct job_output *refused;      /* those whose recipients do not get it (nrefused of them) */
	size_t nrefused;
};
/* Adds a message per output to s; whom it is refused to is recorded with the first, as bounced. first_id_r: the first
 * message's queue id. 0 / -1 with pr (keeper away: TEMP). */
int relay_outputs_add(
    struct relay_settle *s, const struct relay_outputs_in *in, char first_id_r[QUEUE_ID_MAX], struct problem *pr);
/* After the commit: delivers what stands ACTIVE in the messages of s. rows: of all messages in order. */
void relay_outputs_deliver(struct relay *r, const struct queue_msg *msgs, size_t nmsgs, const int64_t *rows);

#endif
