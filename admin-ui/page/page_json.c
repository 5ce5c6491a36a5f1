#include "admin-ui/page/page_json.h"

#include <stdarg.h>
#include <stdlib.h>

#include "admin-ui/page/tmpl.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

void page_json_set(json_t *object, const char *name, json_t *v)
{
	if (json_object_set_new(object, name, v) != 0)
		log_fatal("out of memory: JSON");
}

void page_json_add(json_t *array, json_t *v)
{
	if (json_array_append_new(array, v) != 0)
		log_fatal("out of memory: JSON");
}

json_t *page_json_text(const char *s)
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
	return v;
}

json_t *page_json_textf(const char *fmt, ...)
{
	va_list ap;
	json_t *v;

	va_start(ap, fmt);
	v = json_vsprintf(fmt, ap);
	va_end(ap);
	return v ? v : page_json_text("?");
}

const char *page_json_str(const json_t *o, const char *name)
{
	const char *s = json_string_value(tmpl_value(o, name));

	return s ? s : "";
}

int64_t page_json_int(const json_t *o, const char *name)
{
	return json_integer_value(tmpl_value(o, name));
}

bool page_json_is(const json_t *o, const char *name)
{
	return tmpl_is(tmpl_value(o, name));
}

json_t *page_json_list(const json_t *o, const char *name)
{
	const json_t *v = tmpl_value(o, name);

	return json_is_array(v) ? (json_t *)(uintptr_t)v : NULL;
}
