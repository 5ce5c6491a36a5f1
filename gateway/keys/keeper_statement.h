/*
 * Looks into what a statement key is asked to sign: the signed attributes of a statement of XSMG and nothing else.
 * Role keeper, any of its threads. Pure, total, no I/O; knows no libcrypto. RFC 5652 5.3, 5.4 and 11; RFC 5035 5.4.2.
 *
 * Whoever could have a statement key sign a digest of his choice could have it sign mail, certificates or TLS
 * handshakes that others take for the domain's. These attributes are a SET, which no certificate, request or
 * handshake begins with, and their contentType is one that no mail has.
 */
#ifndef POSTERN_KEYS_KEEPER_STATEMENT_H
#define POSTERN_KEYS_KEEPER_STATEMENT_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/problem.h"

/* attrs: the whole DER of the SET OF Attribute. digest: octets that messageDigest must have. 0 when it is exactly
 * contentType (id-smg-statement), messageDigest, signingTime, signingCertificateV2, each once with one value, in DER;
 * -1 with pr (PERM) that names what is not so. */
int keeper_statement_check(const uint8_t *attrs, size_t n, size_t digest, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
