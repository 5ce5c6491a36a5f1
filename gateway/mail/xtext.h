/* xtext and the ORCPT address of the DSN extension (RFC 3461 4, 4.2, 4.4; RFC 6533 3). Pure. */
#ifndef POSTERN_MAIL_XTEXT_H
#define POSTERN_MAIL_XTEXT_H

#include <stdbool.h>
#include <stddef.h>

/* The value of a hex digit as xtext has them, capital letters alone (RFC 3461 4 hexchar); -1 for any other octet. */
int xtext_hex(char c);
/* Decodes the n octets of xtext at p into out (cap octets with the NUL put behind; n + 1 always suffices). Octets
 * decoded, or -1: not xtext, or over cap. The result may have any octets, also NUL. */
int xtext_decode(const char *p, size_t n, char *out, size_t cap) __attribute__((warn_unused_result));
/* Is it xtext, not empty, of at most max octets, that says printable ASCII alone (RFC 3461 4.4)? What passes can be
 * put into a header of a report, decoded or not. */
bool xtext_printable(const char *p, size_t n, size_t max);
/* The same of an ORCPT value "type;xtext" (RFC 3461 4.2), "utf-8;text" as RFC 6533 3 has it; raw UTF-8 only with
 * utf8. */
bool xtext_orcpt(const char *p, size_t n, size_t max, bool utf8);

#endif
