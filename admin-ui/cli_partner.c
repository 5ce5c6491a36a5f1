/* postern partner ... */
#include "admin-ui/cli_partner.h"

#include <stdio.h>
#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_help.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_show.h"
#include "admin-ui/cli_statement.h"
#include "admin-ui/cli_table.h"

enum { PAGE = 1000 };

static json_t *domain_args(const struct cli *c)
{
	json_t *args = cli_json_object();

	cli_json_set_str(args, "domain", c->args.words[0]);
	return args;
}

static int put(struct cli *c, const char *verb)
{
	json_t *args = domain_args(c), *data;
	const json_t *p;
	int rc;

	cli_json_option(args, "treatment", &c->args, "treatment");
	cli_json_option(args, "strength", &c->args, "strength");
	cli_json_option(args, "note", &c->args, "note");
	cli_json_option(args, "format", &c->args, "format");
	cli_json_option(args, "find", &c->args, "find");
	cli_json_option(args, "group", &c->args, "group");
	rc = cli_call(c, verb, args, &data);
	p = json_object_get(data, "partner");
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("%s %s: treatment %s, strength %s%s%s%s%s%s%s.", cli_json_str(p, "domain"),
		    cli_json_is(data, "changed") ? "changed" : "added", cli_json_str(p, "treatment"),
		    cli_json_str(p, "strength"), cli_json_str(p, "format")[0] ? ", format " : "",
		    cli_json_str(p, "format"), cli_json_str(p, "find")[0] ? ", find " : "", cli_json_str(p, "find"),
		    cli_json_str(p, "group")[0] ? ", group " : "", cli_json_str(p, "group"));
	json_decref(data);
	return rc;
}

int cli_partner_add(struct cli *c)
{
	return put(c, "partner.add");
}

int cli_partner_set(struct cli *c)
{
	if (c->args.noptions == 0)
		return cli_help_usage(c->command, "nothing is said that could be changed");
	return put(c, "partner.set");
}

/* All pages as one array. */
static int fetch_all(struct cli *c, json_t *all)
{
	const char *after = NULL;
	json_t *data;
	bool more = true;

	while (more) {
		json_t *args = cli_json_object();
		const json_t *page;
		int rc;

		cli_json_set_str(args, "after", after);
		cli_json_set(args, "max", json_integer(PAGE));
		rc = cli_call(c, "partner.list", args, &data);
		if (rc != CLI_OK)
			return rc;
		page = json_object_get(data, "partners");
		more = cli_json_is(data, "more") && json_array_size(page) > 0;
		(void)json_array_extend(all, json_object_get(data, "partners"));
		json_decref(data);
		after = cli_json_str(json_array_get(all, json_array_size(all) - 1), "domain");
	}
	return CLI_OK;
}

static bool any_has(const json_t *all, const char *key)
{
	const json_t *p;
	size_t i;

	json_array_foreach(all, i, p)
	{
		if (cli_json_str(p, key)[0])
			return true;
	}
	return false;
}

/* What is set for nobody has no column: room for the names. */
static void tell_list(const json_t *all)
{
	static const struct {
		const char *head, *key;
		bool always;
	} columns[] = {{"~PARTNER", "domain", true}, {"~GROUP", "group", false}, {"TREATMENT", "treatment", true},
	    {"STRENGTH", "strength", true}, {"SEEN PROTECTED", "seen_protected", true}, {"~FORMAT", "format", false},
	    {"~FIND", "find", false}, {"~NOTE", "note", false}};
	const char *heads[CLI_TABLE_COLUMNS_MAX + 1] = {NULL}, *keys[CLI_TABLE_COLUMNS_MAX];
	struct cli_table *t;
	const json_t *p;
	size_t i, n = 0;

	for (i = 0; i < sizeof columns / sizeof *columns; i++) {
		if (!columns[i].always && !any_has(all, columns[i].key))
			continue;
		heads[n] = columns[i].head;
		keys[n++] = columns[i].key;
	}
	t = cli_table_new(heads);
	json_array_foreach(all, i, p)
	{
		const char *values[CLI_TABLE_COLUMNS_MAX];
		char seen[11];

		for (size_t k = 0; k < n; k++)
			values[k] = strcmp(keys[k], "seen_protected") == 0
					? cli_out_day(cli_json_str(p, keys[k]), seen)
					: cli_json_str(p, keys[k]);
		cli_table_row(t, values);
	}
	cli_table_print(t, "No partners yet: postern partner add DOMAIN");
}

int cli_partner_list(struct cli *c)
{
	json_t *data = cli_json_object(), *all = json_array();
	int rc;

	cli_json_set(data, "partners", all);
	rc = fetch_all(c, all);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_list(all);
	json_decref(data);
	return rc;
}

static void tell_format(const json_t *data)
{
	const json_t *f = json_object_get(data, "format"), *o;
	size_t i;

	cli_out_field("Set format", cli_json_str(json_object_get(data, "partner"), "format"));
	cli_out_field("Written", cli_json_str(f, "text"));
	cli_out_field("Not written", cli_json_str(data, "format_refused"));
	json_array_foreach(json_object_get(data, "capabilities"), i, o)
	{
		char said[17], text[900];
		const char *reads = cli_json_str(o, "reads");

		(void)snprintf(text, sizeof text, "%s, said %s by %s%s", reads[0] ? reads : "nothing better",
		    cli_out_minute(cli_json_str(o, "said"), said), cli_json_str(o, "signer"),
		    i == 0 ? "" : " (older: not used)");
		cli_out_field("Reads", text);
	}
}

static void tell_whole(const struct cli *c, const json_t *data)
{
	const json_t *p = json_object_get(data, "partner"), *certs = json_object_get(data, "certificates"), *o;
	char time[17];
	size_t i;

	cli_out_field("Partner", cli_json_is(data, "listed") ? cli_json_str(p, "domain") : c->args.words[0]);
	if (cli_json_is(data, "listed")) {
		cli_out_field("Group", cli_json_str(p, "group"));
		cli_out_field("Treatment", cli_json_str(p, "treatment"));
		cli_out_field("Strength", cli_json_str(p, "strength"));
		cli_out_field("Added", cli_out_minute(cli_json_str(p, "added"), time));
		cli_out_field("Note", cli_json_str(p, "note"));
	} else {
		cli_out_field("Listed", "no");
	}
	cli_out_field("Protected", cli_json_str(data, "seen_protected")[0]
				       ? "seen protected; never served in the clear again"
				       : "never seen protected");
	cli_out_field("Set find", cli_json_str(p, "find"));
	cli_out_field("Looked for", cli_json_str(data, "find"));
	tell_format(data);
	json_array_foreach(certs, i, o)
	{
		cli_out_line("%s", "");
		cli_show_cert(o);
		cli_out_field("Trust",
		    cli_json_is(o, "pinned") ? "pinned: its fingerprint was compared" : "by a path to an anchor");
		cli_out_field("To encrypt", cli_json_str(json_object_get(o, "encrypt"), "why"));
		cli_out_field("Signatures", cli_json_str(json_object_get(o, "sign"), "why"));
	}
	if (json_array_size(certs) == 0)
		cli_out_field("Certificates", "none");
	cli_statement_tell(json_object_get(data, "statement"));
	cli_out_line("%s", "");
	cli_show_anchors(json_object_get(data, "anchors"));
}

int cli_partner_show(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "partner.show", domain_args(c), &data);

	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_whole(c, data);
	json_decref(data);
	return rc;
}

int cli_partner_remove(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "partner.remove", domain_args(c), &data);

	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_out_line("%s removed, with its certificates and anchors.", cli_json_str(data, "domain"));
		if (cli_json_is(data, "still_protected"))
			cli_out_wrap("", 0,
			    "It was seen protected, so mail to it still never leaves in the clear; only \"postern "
			    "partner release\" ends that.");
	}
	json_decref(data);
	return rc;
}

int cli_partner_release(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "partner.release", domain_args(c), &data);

	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("%s is released: rules and defaults alone decide about mail to it.",
		    cli_json_str(data, "domain"));
	json_decref(data);
	return rc;
}
