/*
 * What is signed and sealed: the entity of a message with its header fields around it, as the format of the partner
 * wants them (certstore/format.h), and the fields that stand outside then. RFC 9788, RFC 8551 3.1. Sealer; one reader
 * over the message, nothing of the body is copied but for wrap_seven.
 */
#ifndef POSTERN_PIPELINE_WRAP_H
#define POSTERN_PIPELINE_WRAP_H

#include "gateway/pipeline/display.h"
#include "gateway/pipeline/entity.h"
#include "gateway/pipeline/work.h"

enum wrap_for {
	WRAP_SEALED, /* encrypted: fields can be hidden, hp="cipher" */
	WRAP_SIGNED, /* signed alone: hp="clear" */
};
struct wrap {
	struct entity_reader entity;
	struct buf front; /* what stands in front of the body */
	enum format_wrap as;
	enum wrap_for how;
	const char *hide; /* names of fields that do not stand outside, NULL none */
	bool shows;
	struct display display; /* with what is hidden shown in the text, when the format wants that */
};

/* Appends to w->front the fields that stand outside, Message-ID and Date among them (made where they are missing,
 * the same for all outputs of the job). 0 / -1 past the buffer. */
int wrap_outer(struct work *w, const struct format *f, enum wrap_for how) __attribute__((warn_unused_result));
/* Makes the entity to be signed. 0, or -1 with w->res->pr (the header is too large). Always wrap_clear it. */
int wrap_init(struct wrap *x, struct work *w, const struct format *f, enum wrap_for how)
    __attribute__((warn_unused_result));
/* Puts the entity into 7 bits (RFC 8551 3.1.3), into scratch B; header fields with UTF-8 in them (RFC 6532) stay. At
 * most max octets. 0, or -1 with w->res->pr. */
int wrap_seven(struct wrap *x, struct work *w, size_t max) __attribute__((warn_unused_result));
struct reader *wrap_reader(struct wrap *x);
void wrap_clear(struct wrap *x);

#endif
