/* postern cert ... What is imported is named by the fingerprints that were shown: the file cannot be exchanged
 * between the question and the answer. */
#include "admin-ui/cli_cert.h"

#include <string.h>

#include "admin-ui/cli_ask.h"
#include "admin-ui/cli_call.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_show.h"

enum { FILE_OCTETS_MAX = 4 * 1024 * 1024 };

static bool wanted(const struct cli *c, const json_t *cert)
{
	const char *grade = cli_json_str(cert, "grade");

	return strcmp(grade, "good") == 0 || (strcmp(grade, "force") == 0 && cli_args_has(&c->args, "force"));
}

/* Shows each certificate of the file on the terminal, not in the output that --json promises. */
static void show(const struct cli *c, const json_t *cert)
{
	if (c->form == CLI_JSON)
		return;
	cli_show_cert(cert);
	cli_out_list("Note: ", json_object_get(cert, "warnings"));
	if (!wanted(c, cert))
		cli_out_wrap("Not taken: ", 11, cli_json_str(cert, "reason"));
	cli_out_line("%s", "");
}

/* The fingerprints of what will be imported; NULL after a sentence when nothing can be. */
static json_t *choose(const struct cli *c, const json_t *certs)
{
	json_t *chosen = json_array();
	const json_t *cert;
	size_t i;

	json_array_foreach(certs, i, cert)
	{
		show(c, cert);
		if (wanted(c, cert))
			(void)json_array_append(chosen, json_object_get(cert, "sha256"));
	}
	if (json_array_size(chosen) > 0)
		return chosen;
	json_decref(chosen);
	cert = json_array_get(certs, 0);
	(void)cli_out_fail("%s: %s%s", c->file, cli_json_str(cert, "reason"),
	    strcmp(cli_json_str(cert, "grade"), "force") == 0 ? " (it is taken all the same with --force)" : "");
	return NULL;
}

static int preview(struct cli *c, const char *owner, json_t *content, json_t **chosen_r)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	*chosen_r = NULL;
	cli_json_set_str(args, "owner", owner);
	cli_json_set(args, "content", json_incref(content));
	rc = cli_call(c, "cert.preview", args, &data);
	if (rc == CLI_OK) {
		*chosen_r = choose(c, json_object_get(data, "certificates"));
		rc = *chosen_r != NULL
			 ? cli_ask_yes(c, "Compare the fingerprint with the partner by phone. Type yes to import: ")
			 : CLI_FAILED;
	}
	json_decref(data);
	return rc;
}

static bool among(const json_t *chosen, const char *sha256)
{
	const json_t *v;
	size_t i;

	json_array_foreach(chosen, i, v) if (strcmp(json_string_value(v), sha256) == 0) return true;
	return false;
}

static void tell_why_nothing(const json_t *row)
{
	const json_t *standing = json_object_get(row, cli_json_is(row, "may_encrypt") ? "encrypt" : "sign");

	cli_out_wrap("  ", 2, cli_json_str(standing, "why"));
	if (!cli_json_is(row, "pinned"))
		cli_out_wrap("  ", 2,
		    "Import it with --pin after comparing its fingerprint, or add its authority with \"postern "
		    "anchor add\".");
}

/* What the import is good for, told at once: an unpinned certificate without a path to an anchor is stored and never
 * used. */
static void tell_standing(struct cli *c, const char *owner, const json_t *chosen)
{
	json_t *args = cli_json_object(), *data;
	const json_t *row;
	size_t i;

	cli_json_set_str(args, "owner", owner);
	if (cli_call(c, "cert.list", args, &data) != CLI_OK)
		return;
	json_array_foreach(json_object_get(data, "certificates"), i, row)
	{
		if (!among(chosen, cli_json_str(row, "sha256")))
			continue;
		cli_out_line("Imported for %s: %.16s, good for: %s.", owner, cli_json_str(row, "sha256"),
		    cli_show_good_for(row));
		if (strcmp(cli_show_good_for(row), "nothing") == 0)
			tell_why_nothing(row);
	}
	json_decref(data);
}

static int import(struct cli *c, const char *owner, json_t *content, json_t *chosen)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "owner", owner);
	cli_json_set(args, "content", json_incref(content));
	cli_json_set(args, "sha256", json_incref(chosen));
	cli_json_set(args, "pinned", json_boolean(cli_args_has(&c->args, "pin")));
	cli_json_set(args, "force", json_boolean(cli_args_has(&c->args, "force")));
	rc = cli_call(c, "cert.import", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		tell_standing(c, cli_json_str(data, "owner"), chosen);
		if (!cli_json_is(data, "listed"))
			cli_out_wrap("", 0,
			    "Nothing says yet how mail to this partner is treated: postern partner add lists it "
			    "(default: seal, require).");
	}
	json_decref(data);
	return rc;
}

int cli_cert_import(struct cli *c)
{
	const char *owner = cli_args_get(&c->args, "for");
	json_t *content, *chosen;
	int rc;

	if (owner == NULL) {
		(void)cli_out_fail("whose certificate is it? give --for DOMAIN or --for ADDRESS");
		return CLI_USAGE;
	}
	c->file = c->args.words[0];
	content = cli_file_b64(c->file, FILE_OCTETS_MAX);
	if (content == NULL)
		return CLI_FAILED;
	rc = preview(c, owner, content, &chosen);
	if (rc == CLI_OK)
		rc = import(c, owner, content, chosen);
	json_decref(chosen);
	json_decref(content);
	return rc;
}

/* All pages as one array; an owner's come in one. */
static int fetch_all(struct cli *c, json_t *all, json_t *waiting)
{
	json_int_t after = 0;

	do {
		json_t *args = cli_json_object(), *data;
		int rc;

		if (c->args.nwords > 0)
			cli_json_set_str(args, "owner", c->args.words[0]);
		else
			cli_json_set(args, "after", json_integer(after));
		rc = cli_call(c, "cert.list", args, &data);
		if (rc == CLI_OK) {
			(void)json_array_extend(all, json_object_get(data, "certificates"));
			(void)json_array_extend(waiting, json_object_get(data, "waiting"));
			after = cli_json_is(data, "more") ? cli_json_int(data, "next") : 0;
		}
		json_decref(data);
		if (rc != CLI_OK)
			return rc;
	} while (after > 0);
	return CLI_OK;
}

static void show_waiting(const json_t *waiting)
{
	const json_t *o;
	size_t i;

	json_array_foreach(waiting, i, o)
	{
		const char *local = cli_json_str(o, "local");

		cli_out_line("Waits for you since %s: %.16s of %s%s%s", cli_json_str(o, "since"),
		    cli_json_str(o, "sha256"), cli_json_str(o, "owner"), local[0] ? ", for mail of " : "", local);
		cli_out_line("  by %s, in place of %.16s by %s", cli_json_str(o, "by"), cli_json_str(o, "known"),
		    cli_json_str(o, "known_by"));
		cli_out_line("  if it is right: postern cert accept %s %.16s%s%s", cli_json_str(o, "owner"),
		    cli_json_str(o, "sha256"), local[0] ? " --local " : "", local);
	}
}

int cli_cert_list(struct cli *c)
{
	json_t *data = cli_json_object(), *all = json_array(), *waiting = json_array();
	int rc;

	cli_json_set(data, "certificates", all);
	cli_json_set(data, "waiting", waiting);
	rc = fetch_all(c, all, waiting);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_show_certs(all);
		show_waiting(waiting);
	}
	json_decref(data);
	return rc;
}

int cli_cert_remove(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "owner", c->args.words[0]);
	cli_json_set_str(args, "sha256", c->args.words[1]);
	rc = cli_call(c, "cert.remove", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Removed from %s: %.16s.", cli_json_str(data, "owner"), cli_json_str(data, "sha256"));
	json_decref(data);
	return rc;
}

int cli_cert_accept(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "owner", c->args.words[0]);
	cli_json_set_str(args, "sha256", c->args.words[1]);
	cli_json_option(args, "local", &c->args, "local");
	rc = cli_call(c, "cert.accept", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Accepted for %s: %.16s.", cli_json_str(data, "owner"), cli_json_str(data, "sha256"));
	json_decref(data);
	return rc;
}
