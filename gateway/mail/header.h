/*
 * Header fields of a message or MIME part (RFC 5322 2.2, 3.6): read once, kept raw, byte for byte and in order. Pure.
 * Limits: octets of the block, number of fields, octets of one field. Bad fields are a problem (554 5.6.0), never
 * skipped.
 */
#ifndef POSTERN_MAIL_HEADER_H
#define POSTERN_MAIL_HEADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/stream.h"
#include "gateway/mail/address.h"

struct header_limits {
	size_t octets; /* of the whole block, default 131072 */
	size_t fields; /* default 1000 */
};
extern const struct header_limits header_limits_default;

struct header_field {
	const char *raw; /* name, colon, value, folding, final CRLF: exactly as it came */
	size_t raw_len;
	size_t name_len;
	const char *value; /* behind the colon, folding kept, without the final CRLF */
	size_t value_len;
};

struct header {
	struct header_field *f;
	size_t n;
	size_t octets; /* from the first field to behind the empty line; the body starts there */
};

/* Reads the block at off (at most len octets belong to this entity). Lines end in CRLF. A block that ends with the
 * entity without an empty line is allowed (no body). 0 / -1 with pr: a line that is no field, a name with forbidden
 * octets, limits, NUL. Memory is the arena's. */
int header_read(struct arena *a, struct reader *r, uint64_t off, uint64_t len, const struct header_limits *lim,
    struct header *h_r, struct problem *pr) __attribute__((warn_unused_result));
/* The nth (0-based) field of that name (case-insensitive), or NULL. */
const struct header_field *header_find(const struct header *h, const char *name, size_t nth);
size_t header_count(const struct header *h, const char *name);
bool header_is(const struct header_field *f, const char *name);
/* True for Content-* and MIME-Version: the fields that belong to the MIME entity rather than to the message. */
bool header_is_content(const struct header_field *f);
/* The value unfolded (CRLF removed), blanks at both ends removed; NUL-ended in the arena. NULL past the arena. */
char *header_text(struct arena *a, const struct header_field *f);

/* Writes the fields for which keep says true (all when keep is NULL), in their order and octet for octet. No empty
 * line behind them. */
int header_write(const struct header *h, bool (*keep)(const struct header_field *f, void *ctx), void *ctx,
    struct writer *w, struct problem *pr) __attribute__((warn_unused_result));

/* The author: exactly one From field with exactly one mailbox (comments, groups, display-name tricks, several
 * addresses, several fields, route, encoded-word inside an addr-spec: all -1 with the reason). */
int header_author(struct arena *a, const struct header *h, struct address *from_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* All mailboxes of To and Cc, for `recipient-bound`. At most max; -1 when malformed or more. */
int header_recipients(struct arena *a, const struct header *h, struct address *list, size_t max, size_t *n_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* Message-IDs ("<...>" including brackets) found in a field's value (Message-ID, In-Reply-To, References), at most
 * max, the last ones of a longer list. Tolerant: what is no msg-id is passed over. Strings in the arena. */
size_t header_msgids(struct arena *a, const struct header_field *f, const char **list, size_t max);

#endif
