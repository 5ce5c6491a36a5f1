/*
 * A bounded pull parser for BER (X.690 8.1): elements one after the other from a reader or from memory, definite and
 * indefinite lengths, with a window of fixed size, so that memory does not grow with what is read. Sealer (and
 * tests); blocks only in the reader. Knows lengths, nesting and ends; knows nothing of what the elements mean. Every
 * error is PERM 5.6.0 with the octet where it is.
 *
 *   ber_next -> an item; then exactly one of: ber_enter (its children follow), ber_copy / ber_skip (all of it),
 * ber_run until ber_left is 0.
 */
#ifndef POSTERN_CMS_BER_H
#define POSTERN_CMS_BER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/stream.h"

enum ber_class { BER_UNIVERSAL = 0, BER_CONTEXT = 2 };
enum ber_tag { BER_INTEGER = 2, BER_OCTETS = 4, BER_OID = 6, BER_SEQUENCE = 16, BER_SET = 17 };
enum {
	BER_NESTING_MAX = 64, /* no limit asked for is larger */
	BER_HEAD_MAX = 16,    /* identifier (to 28 bits) and length (to 8 octets) */
	BER_WINDOW = 65536,   /* the most that is read ahead, and that ber_run gives at once from a reader */
};

struct ber_item {
	uint8_t cls; /* 0 universal .. 3 private */
	bool constructed, indefinite;
	uint32_t tag;
	uint64_t off; /* where the identifier stands */
	uint64_t len; /* of the content; 0 when indefinite */
	uint8_t head[BER_HEAD_MAX];
	size_t nhead;
};

struct ber_frame {
	uint64_t end; /* where it must end, or may end at the latest when indefinite */
	bool indefinite, closed;
};

struct ber {
	struct reader *in; /* NULL: all of it is the window */
	const uint8_t *win;
	uint8_t *own;
	uint64_t win_off;
	size_t win_len, own_len;
	uint64_t pos, left;
	size_t depth, nesting;
	struct ber_frame frame[BER_NESTING_MAX + 1];
};

/* Reads elements from `off` up to `end` of the reader; nesting: how deep constructed elements may lie in each other.
 * ber_close frees the window. */
void ber_open(struct ber *b, struct reader *in, uint64_t off, uint64_t end, size_t nesting);
/* The same over memory that stays where it is; `off` is what problems call its first octet. */
void ber_open_mem(struct ber *b, const void *p, size_t n, uint64_t off, size_t nesting);
void ber_close(struct ber *b);

/* 1: *it_r is the next element; 0: the element around it (or everything) ends here; -1: pr. */
int ber_next(struct ber *b, struct ber_item *it_r, struct problem *pr) __attribute__((warn_unused_result));
bool ber_is(const struct ber_item *it, enum ber_class cls, uint32_t tag);
/* Goes into a constructed element. -1: nested too deep. */
int ber_enter(struct ber *b, const struct ber_item *it, struct problem *pr) __attribute__((warn_unused_result));
/* Comes out of it; -1 when elements are left in it. */
int ber_leave(struct ber *b, struct problem *pr) __attribute__((warn_unused_result));
/* Checks the whole element and appends it as it stands to `to` (whose maximum is then the limit: PERM). */
int ber_copy(struct ber *b, const struct ber_item *it, struct buf *to, struct problem *pr)
    __attribute__((warn_unused_result));
/* Checks the whole element and forgets it. */
int ber_skip(struct ber *b, const struct ber_item *it, struct problem *pr) __attribute__((warn_unused_result));
/* The next octets of a primitive element's content, as many as lie in the window. 1; 0 when there is nothing left;
 * -1. Valid until the next call. */
int ber_run(struct ber *b, const uint8_t **p_r, size_t *n_r, struct problem *pr) __attribute__((warn_unused_result));
/* Passes over the content of a primitive element without reading it. */
void ber_pass(struct ber *b);
/* Nothing may follow: -1 when octets are left behind the outermost element. */
int ber_end(struct ber *b, struct problem *pr) __attribute__((warn_unused_result));

/* For pr: "octet 17: <sentence>" as PERM 5.6.0. Returns -1. */
int ber_problem(uint64_t off, struct problem *pr, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif
