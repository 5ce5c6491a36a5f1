/*
 * Protected header fields of incoming mail: found behind the last layer, weighed, put in the place of those outside
 * once the signature is judged. RFC 9788, RFC 8551 3.1, and what was written before them. Sealer.
 */
#ifndef POSTERN_PIPELINE_UNWRAP_H
#define POSTERN_PIPELINE_UNWRAP_H

#include "gateway/mail/field_index.h"
#include "gateway/mail/mime.h"
#include "gateway/pipeline/display.h"

enum unwrap_kind {
	UNWRAP_NONE,	/* no protected fields */
	UNWRAP_CLEAR,	/* RFC 9788, signed: hp="clear" */
	UNWRAP_CIPHER,	/* RFC 9788, encrypted: hp="cipher" */
	UNWRAP_OLD,	/* protected-headers="v1" (draft-autocrypt-lamps-protected-headers, Memory Hole) */
	UNWRAP_MESSAGE, /* the whole message as message/rfc822 (RFC 8551 3.1) */
};

/* What was found. Facts only: whether any of it is believed depends on the signature. */
struct unwrap {
	enum unwrap_kind kind;
	bool from_differs; /* the author inside has another address than the one outside */
	bool from_bad;	   /* a From inside that is malformed, or several */
	size_t layers;	   /* they stand between layers, this many around them; 0: under all */
	char differs[256]; /* names of fields that do not stand outside as the sender put them there, or "" */
	struct header inner;
	bool few;		       /* only some fields are inside, From not among them */
	bool typed;		       /* inside stand fields of MIME that were not added for the way */
	struct field_index in, out;    /* of inner and of the fields outside, by name */
	struct field_index out_octets; /* ... by octets */
	struct mime_entity message;    /* UNWRAP_MESSAGE */
};

struct work;
/* Notes the present entity, which is a layer, when it has protected fields: an author signed his mail before his
 * gateway did. */
void unwrap_between(struct work *w);
/* Reads what lies in w->shown into w->wrapped and w->facts (recipients_signed, recipient_bound). The author of mail
 * that is signed is from there on the protected one (w->from): the signer is bound to what will be shown. Nothing
 * that a message may hold makes it fail: what cannot be read is no protection. 0, or -1 with w->res->pr (TEMP). */
int unwrap_read(struct work *w) __attribute__((warn_unused_result));

/* For X-Postern-Headers: which fields are shown, and what is wrong with those outside; "" when none are protected. In
 * the arena. */
const char *unwrap_says(struct work *w);

/* The message as it is shown, when entity e of it is. Called when the signature is judged. */
struct unwrap_shown {
	struct header header;	     /* in order; forged verdict fields still among them */
	bool whole;		     /* header has the entity's Content-* fields too, in their places */
	struct header content;	     /* else: where they stand */
	uint64_t body_off, body_len; /* in w->cur */
	struct display display;	     /* what display_copy leaves out of the body */
};
/* 0, or -1 with w->res->pr (TEMP). */
int unwrap_show(struct work *w, const struct mime_entity *e, struct unwrap_shown *s_r)
    __attribute__((warn_unused_result));

#endif
