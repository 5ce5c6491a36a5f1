/* What becomes of one recipient after a try. Pure; relay. */
#include "gateway/proc/relay_fate.h"

bool relay_fate_wanted(unsigned notify, enum dsn_action action)
{
	if (notify & ENVELOPE_NOTIFY_NEVER)
		return false;
	switch (action) {
	case DSN_FAILED:
		return notify == 0 || (notify & ENVELOPE_NOTIFY_FAILURE);
	case DSN_DELAYED:
		return notify == 0 || (notify & ENVELOPE_NOTIFY_DELAY);
	default:
		return notify & ENVELOPE_NOTIFY_SUCCESS;
	}
}

/* Mail of inside senders, and of somebody: nothing else gets an answer. */
static enum relay_fate_tell sender(const struct relay_fate_in *in, enum dsn_action action)
{
	bool tell = in->kind == QUEUE_OUTBOUND && !in->null_sender && relay_fate_wanted(in->notify, action);

	return tell ? RELAY_FATE_SENDER : RELAY_FATE_NOBODY;
}

static struct relay_fate gone(const struct relay_fate_in *in)
{
	struct relay_fate f = {.end = in->temp ? RELAY_FATE_EXPIRED : RELAY_FATE_BOUNCED, .action = DSN_FAILED};

	if (in->kind == QUEUE_NOTICE)
		f.tell = in->last_notice ? RELAY_FATE_ALARM : RELAY_FATE_POSTMASTER;
	else
		f.tell = sender(in, DSN_FAILED);
	return f;
}

struct relay_fate relay_fate(const struct relay_fate_in *in)
{
	struct relay_fate f = {.end = RELAY_FATE_RETRY, .action = DSN_DELAYED};

	if (in->ok) {
		f.end = RELAY_FATE_DELIVERED;
		f.action = DSN_RELAYED;
		f.tell = in->dsn_lost ? sender(in, DSN_RELAYED) : RELAY_FATE_NOBODY;
	} else if (in->temp && !in->expired) {
		f.tell = in->delayed && !in->warned ? sender(in, DSN_DELAYED) : RELAY_FATE_NOBODY;
	} else if (in->kind == QUEUE_INBOUND || in->kind == QUEUE_RAW) { /* it was accepted: a person decides */
		f.end = RELAY_FATE_HOLD;
		f.tell = RELAY_FATE_ALARM;
	} else {
		return gone(in);
	}
	return f;
}
