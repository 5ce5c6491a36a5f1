/*
 * Peeling the S/MIME layers of a message, outermost first. Each layer covers the whole entity (RFC 8551 3.7): parts
 * below a multipart are never opened, so nothing unsigned can stand beside what a signature is said to cover. Sealer.
 */
#ifndef POSTERN_PIPELINE_LAYERS_H
#define POSTERN_PIPELINE_LAYERS_H

#include "gateway/pipeline/work.h"

enum layers_result {
	LAYERS_END,	  /* the innermost entity stands in w->shown */
	LAYERS_ENCRYPTED, /* JOB_CHECK met a layer that is encrypted: outside structure is good, nothing was opened */
	LAYERS_FOREIGN,	  /* encrypted, but for none of our certificates */
	LAYERS_MALFORMED, /* the structure of a layer is broken or forbidden: pr */
	LAYERS_UNOPENED, /* encrypted to us but cannot be opened: pr (for the log and the admin, never for outside) */
	LAYERS_TEMP,	 /* keeper away or machine trouble: pr */
};
enum layers_result layers_peel(struct work *w);

#endif
