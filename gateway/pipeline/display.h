/*
 * The legacy display (RFC 9788 5.2, 4.5.3) in the parts of a message that a reader sees first: put there, taken out.
 * Plans a few changes of octets; the message itself stays where it is. Sealer.
 */
#ifndef POSTERN_PIPELINE_DISPLAY_H
#define POSTERN_PIPELINE_DISPLAY_H

#include "gateway/mail/mime.h"

struct work;

enum { DISPLAY_EDITS_MAX = 24 };
/* Octets [from, to) of the reader are replaced by n others; or, recoded: they are base64 of which decoded octets
 * [skip_from, skip_to) are left out. */
struct display_edit {
	uint64_t from, to;
	const uint8_t *p;
	size_t n;
	bool recoded;
	size_t skip_from, skip_to;
};
struct display {
	struct reader reader; /* display_put: the changed entity */
	struct reader *of;
	struct display_edit v[DISPLAY_EDITS_MAX]; /* in order */
	size_t n;
	bool root; /* display_cut: the entity itself had one; its Content-Type is the caller's to change */
};

/* Puts the hidden fields of h into the main texts of the entity in r (all of r). What has no place for it stays as it
 * is. 0, or -1 with w->res->pr: TEMP alone. */
int display_put(struct display *d, struct work *w, struct reader *r, const struct header *h)
    __attribute__((warn_unused_result));
/* Finds those in entity e of w->cur whose part says that it has one, and that say what h says. 0 / -1 as above. */
int display_cut(struct display *d, struct work *w, const struct mime_entity *e, const struct header *h)
    __attribute__((warn_unused_result));
/* stream_copy with the changes applied that lie in the range. */
int display_copy(const struct display *d, struct reader *r, uint64_t off, uint64_t n, struct writer *w,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
