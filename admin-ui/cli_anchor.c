/* postern anchor ... */
#include "admin-ui/cli_anchor.h"

#include "admin-ui/cli_ask.h"
#include "admin-ui/cli_call.h"
#include "admin-ui/cli_file.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_show.h"

enum { FILE_OCTETS_MAX = 4 * 1024 * 1024 };

/* Of a file with several certificates only authorities are meant; a single one may be anything. */
static json_t *choose(const struct cli *c, const json_t *certs)
{
	json_t *chosen = json_array();
	const json_t *cert;
	size_t i;

	json_array_foreach(certs, i, cert)
	{
		bool take = json_array_size(certs) == 1 || cli_json_is(cert, "ca");

		if (take)
			(void)json_array_append(chosen, json_object_get(cert, "sha256"));
		if (c->form == CLI_JSON)
			continue;
		cli_show_cert(cert);
		if (!take)
			cli_out_line("Not taken: it is no certification authority.");
		cli_out_line("%s", "");
	}
	if (json_array_size(chosen) > 0)
		return chosen;
	json_decref(chosen);
	(void)cli_out_fail("no certificate of a certification authority is in this file");
	return NULL;
}

static int preview(struct cli *c, json_t *content, json_t **chosen_r)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	*chosen_r = NULL;
	cli_json_set(args, "content", json_incref(content));
	rc = cli_call(c, "cert.preview", args, &data);
	if (rc == CLI_OK) {
		*chosen_r = choose(c, json_object_get(data, "certificates"));
		rc = *chosen_r != NULL
			 ? cli_ask_yes(c, "Compare the fingerprint with its publication. Type yes to import: ")
			 : CLI_FAILED;
	}
	json_decref(data);
	return rc;
}

static int add(struct cli *c, json_t *content, json_t *chosen)
{
	const char *scope = cli_args_get(&c->args, "scope");
	json_t *args = cli_json_object(), *data;
	const json_t *row;
	size_t i;
	int rc;

	cli_json_set_str(args, "scope", scope != NULL ? scope : "*");
	cli_json_option(args, "direction", &c->args, "direction");
	cli_json_option(args, "local", &c->args, "local");
	cli_json_set(args, "content", json_incref(content));
	cli_json_set(args, "sha256", json_incref(chosen));
	cli_json_set(args, "force", json_boolean(cli_args_has(&c->args, "force")));
	rc = cli_call(c, "anchor.add", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		json_array_foreach(json_object_get(data, "added"), i, row)
		    cli_out_line("Added: %.16s for %s, direction %s%s%s.", cli_json_str(row, "sha256"),
			cli_json_str(row, "scope"), cli_json_str(row, "direction"),
			cli_json_str(row, "local")[0] ? ", for mail of " : "", cli_json_str(row, "local"));
		cli_out_list("Note: ", json_object_get(data, "warnings"));
	}
	json_decref(data);
	return rc;
}

int cli_anchor_add(struct cli *c)
{
	json_t *content = cli_file_b64(c->args.words[0], FILE_OCTETS_MAX), *chosen;
	int rc;

	c->file = c->args.words[0];
	if (content == NULL)
		return CLI_FAILED;
	rc = preview(c, content, &chosen);
	if (rc == CLI_OK)
		rc = add(c, content, chosen);
	json_decref(chosen);
	json_decref(content);
	return rc;
}

int cli_anchor_list(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	if (c->args.nwords > 0)
		cli_json_set_str(args, "scope", c->args.words[0]);
	rc = cli_call(c, "anchor.list", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_show_anchors(json_object_get(data, "anchors"));
	json_decref(data);
	return rc;
}

int cli_anchor_remove(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "scope", c->args.words[0]);
	cli_json_set_str(args, "sha256", c->args.words[1]);
	cli_json_option(args, "local", &c->args, "local");
	rc = cli_call(c, "anchor.remove", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		cli_out_line("Removed for %s: %.16s.", cli_json_str(data, "scope"), cli_json_str(data, "sha256"));
	json_decref(data);
	return rc;
}
