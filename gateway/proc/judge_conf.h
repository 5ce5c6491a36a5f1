/* What the configuration says, in the form in which the judge works with it. Role judge, at its start. */
#ifndef POSTERN_PROC_JUDGE_CONF_H
#define POSTERN_PROC_JUDGE_CONF_H

#include "gateway/proc/conf.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_world.h"
#include "gateway/proc/judge_xsmg_own.h"

/* Fills both, with a new cache; they point into conf and into memory that is never freed. */
void judge_conf_world(const struct conf *conf, struct judge_world *w, struct judge_believing *b);
/* Where our own public listener has our statements, when there is one: told to own, and in set->urls when the admin
 * named none. Once in a process. */
void judge_conf_served(const struct conf *conf, struct judge_xsmg_own *own, struct statement_settings *set);

#endif
