/*
 * What becomes of one recipient after a try, and what the sender is told: RFC 5321 4.5.4, RFC 3461 4.1 and 5.2. Pure.
 * relay.
 */
#ifndef POSTERN_PROC_RELAY_FATE_H
#define POSTERN_PROC_RELAY_FATE_H

#include <stdbool.h>

#include "gateway/mail/dsn.h"
#include "gateway/mail/envelope.h"
#include "gateway/queue/queue.h"

struct relay_fate_in {
	enum queue_kind kind;
	bool null_sender;
	unsigned notify;       /* as the sender asked */
	bool ok, temp;	       /* taken; else: may be tried again */
	bool dsn_lost;	       /* taken by a host without DSN */
	bool expired, delayed; /* as queue_expired and queue_delayed say */
	bool warned;	       /* a delay notice went out before */
	bool last_notice;      /* the message is a notice about a notice, or one to the postmaster */
};
enum relay_fate_end {
	RELAY_FATE_DELIVERED,
	RELAY_FATE_RETRY,
	RELAY_FATE_HOLD,
	RELAY_FATE_BOUNCED,
	RELAY_FATE_EXPIRED
};
/* Whom the notice goes to. ALARM: nobody is told by mail any more, the admin must be. */
enum relay_fate_tell { RELAY_FATE_NOBODY, RELAY_FATE_SENDER, RELAY_FATE_POSTMASTER, RELAY_FATE_ALARM };
struct relay_fate {
	enum relay_fate_end end;
	enum relay_fate_tell tell;
	enum dsn_action action; /* when somebody is told */
};
struct relay_fate relay_fate(const struct relay_fate_in *in);
/* May a notice of this action go to who asked for this? Nothing said (0): failures and delays are told. */
bool relay_fate_wanted(unsigned notify, enum dsn_action action);

#endif
