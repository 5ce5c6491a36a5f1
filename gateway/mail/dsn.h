/*
 * Delivery status notifications (RFC 3464 in RFC 3462 multipart/report; RFC 6533 when an address needs it). Pure:
 * facts in, message out.
 */
#ifndef POSTERN_MAIL_DSN_H
#define POSTERN_MAIL_DSN_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/stream.h"

/* RFC 3464 2.3.3, the worst first. */
enum dsn_action { DSN_FAILED, DSN_DELAYED, DSN_RELAYED, DSN_EXPANDED, DSN_DELIVERED };
/* "failed", "delayed" ... */
const char *dsn_action_word(enum dsn_action a);
struct dsn_rcpt {
	enum dsn_action action;
	const char *address;	/* final recipient */
	const char *orcpt;	/* ORCPT as it came ("rfc822;xtext"), or NULL */
	const char *status;	/* "5.1.1" */
	const char *diagnostic; /* remote reply, sanitised by dsn_write; or NULL */
	const char *remote_mta; /* or NULL */
	const char *sentence;	/* why, in words; or NULL */
	int64_t retry_until;	/* unix s: when a delayed one is given up; 0 not told */
};
struct dsn {
	const char *reporting_mta; /* our host name */
	const char *postmaster;	   /* From address */
	const char *to;		   /* envelope sender of the original, not null */
	const char *queue_id;
	const char *message_id; /* for the new message, with brackets */
	const char *envid;	/* ENVID as it came (xtext), or NULL */
	bool
	    utf8; /* the original came with SMTPUTF8: then an address beyond ASCII makes the report one of RFC 6533 */
	int64_t now;	 /* unix s */
	int64_t arrived; /* unix s */
	const struct dsn_rcpt *rcpts;
	size_t nrcpts;
	const char *header; /* original header block (may be cut), or NULL */
	size_t header_len;
	struct reader *full; /* the whole original instead of its header, or NULL. Only what was sent in the clear. */
};
/* Is the report one of RFC 6533? */
bool dsn_global(const struct dsn *d);
/* Must it be sent with SMTPUTF8 and 8BITMIME? Only when whom it goes to has an address beyond ASCII: else its parts
 * are encoded (RFC 6533 4 allows it where RFC 2046 5.2.1 does not for message/rfc822), and any server takes it.
 */
bool dsn_needs_utf8(const struct dsn *d);
/* Writes the whole message, CRLF lines; 7-bit, unless dsn_needs_utf8 or `full` is not (one that came with SMTPUTF8 is
 * encoded). -1 with pr: the
 * writer's problem, or full cannot be read. */
int dsn_write(const struct dsn *d, struct writer *w, struct problem *pr) __attribute__((warn_unused_result));

#endif
