/* submit, deliver, await: mail into the gateway, and out of it. What they find goes into the scene. */
#ifndef INTEROP_STEP_MAIL_H
#define INTEROP_STEP_MAIL_H

#include "interop/kit/play.h"

void step_message(struct play *p, const struct stmt *st);
void step_submit(struct play *p, const struct stmt *st);
void step_deliver(struct play *p, const struct stmt *st);
void step_await(struct play *p, const struct stmt *st);
/* The message of this name, made when it is first used; NULL with a finding. */
struct buf *step_octets(struct play *p, const struct stmt *st, const char *name);

#endif
