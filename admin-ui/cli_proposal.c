/* postern proposal ... */
#include "admin-ui/cli_proposal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_help.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_show.h"

static char *text_of(const json_t *v)
{
	char *text = json_is_string(v) ? strdup(json_string_value(v)) : json_dumps(v, JSON_ENCODE_ANY);

	if (!text)
		exit(cli_out_fail("out of memory"));
	return text;
}

/* What is asked for, and what stands there today where that is another. */
static void tell_argument(const char *name, const json_t *v, const json_t *now)
{
	char *text = text_of(v), *old = now && !json_is_null(now) && !json_equal(now, v) ? text_of(now) : NULL, *both;

	if (asprintf(&both, old ? "%s (now: %s)" : "%s", text, old && old[0] ? old : "nothing") < 0)
		exit(cli_out_fail("out of memory"));
	cli_out_field(name, both);
	free(both);
	free(old);
	free(text);
}

static void tell(const json_t *p)
{
	static const char *const shown[] = {"sender", "recipient", "treatment", "strength", "exempt", "note"};
	const json_t *now = json_object_get(p, "now");
	json_t *args = json_object_get(p, "args"), *v;
	bool removes = strstr(cli_json_str(p, "verb"), ".remove") != NULL;
	char at[17], until[17];
	const char *name;
	size_t i;

	cli_out_line("%lld: %s", (long long)cli_json_int(p, "id"), cli_json_str(p, "what"));
	cli_out_field("Proposed by", cli_json_str(p, "who"));
	cli_out_field("At", cli_out_minute(cli_json_str(p, "at"), at));
	cli_out_field(
	    cli_json_is(p, "expired") ? "Ran out" : "Until", cli_out_minute(cli_json_str(p, "expires"), until));
	json_object_foreach(args, name, v) tell_argument(name, v, json_object_get(now, name));
	for (i = 0; removes && i < sizeof shown / sizeof *shown; i++) {
		const char *has = json_string_value(json_object_get(now, shown[i]));

		if (has && has[0] && !json_object_get(args, shown[i]))
			cli_out_field(shown[i], has);
	}
	json_array_foreach(json_object_get(p, "certificates"), i, v)
	{
		cli_out_line("%s", "");
		cli_show_cert(v);
	}
	cli_out_line("%s", "");
}

int cli_proposal_list(struct cli *c)
{
	json_t *data;
	const json_t *list, *p;
	size_t i;
	int rc = cli_call(c, "proposal.list", NULL, &data);

	list = json_object_get(data, "proposals");
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		json_array_foreach(list, i, p) tell(p);
		if (json_array_size(list) == 0)
			cli_out_line("%s", "Nothing waits for a second person.");
	}
	json_decref(data);
	return rc;
}

static int end(struct cli *c, const char *verb, const char *key, const char *done)
{
	json_t *args = cli_json_object(), *data;
	char *rest;
	long long id;
	int rc;

	errno = 0;
	id = strtoll(c->args.words[0], &rest, 10);
	if (errno != 0 || *rest != '\0' || id < 1) {
		json_decref(args);
		return cli_help_usage(
		    c->command, "a proposal is named by its number, as postern proposal list shows it");
	}
	cli_json_set(args, "id", json_integer(id));
	cli_json_option(args, "reason", &c->args, "reason");
	rc = cli_call(c, verb, args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("%s: %s", done, cli_json_str(json_object_get(data, key), "what"));
	json_decref(data);
	return rc;
}

int cli_proposal_confirm(struct cli *c)
{
	return end(c, "proposal.confirm", "confirmed", "Done");
}

int cli_proposal_drop(struct cli *c)
{
	return end(c, "proposal.drop", "dropped", "Dropped");
}
