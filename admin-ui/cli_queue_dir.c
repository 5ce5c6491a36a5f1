/* postern queue check and adopt. */
#include "admin-ui/cli_queue_dir.h"

#include <stdio.h>
#include <stdlib.h>

#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "gateway/base/log.h"
#include "gateway/queue/queue_adopt.h"
#include "gateway/queue/queue_check.h"

static const char default_data[] = "/var/lib/postern";
enum { PATH_ROOM = 4096 };

/* The queue directory of the data directory: --data, POSTERN_DATA, or where it is by default. */
static int own_dir(const struct cli *c, char dir[PATH_ROOM])
{
	const char *data = cli_args_get(&c->args, "data"), *env = getenv("POSTERN_DATA");

	if (data == NULL)
		data = env != NULL ? env : default_data;
	if (snprintf(dir, PATH_ROOM, "%s/queue", data) >= PATH_ROOM)
		return cli_out_fail("%s: the name is too long", data);
	return CLI_OK;
}

static void tell_check(const json_t *o)
{
	const json_t *v;
	size_t i;

	cli_out_line("%s: %lld messages; recipients: %lld queued, %lld held, %lld done.",
	    cli_json_str(o, "directory"), (long long)cli_json_int(o, "messages"),
	    (long long)cli_json_int(o, "queued"), (long long)cli_json_int(o, "held"),
	    (long long)cli_json_int(o, "done"));
	json_array_foreach(json_object_get(o, "findings"), i, v) cli_out_wrap("- ", 2, json_string_value(v));
	if (cli_json_is(o, "good"))
		cli_out_line("Database and spool are whole.");
}

int cli_queue_check(struct cli *c)
{
	char own[PATH_ROOM];
	const char *dir = c->args.nwords > 0 ? c->args.words[0] : own;
	struct problem pr = {0};
	json_t *o;
	int rc = own_dir(c, own);

	if (rc != CLI_OK)
		return rc;
	log_init("postern", LOG_LEVEL_ERROR);
	o = queue_check(dir, &pr);
	if (o == NULL)
		return cli_out_fail("%s", pr.text);
	if (!cli_out_json(c, o))
		tell_check(o);
	rc = cli_json_is(o, "good") ? CLI_OK : CLI_FAILED;
	json_decref(o);
	return rc;
}

int cli_queue_adopt(struct cli *c)
{
	char own[PATH_ROOM];
	struct queue_adopted n;
	struct problem pr = {0};
	json_t *o;
	int rc = own_dir(c, own), err;

	if (rc != CLI_OK)
		return rc;
	log_init("postern", LOG_LEVEL_ERROR);
	err = queue_adopt(own, c->args.words[0], &n, &pr);
	o = cli_json_object();
	cli_json_set(o, "messages", json_integer(n.messages));
	cli_json_set(o, "recipients", json_integer(n.recipients));
	cli_json_set(o, "before", json_integer(n.before));
	cli_json_set(o, "sealed_ids", json_integer(n.sealed_ids));
	if ((err == 0 || n.messages > 0) && !cli_out_json(c, o))
		cli_out_line("%lld messages for %lld waiting recipients taken over from %s%s.", (long long)n.messages,
		    (long long)n.recipients, c->args.words[0], n.before > 0 ? ", others by an earlier run" : "");
	json_decref(o);
	return err == 0 ? CLI_OK : cli_out_fail("%s", pr.text);
}
