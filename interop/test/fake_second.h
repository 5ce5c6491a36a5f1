/* The second judge of tests: sees what the test says. Another program may be linked with the kit's real one instead.
 */
#ifndef INTEROP_FAKE_SECOND_H
#define INTEROP_FAKE_SECOND_H

#include "interop/kit/judge.h"

#include <jansson.h>

enum fake_second {
	FAKE_AGREES,
	FAKE_CANNOT,
	FAKE_OTHER_KIND,
	FAKE_OTHER_VALIDITY,
	FAKE_OTHER_SIGNER,
	FAKE_OTHER_CONTENT,
	FAKE_OTHER_ATTRIBUTES,
	FAKE_TELLS_LITTLE, /* no cipher, no recipients, no attributes */
	FAKE_BROKEN
};

/* How it answers from now on, and how often it was asked. */
void fake_second_says(enum fake_second how);
unsigned fake_second_asked(void);

#endif
