/* What another gateway says of itself, checked as docs/XSMG.md sections 3 and 4 demand, before trust. */
#ifndef INTEROP_STATEMENT_CHECK_H
#define INTEROP_STATEMENT_CHECK_H

#include <jansson.h>

#include "interop/kit/util.h"

/* All checks; domain: the one asked for. The content, to be freed with json_decref, or NULL with why (the first check
 * that fails). signers: how many SignerInfos. */
json_t *statement_check(const struct buf *der, const char *domain, size_t *signers, struct buf *why);

/* The id (base64url of the SHA-256 of the eContent) of a statement; -1: it is none, and out stays. */
int statement_id(const struct buf *der, char out[44]);

#endif
