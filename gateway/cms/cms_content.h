/*
 * The content string of a CMS structure, wherever it lies: primitive or constructed (nested too), definite or
 * indefinite, handed out run by run. Sealer and tests. No table grows with the number of segments; their number is
 * limited because each costs time.
 */
#ifndef POSTERN_CMS_CMS_CONTENT_H
#define POSTERN_CMS_CMS_CONTENT_H

#include "gateway/cms/ber.h"

/* Where it lies: from its identifier to behind its last octet. */
struct cms_content_place {
	uint64_t off, end;
	uint64_t octets; /* in all segments together */
};

/* Passes over the string whose item was just read, checks its structure (X.690 8.7.3) and tells its place. */
int cms_content_scan(struct ber *b, const struct ber_item *it, uint64_t segments, struct cms_content_place *place_r,
    struct problem *pr) __attribute__((warn_unused_result));

struct cms_content {
	struct ber ber;
	uint64_t segments;
	bool ended;
};
/* Starts at the beginning. cms_content_close frees. */
int cms_content_open(struct cms_content *c, struct reader *in, const struct cms_content_place *place, size_t nesting,
    uint64_t segments, struct problem *pr) __attribute__((warn_unused_result));
/* 1 with the next octets (valid until the next call), 0 at the end, -1. */
int cms_content_next(struct cms_content *c, const uint8_t **p_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
void cms_content_close(struct cms_content *c);

#endif
