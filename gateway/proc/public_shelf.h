/*
 * What the public listener has to give, as the judge told it last. Role public: filled by the loop, read by the
 * thread that serves; a new set takes the place of the old one whole. No I/O. RFC 4387 2.1: which certificates an
 * attribute stands for.
 */
#ifndef POSTERN_PROC_PUBLIC_SHELF_H
#define POSTERN_PROC_PUBLIC_SHELF_H

#include <stddef.h>
#include <stdint.h>

#include "certstore/public_proto.h"
#include "gateway/base/buf.h"

struct public_shelf;
struct public_shelf *public_shelf_new(void);
void public_shelf_free(struct public_shelf *s);
/* BEGIN to END; until END the old set is given. TLS items are not kept here. */
void public_shelf_take(struct public_shelf *s, const struct public_item *i);

/* The statement of a domain (any case), copied. 1, or 0 when there is none or it has run out. */
int public_shelf_statement(
    struct public_shelf *s, const char *domain, int64_t now, char id_r[64], int64_t *expires_r, struct buf *der_r);

enum public_by {
	PUBLIC_BY_EMAIL,    /* any address in one of our domains: whose they are is nobody's business */
	PUBLIC_BY_URI,	    /* one of our domains */
	PUBLIC_BY_CERTHASH, /* base64 of the SHA-1 of the certificate */
};
enum { PUBLIC_FOUND_MAX = 4 };
struct public_found {
	struct buf der[PUBLIC_FOUND_MAX];
	size_t n;
};
/* The certificates, copied, the one to encrypt to first; public_found_clear them. */
void public_shelf_find(struct public_shelf *s, enum public_by by, const char *value, struct public_found *f_r);
void public_found_clear(struct public_found *f);

#endif
