/* Statements (docs/XSMG.md) of the domains that the kit plays: content (JSON) and SignedData around it, also wrong
 * ones. */
#ifndef INTEROP_STATEMENT_MAKE_H
#define INTEROP_STATEMENT_MAKE_H

#include "interop/kit/scene.h"

/* The DER of a `statement` (CASES.md) as of now. 0 or -1 with why. */
int statement_make(struct scene *s, const struct stmt *st, struct buf *der, struct buf *why);

#endif
