/*
 * A BIO whose writes go to a struct writer: how OpenSSL's CMS write side reaches the spool. Sealer and tests. Never
 * reads, never buffers, never asks for a retry.
 */
#ifndef POSTERN_CMS_BIO_STREAM_H
#define POSTERN_CMS_BIO_STREAM_H

#include <openssl/bio.h>
#include <stdbool.h>

#include "gateway/base/stream.h"

struct bio_stream {
	struct writer *to;
	struct problem why; /* what the writer said when it failed */
	bool failed;
};
/* The BIO refers to *s, which must outlive it. NULL never: out of memory is fatal. The caller frees it with BIO_free.
 */
BIO *bio_stream_new(struct bio_stream *s, struct writer *to);

/* Frees filter BIOs from `top` down to, without, `end` (which may be NULL: all). */
void bio_stream_pop(BIO *top, BIO *end);

#endif
