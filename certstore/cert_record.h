/*
 * CERT records (RFC 4398): the certificate in one, or where it is fetched; and the names they are looked for under.
 * Judge; pure, over octets a stranger wrote.
 */
#ifndef POSTERN_CERTSTORE_CERT_RECORD_H
#define POSTERN_CERTSTORE_CERT_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/mail/address.h"

#define CERT_RECORD_TYPE 37 /* of DNS */
#define CERT_RECORD_NAME_MAX 253
#define CERT_RECORD_URL_MAX 1000

enum cert_record_kind {
	CERT_RECORD_DER,   /* PKIX: the certificate itself */
	CERT_RECORD_URL,   /* IPKIX */
	CERT_RECORD_OTHER, /* a kind with no use here: why names it */
};
struct cert_record {
	enum cert_record_kind kind;
	const uint8_t *der; /* inside the RDATA */
	size_t nder;
	const uint8_t *hash; /* of what the URL has; inside the RDATA; n 0: none is given */
	size_t nhash;	     /* 20, 32, 48, 64: SHA-1, SHA-256, SHA-384, SHA-512 */
	char url[CERT_RECORD_URL_MAX + 1];
};
/* One record's RDATA. 0; -1 malformed, with *why_r. For CERT_RECORD_OTHER *why_r says what it is. */
int cert_record_read(const uint8_t *p, size_t n, struct cert_record *r_r, const char **why_r)
    __attribute__((warn_unused_result));
/* Is it what the record announced? True without a hash. */
int cert_record_hash_fits(const struct cert_record *r, const void *p, size_t n);
/* The address as a name: bob@lab.example is bob.lab.example. 0; -1 when there is no such name (a local part that is
 * no row of labels). */
int cert_record_owner(const struct address *a, char out[CERT_RECORD_NAME_MAX + 1])
    __attribute__((warn_unused_result));

#endif
