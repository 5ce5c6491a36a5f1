/* postern recipient ... */
#include "admin-ui/cli_recipient.h"

#include <stdio.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"

static void show(const struct cli *c, const json_t *data)
{
	long long age = cli_json_int(data, "age_s");
	char text[800];

	cli_out_field("Address", c->args.words[0]);
	cli_out_field("Recipient", cli_json_str(data, "state"));
	cli_out_field("Source", cli_json_str(data, "source"));
	cli_out_field("Said", cli_json_str(data, "said"));
	if (age > 0) {
		(void)snprintf(text, sizeof text, "%lld min %lld s ago", age / 60, age % 60);
		cli_out_field("When", text);
	}
	if (cli_json_is(data, "accepted"))
		(void)snprintf(text, sizeof text, "taken");
	else
		(void)snprintf(text, sizeof text, "%lld %s %.600s", (long long)cli_json_int(data, "code"),
		    cli_json_str(data, "status"), cli_json_str(data, "text"));
	cli_out_field("Mail for it", text);
}

int cli_recipient_check(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "address", c->args.words[0]);
	cli_json_set(args, "fresh", json_boolean(cli_args_has(&c->args, "fresh")));
	rc = cli_call(c, "recipient.check", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		show(c, data);
	json_decref(data);
	return rc;
}
