/*
 * S/MIME below the top of what will be shown: never opened, but looked at from outside. A signed part makes a message
 * "partly signed"; an encrypted part between others is the shape that carries content off (EFAIL; RFC 8551 3.7 and
 * 6). Sealer. No key is used here and nothing is decoded but the first octets of a part.
 */
#ifndef POSTERN_PIPELINE_INSIDE_H
#define POSTERN_PIPELINE_INSIDE_H

#include "gateway/pipeline/work.h"

/* Looks through w->shown, or the message wrapped in it (unwrap.h); fills w->verdict's parts and w->facts.part_why. 0;
 * -1 with pr: TEMP, or a structure that goes beyond the limits or is malformed (what was seen of it is noted all the
 * same). beyond_r: beyond the limits. */
int inside_look(struct work *w, bool *beyond_r, struct problem *pr) __attribute__((warn_unused_result));

#endif
