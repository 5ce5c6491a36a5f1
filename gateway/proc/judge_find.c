/* Where the certificate of one recipient is looked for. Role judge; reads the store. */
#include "gateway/proc/judge_find.h"

#include <stdio.h>
#include <string.h>

#include "gateway/proc/judge_cache.h"

static int use_entry(const struct judge_owner *o, struct judge_find *f, struct problem *pr)
{
	size_t at = strlen(f->entries);
	unsigned given;

	if (!o->partner || !o->partner->find || !o->partner->find[0])
		return 0;
	if (find_options_read(o->partner->find, &f->o, &given, pr) < 0)
		return problem_temp(
		    pr, "the store is damaged: partner %s is looked for with \"%.200s\"", o->name, o->partner->find);
	f->from_admin |= given;
	(void)snprintf(f->entries + at, sizeof f->entries - at, "%s%s", at ? " and " : "", o->name);
	return 0;
}

int judge_find(const struct judge_world *w, struct store *s, const struct address *rcpt, struct judge_find *f_r,
    struct problem *pr)
{
	const struct judge_owner *o;

	memset(f_r, 0, sizeof *f_r);
	f_r->o = w->find;
	if (judge_cache_owner(w->cache, s, rcpt->domain, &o, pr) < 0 || use_entry(o, f_r, pr) < 0)
		return -1;
	if (!rcpt->local[0])
		return 0;
	return judge_cache_person(w->cache, s, rcpt, &o, pr) < 0 ? -1 : use_entry(o, f_r, pr);
}
