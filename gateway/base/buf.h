/*
 * A growing run of octets with a maximum fixed at creation.
 * Every process. No I/O. Never grows past its maximum: the add functions then return -1 and leave the content as it
 * was.
 */
#ifndef POSTERN_BASE_BUF_H
#define POSTERN_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *p; /* content; NULL while empty; always followed by one NUL that is not counted */
	size_t len;
	size_t cap;
	size_t max;
};

/* Prepares an empty buffer that will hold at most max octets. Allocates nothing. */
void buf_init(struct buf *b, size_t max);
/* Wipes and frees the content; the buffer is empty afterwards and can be used again with the same maximum. */
void buf_clear(struct buf *b);
/* As buf_clear, but what it holds is no secret: not wiped. */
void buf_clear_public(struct buf *b);
/* Empties without freeing; wipes what was there. */
void buf_reset(struct buf *b);
/* Append; 0, or -1 when it would exceed max (nothing appended). Out of memory is fatal. */
int buf_add(struct buf *b, const void *p, size_t n) __attribute__((warn_unused_result));
int buf_adds(struct buf *b, const char *s) __attribute__((warn_unused_result));
int buf_addc(struct buf *b, uint8_t c) __attribute__((warn_unused_result));
int buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3), warn_unused_result));
int buf_addv(struct buf *b, const char *fmt, va_list ap) __attribute__((format(printf, 2, 0), warn_unused_result));
/* Makes room for n more octets and returns where they go, or NULL past max; buf_added tells how many were put there.
 */
uint8_t *buf_room(struct buf *b, size_t n) __attribute__((warn_unused_result));
void buf_added(struct buf *b, size_t n);
/* Removes the first n octets (n <= len). */
void buf_drop(struct buf *b, size_t n);
/* The content as a C string ("" while empty). Valid until the next change. Octets may contain NUL: for text only. */
const char *buf_str(const struct buf *b);

#endif
