/* postern rule ... */
#include "admin-ui/cli_rule.h"

#include <stdio.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_table.h"

static int put(struct cli *c, const char *verb, const char *done)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "name", c->args.words[0]);
	cli_json_option(args, "sender", &c->args, "sender");
	cli_json_option(args, "recipient", &c->args, "recipient");
	cli_json_option(args, "treatment", &c->args, "treatment");
	cli_json_option(args, "strength", &c->args, "strength");
	cli_json_option(args, "exempt", &c->args, "exempt");
	rc = cli_json_number(args, "position", &c->args, "position");
	if (rc != CLI_OK) {
		json_decref(args);
		return rc;
	}
	rc = cli_call(c, verb, args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Rule \"%s\" %s.", cli_json_str(data, "name"), done);
	json_decref(data);
	return rc;
}

int cli_rule_add(struct cli *c)
{
	return put(c, "rule.add", "added");
}

int cli_rule_set(struct cli *c)
{
	return put(c, "rule.set", "changed");
}

/* Rules have no `show`: each is printed whole, on as many lines as it needs. */
static void tell_list(const json_t *rules)
{
	static const char *const heads[] = {">#", "NAME", "SENDER", "RECIPIENT", "TREATMENT", NULL};
	struct cli_table *t = cli_table_new(heads);
	const json_t *r;
	size_t i;

	json_array_foreach(rules, i, r)
	{
		char position[24], what[96];
		const char *exempt = cli_json_str(r, "exempt");
		const char *values[] = {
		    position, cli_json_str(r, "name"), cli_json_str(r, "sender"), cli_json_str(r, "recipient"), what};

		(void)snprintf(position, sizeof position, "%lld", (long long)cli_json_int(r, "position"));
		(void)snprintf(what, sizeof what, "%.20s, %.20s%s%.30s", cli_json_str(r, "treatment"),
		    cli_json_str(r, "strength"), exempt[0] ? ", not " : "", exempt);
		cli_table_row(t, values);
	}
	cli_table_print(t, "No rules: partners' entries and the defaults decide.");
}

int cli_rule_list(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "rule.list", NULL, &data);

	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_list(json_object_get(data, "rules"));
	json_decref(data);
	return rc;
}

int cli_rule_remove(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "name", c->args.words[0]);
	rc = cli_call(c, "rule.remove", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Rule \"%s\" removed.", c->args.words[0]);
	json_decref(data);
	return rc;
}
