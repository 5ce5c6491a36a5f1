/*
 * SMIMEA records (RFC 8162; fields as in RFC 6698 2.1) and the name they are looked for under. Judge; pure, over
 * octets a stranger wrote.
 */
#ifndef POSTERN_CERTSTORE_SMIMEA_RECORD_H
#define POSTERN_CERTSTORE_SMIMEA_RECORD_H

#include <stddef.h>
#include <stdint.h>

#include "certstore/trust.h"
#include "gateway/mail/address.h"

#define SMIMEA_RECORD_TYPE 53 /* of DNS */
#define SMIMEA_RECORD_NAME_MAX 330

/* 0; -1 malformed or of no use here (an unknown usage, selector or matching type, a hash of another length), with
 * *why_r. data stays inside the RDATA. */
int smimea_record_read(const uint8_t *p, size_t n, struct trust_dane *r_r, const char **why_r)
    __attribute__((warn_unused_result));
/* The record is the partner's own certificate, whole: it can be encrypted to. */
int smimea_record_is_cert(const struct trust_dane *r);
/* SHA-256 of the local part as it stands, cut to 28 octets, in hex, "._smimecert." and the domain (RFC 8162 3). -1:
 * the address has no local part, or no domain name, or the name would be too long for DNS. */
int smimea_record_owner(const struct address *a, char out[SMIMEA_RECORD_NAME_MAX])
    __attribute__((warn_unused_result));

#endif
