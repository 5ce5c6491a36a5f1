/* What a run found, as it stands in runs/<time>/results.json: the one source of all reports.
 * {"kit": version, "run": id (32 hex), "began", "ended": ISO times, "tester", "gateway": {"name","version","domain"},
 * "kit-domain", "judges": [name and version], "configuration": {name: value}, "profiles": [..], "plan": hash or null,
 * "cases-hash": SHA-256 over all case folders run (hex; plan.h), "requirements": [{"id","rfc","must","failure"}]
 * (requirements.h makes them), "cases": [{"id","profile","title","proves":[..],"result":"passed"|"failed"|"not
 * run","seconds":1.2,"evidence":"evidence/<id>","findings":[{"result","line","sentence"}]}]} */
#ifndef INTEROP_RESULT_H
#define INTEROP_RESULT_H

#include <jansson.h>

#include "interop/kit/scene.h"

/* The value of one case: failed when one finding failed, not run when one was not run or there is none. */
enum verdict result_of(const struct finding *f, size_t n);
extern const char *const verdict_names[]; /* "passed", "failed", "not run" */
/* The verdict of that name; -1: there is none. */
int verdict_read(const char *name);
/* Free with json_decref. Titles and sentences may hold any octets: they become visible text (visible.h), cut after
 * 8 KiB. */
json_t *result_case(const struct case_file *c, const struct finding *f, size_t n, double seconds);
/* A JSON text of any octets, as above. */
json_t *result_text(const char *text);
/* Checks results as result_read does and writes DIR/results.json. 0 or -1 with why. */
int result_write(const char *dir, const json_t *results, struct buf *why);
/* Reads and checks results.json of a run's directory: at most 64 MiB; every member is there and has its type, and
 * there is no other; the result of each case is that of its findings; ids are there once; each requirement that a
 * case proves is described. NULL with why. Free with json_decref. */
json_t *result_read(const char *dir, struct buf *why);
/* How many cases (of the profile; NULL: of all) have each verdict. */
void result_count(const json_t *results, const char *profile, size_t count[3]);
/* The verdict of a requirement: failed when one case that proves it failed, not run when one was not run. */
enum verdict result_requirement(const json_t *results, const char *id);
bool result_proves(const json_t *of_case, const char *id);
/* The text of a member that was checked; "" if it is not there. */
const char *result_member(const json_t *object, const char *name);

#endif
