/*
 * Delivery reports of servers outside (RFC 3464 in RFC 6522 multipart/report; RFC 6533): what such a message says is
 * read here, in the sealer; whether it is about something that we sent is the relay's to say (JOB_NEEDS_DSN). Nothing
 * that it says changes what becomes of mail.
 */
#ifndef POSTERN_PIPELINE_REPORT_H
#define POSTERN_PIPELINE_REPORT_H

#include "gateway/pipeline/work.h"

/* A stage of incoming mail, behind the opening of all layers: only mail with the null reverse-path is looked at. */
enum stage_result report_stage(struct work *w);
/* Copies the body of a report as far as somebody unknown may be let through with it: the first text, the status and
 * header fields, but not what came back of the message's content, nor anything else, nor what has a file name. 0 / -1
 * with pr. */
int report_copy(struct work *w, const struct mime_entity *e, struct writer *out, struct problem *pr)
    __attribute__((warn_unused_result));

#endif
