/* Steps about statements: made, published, asked for, handed over; and fetch. What they find goes into the scene. */
#ifndef INTEROP_STATEMENT_STEPS_H
#define INTEROP_STATEMENT_STEPS_H

#include "interop/kit/play.h"

void step_statement(struct play *p, const struct stmt *st);
/* publish, republish, unpublish of statements; everything else was published by init. */
void step_publish(struct play *p, const struct stmt *st);
void step_xsmg(struct play *p, const struct stmt *st);
void step_fetch(struct play *p, const struct stmt *st);

#endif
