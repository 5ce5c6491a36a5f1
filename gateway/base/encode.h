/* Hex, base64 (RFC 4648 section 4 and 5) and time as text. Pure. */
#ifndef POSTERN_BASE_ENCODE_H
#define POSTERN_BASE_ENCODE_H

#include <stddef.h>
#include <stdint.h>

/* The value of a hex digit in either case, 0..15; -1 for any other octet. Where only capital letters are allowed, it
 * is for the caller to refuse the others (xtext_hex does). */
int encode_hex_value(char c);
/* The value of a character of the base64 alphabet (RFC 4648 section 4), 0..63; -1 for any other octet, also '='. */
int encode_b64_value(char c);
/* Lower-case hex; out has 2n+1 octets. */
void encode_hex(const uint8_t *p, size_t n, char *out);
/* Returns octets decoded, -1 when not hex or over cap. */
int encode_unhex(const char *s, size_t n, uint8_t *out, size_t cap);
/* Base64 in one line; out needs 4*((n+2)/3)+1. Returns length. */
size_t encode_b64(const uint8_t *p, size_t n, char *out);
/* base64url without padding; same room. */
size_t encode_b64url(const uint8_t *p, size_t n, char *out);
/* Strict decode of padded base64 without blanks; -1 on error or over cap. */
long encode_unb64(const char *s, size_t n, uint8_t *out, size_t cap);
/* Decodes base64 as tolerant readers do: whatever is not of the alphabet is passed over, bits left over at the end
 * are dropped. Stops at cap; 3 * n / 4 always suffices. Octets decoded. */
size_t encode_unb64_loose(const char *s, size_t n, uint8_t *out, size_t cap);
/* "2026-11-22T02:05:19Z"; out has 21 octets. */
void encode_time(int64_t unix_s, char out[21]);
/* RFC 5322 date "Sun, 22 Nov 2026 02:05:19 +0000"; out has 32 octets. */
void encode_date(int64_t unix_s, char out[32]);

#endif
