/*
 * Base64 (RFC 4648 4) by 24 octets or 32 characters at once, where the processor has AVX2; elsewhere these take
 * nothing and the caller's tables do all the work. Sealer. Pure.
 */
#ifndef POSTERN_CMS_BASE64_WIDE_H
#define POSTERN_CMS_BASE64_WIDE_H

#include <stddef.h>
#include <stdint.h>

enum {
	BASE64_WIDE_READ = 28,	/* octets that must be readable to encode 24 */
	BASE64_WIDE_WRITE = 32, /* octets that must be writable to decode 32 characters to 24 octets */
};
/* Encodes blocks of 24 octets to 32 characters while BASE64_WIDE_READ are left. Returns the octets taken, a multiple
 * of 24. */
size_t base64_wide_encode(const uint8_t *p, size_t n, char *out);
/* Decodes blocks of 32 characters while each is one of the 64 and BASE64_WIDE_WRITE octets of out are free. Returns
 * the characters taken, a multiple of 32; what lies in out behind their octets is undefined. */
size_t base64_wide_decode(const uint8_t *p, size_t n, uint8_t *out, size_t cap);

#endif
