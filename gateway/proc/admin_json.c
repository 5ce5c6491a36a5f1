/* Requests and replies of the admin role as JSON text. */
#include "gateway/proc/admin_json.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

static void wiping_free(void *p)
{
	if (p != NULL)
		mem_wipe(p, malloc_usable_size(p));
	free(p);
}

void admin_json_init(void)
{
	json_set_alloc_funcs(malloc, wiping_free);
	json_object_seed(0);
}

static json_t *must(json_t *v)
{
	if (v == NULL)
		log_fatal("out of memory: JSON");
	return v;
}

void admin_json_set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, must(value)) != 0)
		log_fatal("out of memory: JSON");
}

void admin_json_add(json_t *array, json_t *value)
{
	if (json_array_append_new(array, must(value)) != 0)
		log_fatal("out of memory: JSON");
}

json_t *admin_json_text(const char *s)
{
	json_t *v = json_string(s);
	char *plain;

	if (v != NULL)
		return v;
	plain = mem_str(s);
	for (char *p = plain; *p; p++)
		if ((unsigned char)*p > 0x7e)
			*p = '?';
	v = must(json_string(plain));
	free(plain);
	return v;
}

char *admin_json_verb(const char *request, char why[200])
{
	json_error_t error;
	json_t *o = json_loads(request, JSON_REJECT_DUPLICATES, &error), *verb = json_object_get(o, "verb");
	char *copy = json_is_string(verb) ? mem_str(json_string_value(verb)) : NULL;

	if (o == NULL)
		(void)snprintf(why, 200, "the request is not JSON (line %d): %.140s", error.line, error.text);
	else if (copy == NULL)
		(void)snprintf(why, 200, "the request has no \"verb\"");
	json_decref(o);
	return copy;
}

static char *text_of(json_t *o)
{
	char *text = json_dumps(o, JSON_COMPACT);

	if (text == NULL)
		log_fatal("out of memory: JSON");
	json_decref(o);
	return text;
}

char *admin_json_error(const char *code, const char *text)
{
	json_t *o = must(json_object()), *e = must(json_object());

	admin_json_set(e, "code", admin_json_text(code));
	admin_json_set(e, "text", admin_json_text(text));
	admin_json_set(o, "ok", json_false());
	admin_json_set(o, "error", e);
	return text_of(o);
}

char *admin_json_ok(json_t *data)
{
	json_t *o = must(json_object());

	admin_json_set(o, "ok", json_true());
	admin_json_set(o, "data", data);
	return text_of(o);
}

json_t *admin_json_data(const char *reply, char why[640])
{
	json_t *o = json_loads(reply, 0, NULL), *data = NULL;
	const char *text = json_string_value(json_object_get(json_object_get(o, "error"), "text"));

	if (json_is_true(json_object_get(o, "ok")))
		data = json_incref(json_object_get(o, "data"));
	if (data == NULL)
		(void)snprintf(why, 640, "%.600s", text != NULL ? text : "an answer that says nothing");
	json_decref(o);
	return data;
}
