/* XSMG (docs/XSMG.md is the specification): statements that the kit makes and publishes, and those that it asks the
 * gateway for. Of its own, with OpenSSL and jansson. */
#ifndef INTEROP_STATEMENT_H
#define INTEROP_STATEMENT_H

#include "play.h"

/* The DER of a `statement` (CASES.md) as of now. 0 or -1 with why. */
int statement_make(struct scene *s, const struct stmt *st, struct buf *der, struct buf *why);
/* The id (base64url of the SHA-256 of the eContent) of a statement; -1: it is none. */
int statement_id(const struct buf *der, char out[44]);
/* Steps: statement (makes and names it), publish statement at the beginning of a run and republish (which: txt is of
 * init; https and xsmg take what was made), xsmg get/put, fetch. */
void step_statement(struct play *p, const struct stmt *st);
void step_publish(struct play *p, const struct stmt *st);
void step_xsmg(struct play *p, const struct stmt *st);
void step_fetch(struct play *p, const struct stmt *st);

#endif
