/* A path, behind its method and a blank where that is not GET, then the name and value of each parameter, divided by
 * line feeds: what is taken is within its limits, and is taken once. What else but GET and HEAD: the rest is the JSON
 * that was sent. */
#include <jansson.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/proc/web_route.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The next piece, ended in place; NULL: there is none. */
static char *piece(char **rest)
{
	return *rest ? strsep(rest, "\n") : NULL;
}

static void parameters(const struct web_route *r, json_t *args, char **rest)
{
	char *name, *value;

	while ((name = piece(rest)) != NULL) {
		char why[200] = "";

		value = piece(rest);
		if (web_route_arg(r, name, value, args, why) == 0) {
			json_t *v = json_object_get(args, name);

			REQUIRE(value && strlen(value) <= WEB_ROUTE_VALUE_MAX && why[0] == '\0');
			REQUIRE(strpbrk(r->args, "#?") || json_is_string(v));
			REQUIRE(!json_is_integer(v) || json_integer_value(v) >= 0);
			REQUIRE(web_route_arg(r, name, value, args, why) == -1);
		}
		REQUIRE(value == NULL || why[0] != '\0' || json_object_get(args, name));
	}
}

/* A field that is taken is one of this path, and no other argument changes. */
static void body(const struct web_route *r, json_t *args, const char *rest)
{
	json_t *sent = rest ? json_loads(rest, JSON_REJECT_DUPLICATES, NULL) : NULL;
	char why[200] = "";

	if (json_is_object(sent)) {
		if (web_route_body(r, sent, args, why) == 0)
			REQUIRE(json_object_size(args) <= json_object_size(sent) + (r->segment != NULL));
		else
			REQUIRE(why[0] != '\0');
	}
	json_decref(sent);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1), *rest = text, *path, *json, allow[WEB_ROUTE_ALLOW];
	const char *method = "GET";
	const struct web_route *r;
	json_t *args;

	memcpy(text, data, size);
	text[size] = '\0';
	path = piece(&rest);
	if (path[0] != '/' && strchr(path, ' '))
		method = strsep(&path, " ");
	r = web_route_find(path, method, &args, allow);
	REQUIRE((r != NULL) == (args != NULL));
	REQUIRE(strlen(allow) < sizeof allow && (!r || allow[0]));
	if (r) {
		REQUIRE(strncmp(path, r->path, strcspn(r->path, "{")) == 0);
		REQUIRE(json_object_size(args) == (r->segment != NULL));
		if (r->method && strcmp(method, "GET") != 0)
			body(r, args, rest);
		else
			parameters(r, args, &rest);
		json = json_dumps(args, JSON_COMPACT); /* goes to the judge: always can */
		REQUIRE(json);
		free(json);
		json_decref(args);
	}
	free(text);
	return 0;
}
