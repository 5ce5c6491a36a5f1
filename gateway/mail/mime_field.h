/*
 * Values of Content-Type and Content-Disposition: parameters, their continuations and encodings (RFC 2045 5.1, RFC
 * 2231). Pure.
 */
#ifndef POSTERN_MAIL_MIME_FIELD_H
#define POSTERN_MAIL_MIME_FIELD_H

#include "gateway/base/arena.h"
#include "gateway/mail/lex.h"
#include "gateway/mail/mime.h"

/* Reads `*(";" name "=" value)` to the end of the text. Continuations are joined and percent-encoding undone (the
 * charset is dropped). A name that comes twice keeps its first value; where that decides how the message is taken
 * apart (boundary, protocol, smime-type) two values are a problem. At most lim->params, and 64. 0 / -1 with pr
 * (554 5.6.0). */
int mime_field_params(struct arena *a, struct lex *l, const struct mime_limits *lim, struct mime_type *t,
    struct problem *pr) __attribute__((warn_unused_result));

#endif
