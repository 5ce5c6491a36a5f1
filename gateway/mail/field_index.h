/*
 * The fields of a header in order of their names, or of their octets: so that comparing two headers of a thousand
 * fields each costs n log n, whoever made them. Pure.
 */
#ifndef POSTERN_MAIL_FIELD_INDEX_H
#define POSTERN_MAIL_FIELD_INDEX_H

#include "gateway/base/arena.h"
#include "gateway/mail/header.h"

enum field_index_by {
	FIELD_INDEX_NAME,   /* case ignored; fields of one name in their order */
	FIELD_INDEX_OCTETS, /* name, value and folding */
};
struct field_index {
	const struct header *h;
	enum field_index_by by;
	uint32_t *at; /* numbers of fields, sorted */
};

/* h must stay as it is while the index is used. 0, or -1 past the arena. */
int field_index_make(struct arena *a, const struct header *h, enum field_index_by by, struct field_index *x_r)
    __attribute__((warn_unused_result));
/* The number of the first field that is f's like (of its name, or with its octets), no number below `from`; h->n when
 * there is none. */
size_t field_index_next(const struct field_index *x, const struct header_field *f, size_t from);
bool field_index_has(const struct field_index *x, const struct header_field *f);

#endif
