/*
 * Line ends of what was sealed. RFC 8551 3.1.1 wants CRLF before signing and encrypting; programs that seal the files
 * of a Unix system write LF alone, and inside an encryption nothing on the way puts that right. Sealer.
 */
#ifndef POSTERN_PIPELINE_CANON_H
#define POSTERN_PIPELINE_CANON_H

#include "gateway/pipeline/work.h"

/* When all line ends of what was just opened (in w->plain) are LF alone, and it is text (no CR, no NUL anywhere), its
 * lines get CRLF; anything else stays as it is. 0 / -1 with w->res->pr (the spool failed). */
int canon_opened(struct work *w) __attribute__((warn_unused_result));

#endif
