/* Two operators run the kit against each other's gateways by one plan: {"format": "postern-interop-plan-1", "id": 32
 * hex, "profiles": [..], "cases": [{"profile","id","sha256"}] sorted, "parties":
 * [{"name","domain","tester","gateway"}], "not-before", "until"}. sha256 is over a case's folder; tester and gateway
 * (may be "") are certificates in PEM. There are two parties; the tester of one tests the domain of the other. */
#ifndef INTEROP_PLAN_H
#define INTEROP_PLAN_H

#include <jansson.h>

#include "interop/kit/case_file.h"
#include "interop/kit/kit.h"

/* SHA-256 over the lines "<sha256> <path>" of all files of a case's folder, sorted by path. 0 or -1 with why. */
int plan_case_hash(const char *case_dir, char hex[65], struct buf *why);
/* The member "cases-hash" of results.json: SHA-256 over the lines "<sha256> <profile>/<id>" of these cases, sorted.
 */
int plan_cases_hash(const struct case_list *cases, char hex[65], struct buf *why);

/* `plan make`: parties: two of "NAME,domain,tester-cert[,gateway-cert]", the certificates as files; profiles: with
 * commas, as cases were read by them; times in seconds. NULL with why. Free with json_decref. */
json_t *plan_make(const struct case_list *cases, const char *profiles, char **parties, size_t n, time_t not_before,
    time_t until, struct buf *why);
int plan_write(const char *path, const json_t *plan, struct buf *why);
/* Reads and checks a plan (to 16 MiB); a stranger may have written it. NULL with why. */
json_t *plan_read(const char *path, struct buf *why);
/* The SHA-256 that names a plan in results.json; how the file is laid out is of no matter. */
void plan_hash(const json_t *plan, char hex[65]);
/* The profiles with commas, for case_list_read; and the ids. Free. */
char *plan_profiles(const json_t *plan);
char *plan_case_ids(const json_t *plan);
/* `run --plan`: cases are just those of the plan, each with the same octets. 0, or -1 with a sentence for each. */
int plan_check_cases(const json_t *plan, const struct case_list *cases, struct buf *why);
/* `run --plan --as NAME`: NAME is a party whose tester's certificate is DIR/tester.pem, gateway-domain is the other
 * party's, and now (seconds) is the plan's time. 0 or -1 with why. */
int plan_check_kit(const json_t *plan, const struct kit *k, const char *name, time_t now, struct buf *why);

#endif
