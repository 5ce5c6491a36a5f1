/*
 * Base64 of S/MIME bodies (RFC 2045 6.8), streaming: a writer that encodes into 76-column CRLF lines, and one that
 * decodes any line length, blanks and CRLF anywhere. Sealer. Octets that are neither alphabet, blank nor padding are
 * a problem (malformed outside), so is content behind the padding.
 */
#ifndef POSTERN_CMS_BASE64_H
#define POSTERN_CMS_BASE64_H

#include "gateway/base/stream.h"

struct base64_enc {
	struct writer writer;
	struct writer *to;
	uint8_t in[3];
	int nin, col;
};
void base64_enc_init(struct base64_enc *e, struct writer *to);
/* Writes what is left, padding and the last CRLF. Must be called once. */
int base64_enc_end(struct base64_enc *e, struct problem *pr) __attribute__((warn_unused_result));

struct base64_dec {
	struct writer writer;
	struct writer *to;
	uint32_t acc;
	int n, pad;
};
void base64_dec_init(struct base64_dec *d, struct writer *to);
/* -1 when the input ended inside a group (truncated). */
int base64_dec_end(struct base64_dec *d, struct problem *pr) __attribute__((warn_unused_result));

#endif
