/* Certificates for people. */
#include "admin-ui/cli_show.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_table.h"

const char *cli_show_validity(const json_t *facts, char out[64])
{
	const char *state = cli_json_str(facts, "state");
	char from[11], to[11];

	(void)snprintf(out, 64, "%s to %s%s%.24s", cli_out_day(cli_json_str(facts, "not_before"), from),
	    cli_out_day(cli_json_str(facts, "not_after"), to), strcmp(state, "valid") == 0 ? "" : ", ",
	    strcmp(state, "valid") == 0 ? "" : state);
	return out;
}

/* 64 hex digits in groups of four: two lines of eight groups, as one reads them out. */
static void show_fingerprint(const json_t *facts)
{
	const char *groups = cli_json_str(facts, "fingerprint");
	size_t half = strlen(groups) / 2;
	char line[64];

	if (strlen(groups) != 79) {
		cli_out_field("Fingerprint", cli_json_str(facts, "sha256"));
		return;
	}
	(void)snprintf(line, sizeof line, "%.*s", (int)half, groups);
	cli_out_field("Fingerprint", line);
	(void)snprintf(line, sizeof line, "%s", groups + half + 1);
	cli_out_line("  (SHA-256)    %s", line);
}

static void show_names(const json_t *facts)
{
	const json_t *v;
	size_t i;

	json_array_foreach(json_object_get(facts, "names"), i, v)
	    cli_out_field(i == 0 ? "Names" : "", json_string_value(v));
}

void cli_show_cert(const json_t *facts)
{
	char validity[64];
	const char *use =
	    cli_json_is(facts, "may_sign")
		? cli_json_is(facts, "may_encrypt") ? "signing and encrypting mail" : "signing mail only"
	    : cli_json_is(facts, "may_encrypt") ? "encrypting mail only"
						: "not for mail";

	cli_out_field("Subject", cli_json_str(facts, "subject"));
	cli_out_field(
	    "Issuer", cli_json_is(facts, "self_signed") ? "itself (self-signed)" : cli_json_str(facts, "issuer"));
	cli_out_field("Serial", cli_json_str(facts, "serial"));
	cli_out_field("Valid", cli_show_validity(facts, validity));
	show_names(facts);
	cli_out_field("Key type", cli_json_str(facts, "key"));
	cli_out_field("For", cli_json_is(facts, "ca") ? "certification authority" : use);
	cli_out_field("Weak", cli_json_str(facts, "weak"));
	show_fingerprint(facts);
}

const char *cli_show_good_for(const json_t *row)
{
	bool encrypt = cli_json_is(json_object_get(row, "encrypt"), "usable"),
	     sign = cli_json_is(json_object_get(row, "sign"), "usable");

	return encrypt && sign ? "encrypt, sign" : encrypt ? "encrypt" : sign ? "sign" : "nothing";
}

const char *cli_show_name(const char *subject, char out[128])
{
	const char *cn = strncasecmp(subject, "CN=", 3) == 0 ? subject : strstr(subject, ",CN=");

	if (cn == NULL) {
		(void)snprintf(out, 128, "%.127s", subject);
		return out;
	}
	cn = strchr(cn, '=') + 1;
	(void)snprintf(out, 128, "%.*s", (int)strcspn(cn, ","), cn);
	return out;
}

void cli_show_certs(const json_t *rows)
{
	static const char *const heads[] = {"~OWNER", "~NAME", "UNTIL", "GOOD FOR", "TRUST", "FINGERPRINT", NULL};
	struct cli_table *t = cli_table_new(heads);
	const json_t *o;
	size_t i;

	json_array_foreach(rows, i, o)
	{
		char name[128], until[11], print[17];
		const char *values[] = {cli_json_str(o, "owner"), cli_show_name(cli_json_str(o, "subject"), name),
		    cli_out_day(cli_json_str(o, "not_after"), until), cli_show_good_for(o),
		    cli_json_is(o, "pinned") ? "pinned" : "path", print};

		(void)snprintf(print, sizeof print, "%.16s", cli_json_str(o, "sha256"));
		cli_table_row(t, values);
	}
	cli_table_print(t, "No certificates.");
}

void cli_show_anchors(const json_t *rows)
{
	/* Only where there is such an anchor: the last column. */
	static const char *const heads[] = {
	    "~SCOPE", "DIRECTION", "~NAME", "UNTIL", "STATE", "FINGERPRINT", "FOR MAIL OF", NULL};
	const char *shown[sizeof heads / sizeof *heads];
	struct cli_table *t;
	const json_t *o;
	bool local = false;
	size_t i;

	json_array_foreach(rows, i, o) local = local || cli_json_str(o, "local")[0];
	memcpy(shown, heads, sizeof shown);
	if (!local)
		shown[6] = NULL;
	t = cli_table_new(shown);
	json_array_foreach(rows, i, o)
	{
		char name[128], until[11], print[17];
		const char *values[] = {cli_json_str(o, "scope"), cli_json_str(o, "direction"),
		    cli_show_name(cli_json_str(o, "subject"), name), cli_out_day(cli_json_str(o, "not_after"), until),
		    cli_json_str(o, "state"), print, cli_json_str(o, "local")};

		(void)snprintf(print, sizeof print, "%.16s", cli_json_str(o, "sha256"));
		cli_table_row(t, values);
	}
	cli_table_print(t, "No anchors.");
}
