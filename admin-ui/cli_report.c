/* postern explain, trace, audit */
#include "admin-ui/cli_report.h"

#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_lookup.h"
#include "admin-ui/cli_out.h"

enum { AUDIT_DEFAULT = 50 };

/* The options that one edit has beside its own. */
static int options(json_t *args, const struct cli *c, const char *const *names)
{
	json_t *o = cli_json_object();
	int rc = CLI_OK;

	cli_json_set_str(o, names[1], cli_args_get(&c->args, names[0]));
	for (size_t i = 2; names[i]; i++)
		cli_json_option(o, names[i], &c->args, names[i]);
	if (strcmp(names[0], "with-rule") == 0)
		rc = cli_json_number(o, "position", &c->args, "position");
	cli_json_set(args, strcmp(names[0], "with-rule") == 0 ? "with_rule" : "with_partner", o);
	return rc;
}

/* An edit that is not made: of a rule or of a partner's entry, for both have options of the same names. */
static int read_edit(json_t *args, const struct cli *c)
{
	static const char *const rule[] = {
	    "with-rule", "name", "sender", "recipient", "treatment", "strength", "exempt", NULL};
	static const char *const entry[] = {
	    "with-partner", "domain", "treatment", "strength", "format", "find", "group", NULL};
	static const char *const words[] = {
	    "sender", "recipient", "treatment", "strength", "exempt", "position", "format", "find", "group"};
	bool of_rule = cli_args_has(&c->args, "with-rule"), of_partner = cli_args_has(&c->args, "with-partner");

	cli_json_option(args, "without_rule", &c->args, "without-rule");
	cli_json_option(args, "without_partner", &c->args, "without-partner");
	for (size_t i = 0; !of_rule && !of_partner && i < sizeof words / sizeof *words; i++)
		if (cli_args_has(&c->args, words[i])) {
			(void)cli_out_fail(
			    "--%s says something of --with-rule NAME or --with-partner DOMAIN", words[i]);
			return CLI_USAGE;
		}
	if (of_rule && of_partner) {
		(void)cli_out_fail("give either --with-rule or --with-partner: one edit at a time");
		return CLI_USAGE;
	}
	return of_rule ? options(args, c, rule) : of_partner ? options(args, c, entry) : CLI_OK;
}

static void tell_answer(const json_t *data)
{
	const char *failed = cli_json_str(data, "failed");

	if (failed[0])
		cli_out_wrap("  ", 4, failed);
	cli_out_list("  - ", json_object_get(data, "lines"));
	cli_lookup_steps(json_object_get(data, "steps"));
}

static void tell_both(const json_t *data)
{
	cli_out_line("%s", "\nAs it is now:");
	tell_answer(json_object_get(data, "now"));
	cli_out_line("%s", "\nAs it would be (nothing is changed):");
	if (cli_json_is(data, "same"))
		cli_out_line("%s", "  the same");
	else
		tell_answer(json_object_get(data, "then"));
}

int cli_report_explain(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	const json_t *now;
	int rc;

	if (c->args.nwords > 1)
		cli_json_set_str(args, "sender", c->args.words[0]);
	cli_json_set_str(args, "recipient", c->args.words[c->args.nwords - 1]);
	if (cli_args_has(&c->args, "reply"))
		cli_json_set(args, "reply_to_sealed", json_true());
	rc = read_edit(args, c);
	if (rc != CLI_OK) {
		json_decref(args);
		return rc;
	}
	rc = cli_call(c, "explain", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		now = json_object_get(data, "now");
		if (!now)
			now = data;
		cli_out_line("%s -> %s (%s)", cli_json_str(now, "sender"), cli_json_str(now, "recipient"),
		    cli_json_str(now, "direction"));
		if (now == data)
			tell_answer(data);
		else
			tell_both(data);
	}
	json_decref(data);
	return rc;
}

static void tell_traces(const json_t *rows)
{
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
	{
		char at[17];

		cli_out_line("%s  %s UTC  %s -> %s", cli_json_str(r, "trace"),
		    cli_out_minute(cli_json_str(r, "at"), at), cli_json_str(r, "sender"),
		    cli_json_str(r, "recipient"));
		cli_out_wrap("    ", 4, cli_json_str(r, "why"));
	}
	if (json_array_size(rows) == 0)
		cli_out_line("No trace is kept.");
}

int cli_report_trace(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	char at[17];
	int rc;

	if (c->args.nwords > 0)
		cli_json_set_str(args, "id", c->args.words[0]);
	rc = cli_call(c, "trace", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		if (c->args.nwords == 0) {
			tell_traces(json_object_get(data, "traces"));
		} else {
			cli_out_line("%s -> %s, %s UTC", cli_json_str(data, "sender"),
			    cli_json_str(data, "recipient"), cli_out_minute(cli_json_str(data, "at"), at));
			cli_out_field("Certificates", cli_json_str(data, "certificates"));
			cli_out_field("Why", cli_json_str(data, "why"));
			cli_lookup_steps(json_object_get(data, "steps"));
		}
	}
	json_decref(data);
	return rc;
}

/* Two lines a row: who and when, then what, whole. */
static void tell_audit(const json_t *rows)
{
	const json_t *r;
	size_t i;

	json_array_foreach(rows, i, r)
	{
		char at[17];

		cli_out_line("%lld  %s UTC  %s  %s", (long long)cli_json_int(r, "id"),
		    cli_out_minute(cli_json_str(r, "at"), at), cli_json_str(r, "who"), cli_json_str(r, "what"));
		if (cli_json_str(r, "subject")[0])
			cli_out_wrap("    ", 6, cli_json_str(r, "subject"));
		if (cli_json_str(r, "detail")[0])
			cli_out_wrap("    ", 6, cli_json_str(r, "detail"));
	}
	if (json_array_size(rows) == 0)
		cli_out_line("Nothing was changed yet.");
}

int cli_report_audit_list(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc = cli_json_number(args, "max", &c->args, "max");

	if (rc == CLI_OK)
		rc = cli_json_number(args, "before", &c->args, "before");
	if (rc != CLI_OK) {
		json_decref(args);
		return rc;
	}
	cli_json_option(args, "of", &c->args, "of");
	if (!cli_args_has(&c->args, "max"))
		cli_json_set(args, "max", json_integer(AUDIT_DEFAULT));
	rc = cli_call(c, "audit.list", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_audit(json_object_get(data, "rows"));
	json_decref(data);
	return rc;
}

int cli_report_audit_verify(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	const json_t *head;
	int rc;

	cli_json_option(args, "head", &c->args, "head");
	rc = cli_call(c, "audit.verify", args, &data);

	head = json_object_get(data, "head");
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_out_line("The chain of %lld rows is whole. Its head is", (long long)cli_json_int(head, "id"));
		cli_out_line("  %s", cli_json_str(head, "hash"));
		if (cli_json_int(data, "found") > 0)
			cli_out_line("The head that was given is row %lld: nothing up to there was rewritten.",
			    (long long)cli_json_int(data, "found"));
		else
			cli_out_wrap("", 0,
			    "Compare it with the newest head in the system log: rows cut off at the end show only "
			    "there.");
	}
	json_decref(data);
	return rc;
}
