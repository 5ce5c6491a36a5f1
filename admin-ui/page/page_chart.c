#include "admin-ui/page/page_chart.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin-ui/page/page_json.h"

enum { WIDE = 1000, YEAR = 365 * 86400, SOON_DAYS = 60, YEARS_MAX = 12, EDGE = 20 };

/* ---- lives of certificates ---- */

struct axis {
	int64_t from, to;
};

static int place(const struct axis *a, int64_t t)
{
	t = t < a->from ? a->from : t > a->to ? a->to : t;
	return (int)((t - a->from) * WIDE / (a->to - a->from));
}

/* At least from a year ago to in a year; what is further than some years away is cut. */
static struct axis span(const json_t *certificates, int64_t now)
{
	struct axis a = {now - YEAR, now + YEAR};
	const json_t *k;
	size_t i;

	json_array_foreach(certificates, i, k)
	{
		int64_t from = page_json_int(k, "not_before.unix"), to = page_json_int(k, "not_after.unix");

		if (from > 0 && from < a.from)
			a.from = from;
		if (to > a.to)
			a.to = to;
	}
	if (a.from < now - 3 * (int64_t)YEAR)
		a.from = now - 3 * (int64_t)YEAR;
	if (a.to > now + 5 * (int64_t)YEAR)
		a.to = now + 5 * (int64_t)YEAR;
	return a;
}

static json_t *life(const struct axis *a, const json_t *k, int64_t now)
{
	int64_t from = page_json_int(k, "not_before.unix"), to = page_json_int(k, "not_after.unix");
	int x = place(a, from), end = place(a, to);
	json_t *o = json_object();

	page_json_set(o, "x", json_integer(x));
	page_json_set(o, "width", json_integer(end - x < 4 ? 4 : end - x));
	page_json_set(o, "class",
	    json_string(now < from		       ? "other"
			: now >= to		       ? "bad"
			: to - now < SOON_DAYS * 86400 ? "warn"
						       : "good"));
	return o;
}

static json_t *years(const struct axis *a)
{
	json_t *list = json_array();
	time_t from = (time_t)a->from;
	struct tm tm = {0};

	(void)gmtime_r(&from, &tm);
	for (int y = tm.tm_year + 1; y < tm.tm_year + YEARS_MAX; y++) {
		struct tm day = {.tm_year = y, .tm_mday = 1};
		int64_t t = (int64_t)timegm(&day);
		json_t *o;

		if (t > a->to)
			break;
		if (place(a, t) < EDGE || place(a, t) > WIDE - EDGE)
			continue;
		o = json_object();
		page_json_set(o, "x", json_integer(place(a, t)));
		page_json_set(o, "label", json_integer(y + 1900));
		page_json_add(list, o);
	}
	return list;
}

json_t *page_chart_lives(json_t *certificates, int64_t now)
{
	struct axis a = span(certificates, now);
	json_t *k, *o;
	size_t i;

	if (json_array_size(certificates) == 0)
		return NULL;
	json_array_foreach(certificates, i, k) if (json_is_object(k)) page_json_set(k, "bar", life(&a, k, now));
	o = json_object();
	page_json_set(o, "now_x", json_integer(place(&a, now)));
	page_json_set(o, "years", years(&a));
	return o;
}

/* ---- the last hours ---- */

enum { HOURS_MAX = 48, LEFT = 62, TOP = 10, BOTTOM = 160, RIGHT = 780 };

static const struct part {
	const char *word, *label;
} parts[] = {
    {"sealed", "sealed or opened"},
    {"signed", "signed"},
    {"tls", "by TLS alone"},
    {"clear", "in the clear"},
    {"held", "held"},
    {"refused", "refused or bounced"},
};
enum { PARTS = sizeof parts / sizeof *parts };

static int64_t number(const json_t *h, const char *prefix, const char *word)
{
	char name[40];
	int64_t n;

	(void)snprintf(name, sizeof name, "%.15s%.20s", prefix, word);
	n = page_json_int(h, name);
	return n > 0 ? n : 0;
}

static void read_hour(const json_t *h, const char *prefix, int64_t v[PARTS])
{
	v[0] = number(h, prefix, "sealed") + number(h, prefix, "opened");
	v[1] = number(h, prefix, "signed");
	v[2] = number(h, prefix, "tls");
	v[3] = number(h, prefix, "clear");
	v[4] = number(h, prefix, "held");
	v[5] = number(h, prefix, "refused") + number(h, prefix, "bounced");
}

static int64_t sum(const int64_t v[PARTS])
{
	int64_t n = 0;

	for (int i = 0; i < PARTS; i++)
		n += v[i];
	return n;
}

/* 1, 2 or 5 times a power of ten, at least n. */
static int64_t round_up(int64_t n)
{
	int64_t p = 1;

	while (p * 10 <= n && p < INT64_MAX / 100)
		p *= 10;
	return n <= p ? p : n <= 2 * p ? 2 * p : n <= 5 * p ? 5 * p : 10 * p;
}

static json_t *column(const json_t *h, const int64_t v[PARTS], size_t i, size_t n, int64_t most)
{
	int64_t y = BOTTOM;
	int64_t step = (RIGHT - LEFT) / (int64_t)n;
	json_t *o = json_object(), *list = json_array();

	for (int k = 0; k < PARTS; k++) {
		int64_t height = v[k] > 0 ? (v[k] * (BOTTOM - TOP) + most - 1) / most : 0;
		json_t *part;

		if (!height)
			continue;
		y -= height;
		part = json_object();
		page_json_set(part, "class", json_string(parts[k].word));
		page_json_set(part, "y", json_integer(y < 0 ? 0 : y));
		page_json_set(part, "height", json_integer(height));
		page_json_add(list, part);
	}
	page_json_set(o, "x", json_integer(LEFT + (int64_t)i * step + 2));
	page_json_set(o, "middle", json_integer(LEFT + (int64_t)i * step + step / 2));
	page_json_set(o, "width", json_integer(step - 4));
	page_json_set(o, "hour", page_json_textf("%.2s", page_json_str(h, "at.clock")));
	page_json_set(o, "marked", json_boolean(i % 4 == 0));
	page_json_set(o, "parts", list);
	page_json_set(o, "total", json_integer(sum(v)));
	return o;
}

static json_t *keys(const int64_t totals[PARTS])
{
	json_t *list = json_array();

	for (int k = 0; k < PARTS; k++) {
		json_t *o = json_object();

		page_json_set(o, "class", json_string(parts[k].word));
		page_json_set(o, "label", json_string(parts[k].label));
		page_json_set(o, "total", json_integer(totals[k]));
		page_json_add(list, o);
	}
	return list;
}

static json_t *lines(int64_t most)
{
	json_t *list = json_array();

	for (int i = 0; i <= 2; i++) {
		json_t *o = json_object();

		if (i == 1 && most % 2) {
			json_decref(o);
			continue;
		}
		page_json_set(o, "y", json_integer(BOTTOM - (BOTTOM - TOP) * i / 2));
		page_json_set(o, "label", json_integer(most * i / 2));
		page_json_add(list, o);
	}
	return list;
}

json_t *page_chart_hours(const json_t *hours, const char *prefix)
{
	int64_t v[HOURS_MAX][PARTS] = {{0}}, totals[PARTS] = {0}, most = 1;
	size_t i, n = json_array_size(hours);
	json_t *o, *columns;
	const json_t *h;

	if (n == 0 || n > HOURS_MAX)
		return NULL;
	json_array_foreach(hours, i, h)
	{
		read_hour(h, prefix, v[i]);
		for (int k = 0; k < PARTS; k++)
			totals[k] += v[i][k];
		most = sum(v[i]) > most ? sum(v[i]) : most;
	}
	most = round_up(most);
	columns = json_array();
	json_array_foreach(hours, i, h) page_json_add(columns, column(h, v[i], i, n, most));
	o = json_object();
	page_json_set(o, "columns", columns);
	page_json_set(o, "lines", lines(most));
	page_json_set(o, "keys", keys(totals));
	page_json_set(o, "total", json_integer(sum(totals)));
	return o;
}

/* ---- what runs out ---- */

enum { MARK_LEFT = 30, MARK_WIDE = 720, ROW = 16, ROWS_MAX = 5, AXIS = 14 };

static int day_x(int64_t day, int days)
{
	return MARK_LEFT + (int)(day * MARK_WIDE / days);
}

static json_t *weeks(int days)
{
	json_t *list = json_array();

	for (int d = 0; d <= days; d += 10) {
		json_t *o = json_object();

		page_json_set(o, "x", json_integer(day_x(d, days)));
		page_json_set(o, "label", d == 0 ? json_string("today") : page_json_textf("%d days", d));
		page_json_add(list, o);
	}
	return list;
}

json_t *page_chart_expiring(const json_t *rows, int days)
{
	unsigned used[400] = {0}, deepest = 0;
	json_t *marks = json_array(), *o;
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
	{
		int64_t left = page_json_int(r, "days_left");
		unsigned row;

		if (left < 0 || left > days || left >= 400)
			continue;
		row = used[left]++;
		if (row >= ROWS_MAX)
			continue;
		deepest = row > deepest ? row : deepest;
		o = json_object();
		page_json_set(o, "x", json_integer(day_x(left, days)));
		page_json_set(o, "row", json_integer(row));
		page_json_set(o, "class", json_string(left < 7 ? "bad" : left < 30 ? "warn" : "good"));
		page_json_set(o, "owner", page_json_text(page_json_str(r, "owner")));
		page_json_set(o, "days", json_integer(left));
		page_json_add(marks, o);
	}
	if (json_array_size(marks) == 0) {
		json_decref(marks);
		return NULL;
	}
	json_array_foreach(marks, i, o)
	    page_json_set(o, "y", json_integer(AXIS + ROW * ((int64_t)deepest - page_json_int(o, "row"))));
	o = json_object();
	page_json_set(o, "marks", marks);
	page_json_set(o, "weeks", weeks(days));
	page_json_set(o, "axis", json_integer(AXIS + ROW * (int)(deepest + 1)));
	page_json_set(o, "text", json_integer(AXIS + ROW * (int)(deepest + 1) + 16));
	page_json_set(o, "height", json_integer(AXIS + ROW * (int)(deepest + 1) + 24));
	return o;
}
