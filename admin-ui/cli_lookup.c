/* postern lookup, postern cert show; the steps of explain. */
#include "admin-ui/cli_lookup.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_show.h"

/* "secure, 12 ms", "unsigned, kept for 40 s, for another 3 min"; "" for what was not asked of anybody. */
static void about(const json_t *s, char *out, size_t cap)
{
	json_int_t age = cli_json_int(s, "age_s"), took = cli_json_int(s, "took_ms"), ttl = cli_json_int(s, "ttl_s");
	char span[16], rest[16];

	(void)snprintf(out, cap, "%s", cli_json_str(s, "dnssec"));
	if (age > 0)
		(void)snprintf(
		    out + strlen(out), cap - strlen(out), "%skept for %s", *out ? ", " : "", cli_out_span(age, span));
	else if (took > 0)
		(void)snprintf(out + strlen(out), cap - strlen(out), "%s%lld ms", *out ? ", " : "", (long long)took);
	if (ttl > 0)
		(void)snprintf(out + strlen(out), cap - strlen(out), "%sfor another %s", *out ? ", " : "",
		    cli_out_span(ttl, rest));
}

void cli_lookup_steps(const json_t *steps)
{
	const json_t *s;
	size_t i;

	if (json_array_size(steps) > 0)
		cli_out_line("%s", "\nWhere was looked:");
	json_array_foreach(steps, i, s)
	{
		char head[1000], detail[120], text[1200];

		(void)snprintf(head, sizeof head, "%s: %s", cli_json_str(s, "place"), cli_json_str(s, "query"));
		about(s, detail, sizeof detail);
		(void)snprintf(text, sizeof text, "%s%s%s%s",
		    cli_json_is(s, "pending") ? "no answer yet" : cli_json_str(s, "answer"), *detail ? " (" : "",
		    detail, *detail ? ")" : "");
		cli_out_wrap("  - ", 4, head);
		if (text[0])
			cli_out_wrap("      ", 6, text);
	}
}

static void tell_cert(const struct cli *c, const json_t *cert)
{
	char place[600];

	cli_out_line("%s", "");
	(void)snprintf(place, sizeof place, "%s, of %s", cli_json_str(cert, "place"), cli_json_str(cert, "owner"));
	cli_out_field("Found in", place);
	if (cli_json_str(cert, "subject")[0])
		cli_show_cert(cert);
	cli_out_field(cli_json_is(cert, "chosen")   ? "Used"
		      : cli_json_is(cert, "usable") ? "Usable"
						    : "Not usable",
	    cli_json_str(cert, "why"));
	if (cli_args_has(&c->args, "pem"))
		(void)fputs(cli_json_str(cert, "pem"), stdout);
}

static int tell(struct cli *c, const char *verb, json_t *args)
{
	const json_t *cert;
	json_t *data;
	size_t i;
	int rc = cli_call(c, verb, args, &data);

	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_out_field("Address", cli_json_str(data, "owner"));
		cli_out_field("Found", cli_json_str(data, "state"));
		cli_out_field("Why", cli_json_str(data, "why"));
		json_array_foreach(json_object_get(data, "certificates"), i, cert) tell_cert(c, cert);
		cli_lookup_steps(json_object_get(data, "steps"));
	}
	json_decref(data);
	return rc;
}

int cli_lookup(struct cli *c)
{
	json_t *args = cli_json_object();

	if (!cli_args_has(&c->args, "source")) {
		json_decref(args);
		(void)cli_out_fail("where shall be looked? give --source dns, smimea, smg, ldap, http or store");
		return CLI_USAGE;
	}
	cli_json_set_str(args, "address", c->args.words[0]);
	cli_json_option(args, "source", &c->args, "source");
	return tell(c, "lookup", args);
}

/* ---- by fingerprint ---- */

/* Hex digits, as a list or a browser shows them: no domain and no address. */
static bool is_fingerprint(const char *word)
{
	size_t digits = 0;

	for (; *word; word++) {
		if (!strchr("0123456789abcdefABCDEF: ", *word))
			return false;
		digits += isxdigit((unsigned char)*word) != 0;
	}
	return digits >= 8;
}

static const char *usable(const json_t *row, const char *use)
{
	const json_t *s = json_object_get(row, use);

	return json_is_object(s) ? cli_json_str(s, "why") : "";
}

static void tell_known(const struct cli *c, const json_t *row)
{
	const char *place = cli_json_str(row, "place");
	char text[900];

	if (strcmp(place, "partner") == 0)
		(void)snprintf(text, sizeof text, "%.390s, %s%.80s", cli_json_str(row, "owner"),
		    cli_json_is(row, "pinned") ? "pinned, " : "", cli_json_str(row, "source"));
	else if (strcmp(place, "ours") == 0)
		(void)snprintf(text, sizeof text, "ours: %.255s, %.20s, key %.63s", cli_json_str(row, "domain"),
		    cli_json_str(row, "use"), cli_json_str(row, "key_id"));
	else
		(void)snprintf(text, sizeof text, "%s for %.255s, direction %.10s%s%.255s",
		    strcmp(place, "bundle") == 0 ? "anchor out of a bundle" : "anchor", cli_json_str(row, "scope"),
		    cli_json_str(row, "direction"), cli_json_str(row, "local")[0] ? ", for mail of " : "",
		    cli_json_str(row, "local"));
	cli_out_line("%s", "");
	cli_out_field("Kept as", text);
	cli_show_cert(row);
	cli_out_field("Revoked", cli_json_str(row, "revoked"));
	cli_out_field("To encrypt", usable(row, "encrypt"));
	cli_out_field("To verify", usable(row, "sign"));
	if (cli_args_has(&c->args, "pem"))
		(void)fputs(cli_json_str(row, "pem"), stdout);
}

static int by_fingerprint(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	const json_t *row;
	size_t i;
	int rc;

	cli_json_set_str(args, "sha256", c->args.words[0]);
	rc = cli_call(c, "cert.show", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		json_array_foreach(json_object_get(data, "certificates"), i, row) tell_known(c, row);
	json_decref(data);
	return rc;
}

int cli_lookup_cert(struct cli *c)
{
	json_t *args;

	if (is_fingerprint(c->args.words[0]))
		return by_fingerprint(c);
	args = cli_json_object();
	cli_json_set_str(args, "owner", c->args.words[0]);
	return tell(c, "cert.show", args);
}
