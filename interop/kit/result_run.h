/* What a run's results.json says beside its cases: what was tested, by whom, with which settings and judges. */
#ifndef INTEROP_RESULT_RUN_H
#define INTEROP_RESULT_RUN_H

#include "interop/kit/result.h"

/* results.json but for "began", "ended" and "cases". second: name of the second judge, or NULL; plan: hash, or NULL;
 * id: 32 hexadecimal digits. Requirements are read from kit.requirements. NULL with why: ask before anything is sent.
 * Free with json_decref. */
json_t *result_run(const struct kit *k, const struct case_list *cases, const char *plan, const char *second,
    const char *id, struct buf *why);

#endif
