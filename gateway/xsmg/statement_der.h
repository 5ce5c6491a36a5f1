/*
 * DER (X.690 10, 11) in memory: elements one after the other, and writing them. Definite lengths in their shortest
 * form and identifiers of one octet only, which is all that a SignedData has. Judge, tests, fuzz. Pure; total over
 * any octets; allocates nothing but in the buffers it is given.
 */
#ifndef POSTERN_XSMG_STATEMENT_DER_H
#define POSTERN_XSMG_STATEMENT_DER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/xsmg/statement.h"

enum { STATEMENT_DER_NESTING = 32 };

enum statement_der_tag {
	STATEMENT_DER_BOOLEAN = 0x01,
	STATEMENT_DER_INTEGER = 0x02,
	STATEMENT_DER_OCTETS = 0x04,
	STATEMENT_DER_NULL = 0x05,
	STATEMENT_DER_OID = 0x06,
	STATEMENT_DER_UTC = 0x17,
	STATEMENT_DER_TIME = 0x18,
	STATEMENT_DER_SEQ = 0x30,
	STATEMENT_DER_SET = 0x31,
	STATEMENT_DER_0_PLAIN = 0x80, /* [0] IMPLICIT of a primitive type */
	STATEMENT_DER_0 = 0xa0,
	STATEMENT_DER_1 = 0xa1,
	STATEMENT_DER_2 = 0xa2,
};

/* What is left to read. */
struct statement_der {
	const uint8_t *p, *end;
};
struct statement_der_item {
	uint8_t tag;
	const uint8_t *p; /* content */
	size_t n;
	const uint8_t *whole; /* with its header */
	size_t nwhole;
};
void statement_der_open(struct statement_der *d, const void *p, size_t n);
/* Into the content of an element. */
void statement_der_enter(struct statement_der *d, const struct statement_der_item *it);
bool statement_der_end(const struct statement_der *d);
/* The tag of the next element; -1 at the end. */
int statement_der_peek(const struct statement_der *d);
/* 1 with the next element, 0 at the end, -1: malformed. */
int statement_der_next(struct statement_der *d, struct statement_der_item *it_r) __attribute__((warn_unused_result));
/* The next element must have this tag. 0 / -1. */
int statement_der_take(struct statement_der *d, uint8_t tag, struct statement_der_item *it_r)
    __attribute__((warn_unused_result));
/* The next element must be exactly these octets. 0 / -1. */
int statement_der_exact(struct statement_der *d, const void *whole, size_t n) __attribute__((warn_unused_result));
bool statement_der_is(const struct statement_der_item *it, const void *whole, size_t n);
/* The elements of a SET OF as they must stand (X.690 11.6): ascending, none twice. 1 / 0 / -1 as statement_der_next;
 * *prev begins as {0}. */
int statement_der_next_of_set(struct statement_der *d, struct statement_der_item *prev,
    struct statement_der_item *it_r) __attribute__((warn_unused_result));

/* Is all of it one element in DER with nothing behind, nested within STATEMENT_DER_NESTING? NULL: yes; else what is
 * wrong, as a clause, and *off_r where. Order in sets, and what octet strings hold, is not looked at. */
const char *statement_der_wrong(const void *p, size_t n, size_t *off_r);

/* Append an element; -1: the buffer is full. */
int statement_der_put(struct buf *b, uint8_t tag, const void *p, size_t n) __attribute__((warn_unused_result));
/* Appends a SET OF (or what stands implicitly tagged for one) of elements, in their order; equal ones once. The array
 * is sorted. */
int statement_der_put_set(struct buf *b, uint8_t tag, struct statement_octets *elements, size_t n)
    __attribute__((warn_unused_result));

#endif
