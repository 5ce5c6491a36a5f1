/* One expectation while it is looked at: expect.c has the table; expect_cms.c and expect_text.c the functions. */
#ifndef INTEROP_EXPECTATION_H
#define INTEROP_EXPECTATION_H

#include "expect.h"
#include "mime.h"
#include "seen.h"

struct view {
	struct scene *s;
	const struct stmt *await, *e; /* e: the expectation */
	const struct mail *m;
	const struct buf *sent;
	struct mime outer;
	struct seen *seen; /* set for expectations about CMS */
	char *words[2];	   /* of the expectation, with {...} replaced; "" where there is none */
	bool not_run;	   /* it could not be looked at */
};

/* true: as wanted. The sentence says what was wanted, and what was seen. */
typedef bool expectation(struct view *v, struct buf *sentence);

expectation expect_layers, expect_sealed_for, expect_cipher, expect_keys, expect_signed_by, expect_digest;
expectation expect_signature_type, expect_attribute, expect_signer_certs, expect_micalg;
expectation expect_inner_header, expect_inner_lacks, expect_inner_contains, expect_body_is;
expectation expect_outer_header, expect_outer_lacks, expect_header_count, expect_no_header, expect_mime_type;
expectation expect_envelope_from, expect_envelope_to, expect_seven_bit, expect_line_max, expect_tls, expect_once;
expectation expect_mark_is, expect_parts_are, expect_smime_type;

/* Header lines, unfolded, that fit a mark's pattern are added to lines (may be NULL), each with CRLF. How many. */
size_t marks_count(struct scene *s, const struct mail *m, enum mark mark, struct buf *lines);

#endif
