/* The TXT record `_smg` of a domain: where its gateway's statement is fetched (XSMG section 7). Judge; pure, over
 * octets a stranger wrote. What the statement says is not looked at; the keys count in a signed zone alone. */
#ifndef POSTERN_CERTSTORE_SMG_RECORD_H
#define POSTERN_CERTSTORE_SMG_RECORD_H

#include <stddef.h>
#include <stdint.h>

#define SMG_RECORD_TYPE 16 /* TXT */
#define SMG_RECORD_URL_MAX 255

#define SMG_RECORD_KEYS_MAX 2

struct smg_record {
	char url[SMG_RECORD_URL_MAX + 1];
	uint8_t keys[SMG_RECORD_KEYS_MAX][32]; /* SHA-256 of the SPKI of statement keys */
	size_t nkeys;
};
/* RDATA as on the wire: one string "v=smg1; url=https-url" and up to two "; key=sha256/...". 1 with *r_r; 0: a TXT
 * record of something else; -1: meant for us and malformed, with *why_r. */
int smg_record_read(const uint8_t *p, size_t n, struct smg_record *r_r, const char **why_r)
    __attribute__((warn_unused_result));

#endif
