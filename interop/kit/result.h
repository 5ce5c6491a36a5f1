/* What a run found, as it stands in runs/<time>/results.json: the one source of all reports.
 * {"kit": version, "run": id (32 hex), "began", "ended": ISO times, "tester", "gateway": {"name","version","domain"},
 * "kit-domain", "judges": [name and version], "configuration": {name: value}, "profiles": [..], "plan": hash or null,
 * "cases-hash": SHA-256 over all case files run (hex), "requirements": [{"id","rfc","failure"}], "cases":
 * [{"id","profile","title","proves":[..],"result":"passed"|"failed"|"not
 * run","seconds":1.2,"evidence":"evidence/<id>","findings":[{"result","line","sentence"}]}]} */
#ifndef INTEROP_RESULT_H
#define INTEROP_RESULT_H

#include <jansson.h>

#include "scene.h"

/* The value of one case: failed when one finding failed, not run when one was not run or there is none. */
enum verdict result_of(const struct finding *f, size_t n);
extern const char *const verdict_names[]; /* "passed", "failed", "not run" */
json_t *result_case(const struct case_file *c, const struct finding *f, size_t n, double seconds);
/* results.json but for "began", "ended" and "cases": everything that is known before the run. second: name of the
 * second judge, or NULL; plan: hash, or NULL. */
json_t *result_run(
    const struct kit *k, const struct case_list *cases, const char *plan, const char *second, const char *id);
/* Reads and checks results.json of a run's directory: every member has its type. NULL with why. */
json_t *result_read(const char *dir, struct buf *why);

#endif
