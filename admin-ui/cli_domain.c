/* postern domain ... */
#include "admin-ui/cli_domain.h"

#include <stdio.h>
#include <string.h>

#include "admin-ui/cli_ask.h"
#include "admin-ui/cli_call.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_p12.h"
#include "admin-ui/cli_show.h"
#include "admin-ui/cli_table.h"

enum { INSTALL_OCTETS_MAX = 4 * 1024 * 1024, PATH_ROOM = 4096 };

/* ---- what was made ---- */

static const char *pem_of(const json_t *row)
{
	return cli_json_str(row, json_object_get(row, "csr") != NULL ? "csr" : "pem");
}

/* DIR/hospital.example-sign.csr */
static int write_one(const char *dir, const json_t *row)
{
	const char *kind = json_object_get(row, "csr") != NULL ? "csr" : "pem";
	char path[PATH_ROOM];
	int n = snprintf(
	    path, sizeof path, "%s/%s-%s.%s", dir, cli_json_str(row, "domain"), cli_json_str(row, "use"), kind);

	if (!pem_of(row)[0])
		return CLI_OK;
	if (n < 0 || (size_t)n >= sizeof path)
		return cli_out_fail("the name of the directory is too long");
	if (cli_file_write(path, pem_of(row)) != CLI_OK)
		return CLI_FAILED;
	cli_out_note("wrote %s", path);
	return CLI_OK;
}

static void tell_one(const json_t *row, const char *out)
{
	const json_t *cert = json_object_get(row, "certificate");

	cli_out_field("Key", cli_json_str(row, "key_id"));
	cli_out_field("Use", cli_json_str(row, "use"));
	cli_out_field("State", cli_json_str(row, "state"));
	cli_out_field("Does", cli_json_str(row, "does"));
	if (json_is_object(cert))
		cli_show_cert(cert);
	if (out == NULL && pem_of(row)[0])
		printf("%s", pem_of(row));
	cli_out_line("%s", "");
}

static int tell_made(struct cli *c, const json_t *data)
{
	const char *out = cli_args_get(&c->args, "out"), *mode = cli_args_has(&c->args, "pkcs12") ? "import" : "make";
	const json_t *rows = json_object_get(data, "keys"), *row;
	size_t i;
	int rc = CLI_OK;

	json_array_foreach(rows, i, row) if (out != NULL && rc == CLI_OK) rc = write_one(out, row);
	if (cli_out_json(c, data))
		return rc;
	json_array_foreach(rows, i, row) tell_one(row, out);
	cli_out_list("Note: ", json_object_get(data, "warnings"));
	if (strcmp(mode, "make") == 0 && !cli_args_has(&c->args, "self-signed"))
		cli_out_wrap("", 0,
		    "Send the requests to your certification authority. What it answers is installed with: postern "
		    "domain install NAME FILE");
	return rc;
}

/* ---- add, tls ---- */

static int mode_of(struct cli *c, const char **mode_r)
{
	const struct cli_args *a = &c->args;
	int given = cli_args_has(a, "csr") + cli_args_has(a, "self-signed") + cli_args_has(a, "pkcs12");

	*mode_r = cli_args_has(a, "pkcs12") ? "import" : cli_args_has(a, "self-signed") ? "self" : "csr";
	if (given > 1) {
		(void)cli_out_fail("only one of --csr, --self-signed and --pkcs12 can be given");
		return CLI_USAGE;
	}
	return CLI_OK;
}

static int make(struct cli *c, const char *verb)
{
	const struct cli_args *a = &c->args;
	json_t *args = cli_json_object(), *data;
	const char *mode;
	int rc = mode_of(c, &mode);

	cli_json_set_str(args, "domain", a->words[0]);
	cli_json_set_str(args, "mode", mode);
	cli_json_option(args, "algo", a, "algo");
	cli_json_option(args, "organisation", a, "organisation");
	cli_json_option(args, "address", a, "address");
	cli_json_option(args, "use", a, "use");
	if (cli_args_has(a, "force"))
		cli_json_set(args, "force", json_true());
	if (rc == CLI_OK)
		rc = cli_json_number(args, "days", a, "days");
	if (rc == CLI_OK && strcmp(mode, "import") == 0)
		rc = cli_p12_args(c, c->file = cli_args_get(a, "pkcs12"), args);
	if (rc != CLI_OK) {
		json_decref(args);
		return rc;
	}
	rc = cli_call(c, verb, args, &data);
	if (rc == CLI_OK)
		rc = tell_made(c, data);
	json_decref(data);
	return rc;
}

int cli_domain_add(struct cli *c)
{
	return make(c, "domain.add");
}

int cli_domain_tls(struct cli *c)
{
	return make(c, "domain.tls");
}

/* ---- install ---- */

static void tell_installed(const json_t *data)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(data, "installed"), i, row)
	{
		cli_out_line("Installed for %s (%s):", cli_json_str(row, "domain"), cli_json_str(row, "use"));
		cli_out_field("Key", cli_json_str(row, "key_id"));
		cli_show_cert(json_object_get(row, "certificate"));
		cli_out_line("%s", "");
	}
	cli_out_list("Note: ", json_object_get(data, "warnings"));
}

int cli_domain_install(struct cli *c)
{
	json_t *args, *data, *content = cli_file_b64(c->args.words[1], INSTALL_OCTETS_MAX);
	int rc;

	if (content == NULL)
		return CLI_FAILED;
	c->file = c->args.words[1];
	args = cli_json_object();
	cli_json_set_str(args, "domain", c->args.words[0]);
	cli_json_set(args, "content", content);
	if (cli_args_has(&c->args, "force"))
		cli_json_set(args, "force", json_true());
	rc = cli_call(c, "domain.install", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_installed(data);
	json_decref(data);
	return rc;
}

/* ---- retire ---- */

int cli_domain_retire(struct cli *c)
{
	json_t *args, *data;
	char question[300];
	int rc;

	(void)snprintf(question, sizeof question,
	    "The private key %.63s goes for good: what was encrypted to it can never be opened again. Type yes to "
	    "retire it: ",
	    c->args.words[0]);
	rc = cli_ask_yes(c, question);
	if (rc != CLI_OK)
		return rc;
	args = cli_json_object();
	cli_json_set_str(args, "key", c->args.words[0]);
	cli_json_set(args, "force", json_boolean(cli_args_has(&c->args, "force")));
	rc = cli_call(c, "domain.retire", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_out_line("Retired: %s of %s (%s)%s.", cli_json_str(data, "key_id"), cli_json_str(data, "domain"),
		    cli_json_str(data, "use"), cli_json_is(data, "forgotten") ? ", its file is removed" : "");
		cli_out_list("Note: ", json_object_get(data, "warnings"));
	}
	json_decref(data);
	return rc;
}

/* ---- list ---- */

/* What is amiss with it, else what it does. */
static const char *state_of(const json_t *row)
{
	const char *state = cli_json_str(row, "state"), *does = cli_json_str(row, "does");

	if (strcmp(does, "only opens") == 0 || strcmp(does, "retired") == 0)
		return does;
	return strcmp(state, "valid") == 0 ? does : state;
}

static void tell_list(const json_t *data)
{
	static const char *const heads[] = {"~DOMAIN", "USE", "STATE", "UNTIL", "~KEY", NULL};
	struct cli_table *t = cli_table_new(heads);
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(data, "identities"), i, row)
	{
		const json_t *cert = json_object_get(row, "certificate");
		char until[11] = "-";
		const char *values[] = {cli_json_str(row, "domain"), cli_json_str(row, "use"), state_of(row), until,
		    cli_json_str(row, "key_id")};

		if (json_is_object(cert))
			(void)cli_out_day(cli_json_str(cert, "not_after"), until);
		cli_table_row(t, values);
	}
	cli_table_print(t, "No keys yet: postern domain add NAME makes them.");
	json_array_foreach(json_object_get(data, "without"), i, row)
	{
		char text[900];

		(void)snprintf(text, sizeof text, "%.255s cannot sign: %.500s", cli_json_str(row, "domain"),
		    cli_json_str(row, "why"));
		cli_out_wrap("", 2, text);
	}
}

/* One name: everything about its keys. */
static void tell_whole(const json_t *data)
{
	const json_t *row;
	size_t i;

	json_array_foreach(json_object_get(data, "identities"), i, row) tell_one(row, "");
}

/* Not one that is announced, nor one that another has taken the place of. */
static bool is_used(const json_t *row)
{
	const char *state = cli_json_str(row, "state");

	return cli_json_is(row, "active") && pem_of(row)[0] && strcmp(state, "announced") != 0 &&
	       strcmp(state, "replaced") != 0;
}

/* The certificates in use, as files to send to a partner. */
static int write_all(const char *out, const json_t *data)
{
	const json_t *row;
	size_t i;
	int rc = CLI_OK;

	json_array_foreach(json_object_get(data, "identities"), i, row) if (rc == CLI_OK && is_used(row)) rc =
	    write_one(out, row);
	return rc;
}

int cli_domain_list(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	const char *out = cli_args_get(&c->args, "out");
	int rc;

	if (c->args.nwords > 0)
		cli_json_set_str(args, "domain", c->args.words[0]);
	rc = cli_call(c, "domain.list", args, &data);
	if (rc == CLI_OK && out != NULL)
		rc = write_all(out, data);
	else if (rc == CLI_OK && !cli_out_json(c, data)) {
		if (c->args.nwords > 0)
			tell_whole(data);
		else
			tell_list(data);
	}
	json_decref(data);
	return rc;
}
