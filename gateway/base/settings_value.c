/* Values of settings. The number readers are total: overflow, a missing or an unknown unit is "not allowed". */
#include "gateway/base/settings_value.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { VALUE_TEXT_MAX = 1024 };

struct unit {
	const char *name;
	int64_t factor;
};

static const struct unit no_units[] = {{"", 1}, {NULL, 0}};
static const struct unit size_units[] = {{"", 1}, {"k", INT64_C(1) << 10}, {"K", INT64_C(1) << 10},
    {"M", INT64_C(1) << 20}, {"G", INT64_C(1) << 30}, {"T", INT64_C(1) << 40}, {NULL, 0}};
static const struct unit time_units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000},
    {"d", 24 * 3600 * 1000}, {"w", 7 * 24 * 3600 * 1000}, {NULL, 0}};

static const struct unit *units_of(enum setting_type type)
{
	return type == SETTING_SIZE ? size_units : type == SETTING_DURATION ? time_units : no_units;
}

static int read_number(const char *s, const struct unit *units, int64_t *v_r)
{
	int negative = *s == '-';
	int64_t v = 0;

	s += negative;
	if (*s < '0' || *s > '9')
		return -1;
	for (; *s >= '0' && *s <= '9'; s++)
		if (__builtin_mul_overflow(v, 10, &v) || __builtin_add_overflow(v, *s - '0', &v))
			return -1;
	while (units->name && strcmp(units->name, s) != 0)
		units++;
	if (!units->name || __builtin_mul_overflow(v, units->factor, &v))
		return -1;
	*v_r = negative ? -v : v;
	return 0;
}

static int read_bool(const char *s, bool *v_r)
{
	static const char *const words[] = {"no", "yes", "false", "true", "off", "on"};

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(s, words[i]) == 0) {
			*v_r = i % 2;
			return 0;
		}
	return -1;
}

static int read_word(const char *s, const char *const *words, int *v_r)
{
	for (int i = 0; words[i]; i++)
		if (strcmp(s, words[i]) == 0) {
			*v_r = i;
			return 0;
		}
	return -1;
}

/* min = max = 0: no range was given; then only what is not negative. */
static void range_of(const struct setting *row, int64_t *min_r, int64_t *max_r)
{
	int given = row->min || row->max;

	*min_r = given ? row->min : 0;
	*max_r = given ? row->max : INT64_MAX;
}

static int64_t longest(const struct setting *row)
{
	return row->max ? row->max : VALUE_TEXT_MAX;
}

/* A number in the largest unit that leaves no rest. */
static void write_number(int64_t v, const struct unit *units, char *out, size_t cap)
{
	const struct unit *best = units;

	for (const struct unit *u = units; u->name; u++)
		if (u->factor > best->factor && v % u->factor == 0 && (v != 0 || u->factor == 1000))
			best = u;
	snprintf(out, cap, "%" PRId64 "%s", v / best->factor, best->name);
}

static void allowed_number(const struct setting *row, char *out, size_t cap)
{
	static const char *const kinds[] = {
	    [SETTING_INT] = "a number",
	    [SETTING_SIZE] = "a size in octets, or with k, M or G",
	    [SETTING_DURATION] = "a time with its unit ms, s, m, h or d",
	};
	const struct unit *units = units_of(row->type);
	int64_t min, max;
	char lo[32], hi[32];

	range_of(row, &min, &max);
	write_number(min, units, lo, sizeof lo);
	write_number(max, units, hi, sizeof hi);
	if (max == INT64_MAX)
		snprintf(out, cap, "%s from %s", kinds[row->type], lo);
	else
		snprintf(out, cap, "%s from %s to %s", kinds[row->type], lo, hi);
}

static void allowed_words(const struct setting *row, char *out, size_t cap)
{
	size_t n = 0;

	out[0] = 0;
	for (int i = 0; row->words[i] && n < cap; i++)
		n += (size_t)snprintf(out + n, cap - n, "%s%s",
		    i == 0		? ""
		    : row->words[i + 1] ? ", "
					: " or ",
		    row->words[i]);
}

/* What the module says of it says more than its length. */
static void allowed_text(const struct setting *row, char *out, size_t cap)
{
	struct problem why;
	char least[40] = "at most ";

	problem_clear(&why);
	if (row->check && row->check("", &why) < 0 && why.text[0]) {
		snprintf(out, cap, "%s%s", row->type == SETTING_LIST ? "one or several of: " : "", why.text);
		return;
	}
	if (row->min > 0)
		snprintf(least, sizeof least, "%" PRId64 " to ", row->min);
	snprintf(out, cap, "%s of %s%" PRId64 " characters%s", row->type == SETTING_STR ? "a text" : "texts", least,
	    longest(row), row->type == SETTING_STR ? "" : " each");
}

void settings_value_allowed(const struct setting *row, char *out, size_t cap)
{
	switch (row->type) {
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		allowed_number(row, out, cap);
		break;
	case SETTING_BOOL:
		snprintf(out, cap, "yes or no");
		break;
	case SETTING_ENUM:
		allowed_words(row, out, cap);
		break;
	case SETTING_STR:
	case SETTING_LIST:
		allowed_text(row, out, cap);
		break;
	}
}

static int fits(const struct setting *row, const char *value)
{
	int64_t v, min, max;
	bool b;
	int w;

	switch (row->type) {
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		range_of(row, &min, &max);
		return read_number(value, units_of(row->type), &v) == 0 && v >= min && v <= max;
	case SETTING_BOOL:
		return read_bool(value, &b) == 0;
	case SETTING_ENUM:
		return read_word(value, row->words, &w) == 0;
	case SETTING_STR:
	case SETTING_LIST:
		return strlen(value) >= (size_t)row->min && strlen(value) <= (size_t)longest(row);
	}
	return 0;
}

int settings_value_check(const struct setting *row, const char *value, struct problem *pr)
{
	char allowed[400];
	struct problem why;

	problem_clear(&why);
	if (fits(row, value) && (!row->check || row->check(value, &why) == 0))
		return 0;
	settings_value_allowed(row, allowed, sizeof allowed);
	return problem_perm(
	    pr, "setting \"%s\" is \"%.80s\": allowed is %s", row->name, value, why.text[0] ? why.text : allowed);
}

static int store_list(char *const *values, size_t n, struct arena *a, struct settings_list *list)
{
	list->n = n;
	list->v = arena_alloc(a, (n + 1) * sizeof *list->v); /* a NULL stands at the end */
	for (size_t i = 0; list->v && i < n; i++)
		if (!(list->v[i] = arena_str(a, values[i])))
			return -1;
	return list->v ? 0 : -1;
}

int settings_value_store(const struct setting *row, char *const *values, size_t n, struct arena *a, void *base)
{
	void *at = (char *)base + row->offset;

	REQUIRE(row->type == SETTING_LIST || n == 1);
	switch (row->type) {
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		return read_number(values[0], units_of(row->type), at);
	case SETTING_BOOL:
		return read_bool(values[0], at);
	case SETTING_ENUM:
		return read_word(values[0], row->words, at);
	case SETTING_STR:
		return (*(char **)at = arena_str(a, values[0])) ? 0 : -1;
	case SETTING_LIST:
		return store_list(values, n, a, at);
	}
	return -1;
}

static int default_list(const struct setting *row, struct arena *a, void *base)
{
	static const char between[] = " ,\t{}";
	char *values[64], *text = arena_str(a, row->dflt);
	size_t n = 0;

	if (!text)
		return -1;
	for (char *s = text + strspn(text, between); *s;) {
		size_t len = strcspn(s, between);
		int more = s[len] != 0;

		REQUIRE(n < sizeof values / sizeof *values);
		values[n++] = s;
		s[len] = 0;
		s += len + (size_t)more;
		s += strspn(s, between);
	}
	return settings_value_store(row, values, n, a, base);
}

int settings_value_default(const struct setting *row, struct arena *a, void *base)
{
	struct problem pr;
	char *value;

	if (row->type == SETTING_LIST)
		return default_list(row, a, base);
	if (settings_value_check(row, row->dflt, &pr) < 0)
		log_panic("default of setting %s: %s", row->name, pr.text);
	value = arena_str(a, row->dflt);
	return value ? settings_value_store(row, &value, 1, a, base) : -1;
}

static int list_text(const struct settings_list *l, struct buf *out)
{
	for (size_t i = 0; i < l->n; i++)
		if (buf_addf(out, "%s%s", i ? ", " : "", l->v[i]) < 0)
			return -1;
	return 0;
}

int settings_value_text(const struct setting *row, const void *base, struct buf *out)
{
	const char *at = (const char *)base + row->offset;
	char number[40];

	switch (row->type) {
	case SETTING_INT:
	case SETTING_SIZE:
	case SETTING_DURATION:
		write_number(*(const int64_t *)at, units_of(row->type), number, sizeof number);
		return buf_addf(out, "%s", number);
	case SETTING_BOOL:
		return buf_addf(out, "%s", *(const bool *)at ? "yes" : "no");
	case SETTING_ENUM:
		return buf_addf(out, "%s", row->words[*(const int *)at]);
	case SETTING_STR:
		return buf_addf(out, "%s", *(char *const *)at ? *(char *const *)at : "");
	case SETTING_LIST:
		return list_text((const struct settings_list *)at, out);
	}
	return -1;
}
