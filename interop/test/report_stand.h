/* For the tests of the reports: a run of three cases, and what stands in for the gateway, the world and the sink. */
#ifndef INTEROP_REPORT_STAND_H
#define INTEROP_REPORT_STAND_H

#include "interop/kit/kit.h"
#include "interop/kit/requirements.h"
#include "interop/kit/scene.h"

#define CHECK(what) check((what), #what, __LINE__)

/* What the gateway does with the mail that it is to countersign. */
enum manner { SIGN_SEAL, SIGN, DETACHED, SEAL, PLAIN, OTHER_KEY, LOSE, REFUSE, BASE64, TRIPLE, OTHER_TEXT };

extern char *top;	      /* directory of this test */
extern const char hostile[];  /* markup, controls, octets that are not UTF-8 */
extern int64_t came_shift_ms; /* how far the sink's clock is off */
extern const enum verdict mixed[], good[];

void begin(const char *name); /* makes top and the keys */
int end(void);		      /* the status of the program; removes top when all went well */
bool check(bool is, const char *what, int line);
void write_text(const char *path, const char *text); /* with the directories above it */
char *in(const char *dir, const char *name);
bool says(const char *text, const struct buf *b);
int command(const char *program, const char *option, const char *path); /* its status; 127: not there */

struct case_list make_cases(void);
void free_cases(struct case_list *l);
struct requirement_list requirements(void);
struct kit make_kit(const char *name);
json_t *make_results(const struct case_list *l, const char *domain, const char *plan, const enum verdict *verdicts);
/* A run's directory below top, with all reports; free it. */
char *make_run(
    const struct kit *k, const struct case_list *l, const char *name, const char *plan, const enum verdict *verdicts);
/* The status of verify_report; text must be among what it says. */
int verified(const char *run, const char *tester, const char *gw, const char *text);
/* report_countersign with a gateway of this manner; text must be in its why, NULL: it must go well. */
int countersigned(const struct kit *k, const char *run, enum manner how, const char *text);

#endif
