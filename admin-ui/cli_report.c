/* postern explain, trace, audit */
#include "admin-ui/cli_report.h"

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_lookup.h"
#include "admin-ui/cli_out.h"

enum { AUDIT_DEFAULT = 50 };

int cli_report_explain(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	if (c->args.nwords > 1)
		cli_json_set_str(args, "sender", c->args.words[0]);
	cli_json_set_str(args, "recipient", c->args.words[c->args.nwords - 1]);
	if (cli_args_has(&c->args, "reply"))
		cli_json_set(args, "reply_to_sealed", json_true());
	rc = cli_call(c, "explain", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_out_line("%s -> %s (%s)", cli_json_str(data, "sender"), cli_json_str(data, "recipient"),
		    cli_json_str(data, "direction"));
		cli_out_list("  - ", json_object_get(data, "lines"));
		cli_lookup_steps(json_object_get(data, "steps"));
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
