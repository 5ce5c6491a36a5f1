/* postern bundle ... */
#include "admin-ui/cli_bundle.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_show.h"

enum { FILE_OCTETS_MAX = 64 * 1024, EVERY_MIN = 300, EVERY_MAX = 30 * 86400 };

/* "24h", "90m", "3600s", "7d". -1 when it is none of these. */
static long long span(const char *text)
{
	char *end;
	long long n = strtoll(text, &end, 10);
	long long unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : *end == 'd' ? 86400 : 0;

	return n < 1 || n > 1000000 || unit == 0 || end[1] ? -1 : n * unit;
}

static json_t *url_args(const struct cli *c)
{
	json_t *args = cli_json_object();

	cli_json_set_str(args, "url", c->args.words[0]);
	return args;
}

static void tell(const json_t *b)
{
	const json_t *signer = json_object_get(b, "signer");
	char time[17], text[600], every[16];

	cli_out_field("Bundle", cli_json_str(b, "url"));
	(void)snprintf(text, sizeof text, "%s, direction %s%s%s", cli_json_str(b, "scope"),
	    cli_json_str(b, "direction"), cli_json_str(b, "local")[0] ? ", for mail of " : "",
	    cli_json_str(b, "local"));
	cli_out_field("Anchors for", text);
	(void)snprintf(
	    text, sizeof text, "%.300s (%.16s)", cli_json_str(signer, "subject"), cli_json_str(signer, "sha256"));
	cli_out_field("Signed by", json_is_object(signer) ? text : "nobody: whoever serves the URL decides");
	cli_out_field("Fetched every", cli_out_span(cli_json_int(b, "every_s"), every));
	cli_out_field("In use since", json_is_string(json_object_get(b, "taken"))
					  ? cli_out_minute(cli_json_str(b, "taken"), time)
					  : "nothing yet");
	if (json_is_string(json_object_get(b, "tried")))
		cli_out_field("Last tried", cli_out_minute(cli_json_str(b, "tried"), time));
	cli_out_field("Last change", cli_json_str(b, "difference"));
	cli_out_field("Trouble", cli_json_str(b, "trouble"));
}

int cli_bundle_add(struct cli *c)
{
	const char *scope = cli_args_get(&c->args, "scope"), *signer = cli_args_get(&c->args, "signer");
	const char *every = cli_args_get(&c->args, "every");
	json_t *args = url_args(c), *data;
	int rc;

	cli_json_set_str(args, "scope", scope != NULL ? scope : "*");
	cli_json_option(args, "direction", &c->args, "direction");
	cli_json_option(args, "local", &c->args, "local");
	if (every != NULL && (span(every) < EVERY_MIN || span(every) > EVERY_MAX)) {
		json_decref(args);
		(void)cli_out_fail("--every %.40s: a time from 5m to 30d is expected, such as 24h", every);
		return CLI_USAGE;
	}
	if (every != NULL)
		cli_json_set(args, "every", json_integer(span(every)));
	if (signer != NULL) {
		json_t *content = cli_file_b64(signer, FILE_OCTETS_MAX);

		if (content == NULL) {
			json_decref(args);
			return CLI_FAILED;
		}
		cli_json_set(args, "signer", content);
	}
	rc = cli_call(c, "bundle.add", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		tell(json_object_get(data, "bundle"));
		cli_out_line("It is being fetched; what came of it: postern bundle show URL");
	}
	json_decref(data);
	return rc;
}

/* The URL whole, in a line of its own: it is what the other commands want. */
static void tell_short(const json_t *b)
{
	char text[900], since[17];

	cli_out_line("%s", cli_json_str(b, "url"));
	(void)snprintf(text, sizeof text, "for %.255s%s%.255s, direction %.10s, in use: %s%s",
	    cli_json_str(b, "scope"), cli_json_str(b, "local")[0] ? ", mail of " : "", cli_json_str(b, "local"),
	    cli_json_str(b, "direction"), json_is_string(json_object_get(b, "taken")) ? "since " : "",
	    json_is_string(json_object_get(b, "taken")) ? cli_out_minute(cli_json_str(b, "taken"), since)
							: "nothing of it yet");
	cli_out_wrap("    ", 4, text);
	if (!cli_json_str(b, "trouble")[0])
		return;
	(void)snprintf(text, sizeof text, "since %s: %.640s", cli_out_minute(cli_json_str(b, "since"), since),
	    cli_json_str(b, "trouble"));
	cli_out_wrap("    trouble ", 4, text);
}

int cli_bundle_list(struct cli *c)
{
	const json_t *b;
	json_t *data;
	size_t i;
	int rc = cli_call(c, "bundle.list", NULL, &data);

	if (rc == CLI_OK && !cli_out_json(c, data)) {
		json_array_foreach(json_object_get(data, "bundles"), i, b) tell_short(b);
		if (i == 0)
			cli_out_line("No bundles.");
	}
	json_decref(data);
	return rc;
}

int cli_bundle_show(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "bundle.show", url_args(c), &data);

	if (rc == CLI_OK && !cli_out_json(c, data)) {
		tell(json_object_get(data, "bundle"));
		cli_out_line("%s", "");
		cli_show_anchors(json_object_get(data, "anchors"));
	}
	json_decref(data);
	return rc;
}

/* What was refused is a failure of the command: scripts must see it. */
int cli_bundle_refresh(struct cli *c)
{
	json_t *args = url_args(c), *data;
	const char *trouble;
	int rc;

	cli_json_set(args, "force", json_boolean(cli_args_has(&c->args, "force")));
	rc = cli_call(c, "bundle.refresh", args, &data);
	trouble = cli_json_str(json_object_get(data, "bundle"), "trouble");
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		if (trouble[0])
			rc = cli_out_fail("%s: %s",
			    json_is_string(json_object_get(json_object_get(data, "bundle"), "taken"))
				? "the edition in use stays"
				: "none of its anchors is in use",
			    trouble);
		else
			cli_out_wrap("", 0, cli_json_str(json_object_get(data, "bundle"), "difference"));
	}
	json_decref(data);
	return rc;
}

int cli_bundle_remove(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "bundle.remove", url_args(c), &data);

	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Removed with its anchors: %s.", cli_json_str(data, "url"));
	json_decref(data);
	return rc;
}
