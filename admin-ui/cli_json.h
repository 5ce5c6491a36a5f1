/* Small helpers around jansson: what is missing reads as empty. Pure. */
#ifndef POSTERN_ADMIN_UI_CLI_JSON_H
#define POSTERN_ADMIN_UI_CLI_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "admin-ui/cli.h"

json_t *cli_json_object(void);
/* Consumes value. A value that could not be made (text that is no UTF-8) ends the program with a sentence. */
void cli_json_set(json_t *object, const char *name, json_t *value);
/* As above; nothing when s is NULL. */
void cli_json_set_str(json_t *object, const char *name, const char *s);
/* Sets argument `name` from option `option`, when it was given. */
void cli_json_option(json_t *object, const char *name, const struct cli_args *a, const char *option);
/* The same for a whole number; 0, or CLI_USAGE after a sentence. */
int cli_json_number(json_t *object, const char *name, const struct cli_args *a, const char *option);
/* "" when missing or not text. */
const char *cli_json_str(const json_t *object, const char *name);
json_int_t cli_json_int(const json_t *object, const char *name);
bool cli_json_is(const json_t *object, const char *name);

#endif
