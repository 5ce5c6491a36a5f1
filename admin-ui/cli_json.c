/* Small helpers around jansson. */
#include "admin-ui/cli_json.h"

#include <errno.h>
#include <stdlib.h>

#include "admin-ui/cli_out.h"

json_t *cli_json_object(void)
{
	json_t *o = json_object();

	if (o == NULL)
		exit(cli_out_fail("out of memory"));
	return o;
}

void cli_json_set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) != 0) {
		(void)cli_out_fail("the %s given is not UTF-8 text", name);
		exit(CLI_USAGE);
	}
}

void cli_json_set_str(json_t *object, const char *name, const char *s)
{
	if (s != NULL)
		cli_json_set(object, name, json_string(s));
}

void cli_json_option(json_t *object, const char *name, const struct cli_args *a, const char *option)
{
	cli_json_set_str(object, name, cli_args_get(a, option));
}

int cli_json_number(json_t *object, const char *name, const struct cli_args *a, const char *option)
{
	const char *s = cli_args_get(a, option);
	char *end;
	long long n;

	if (s == NULL)
		return 0;
	errno = 0;
	n = strtoll(s, &end, 10);
	if (errno != 0 || end == s || *end != '\0' || n < 0) {
		(void)cli_out_fail("--%s must be a whole number, not \"%s\"", option, s);
		return CLI_USAGE;
	}
	cli_json_set(object, name, json_integer(n));
	return 0;
}

const char *cli_json_str(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s != NULL ? s : "";
}

json_int_t cli_json_int(const json_t *object, const char *name)
{
	return json_integer_value(json_object_get(object, name));
}

bool cli_json_is(const json_t *object, const char *name)
{
	return json_is_true(json_object_get(object, name));
}
