/* Making models: JSON in which running out of memory is fatal. Role web; pure. */
#ifndef POSTERN_PAGE_PAGE_JSON_H
#define POSTERN_PAGE_PAGE_JSON_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

/* Take v. */
void page_json_set(json_t *object, const char *name, json_t *v);
void page_json_add(json_t *array, json_t *v);
/* Text as a string; octets that are no UTF-8 become '?'. */
json_t *page_json_text(const char *s);
json_t *page_json_textf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* A member by its name ("a.b"): its text, "" when it is none; its number, 0 when it is none; is it shown by
 * {{#name}}? */
const char *page_json_str(const json_t *o, const char *name);
int64_t page_json_int(const json_t *o, const char *name);
bool page_json_is(const json_t *o, const char *name);
/* The array, or NULL: json_array_foreach then does nothing. */
json_t *page_json_list(const json_t *o, const char *name);

#endif
