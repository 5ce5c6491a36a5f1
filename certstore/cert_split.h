/*
 * The certificates of a file of any size, one after the other: PEM, DER, PKCS#7 in either. Unlike cert_read_any it
 * does not read them all at once, so that many can be looked at in slices. Judge; pure over octets; total: whatever
 * the octets are, it ends and stays within them. Does not block.
 */
#ifndef POSTERN_CERTSTORE_CERT_SPLIT_H
#define POSTERN_CERTSTORE_CERT_SPLIT_H

#include <openssl/bio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

struct cert_split {
	const uint8_t *p, *end; /* certificates one behind the other that come next */
	BIO *pem;		/* NULL: the file is DER */
	unsigned char *block;	/* of PEM, that p is in */
	long block_n;
	size_t size, n; /* of the file; certificates so far */
};

/* file stays until cert_split_clear, which is called in any case. 0; -1 with pr: it is nothing of the kind. */
int cert_split_begin(struct cert_split *s, const void *file, size_t n, struct problem *pr)
    __attribute__((warn_unused_result));
/* 1 with the octets of the next one, which is not looked into and stays until the next call; 0 at the end (there was
 * at least one); -1 with pr: what follows is damaged, or a private key. */
int cert_split_next(struct cert_split *s, const uint8_t **der_r, size_t *n_r, struct problem *pr)
    __attribute__((warn_unused_result));
void cert_split_clear(struct cert_split *s);

#endif
