/* postern domain show, postern domain rollover: where a domain's statement and keys stand, and changing the keys. */
#include "admin-ui/cli_rollover.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_hook.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_table.h"
#include "gateway/base/encode.h"
#include "gateway/base/file.h"
#include "gateway/base/mem.h"

enum { ANSWER_MAX = 1024 * 1024, PATH_ROOM = 4096 };

/* ---- show ---- */

static int write_statement(const char *path, const json_t *data)
{
	const char *text = cli_json_str(json_object_get(data, "statement"), "der");
	struct problem pr = {0};
	uint8_t *der;
	long n;
	int rc;

	if (!text[0])
		return cli_out_fail("there is no statement yet");
	der = mem_raw(strlen(text) + 1);
	n = encode_unb64(text, strlen(text), der, strlen(text));
	rc = n < 0 ? -1 : file_write(path, der, (size_t)n, 0644, &pr);
	free(der);
	return rc < 0 ? cli_out_fail("%s", pr.text) : CLI_OK;
}

static void tell_statement(const json_t *s)
{
	char text[64], from[17], to[17];

	if (!json_is_object(s)) {
		cli_out_field("Statement", "none is given out now; postern status and the log say why");
		return;
	}
	cli_out_field("Statement", cli_json_str(s, "id"));
	(void)snprintf(text, sizeof text, "%s to %s", cli_out_minute(cli_json_str(s, "issued"), from),
	    cli_out_minute(cli_json_str(s, "expires"), to));
	cli_out_field("Good", text);
}

static void tell_keys(const char *label, const json_t *rows)
{
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		char text[200];

		(void)snprintf(text, sizeof text, "%s (%s, %s)", cli_json_str(row, "key_id"),
		    cli_json_str(row, "use"), cli_json_str(row, "state"));
		cli_out_field(label, text);
	}
}

static void tell_rollover(const json_t *r)
{
	const char *step = cli_json_str(r, "step"), *at = cli_json_str(r, "switch_at");
	char text[300], from[17], to[17];

	(void)cli_out_minute(at, from);
	(void)cli_out_minute(cli_json_str(r, "finish_at"), to);
	if (strcmp(step, "waits") == 0)
		(void)snprintf(text, sizeof text,
		    "new keys are made and wait for their certificates: postern domain rollover NAME --csr prints "
		    "the "
		    "requests");
	else if (strcmp(step, "announced") == 0)
		(void)snprintf(text, sizeof text, "new certificates are announced; they are used from %s on%s", from,
		    cli_json_is(r, "early") ? " (earlier than planned: all partners know them)" : "");
	else if (strcmp(step, "overlap") == 0)
		(void)snprintf(
		    text, sizeof text, "new keys are used since %s; the old ones are retired on %s", from, to);
	else
		(void)snprintf(text, sizeof text, "the last change is done (%s)", to[0] ? to : from);
	cli_out_line("%s", "");
	cli_out_field(strcmp(cli_json_str(r, "keys"), "mail") == 0 ? "Mail keys" : "Stmt. key", text);
	if (strcmp(step, "done") == 0)
		return;
	tell_keys("New", json_object_get(r, "new"));
	tell_keys("Old", json_object_get(r, "old"));
}

static void tell_partners(const json_t *rows)
{
	static const char *const heads[] = {"~PARTNER", "HOLDS", "SINCE", NULL};
	struct cli_table *t = cli_table_new(heads);
	const json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		const char *holds = cli_json_str(row, "holds");
		char at[17];
		const char *values[] = {cli_json_str(row, "domain"),
		    strcmp(holds, "present") == 0	 ? "the present statement"
		    : strcmp(holds, "announcement") == 0 ? "one that announces the new keys"
							 : "an older one",
		    cli_out_minute(cli_json_str(row, "at"), at)};

		cli_table_row(t, values);
	}
	cli_out_line("%s", "");
	cli_table_print(t, "No partner was handed a statement yet.");
}

int cli_rollover_show(struct cli *c)
{
	const char *path = cli_args_get(&c->args, "statement");
	json_t *args = cli_json_object(), *data;
	const json_t *r;
	size_t i;
	int rc;

	cli_json_set_str(args, "domain", c->args.words[0]);
	rc = cli_call(c, "domain.show", args, &data);
	if (rc == CLI_OK && path)
		rc = write_statement(path, data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		cli_out_field("Domain", cli_json_str(data, "domain"));
		tell_statement(json_object_get(data, "statement"));
		json_array_foreach(json_object_get(data, "rollovers"), i, r) tell_rollover(r);
		tell_partners(json_object_get(data, "partners"));
	}
	json_decref(data);
	return rc;
}

/* ---- rollover ---- */

static int install(struct cli *c, const struct buf *answer, const char *domain)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "domain", domain);
	cli_json_set(args, "content", cli_file_b64_of(answer->p, answer->len));
	rc = cli_call(c, "domain.install", args, &data);
	json_decref(data);
	return rc;
}

static int by_hook(struct cli *c, const char *hook, const json_t *row)
{
	struct buf answer;
	int rc;

	buf_init(&answer, ANSWER_MAX);
	rc = cli_hook_run(hook, cli_json_str(row, "csr"), cli_json_str(row, "domain"), cli_json_str(row, "use"),
	    cli_json_str(row, "key_id"), &answer);
	if (rc == CLI_OK)
		rc = install(c, &answer, cli_json_str(row, "domain"));
	if (rc == CLI_OK)
		cli_out_note("installed the certificate of %s", cli_json_str(row, "key_id"));
	buf_clear(&answer);
	return rc;
}

static int to_file(const char *dir, const json_t *row)
{
	char path[PATH_ROOM];
	int n =
	    snprintf(path, sizeof path, "%s/%s-%s.csr", dir, cli_json_str(row, "domain"), cli_json_str(row, "use"));

	if (n < 0 || (size_t)n >= sizeof path)
		return cli_out_fail("the name of the directory is too long");
	if (cli_file_write(path, cli_json_str(row, "csr")) != CLI_OK)
		return CLI_FAILED;
	cli_out_note("wrote %s", path);
	return CLI_OK;
}

static int serve_requests(struct cli *c, const json_t *data)
{
	const char *hook = cli_args_get(&c->args, "hook"), *out = cli_args_get(&c->args, "out");
	const json_t *row;
	size_t i;
	int rc = CLI_OK;

	json_array_foreach(json_object_get(data, "requests"), i, row)
	{
		if (rc != CLI_OK)
			break;
		if (hook)
			rc = by_hook(c, hook, row);
		else if (out)
			rc = to_file(out, row);
		else if (c->form == CLI_TEXT)
			printf("%s", cli_json_str(row, "csr"));
	}
	return rc;
}

static void tell_started(const struct cli *c, const json_t *data)
{
	if (cli_args_has(&c->args, "cancel"))
		cli_out_wrap("", 0, "Given up; the new keys are retired.");
	else if (cli_args_has(&c->args, "hook") || cli_args_has(&c->args, "due"))
		return;
	else if (json_array_size(json_object_get(data, "requests")) > 0)
		cli_out_wrap("", 0,
		    "Send the requests to your certification authority. What it answers is installed with: postern "
		    "domain install NAME FILE. The rest goes by itself; postern domain show NAME says where it "
		    "stands.");
	else
		cli_out_wrap("", 0,
		    "New keys are made. They are announced, and take over by themselves; postern domain show NAME "
		    "says "
		    "where it stands.");
}

int cli_rollover_domain(struct cli *c)
{
	const struct cli_args *a = &c->args;
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "domain", a->words[0]);
	cli_json_set_str(args, "keys", cli_args_has(a, "statement-key") ? "statement" : "mail");
	if (cli_args_has(a, "csr") || cli_args_has(a, "hook"))
		cli_json_set(args, "csr", json_true());
	if (cli_args_has(a, "cancel"))
		cli_json_set(args, "cancel", json_true());
	if (cli_args_has(a, "due"))
		cli_json_set(args, "due", json_true());
	rc = cli_call(c, "domain.rollover", args, &data);
	if (rc == CLI_OK)
		rc = serve_requests(c, data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_started(c, data);
	json_decref(data);
	return rc;
}
