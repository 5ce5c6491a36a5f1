/*
 * Authentication-Results (RFC 8601) with the smime method of RFC 7281, and the X-Postern-* fields. Pure.
 */
#ifndef POSTERN_MAIL_AUTHRES_H
#define POSTERN_MAIL_AUTHRES_H

#include <stdbool.h>

#include "gateway/base/buf.h"
#include "gateway/mail/header.h"

/* True when f must go before delivery: an Authentication-Results whose authserv-id is ours (also with comments, odd
 * case, folding, quoting, a version number), or any X-Postern-* field. Undecidable Authentication-Results (cannot be
 * parsed to its authserv-id): true, fail closed. */
bool authres_is_forged(const struct header_field *f, const char *authserv_id);

/* One smime result: what is said of one signer, or of a message without one. */
struct authres {
	const char *authserv_id;	   /* of the first */
	const char *result;		   /* pass fail none neutral policy temperror permerror (RFC 7281 3) */
	const char *reason;		   /* sentence or NULL */
	const char *body_smime_identifier; /* signer's address or NULL */
	const char *body_smime_serial;	   /* hex or NULL */
	const char *body_smime_issuer;	   /* RFC 4514 text or NULL */
	const char *encryption;		   /* comment such as "encrypted aes-256-cbc" or NULL */
	const struct authres *next;	   /* the next signer's in the same field, or NULL */
};
/* Appends the folded field with CRLF. Values are quoted where RFC 8601 demands it; there every octet of a character
 * beyond ASCII becomes a backslash and two hexadecimal digits (RFC 4514 2.4). What is no character to be shown
 * (encword.h) becomes '?'. */
int authres_add(struct buf *out, const struct authres *r) __attribute__((warn_unused_result));
/* Appends `X-Postern-<name>: <text>` folded at 78, what is not ASCII in encoded words (encword.h). */
int authres_add_x(struct buf *out, const char *name, const char *text) __attribute__((warn_unused_result));

#endif
