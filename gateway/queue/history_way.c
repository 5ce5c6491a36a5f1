/* Events: writing, reading. relay. */
#include "gateway/queue/history_way.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { EVENT = 0x1e, FIELD = 0x1f, FIELDS = 8 };

static void add_text(struct buf *way, const char *s)
{
	size_t n = s ? strlen(s) : 0;
	uint8_t *p = buf_room(way, n + 1);

	if (!p)
		return;
	p[0] = FIELD;
	for (size_t i = 0; i < n; i++)
		p[i + 1] = (uint8_t)s[i] < 0x20 || s[i] == 0x7f ? ' ' : (uint8_t)s[i];
	buf_added(way, n + 1);
}

void history_way_add(struct buf *way, const struct history_item *it)
{
	char head[64];
	int n = snprintf(head, sizeof head, "%c%lld%c%lld", EVENT, (long long)it->at, FIELD, (long long)it->n.row);

	if (buf_add(way, head, (size_t)n))
		return;
	add_text(way, it->n.event);
	add_text(way, it->n.id);
	add_text(way, it->n.text);
	add_text(way, it->n.remote);
	add_text(way, it->n.tls_out);
	add_text(way, it->n.status);
}

json_t *history_way_text(const char *s)
{
	json_t *v = json_string(s);

	if (!v) {
		char *plain = mem_str(s);

		for (char *p = plain; *p; p++)
			if ((unsigned char)*p >= 0x80)
				*p = '?';
		v = json_string(plain);
		free(plain);
	}
	if (!v)
		log_fatal("out of memory: JSON");
	return v;
}

static void set(json_t *o, const char *key, json_t *v)
{
	if (json_object_set_new(o, key, v))
		log_fatal("out of memory: JSON");
}

/* One event; it is cut into its fields. NULL: not all of them. */
static json_t *event(char *p)
{
	static const char *const names[FIELDS] = {
	    "at", "recipient", "event", "message", "text", "remote", "tls", "status"};
	char *fields[FIELDS];
	int n = 0;

	for (char *next; p && n < FIELDS; p = next) {
		next = strchr(p, FIELD);
		if (next)
			*next++ = 0;
		fields[n++] = p;
	}
	if (n < FIELDS)
		return NULL;

	json_t *o = json_object();

	set(o, "at", json_integer(strtoll(fields[0], NULL, 10)));
	set(o, "row", json_integer(strtoll(fields[1], NULL, 10)));
	for (int i = 2; i < FIELDS; i++)
		if (fields[i][0])
			set(o, names[i], history_way_text(fields[i]));
	return o;
}

json_t *history_way_json(const char *way, size_t n)
{
	char *copy = mem_raw(n + 1), *p;
	json_t *list = json_array();

	memcpy(copy, way, n);
	copy[n] = 0;
	for (p = strchr(copy, EVENT); p;) {
		char *next = strchr(++p, EVENT);
		json_t *o;

		if (next)
			*next = 0;
		o = event(p);
		if (o && json_array_append_new(list, o))
			log_fatal("out of memory: JSON");
		p = next;
	}
	free(copy);
	return list;
}
