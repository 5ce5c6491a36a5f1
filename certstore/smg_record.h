/* The TXT record `_smg` of a domain: where its gateway's statement is fetched (XSMG section 7). Judge; pure, over
 * octets a stranger wrote. What the statement says, and the keys named here, are not looked at. */
#ifndef POSTERN_CERTSTORE_SMG_RECORD_H
#define POSTERN_CERTSTORE_SMG_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define SMG_RECORD_TYPE 16 /* TXT */
#define SMG_RECORD_URL_MAX 255

/* RDATA as on the wire: one string "v=smg1; url=https-url" and up to two "; key=sha256/...". 1 with the URL; 0: a TXT
 * record of something else; -1: meant for us and malformed, with *why_r. */
int smg_record_read(const uint8_t *p, size_t n, char url_r[SMG_RECORD_URL_MAX + 1], const char **why_r)
    __attribute__((warn_unused_result));

#endif
