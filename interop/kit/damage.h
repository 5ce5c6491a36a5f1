/* Damages CMS objects (CASES.md, `damage`), for messages and for statements. */
#ifndef INTEROP_DAMAGE_H
#define INTEROP_DAMAGE_H

#include "interop/kit/util.h"

/* kind: content, tail, signature, digest, tag, tag-short, key, truncate, append, length, nest. 0, or -1 with why: not
 * known, or there is nothing of the kind in this object. */
int damage(const char *kind, struct buf *der, struct buf *why);
/* One character of text in its middle: a letter or a digit becomes another. -1: there is none. */
int damage_text(struct buf *text, struct buf *why);

#endif
