#include "admin-ui/page/page_time.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin-ui/page/page_json.h"
#include "gateway/base/encode.h"

enum { MINUTE = 60, HOUR = 3600, DAY = 86400, DEPTH_MAX = 12 };
#define MS_FROM 100000000000 /* numbers above it are milliseconds */
#define LAST 253402300799    /* the end of the year 9999 */

static const char names[] =
    " added announced arrived at bad changed checked decided expires fetched first frozen held_since installed "
    "issued "
    "last last_seen last_used missed next_at next_try not_after not_before offered offered_since oldest_queued "
    "received "
    "refused retired said seen seen_protected since started switch_at taken tried until used valid_until when ";

void page_time_rel(int64_t unix_s, int64_t now, char out[PAGE_TIME_REL])
{
	static const struct {
		int64_t from, unit;
		const char *one, *many;
	} steps[] = {{2 * 365 * DAY, 365 * DAY, "year", "years"}, {90 * DAY, 30 * DAY, "month", "months"},
	    {2 * DAY, DAY, "day", "days"}, {2 * HOUR, HOUR, "hour", "hours"}, {MINUTE, MINUTE, "minute", "minutes"},
	    {5, 1, "second", "seconds"}};
	int64_t d = unix_s - now, n = d < 0 ? -d : d;

	(void)snprintf(out, PAGE_TIME_REL, "now");
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
		if (n >= steps[i].from) {
			n /= steps[i].unit;
			(void)snprintf(out, PAGE_TIME_REL, "%s%lld %s%s", d > 0 ? "in " : "", (long long)n,
			    n == 1 ? steps[i].one : steps[i].many, d < 0 ? " ago" : "");
			return;
		}
}

json_t *page_time(int64_t unix_s, int64_t now)
{
	json_t *o = json_object();
	char rel[PAGE_TIME_REL], iso[21];

	unix_s = unix_s < 0 ? 0 : unix_s > LAST ? LAST : unix_s;
	encode_time(unix_s, iso);
	page_time_rel(unix_s, now, rel);
	page_json_set(o, "unix", json_integer(unix_s));
	page_json_set(o, "iso", json_string(iso));
	page_json_set(o, "date", page_json_textf("%.10s", iso));
	page_json_set(o, "utc", page_json_textf("%.10s %.5s UTC", iso, iso + 11));
	page_json_set(o, "clock", page_json_textf("%.8s", iso + 11));
	page_json_set(o, "rel", json_string(rel));
	page_json_set(o, "past", json_boolean(unix_s <= now));
	return o;
}

int64_t page_time_read(const char *s)
{
	struct tm tm = {0};
	const char *end = strlen(s) == 20 ? strptime(s, "%Y-%m-%dT%H:%M:%SZ", &tm) : NULL;

	return end && !*end ? (int64_t)timegm(&tm) : -1;
}

/* -1: it is none. */
static int64_t value_of(const json_t *v)
{
	int64_t t = -1;

	if (json_is_string(v))
		return page_time_read(json_string_value(v));
	if (json_is_integer(v))
		t = json_integer_value(v);
	if (t > MS_FROM)
		t /= 1000;
	return t > 365 * DAY ? t : -1; /* a small number is a count */
}

static int is_name(const char *key)
{
	char word[40];

	return strlen(key) < sizeof word - 2 && snprintf(word, sizeof word, " %s ", key) > 0 && strstr(names, word);
}

static void walk(json_t *v, int64_t now, int depth)
{
	const char *key;
	json_t *e;
	void *next;
	size_t i;

	if (depth > DEPTH_MAX)
		return;
	json_object_foreach_safe(v, next, key, e)
	{
		int64_t t = is_name(key) ? value_of(e) : -1;

		if (t >= 0)
			page_json_set(v, key, page_time(t, now));
		else
			walk(e, now, depth + 1);
	}
	json_array_foreach(v, i, e) walk(e, now, depth + 1);
}

void page_time_all(json_t *model, int64_t now)
{
	walk(model, now, 0);
}
