/*
 * Why does the digest of a multipart/signed differ? What relays, lists and filters do to a text is undone, one thing
 * at a time, until the signature fits: for the postmaster's words only. The message stays one whose signature fails
 * (RFC 1847 2.1: what was signed is these octets). Sealer.
 */
#ifndef POSTERN_PIPELINE_CHANGED_H
#define POSTERN_PIPELINE_CHANGED_H

#include "gateway/cms/cms_outline.h"
#include "gateway/mail/mime.h"

/* Contents larger than this are not looked into; and for one message this many octets are digested at most, the
 * signature counted with each attempt. */
enum { CHANGED_CONTENT_MAX = 1 << 20, CHANGED_WORK_MAX = 16 << 20 };
#define CHANGED_TEXT_MAX 160

/* o: the signature; content: what it covers, in r. True with the words when something fits. Bounded; blocks in r. */
bool changed_find(struct cms_outline *o, struct reader *r, const struct mime_range *content,
    char words_r[CHANGED_TEXT_MAX]) __attribute__((warn_unused_result));

#endif
