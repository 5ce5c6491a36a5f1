/*
 * Mail in the clear for a host without 8BITMIME (RFC 6152 3), after its 250: the whole message in 7 bits. What is
 * signed is never re-encoded: refused with 5.6.3. Sealer.
 */
#ifndef POSTERN_PIPELINE_SEVEN_H
#define POSTERN_PIPELINE_SEVEN_H

#include "gateway/pipeline/pipeline.h"

extern const struct stage seven_stages[];

#endif
