/*
 * The MIME entity inside a message: its Content-* fields, an empty line and its body, as one reader, so that it can
 * be signed or sealed without being copied. Also the header text of what is sent and delivered. Sealer; pure over
 * readers.
 */
#ifndef POSTERN_PIPELINE_ENTITY_H
#define POSTERN_PIPELINE_ENTITY_H

#include "gateway/mail/mime.h"

/* Two readers as one: `front` octets, then `n` octets of `of` from `off`. */
struct entity_reader {
	struct reader reader;
	const uint8_t *front;
	size_t front_len;
	struct reader *of;
	uint64_t off;
};
void entity_reader_init(
    struct entity_reader *e, const struct buf *front, struct reader *of, uint64_t off, uint64_t n);

/* Appends Content-* fields (without MIME-Version) and the empty line. 0 / -1 past the buffer's maximum. */
int entity_front(const struct header *h, struct buf *out) __attribute__((warn_unused_result));
/* The fields of an S/MIME body, for example "enveloped-data", and the empty line; without MIME-Version, which an
 * entity inside another does not have. */
int entity_smime_inner(const char *smime_type, struct buf *out) __attribute__((warn_unused_result));

/* A writer that passes everything on and notes whether an octet above 127 went by (BODY=8BITMIME is needed). */
struct entity_octets {
	struct writer writer;
	struct writer *to;
	bool eight_bit;
};
void entity_octets_init(struct entity_octets *o, struct writer *to);

#endif
