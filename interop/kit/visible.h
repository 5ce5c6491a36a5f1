/* Texts that may hold anything (what a gateway sent, what a stranger's results.json says) as something that can be
 * shown: valid UTF-8, nothing that moves the cursor, turns the direction or cannot be seen. */
#ifndef INTEROP_VISIBLE_H
#define INTEROP_VISIBLE_H

#include "interop/kit/util.h"

/* The character at p (n octets are there, n > 0) and how many octets it takes; 0: not UTF-8 (RFC 3629 section 4). */
size_t utf8_next(const char *p, size_t n, uint32_t *c);
/* Adds p; octets that are not UTF-8 as \xHH, controls, directions and what XML does not allow as \u{HEX}. */
void visible_add(struct buf *b, const char *p, size_t n);
/* The same for text between tags and in attributes of HTML and XML: & < > " ' are escaped as well. */
void markup_add(struct buf *b, const char *text);
/* The same for a table or a paragraph of Markdown: what begins markup there has a backslash. */
void markdown_add(struct buf *b, const char *text);
/* A relative path as the value of href: everything but letters, digits and "/-._~" as %HH. */
void href_add(struct buf *b, const char *path);

#endif
