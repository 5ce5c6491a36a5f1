/*
 * Delivery status notifications to inside senders (RFC 3464): what is to be told of a message's recipients is
 * collected in the settlement (relay_settle_tell), then one notice for all of them is put into the same transaction.
 * Of what was protected only the header goes back, never content. Loop thread.
 */
#ifndef POSTERN_PROC_RELAY_NOTICE_H
#define POSTERN_PROC_RELAY_NOTICE_H

#include "gateway/mail/address.h"
#include "gateway/proc/relay_settle.h"

/* facts of a notice about a notice: it is the last one. */
#define RELAY_NOTICE_DOUBLE "{\"double\":true}"

struct relay_notice {
	const char *sender;
	const struct envelope *env;
	int64_t arrived;       /* unix ms */
	struct spool *content; /* NULL: cannot be read */
	bool clear;	       /* it travelled unprotected to all who are told of: RET=FULL is honoured */
	bool to_postmaster;    /* instead of the sender: a notice of ours could not be delivered */
};
/* Where notices go that could not be delivered: the configured postmaster, or that of our first domain when his
 * domain is none of ours. */
void relay_notice_postmaster(const struct relay *r, char address_r[ADDRESS_TEXT_MAX]);
/* Makes the notice for those remembered in s; nothing when there are none, or when whom it would go to is not of our
 * domains. -1: it could not be made now (keeper away, disk): then the recipients must not be settled yet. */
int relay_notice_make(struct relay_settle *s, const struct relay_notice *about) __attribute__((warn_unused_result));

/* The notice's content in 7 bits, for a server without 8BITMIME. NULL: it cannot be (the log says why). The caller
 * frees. */
struct spool *relay_notice_seven(const struct relay *r, const char *id, struct spool *content);

#endif
