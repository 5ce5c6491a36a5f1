/*
 * Many certificates of many partners out of one file: looked at, confirmed by a person, and stored, all in slices
 * beside the mail. Role judge; on the loop. What is under way is in memory: a restart of the judge forgets it, and
 * what was stored until then stays; the same file again stores the rest. import.*: handlers of judge_admin.c.
 */
#ifndef POSTERN_PROC_JUDGE_MASS_H
#define POSTERN_PROC_JUDGE_MASS_H

#include "gateway/base/loop.h"
#include "gateway/proc/judge_call.h"
#include "gateway/proc/judge_world.h"

/* JOBS: at a time, all people's. OCTETS: of a file. KEPT_S: how long one that nobody touches is remembered. */
enum { JUDGE_MASS_JOBS = 4, JUDGE_MASS_OCTETS = 12 * 1024 * 1024, JUDGE_MASS_KEPT_S = 24 * 3600 };

struct judge_mass;
/* max: certificates of a file. All stays. */
struct judge_mass *judge_mass_new(
    struct loop *l, const struct judge_world *w, struct store *s, size_t max, int64_t (*now)(void));
void judge_mass_free(struct judge_mass *m);

int judge_mass_begin(struct judge_call *c);
int judge_mass_list(struct judge_call *c);
int judge_mass_show(struct judge_call *c);
int judge_mass_confirm(struct judge_call *c);
int judge_mass_cancel(struct judge_call *c);

#endif
