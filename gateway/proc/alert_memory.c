#include "gateway/proc/alert_memory.h"

#include "gateway/proc/admin_json.h"

/* A day less what the clock of the daily mail may wander. */
enum { HOUR = 3600, DAY = 86400, DAY_NEARLY = 23 * HOUR, ONCE_KEPT = 400 * DAY };

static int64_t num(const json_t *o, const char *name)
{
	return json_integer_value(json_object_get(o, name));
}

static json_t *told_of(json_t *memory)
{
	json_t *told = json_object_get(memory, "told");

	if (!json_is_object(told)) {
		told = json_object();
		admin_json_set(memory, "told", told);
	}
	return told;
}

/* Seconds since; what cannot be a time (the file may hold anything) is long ago. */
static int64_t since(const json_t *o, const char *name, int64_t now)
{
	int64_t at = num(o, name);

	return at < 0 || at > now + DAY ? INT64_MAX : now - at;
}

/* What was not seen for long is new when it comes again. A clock that was put back forgets nothing for ever. */
static void forget(json_t *told, int64_t now)
{
	const char *key;
	json_t *o;
	void *next;

	json_object_foreach_safe(told, next, key, o)
	{
		if (since(o, "seen", now) > (json_is_true(json_object_get(o, "once")) ? ONCE_KEPT : DAY))
			(void)json_object_del(told, key);
	}
}

static bool is_due(const json_t *alert, const json_t *old, bool digest, int64_t now)
{
	if (!old)
		return digest || json_is_true(json_object_get(alert, "urgent"));
	return digest && !json_is_true(json_object_get(alert, "once")) && since(old, "told", now) >= DAY_NEARLY;
}

static bool digest_due(const json_t *memory, const struct alert_memory_limits *lim, int64_t now)
{
	return now / DAY != num(memory, "digest") && now % DAY / HOUR >= lim->digest_hour;
}

static bool may_send(json_t *memory, const struct alert_memory_limits *lim, int64_t now)
{
	int64_t pause = since(memory, "last", now);

	if (num(memory, "day") != now / DAY) {
		admin_json_set(memory, "day", json_integer(now / DAY));
		admin_json_set(memory, "mails", json_integer(0));
	}
	return num(memory, "mails") < lim->mails_per_day && (pause < 0 || pause >= ALERT_MEMORY_GAP_S);
}

/* It is there; told: it is told now. */
static void note(json_t *told, const json_t *alert, const char *key, int64_t now, bool tells)
{
	json_t *old = json_object_get(told, key);

	if (!old && tells && json_object_size(told) < ALERT_MEMORY_MAX) {
		old = json_object();
		admin_json_set(old, "once", json_boolean(json_is_true(json_object_get(alert, "once"))));
		admin_json_set(told, key, old);
	}
	if (!old)
		return;
	admin_json_set(old, "seen", json_integer(now));
	if (tells)
		admin_json_set(old, "told", json_integer(now));
}

json_t *alert_memory_due(
    json_t *memory, const json_t *list, const struct alert_memory_limits *lim, int64_t now, bool *digest_r)
{
	bool may = may_send(memory, lim, now), digest = may && digest_due(memory, lim, now);
	json_t *told = told_of(memory), *due = json_array(), *alert;
	size_t i;

	forget(told, now);
	json_array_foreach(list, i, alert)
	{
		const char *key = json_string_value(json_object_get(alert, "key"));
		const json_t *old = key ? json_object_get(told, key) : NULL;
		bool tells = key && may && is_due(alert, old, digest, now) &&
			     (old || json_object_size(told) < ALERT_MEMORY_MAX);

		if (tells)
			admin_json_add(due, json_incref(alert));
		if (key)
			note(told, alert, key, now, tells);
	}
	if (digest)
		admin_json_set(memory, "digest", json_integer(now / DAY));
	if (json_array_size(due) > 0) {
		admin_json_set(memory, "last", json_integer(now));
		admin_json_set(memory, "mails", json_integer(num(memory, "mails") + 1));
	}
	*digest_r = digest;
	return due;
}
