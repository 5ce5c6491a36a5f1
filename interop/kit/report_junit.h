/* junit.xml of a run, for what shows test results: a suite per profile; "not run" is skipped, with the reason. */
#ifndef INTEROP_REPORT_JUNIT_H
#define INTEROP_REPORT_JUNIT_H

#include <jansson.h>

#include "interop/kit/util.h"

/* results: as result_read gives them. Well-formed XML 1.0 whatever octets their texts hold. */
void report_junit(const json_t *results, struct buf *out);

#endif
