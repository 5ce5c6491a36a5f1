#include "interop/kit/result_check.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (64 * 1024)
#define LIST_MAX 10000
#define OBJECTS_MAX 100000

bool is_hex(const char *s, size_t digits)
{
	return strlen(s) == digits && strspn(s, "0123456789abcdef") == digits;
}

static bool is_text(const json_t *v)
{
	return json_is_string(v) && json_string_length(v) <= TEXT_MAX &&
	       strlen(json_string_value(v)) == json_string_length(v);
}

static bool is_id(const json_t *v)
{
	const char *s = json_string_value(v);

	return s && is_text(v) && *s && *s != '.' && strlen(s) <= 120 &&
	       s[strspn(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-")] == 0;
}

static bool is_time(const json_t *v)
{
	static const char shape[] = "0000-00-00T00:00:00Z";
	const char *s = json_string_value(v);

	if (!s || !is_text(v) || strlen(s) != sizeof(shape) - 1)
		return false;
	for (size_t i = 0; shape[i]; i++)
		if (shape[i] == '0' ? s[i] < '0' || s[i] > '9' : s[i] != shape[i])
			return false;
	return true;
}

static bool is_list(const json_t *v, bool (*test)(const json_t *))
{
	if (!json_is_array(v) || json_array_size(v) > LIST_MAX)
		return false;
	for (size_t i = 0; i < json_array_size(v); i++)
		if (!test(json_array_get(v, i)))
			return false;
	return true;
}

static bool is_map(const json_t *v)
{
	const char *name;
	json_t *one;

	if (!json_is_object(v) || json_object_size(v) > LIST_MAX)
		return false;
	json_object_foreach((json_t *)v, name, one) if (!is_text(one)) return false;
	return true;
}

static bool fits(const json_t *v, enum member_kind kind)
{
	const char *s = json_string_value(v);

	switch (kind) {
	case M_TEXT:
		return is_text(v);
	case M_ID:
		return is_id(v);
	case M_RUN:
		return s && is_text(v) && is_hex(s, 32);
	case M_PLAN:
		return json_is_null(v) || (s && is_text(v) && is_hex(s, 64));
	case M_SHA256:
		return s && is_text(v) && is_hex(s, 64);
	case M_TIME:
		return is_time(v);
	case M_NUMBER:
		return json_is_number(v) && isfinite(json_number_value(v)) && json_number_value(v) >= 0 &&
		       json_number_value(v) < 1e9;
	case M_LINE:
		return json_is_integer(v) && json_integer_value(v) >= 0 && json_integer_value(v) <= 1000000000;
	case M_IDS:
		return is_list(v, is_id);
	case M_TEXTS:
		return is_list(v, is_text);
	case M_MAP:
		return is_map(v);
	case M_OBJECT:
		return json_is_object(v);
	case M_LIST:
		return json_is_array(v) && json_array_size(v) <= OBJECTS_MAX;
	}
	return false;
}

static const char *const kind_names[] = {"a text", "an id of letters, digits, dots and hyphens",
    "32 hexadecimal digits", "64 hexadecimal digits", "64 hexadecimal digits or null",
    "a time as 2026-01-31T12:00:00Z", "a number that is not negative", "a line number", "a list of ids",
    "a list of texts", "texts by their names", "an object", "a list"};

int result_check(const json_t *o, const struct member *m, size_t n, const char *where, struct buf *why)
{
	if (!json_is_object(o))
		return fail(why, "%s is not an object", where);
	for (size_t i = 0; i < n; i++) {
		const json_t *v = json_object_get(o, m[i].name);

		if (!v)
			return fail(why, "%s has no \"%s\"", where, m[i].name);
		if (!fits(v, m[i].kind))
			return fail(why, "%s: \"%s\" is not %s", where, m[i].name, kind_names[m[i].kind]);
	}
	if (json_object_size(o) != n)
		return fail(why, "%s has a member that is not known", where);
	return 0;
}

json_t *json_file(const char *path, size_t max, struct buf *why)
{
	struct buf text = {0};
	json_error_t e;
	json_t *v = NULL;

	if (file_read_plain(path, max, &text, why) == 0 &&
	    !(v = json_loadb(text.p, text.n, JSON_REJECT_DUPLICATES, &e)))
		fail(why, "%s: line %d: not JSON: %s", path, e.line, e.text);
	buf_free(&text);
	return v;
}
