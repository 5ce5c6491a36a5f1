/* Several certificates in one answer over HTTP, as RFC 4387 has them: multipart/mixed. Judge; pure, over octets a
 * stranger wrote. */
#ifndef POSTERN_CERTSTORE_CERT_PARTS_H
#define POSTERN_CERTSTORE_CERT_PARTS_H

#include <stddef.h>
#include <stdint.h>

enum { CERT_PARTS_MAX = 64 };

struct cert_part {
	const uint8_t *p; /* the body inside the answer */
	size_t n;
	int base64; /* it is encoded so */
};
/* The parts of a body whose first line is the boundary (the media type's parameter did not come along), at most
 * CERT_PARTS_MAX. 0: it is no multipart. */
size_t cert_parts(const uint8_t *p, size_t n, struct cert_part v[CERT_PARTS_MAX]);

#endif
