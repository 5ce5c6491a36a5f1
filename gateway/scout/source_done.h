/* How the sources of the scout answer (certstore/source.h). Role scout. */
#ifndef POSTERN_SCOUT_SOURCE_DONE_H
#define POSTERN_SCOUT_SOURCE_DONE_H

#include "certstore/source.h"

/* Called exactly once for each question, from the loop, never from inside the asking function; a and all it points at
 * are valid during the call. The asking functions copy the question. */
typedef void source_done(void *ctx, const struct source_answer *a);

#endif
