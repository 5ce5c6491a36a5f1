/* Requests and replies of the admin role as JSON text. Role admin; pure. */
#ifndef POSTERN_PROC_ADMIN_JSON_H
#define POSTERN_PROC_ADMIN_JSON_H

#include <jansson.h>

/* Once, before the sandbox: jansson seeds its hash from a file, and what it frees is wiped from now on, because a
 * request may hold a private key. */
void admin_json_init(void);
/* The verb of a request, to be freed; NULL with the sentence in why. */
char *admin_json_verb(const char *request, char why[200]);
/* {"ok": false, "error": {code, text}}; never NULL, to be freed. */
char *admin_json_error(const char *code, const char *text);
/* {"ok": true, "data": data}; consumes data. */
char *admin_json_ok(json_t *data);
/* The "data" of an "ok" reply, or NULL with the sentence of its error. json_decref. */
json_t *admin_json_data(const char *reply, char why[640]);
/* Out of memory is fatal; consumes value. */
void admin_json_set(json_t *object, const char *name, json_t *value);
void admin_json_add(json_t *array, json_t *value);
/* Text as a JSON string; octets that are no UTF-8 become '?'. */
json_t *admin_json_text(const char *s);

#endif
