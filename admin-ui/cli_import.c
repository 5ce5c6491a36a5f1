/* postern import: the gateway looks at the file and stores beside its mail; this waits, and asks in between. When it
 * is ended meanwhile, the import goes on without it. */
#include "admin-ui/cli_import.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin-ui/cli_ask.h"
#include "admin-ui/cli_call.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"

enum { FILE_OCTETS_MAX = 12 * 1024 * 1024, LOOK_MS = 200, SHOWN = 20, ID_MAX = 40 };

static int ask(struct cli *c, const char *verb, const char *id, json_t **data_r)
{
	json_t *args = cli_json_object();

	cli_json_set_str(args, "id", id);
	if (strcmp(verb, "import.confirm") == 0 && cli_args_has(&c->args, "force"))
		cli_json_set(args, "force", json_true());
	return cli_call(c, verb, args, data_r);
}

/* Until it is neither read nor stored any more; the last answer. */
static int wait(struct cli *c, const char *id, json_t **data_r)
{
	const struct timespec pause = {.tv_nsec = LOOK_MS * 1000000L};

	for (;;) {
		int rc = ask(c, "import.show", id, data_r);
		const char *state = cli_json_str(json_object_get(*data_r, "import"), "state");

		if (rc != CLI_OK || (strcmp(state, "reading") != 0 && strcmp(state, "storing") != 0))
			return rc;
		json_decref(*data_r);
		(void)nanosleep(&pause, NULL);
	}
}

static void tell_some(struct cli *c, const char *id, const char *only, const char *label)
{
	json_t *args = cli_json_object(), *data;
	const json_t *r;
	size_t i;

	cli_json_set_str(args, "id", id);
	cli_json_set_str(args, "only", only);
	cli_json_set(args, "max", json_integer(SHOWN));
	if (cli_call(c, "import.show", args, &data) != CLI_OK)
		return;
	json_array_foreach(json_object_get(data, "rows"), i, r)
	{
		char text[1200];

		(void)snprintf(text, sizeof text, "no. %lld, %.300s: %.800s", (long long)cli_json_int(r, "number"),
		    cli_json_str(r, "owner")[0] ? cli_json_str(r, "owner") : "of nobody", cli_json_str(r, "reason"));
		cli_out_field(label, text);
	}
	if (cli_json_is(data, "more"))
		cli_out_line("... and more; the web UI shows all.");
	json_decref(data);
}

static void tell_counts(const json_t *import)
{
	const json_t *n = json_object_get(import, "counts");

	cli_out_line("%lld certificates: %lld new, %lld warned of, %lld known already, %lld refused, %lld stored.",
	    (long long)cli_json_int(import, "certificates"), (long long)cli_json_int(n, "new"),
	    (long long)cli_json_int(n, "warned"), (long long)cli_json_int(n, "known"),
	    (long long)cli_json_int(n, "refused"), (long long)cli_json_int(n, "stored"));
}

/* It is as far as it was to come: CLI_OK. */
static int check(const json_t *import, const char *wanted)
{
	if (strcmp(cli_json_str(import, "state"), wanted) == 0)
		return CLI_OK;
	return cli_out_fail("the import is %s: %s", cli_json_str(import, "state"), cli_json_str(import, "why"));
}

static int cancel(struct cli *c, const char *id, int rc)
{
	json_t *data;

	if (ask(c, "import.cancel", id, &data) == CLI_OK)
		json_decref(data);
	return rc;
}

static int look(struct cli *c, const char *id)
{
	json_t *data, *import;
	int rc = wait(c, id, &data);

	if (rc != CLI_OK)
		return rc;
	import = json_object_get(data, "import");
	rc = check(import, "ready");
	if (rc == CLI_OK && c->form != CLI_JSON) {
		tell_counts(import);
		tell_some(c, id, "refused", "Refused");
		tell_some(c, id, "warned", "Warned of");
	}
	json_decref(data);
	return rc;
}

static int finish(struct cli *c, const char *id)
{
	json_t *data;
	int rc = ask(c, "import.confirm", id, &data);

	if (rc != CLI_OK)
		return rc == CLI_WAITS ? rc : cancel(c, id, rc);
	json_decref(data);
	rc = wait(c, id, &data);
	if (rc == CLI_OK)
		rc = check(json_object_get(data, "import"), "done");
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_counts(json_object_get(data, "import"));
	json_decref(data);
	return rc;
}

int cli_import(struct cli *c)
{
	json_t *args, *data, *content;
	char id[ID_MAX];
	int rc;

	c->file = c->args.words[0];
	content = cli_file_b64(c->file, FILE_OCTETS_MAX);
	if (!content)
		return CLI_FAILED;
	args = cli_json_object();
	cli_json_set(args, "content", content);
	cli_json_set(args, "pinned", json_boolean(cli_args_has(&c->args, "pin")));
	rc = cli_call(c, "import.begin", args, &data);
	if (rc != CLI_OK)
		return rc;
	(void)snprintf(id, sizeof id, "%s", cli_json_str(json_object_get(data, "import"), "id"));
	json_decref(data);
	rc = look(c, id);
	if (rc == CLI_OK)
		rc = cli_ask_yes(c, "Each is stored for the partner that it names. Type yes to store them: ");
	return rc == CLI_OK ? finish(c, id) : cancel(c, id, rc);
}
