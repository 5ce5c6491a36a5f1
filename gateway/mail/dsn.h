/*
 * Delivery status notifications (RFC 3464 in RFC 3462 multipart/report). Pure: facts in, message out. Content never
 * travels back: headers only.
 */
#ifndef POSTERN_MAIL_DSN_H
#define POSTERN_MAIL_DSN_H

#include <stdint.h>

#include "gateway/base/stream.h"

struct dsn_rcpt {
	const char *address;	/* final recipient */
	const char *status;	/* "5.1.1" */
	const char *diagnostic; /* remote reply, sanitised by dsn_write; or NULL */
	const char *remote_mta; /* or NULL */
	const char *sentence;	/* why, in words */
};
enum dsn_action { DSN_FAILED, DSN_DELAYED };
struct dsn {
	enum dsn_action action;
	const char *reporting_mta; /* our host name */
	const char *postmaster;	   /* From address */
	const char *to;		   /* envelope sender of the original, not null */
	const char *queue_id;
	const char *message_id; /* for the new message, with brackets */
	int64_t now;		/* unix s */
	int64_t arrived;	/* unix s */
	const struct dsn_rcpt *rcpts;
	size_t nrcpts;
	const char *header; /* original header block (may be cut), or NULL */
	size_t header_len;
};
/* Writes the whole message, CRLF lines, 7-bit. */
int dsn_write(const struct dsn *d, struct writer *w, struct problem *pr) __attribute__((warn_unused_result));

#endif
