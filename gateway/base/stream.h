/*
 * Octets read at positions and octets written in order: how content moves between layers without any of them knowing
 * whether it lies in memory, in a sealed spool file or behind a decoder. Blocking (sealer, tests) unless said
 * otherwise.
 */
#ifndef POSTERN_BASE_STREAM_H
#define POSTERN_BASE_STREAM_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"

struct reader {
	/* Reads up to n octets at off. *got_r = 0 only at or behind the end. 0, or -1 with pr set. */
	int (*read_at)(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr);
	uint64_t size; /* octets in all */
};

struct writer {
	/* Takes all n octets. 0, or -1 with pr set (then the output is worthless). */
	int (*write)(struct writer *w, const void *p, size_t n, struct problem *pr);
};

int stream_read_at(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* Reads exactly n or fails ("ends early"). */
int stream_read_full(struct reader *r, uint64_t off, void *p, size_t n, struct problem *pr)
    __attribute__((warn_unused_result));
int stream_write(struct writer *w, const void *p, size_t n, struct problem *pr) __attribute__((warn_unused_result));
int stream_copy(struct reader *r, uint64_t off, uint64_t n, struct writer *w, struct problem *pr)
    __attribute__((warn_unused_result));

/* A reader over memory that the caller keeps alive. */
struct stream_mem {
	struct reader reader;
	const uint8_t *p;
};
void stream_mem_init(struct stream_mem *m, const void *p, size_t n);

/* A reader over a part of another reader. */
struct stream_part {
	struct reader reader;
	struct reader *of;
	uint64_t off;
};
void stream_part_init(struct stream_part *s, struct reader *of, uint64_t off, uint64_t n);

/* A writer that appends to a buf; a full buf is PERM 5.3.4. */
struct stream_buf {
	struct writer writer;
	struct buf *b;
};
void stream_buf_init(struct stream_buf *s, struct buf *b);

#endif
