/*
 * Incoming mail: CHECK before the 250 (outside structure of what is encrypted; the whole verdict of what is not),
 * OPEN afterwards (promise P10). Sealer.
 */
#ifndef POSTERN_PIPELINE_INBOUND_H
#define POSTERN_PIPELINE_INBOUND_H

#include "gateway/pipeline/pipeline.h"

extern const struct stage inbound_stages[];

#endif
