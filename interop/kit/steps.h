/* What each statement of a case does when the case is run. */
#ifndef INTEROP_STEPS_H
#define INTEROP_STEPS_H

#include "play.h"

/* Does one statement; what it finds goes into the scene. World statements do nothing here. */
void steps_do(struct play *p, const struct stmt *st);
/* After the case has settled: outcomes and nevers. */
void steps_end(struct play *p);
/* Is this a statement of the language, with what it needs? 0 or -1 with why. */
int steps_check(const struct stmt *st, struct buf *why);

/* by file: step_mail.c, step_end.c, step_chat.c, step_answers.c */
void step_message(struct play *p, const struct stmt *st);
void step_submit(struct play *p, const struct stmt *st);
void step_deliver(struct play *p, const struct stmt *st);
void step_await(struct play *p, const struct stmt *st);
void step_outcome(struct play *p, const struct stmt *st);
void step_never(struct play *p, const struct stmt *st);
void step_chat(struct play *p, const struct stmt *st);
void step_same_answers(struct play *p, const struct stmt *st);
/* The message of this name, made when it is first used; NULL with a finding. */
struct buf *step_octets(struct play *p, const struct stmt *st, const char *name);

#endif
