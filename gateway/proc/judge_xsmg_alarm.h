/* What partners do that the admin should hear of: alarms, each kind of each domain at most once a day, and what
 * `postern status` says of the last week. Role judge; in memory, bounded; forgotten at a restart. */
#ifndef POSTERN_PROC_JUDGE_XSMG_ALARM_H
#define POSTERN_PROC_JUDGE_XSMG_ALARM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum judge_xsmg_alarm {
	JUDGE_XSMG_ALARM_WAITS,
	JUDGE_XSMG_ALARM_FROZEN,
	JUDGE_XSMG_ALARM_STATEMENT, /* passed over, and signed by a key that the domain has or had */
	JUDGE_XSMG_ALARM_DOWNGRADE, /* it stopped to offer XSMG */
	JUDGE_XSMG_ALARM_PROMISE,   /* mail in its name is not what it promised */
	JUDGE_XSMG_ALARMS
};
enum { JUDGE_XSMG_ALARM_PLACES = 512, JUDGE_XSMG_ALARM_S = 86400, JUDGE_XSMG_ALARM_SHOWN_S = 7 * 86400 };

/* Is it to be said now? When it is, it counts as said. Whatever of another kind was said hides nothing. */
bool judge_xsmg_alarm_due(const char *domain, enum judge_xsmg_alarm kind, int64_t now);
/* It happened (once more), whether that is to be said or not. words: a clause. */
void judge_xsmg_alarm_note(const char *domain, enum judge_xsmg_alarm kind, const char *words, int64_t now);
/* It is over. */
void judge_xsmg_alarm_over(const char *domain, enum judge_xsmg_alarm kind);

struct judge_xsmg_alarmed {
	const char *domain, *words;
	enum judge_xsmg_alarm kind;
	int64_t first, last; /* unix s */
	uint64_t count;
};
/* What was noted within the last week and is not over. Returns what is borrowed until the next call of any of these;
 * index from 0, false behind the last one. */
bool judge_xsmg_alarm_each(size_t *index, int64_t now, struct judge_xsmg_alarmed *a_r);

#endif
