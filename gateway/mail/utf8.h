/* Strict UTF-8 (RFC 3629): what may stand in addresses and parameters of SMTPUTF8 (RFC 6531). Pure. */
#ifndef POSTERN_MAIL_UTF8_H
#define POSTERN_MAIL_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Octets of the character at p, 1..4, or 0: n is 0 or they are no UTF-8 (cut off, overlong, a surrogate, above
 * U+10FFFF). */
size_t utf8_len(const char *p, size_t n);
/* All n octets are UTF-8 without control characters, C1 (U+0080 to U+009F) among them. */
bool utf8_text(const char *p, size_t n);
/* Has UTF-8 text a character that changes the direction in which it is shown (Unicode UAX #9 2: U+061C, U+200E,
 * U+200F, U+202A to U+202E, U+2066 to U+2069)? In an address it shows another domain than the one that is there. */
bool utf8_turns(const char *p, size_t n);
/* Is one of the octets not ASCII? */
bool utf8_needed(const char *p, size_t n);

#endif
