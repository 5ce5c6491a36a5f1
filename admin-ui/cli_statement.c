/* Partners' statements, for people. */
#include "admin-ui/cli_statement.h"

#include <stdio.h>
#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_help.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"

enum { PAGE = 500 };

static void tell_body(const char *label, const json_t *b)
{
	char text[400], issued[17], expires[17];

	if (!json_is_object(b))
		return;
	(void)snprintf(text, sizeof text, "%s, issued %s, %s %s%s", cli_json_str(b, "id"),
	    cli_out_minute(cli_json_str(b, "issued"), issued), cli_json_is(b, "expired") ? "ran out" : "until",
	    cli_out_minute(cli_json_str(b, "expires"), expires),
	    cli_json_is(b, "withdrawn") ? ", withdraws: its gateway stops" : "");
	cli_out_field(label, text);
	cli_out_field("  Key", cli_json_str(b, "key_fingerprint"));
	cli_out_field("  Certificate", cli_json_str(b, "fingerprint"));
	cli_out_field("  Came", cli_json_str(b, "how"));
	cli_out_field("  Why", cli_json_str(b, "why"));
}

static void tell_keys(const json_t *keys)
{
	const json_t *k;
	size_t i;

	json_array_foreach(keys, i, k)
	{
		char text[300], a[11], u[11], r[11];

		(void)snprintf(text, sizeof text, "%.16s... announced %s, first used %s%s%s%s%s",
		    cli_json_str(k, "key"), cli_out_day(cli_json_str(k, "announced"), a),
		    cli_out_day(cli_json_str(k, "used"), u),
		    cli_json_str(k, "retired")[0] ? ", another took its place " : "",
		    cli_json_str(k, "retired")[0] ? cli_out_day(cli_json_str(k, "retired"), r) : "",
		    cli_json_str(k, "bad")[0] ? ", revoked or compromised" : "",
		    cli_json_str(k, "refused")[0] ? ", refused" : "");
		cli_out_field("Statement key", text);
	}
}

void cli_statement_tell(const json_t *row)
{
	char text[200], since[17], last[17];

	if (!json_is_object(row))
		return;
	cli_out_line("%s", "");
	if (strcmp(cli_json_str(row, "established"), "nothing") == 0)
		(void)snprintf(text, sizeof text, "%s", cli_json_str(row, "state"));
	else
		(void)snprintf(text, sizeof text, "%s%s%s %s",
		    strcmp(cli_json_str(row, "state"), "trusted") == 0 ? "" : cli_json_str(row, "state"),
		    strcmp(cli_json_str(row, "state"), "trusted") == 0 ? "" : ", ",
		    json_is_object(json_object_get(row, "trusted")) ? "trusted by" : "was trusted by",
		    cli_json_str(row, "established"));
	cli_out_field("Statement", text);
	cli_out_field("Frozen", cli_json_str(row, "frozen_why"));
	tell_body("Trusted", json_object_get(row, "trusted"));
	tell_body("Waiting", json_object_get(row, "waiting"));
	cli_out_field("Reads", cli_json_str(row, "reads"));
	cli_out_field("Promises", cli_json_str(row, "promises"));
	cli_out_field("Demands", cli_json_str(row, "demands"));
	cli_out_field("Decision", cli_json_str(row, "decision"));
	cli_out_field("Pinned", cli_json_str(row, "pin"));
	cli_out_field("Local parts", cli_json_str(row, "local_parts"));
	cli_out_field("Newest at", cli_json_str(row, "url"));
	if (cli_json_str(row, "offered")[0]) {
		(void)snprintf(text, sizeof text, "since %s, last %s%s",
		    cli_out_minute(cli_json_str(row, "offered_since"), since),
		    cli_out_minute(cli_json_str(row, "offered"), last),
		    cli_json_str(row, "missed")[0] ? ", not any more: a downgrade" : "");
		cli_out_field("Offers XSMG", text);
	}
	tell_keys(json_object_get(row, "keys"));
}

/* ---- pending ---- */

static void tell_pending(const json_t *s)
{
	cli_out_line("%s: %s", cli_json_str(s, "domain"), cli_json_str(s, "state"));
	cli_out_field("Frozen", cli_json_str(s, "frozen_why"));
	tell_body("Waiting", json_object_get(s, "waiting"));
	tell_body("Trusted", json_object_get(s, "trusted"));
	cli_out_field("Decision", cli_json_str(s, "decision"));
	cli_out_field("Next", cli_json_str(s, "next"));
	cli_out_line("%s", "");
}

int cli_statement_pending(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	const json_t *list, *s;
	size_t i;
	int rc;

	cli_json_set(args, "max", json_integer(PAGE));
	rc = cli_call(c, "statement.pending", args, &data);
	list = json_object_get(data, "statements");
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		json_array_foreach(list, i, s)
		{
			tell_pending(s);
		}
		if (json_array_size(list) == 0)
			cli_out_line("%s", "No statement waits for a decision.");
		if (cli_json_is(data, "more"))
			cli_out_line("There are more than %d.", PAGE);
	}
	json_decref(data);
	return rc;
}

/* ---- decisions ---- */

int cli_statement_decide(struct cli *c)
{
	static const struct {
		const char *command, *verb, *done;
	} verbs[] = {{"approve", "statement.approve", "is trusted"}, {"refuse", "statement.refuse", "is refused"},
	    {"partner compromised", "statement.compromised", "is marked as compromised"}};
	json_t *args = cli_json_object(), *data;
	size_t v = 0;
	int rc;

	while (v < 2 && strcmp(verbs[v].command, c->command->name) != 0)
		v++;
	if (!cli_args_has(&c->args, "channel") || !cli_args_has(&c->args, "reason")) {
		json_decref(args);
		return cli_help_usage(c->command, "--channel and --reason say how it was compared, and why");
	}
	cli_json_set_str(args, "domain", c->args.words[0]);
	cli_json_option(args, "channel", &c->args, "channel");
	cli_json_option(args, "reason", &c->args, "reason");
	cli_json_option(args, "fingerprint", &c->args, "fingerprint");
	if (v == 0) {
		cli_json_set(args, "pin", json_boolean(cli_args_has(&c->args, "pin")));
		cli_json_set(args, "follow", json_boolean(cli_args_has(&c->args, "follow")));
	}
	rc = cli_call(c, verbs[v].verb, args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		const json_t *row = json_object_get(data, "statement");

		cli_out_line(
		    "%s: the statement%s %s.", cli_json_str(data, "domain"), v == 2 ? " key" : "", verbs[v].done);
		if (v == 0)
			tell_body("Trusted", json_object_get(row, "trusted"));
	}
	json_decref(data);
	return rc;
}

int cli_statement_set(struct cli *c)
{
	json_t *args, *data;
	int rc;

	if (c->args.noptions == 0)
		return cli_help_usage(c->command, "nothing is said that could be changed");
	args = cli_json_object();
	cli_json_set_str(args, "domain", c->args.words[0]);
	cli_json_option(args, "local_parts", &c->args, "local-parts");
	cli_json_option(args, "pin", &c->args, "pin");
	if (cli_args_has(&c->args, "follow") || cli_args_has(&c->args, "no-follow"))
		cli_json_set(args, "follow", json_boolean(cli_args_has(&c->args, "follow")));
	rc = cli_call(c, "statement.set", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_statement_tell(json_object_get(data, "statement"));
	json_decref(data);
	return rc;
}

static void tell_fetched(const json_t *data)
{
	static const struct {
		const char *result, *words;
	} all[] = {{"trusted", "is trusted"}, {"current", "is the one that is trusted already"},
	    {"pending", "waits for your decision: see postern pending"}, {"old", "is passed over"},
	    {"frozen", "is not taken: the domain is frozen, see postern pending"}, {"refused", "is refused"},
	    {"later", "cannot be judged now, and is asked for again"}};
	const char *words = cli_json_str(data, "result");
	char text[1000];

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (strcmp(all[i].result, words) == 0) {
			words = all[i].words;
			break;
		}
	(void)snprintf(text, sizeof text, "%.255s: the statement %s.", cli_json_str(data, "domain"), words);
	cli_out_line("%s", text);
	cli_out_field("From", cli_json_str(data, "where"));
	cli_out_field("Why", cli_json_str(data, "why"));
}

int cli_statement_fetch(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "domain", c->args.words[0]);
	rc = cli_call(c, "statement.fetch", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_fetched(data);
	json_decref(data);
	return rc;
}
