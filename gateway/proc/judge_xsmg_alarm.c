#include "gateway/proc/judge_xsmg_alarm.h"

#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"

struct place {
	char domain[256]; /* "": free */
	int64_t touched;
	struct {
		int64_t said, first, last;
		uint64_t count;
		char words[160];
	} v[JUDGE_XSMG_ALARMS];
};
static struct place places[JUDGE_XSMG_ALARM_PLACES];

/* make: the one that was touched longest ago is taken for it; else NULL when there is none. */
static struct place *find(const char *domain, bool make, int64_t now)
{
	struct place *old = &places[0];

	for (size_t i = 0; i < JUDGE_XSMG_ALARM_PLACES; i++) {
		if (places[i].domain[0] && strcmp(places[i].domain, domain) == 0) {
			places[i].touched = make ? now : places[i].touched;
			return &places[i];
		}
		if (places[i].touched < old->touched)
			old = &places[i];
	}
	if (!make)
		return NULL;
	memset(old, 0, sizeof *old);
	(void)snprintf(old->domain, sizeof old->domain, "%s", domain);
	old->touched = now;
	return old;
}

bool judge_xsmg_alarm_due(const char *domain, enum judge_xsmg_alarm kind, int64_t now)
{
	struct place *p = find(domain, true, now);

	REQUIRE(kind < JUDGE_XSMG_ALARMS);
	if (p->v[kind].said != 0 && now >= p->v[kind].said && now - p->v[kind].said < JUDGE_XSMG_ALARM_S)
		return false;
	p->v[kind].said = now;
	return true;
}

void judge_xsmg_alarm_note(const char *domain, enum judge_xsmg_alarm kind, const char *words, int64_t now)
{
	struct place *p = find(domain, true, now);

	REQUIRE(kind < JUDGE_XSMG_ALARMS);
	if (p->v[kind].count == 0)
		p->v[kind].first = now;
	p->v[kind].last = now;
	p->v[kind].count++;
	(void)snprintf(p->v[kind].words, sizeof p->v[kind].words, "%s", words);
}

void judge_xsmg_alarm_over(const char *domain, enum judge_xsmg_alarm kind)
{
	struct place *p = find(domain, false, 0);

	REQUIRE(kind < JUDGE_XSMG_ALARMS);
	if (p)
		p->v[kind].count = 0;
}

bool judge_xsmg_alarm_each(size_t *index, int64_t now, struct judge_xsmg_alarmed *a_r)
{
	for (; *index < (size_t)JUDGE_XSMG_ALARM_PLACES * JUDGE_XSMG_ALARMS; ++*index) {
		const struct place *p = &places[*index / JUDGE_XSMG_ALARMS];
		size_t kind = *index % JUDGE_XSMG_ALARMS;

		if (!p->domain[0] || p->v[kind].count == 0 || now - p->v[kind].last >= JUDGE_XSMG_ALARM_SHOWN_S)
			continue;
		*a_r = (struct judge_xsmg_alarmed){.domain = p->domain,
		    .words = p->v[kind].words,
		    .kind = (enum judge_xsmg_alarm)kind,
		    .first = p->v[kind].first,
		    .last = p->v[kind].last,
		    .count = p->v[kind].count};
		++*index;
		return true;
	}
	return false;
}
