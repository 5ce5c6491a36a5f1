/*
 * Puts a MIME entity into 7-bit form before it is signed in the clear (RFC 8551 3.1.2) or goes to a host without
 * 8BITMIME (RFC 6152 3): base64 or quoted-printable where needed, boundaries kept. Streaming. What is signed inside
 * is not touched: PERM 5.6.3. Not for encrypted or opaque content.
 */
#ifndef POSTERN_MAIL_SEVENBIT_H
#define POSTERN_MAIL_SEVENBIT_H

#include "gateway/base/stream.h"

/* Reads the entity (header fields Content-* and body, CRLF) of len octets at off, writes it with every line <= 998
 * octets (76 where re-encoded) and no octet above 127, no trailing blanks changed where no change is needed. PERM
 * when larger than max. */
int sevenbit_write(struct reader *r, uint64_t off, uint64_t len, size_t max, struct writer *w, struct problem *pr)
    __attribute__((warn_unused_result));
/*
 * Makes of an entity that was opened what SMTP without BINARYMIME carries unchanged (RFC 3030 3: binary content is
 * not given to a server that does not say so): parts with a CR or LF alone, or a line of NULs and a dot, come in
 * base64 or quoted-printable, octets kept. All else stays as it is: 8-bit text, NUL, overlong lines, text with LF for
 * CRLF, header fields, what is signed inside. Otherwise as above; what cannot be made so is PERM.
 */
int sevenbit_lines_write(struct reader *r, uint64_t off, uint64_t len, struct writer *w, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
