/* partner.list: role judge; reads the store. */
#include "gateway/proc/judge_admin_glance.h"

#include <string.h>

#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_admin_partner.h"
#include "gateway/proc/judge_expiry.h"
#include "gateway/proc/partner_statement_settings.h"

enum { DAY = 86400, OFFSET_MAX = 10 * 1000 * 1000 };

static int read_sort(struct judge_call *c, struct store_glance_query *q)
{
	static const char *const names[] = {[STORE_GLANCE_BY_NAME] = "name",
	    [STORE_GLANCE_BY_STATE] = "state",
	    [STORE_GLANCE_BY_END] = "until",
	    [STORE_GLANCE_BY_ADDED] = "added",
	    [STORE_GLANCE_BY_TREATMENT] = "treatment"};
	const char *word;

	if (judge_call_str(c, "sort", JUDGE_MAY, 40, &word) < 0)
		return -1;
	if (!word || !word[0])
		return 0;
	q->down = word[0] == '-';
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strcmp(names[i], word + q->down) == 0) {
			q->sort = (enum store_glance_sort)i;
			return 0;
		}
	return judge_call_fail(
	    c, "usage", "\"sort\" is one of name, state, until, added, treatment; with \"-\" in front downwards");
}

static int read_state(struct judge_call *c, struct store_glance_query *q)
{
	const char *word;

	if (judge_call_str(c, "state", JUDGE_MAY, 40, &word) < 0)
		return -1;
	if (!word || !word[0])
		return 0;
	q->state = store_glance_of(word);
	if (q->state != STORE_GLANCE_ANY)
		return 0;
	return judge_call_fail(c, "usage",
	    "\"state\" is one of frozen, not trusted any more, pending, downgraded, withdrawn, expired, no key, "
	    "expires "
	    "soon, stale, untried, trusted, listed");
}

static int read_query(struct judge_call *c, struct store_glance_query *q, bool *counts_r)
{
	const struct partner_statement_settings *set =
	    c->ja->world->statements ? c->ja->world->statements : partner_statement_settings_default();
	int64_t max, offset;

	if (judge_call_str(c, "match", JUDGE_MAY, 200, &q->match) < 0 || read_state(c, q) < 0 ||
	    read_sort(c, q) < 0 || judge_call_str(c, "after", JUDGE_MAY, 400, &q->after) < 0 ||
	    judge_call_int(c, "offset", 0, OFFSET_MAX, 0, &offset) < 0 ||
	    judge_call_int(c, "max", 1, 1000, 200, &max) < 0 || judge_call_bool(c, "counts", false, counts_r) < 0)
		return -1;
	if (q->after && q->after[0] && (q->sort != STORE_GLANCE_BY_NAME || q->down))
		return judge_call_fail(
		    c, "usage", "\"after\" goes with sort=name: for other orders there is \"offset\"");
	q->offset = (size_t)offset;
	q->max = (size_t)max + 1;
	q->now = c->now;
	q->soon = c->now + (int64_t)JUDGE_EXPIRY_DAYS * DAY;
	q->stale = c->now - set->stale_after / 1000;
	return 0;
}

static int tell_counts(struct judge_call *c, const struct store_glance_query *q)
{
	int64_t counts[STORE_GLANCE_STATES];
	json_t *o = judge_call_object();

	judge_call_set(c->data, "counts", o);
	if (store_glance_counts(c->store, q, counts, c->pr) < 0)
		return -1;
	judge_call_set(o, "all", json_integer((json_int_t)counts[STORE_GLANCE_ANY]));
	for (int i = STORE_GLANCE_ANY + 1; i < STORE_GLANCE_STATES; i++)
		judge_call_set(o, store_glance_word((enum store_glance_state)i), json_integer((json_int_t)counts[i]));
	return 0;
}

int judge_admin_partner_list(struct judge_call *c)
{
	struct store_glance_query q = {.match = NULL};
	struct store_glance *list;
	bool counts;
	json_t *a;
	size_t n;

	if (read_query(c, &q, &counts) < 0 || store_glance(c->store, &q, &list, &n, c->pr) < 0)
		return -1;
	a = judge_call_array();
	judge_call_set(c->data, "partners", a);
	judge_call_set(c->data, "more", json_boolean(n == q.max));
	for (size_t i = 0; i < n && i + 1 < q.max; i++) {
		json_t *o = judge_admin_partner_entry(&list[i].p);

		judge_call_set(o, "state", judge_call_text(store_glance_word(list[i].state)));
		judge_call_set(o, "until", judge_call_time(list[i].until));
		judge_call_add(a, o);
	}
	store_glance_free(list, n);
	return counts ? tell_counts(c, &q) : 0;
}
