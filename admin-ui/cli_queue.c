/* postern queue ... */
#include "admin-ui/cli_queue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_help.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_table.h"
#include "gateway/queue/queue_names.h"

enum { LIST_DEFAULT = 100, LIST_MOST = 100000, PAGE = 1000 };

/* ---- list ---- */

static int fetch(struct cli *c, json_int_t want, json_t *all)
{
	json_int_t before = 0;

	for (;;) {
		json_int_t left = want - (json_int_t)json_array_size(all), page = left < PAGE ? left : PAGE;
		json_t *args = cli_json_object(), *data, *messages;
		size_t n;
		int rc;

		cli_json_option(args, "state", &c->args, "state");
		cli_json_option(args, "match", &c->args, "match");
		cli_json_set(args, "max", json_integer(page));
		if (before > 0)
			cli_json_set(args, "before", json_integer(before));
		rc = cli_call(c, "queue.list", args, &data);
		if (rc != CLI_OK)
			return rc;
		messages = json_object_get(data, "messages");
		n = json_array_size(messages);
		if (n > 0)
			before = cli_json_int(json_array_get(messages, n - 1), "arrived");
		(void)json_array_extend(all, messages);
		json_decref(data);
		if ((json_int_t)n < page || before <= 0 || (json_int_t)json_array_size(all) >= want)
			return CLI_OK;
	}
}

/* The state's recipients in short: "bob@lab.example" or "bob@lab.example +2". */
static void first_rcpt(const json_t *m, char *out, size_t cap)
{
	const json_t *rcpts = json_object_get(m, "recipients");
	size_t n = json_array_size(rcpts);
	const char *a = cli_json_str(json_array_get(rcpts, 0), "address");

	if (n > 1)
		(void)snprintf(out, cap, "%.300s +%zu", a, n - 1);
	else
		(void)snprintf(out, cap, "%.300s", a);
}

/* The first recipient that is held; NULL none. */
static const json_t *first_held(const json_t *m)
{
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(m, "recipients"), i, r) if (cli_json_str(r, "waits")[0]) return r;
	return NULL;
}

static void tell_list(const json_t *all)
{
	const char *heads[] = {"ID", "STATE", "ARRIVED (UTC)", ">SIZE", "~SENDER", "~RECIPIENT", NULL, "~OF", NULL};
	struct cli_table *t;
	const json_t *m;
	size_t i;

	json_array_foreach(all, i, m) if (first_held(m)) heads[6] = "WAITS FOR"; /* only where something does */
	t = cli_table_new(heads);
	json_array_foreach(all, i, m)
	{
		char arrived[17], size[16], rcpt[330];
		const json_t *held = first_held(m);
		const char *sender = cli_json_str(m, "sender");
		const char *values[] = {cli_json_str(m, "id"), cli_json_str(m, "state"),
		    cli_out_minute_ms(cli_json_int(m, "arrived"), arrived),
		    cli_out_size(cli_json_int(m, "size"), size), sender[0] ? sender : "<>", rcpt,
		    held ? cli_json_str(held, "waits") : "", held ? cli_json_str(held, "waits_for") : ""};

		first_rcpt(m, rcpt, sizeof rcpt);
		cli_table_row(t, values);
	}
	cli_table_print(t, "No such mail.");
}

static int list(struct cli *c)
{
	json_t *data = cli_json_object(), *all = json_array(), *number = cli_json_object();
	int rc = cli_json_number(number, "max", &c->args, "max");
	json_int_t want = cli_args_has(&c->args, "max") ? cli_json_int(number, "max") : LIST_DEFAULT;

	json_decref(number);
	cli_json_set(data, "messages", all);
	if (want < 1 || want > LIST_MOST)
		want = LIST_MOST;
	if (rc == CLI_OK)
		rc = fetch(c, want, all);
	if (rc == CLI_OK && !cli_out_json(c, data)) {
		tell_list(all);
		if ((json_int_t)json_array_size(all) >= want)
			cli_out_note("There may be more: --max N shows N, --state and --match fewer.");
	}
	json_decref(data);
	return rc;
}

static bool no_such_state(const char *state)
{
	return state != NULL && queue_names_find_state(state) < 0;
}

int cli_queue_list(struct cli *c)
{
	char why[200];

	if (no_such_state(cli_args_get(&c->args, "state"))) {
		(void)snprintf(why, sizeof why, "there is no state \"%.60s\"; mail is queued, active, held or done",
		    cli_args_get(&c->args, "state"));
		return cli_help_usage(c->command, why);
	}
	return list(c);
}

/* ---- show ---- */

/* What servers outside said of it afterwards: their word, beside ours. */
static void tell_report(const json_t *p)
{
	const char *mta = cli_json_str(p, "mta"), *status = cli_json_str(p, "status"),
		   *diagnostic = cli_json_str(p, "diagnostic");
	char text[1000], time[17];

	(void)snprintf(text, sizeof text, "%s by %s, %s UTC%s%s%s%s (message %s)", cli_json_str(p, "action"),
	    mta[0] ? mta : "a server without a name", cli_out_minute_ms(cli_json_int(p, "at"), time),
	    status[0] || diagnostic[0] ? ": " : "", status, status[0] && diagnostic[0] ? " " : "", diagnostic,
	    cli_json_str(p, "message"));
	cli_out_field("Reported", text);
}

static void tell_ids(const char *name, const json_t *list)
{
	const json_t *id;
	char text[700] = "";
	size_t i, n = 0;

	json_array_foreach(list, i, id) if (n + 32 < sizeof text) n +=
	    (size_t)snprintf(text + n, sizeof text - n, "%s%.20s", i ? ", " : "", json_string_value(id));
	if (text[0])
		cli_out_field(name, text);
}

static void tell_waits(const json_t *r)
{
	static const struct {
		const char *word, *says, *more; /* around for whom */
	} words[] = {
	    {"admin", "you: release or delete it", ""},
	    {"trust", "trust in who signed it, for the domain ", ""},
	    {"key", "a key that opens it, of ", ""},
	    {"inside", "the inside server (", "), or you"},
	    {"service", "the gateway's own processes or disk", ""},
	};
	const char *w = cli_json_str(r, "waits");
	char text[400], time[17];

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i].word, w) == 0) {
			(void)snprintf(
			    text, sizeof text, "%s%s%s", words[i].says, cli_json_str(r, "waits_for"), words[i].more);
			cli_out_field("Waits for", text);
		}
	if (!w[0])
		return;
	(void)snprintf(text, sizeof text, "%s UTC, judged again %lld times",
	    cli_out_minute_ms(cli_json_int(r, "held_since"), time), (long long)cli_json_int(r, "judged"));
	cli_out_field("Held since", text);
}

static void tell_rcpt(const json_t *r)
{
	char text[64], time[17];
	const char *outcome = cli_json_str(r, "outcome");
	const json_t *p;
	size_t i;

	cli_out_line("%s", "");
	cli_out_field("Recipient", cli_json_str(r, "address"));
	cli_out_field("State", outcome[0] ? outcome : cli_json_str(r, "state"));
	cli_out_field("Treatment", cli_json_str(r, "treatment"));
	cli_out_field("Reason", cli_json_str(r, "reason"));
	cli_out_field("Status", cli_json_str(r, "status"));
	cli_out_field("Next hop", cli_json_str(r, "nexthop"));
	cli_out_field("Last at", cli_json_str(r, "remote"));
	(void)snprintf(text, sizeof text, "%lld, changed %s UTC", (long long)cli_json_int(r, "attempts"),
	    cli_out_minute_ms(cli_json_int(r, "changed"), time));
	cli_out_field("Attempts", text);
	tell_waits(r);
	if (cli_json_int(r, "next_at") > 0)
		cli_out_field("Next try", cli_out_minute_ms(cli_json_int(r, "next_at"), time));
	json_array_foreach(json_object_get(r, "reports"), i, p) tell_report(p);
}

static void tell_facts(const json_t *facts)
{
	json_t *copy =
	    json_is_object(facts) ? json_deep_copy(facts) : NULL; /* iterating wants one that may be changed */
	const char *name;
	json_t *v;

	json_object_foreach(copy, name, v)
	{
		char *plain = json_is_string(v) ? NULL : json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY), line[600];

		(void)snprintf(
		    line, sizeof line, "%.60s: %.500s", name, plain != NULL ? plain : json_string_value(v));
		cli_out_wrap("  ", 4, line);
		free(plain);
	}
	json_decref(copy);
}

static void tell_message(const json_t *m)
{
	const char *sender = cli_json_str(m, "sender");
	const json_t *r, *facts = json_object_get(m, "facts");
	char size[16], time[17];
	size_t i;

	cli_out_field("Id", cli_json_str(m, "id"));
	cli_out_field("Kind", cli_json_str(m, "kind"));
	cli_out_field("State", cli_json_str(m, "state"));
	cli_out_field("Arrived", cli_out_minute_ms(cli_json_int(m, "arrived"), time));
	cli_out_field("Size", cli_out_size(cli_json_int(m, "size"), size));
	cli_out_field("Sender", sender[0] ? sender : "<>");
	cli_out_field("Message-ID", cli_json_str(m, "message_id"));
	cli_out_field("Content", cli_json_str(m, "content"));
	tell_ids("About", json_object_get(m, "about"));
	tell_ids("Notices", json_object_get(m, "notices"));
	if (json_is_object(facts) && json_object_size(facts) > 0)
		cli_out_line("Facts:");
	tell_facts(facts);
	json_array_foreach(json_object_get(m, "recipients"), i, r) tell_rcpt(r);
}

int cli_queue_show(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "id", c->args.words[0]);
	rc = cli_call(c, "queue.show", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_message(data);
	json_decref(data);
	return rc;
}

/* ---- hold, release, retry, delete ---- */

static const struct {
	const char *command, *verb, *done, *from;
} changes[] = {
    {"queue hold", "queue.hold", "held", "waits for delivery or is held"},
    {"queue release", "queue.release", "released", "is held"},
    {"queue retry", "queue.retry", "will be tried now",
	"waits for delivery, or is held for anything but your decision"},
    {"queue delete", "queue.delete", "deleted", "waits or is held"},
};

static int change_one(struct cli *c, size_t which, const char *id, json_t **data_r)
{
	json_t *args = cli_json_object();
	int rc;

	cli_json_set_str(args, "id", id);
	cli_json_option(args, "address", &c->args, "address");
	cli_json_option(args, "reason", &c->args, "reason");
	rc = cli_call(c, changes[which].verb, args, data_r);
	if (rc != CLI_OK)
		return rc;
	if (cli_json_int(*data_r, "changed") == 0)
		return cli_out_fail("%s: nothing was changed, because no recipient %s", id, changes[which].from);
	if (c->form == CLI_TEXT)
		cli_out_line("%s: %lld recipient%s %s.", id, (long long)cli_json_int(*data_r, "changed"),
		    cli_json_int(*data_r, "changed") == 1 ? "" : "s", changes[which].done);
	return CLI_OK;
}

/* Each message by itself; the first failure's status, after all were tried. */
int cli_queue_change(struct cli *c)
{
	json_t *all = cli_json_object();
	size_t which = 0;
	int first = CLI_OK;

	while (strcmp(changes[which].command, c->command->name) != 0)
		which++;
	for (int i = 0; i < c->args.nwords; i++) {
		json_t *data = NULL;
		int rc = change_one(c, which, c->args.words[i], &data);

		if (data != NULL)
			cli_json_set(all, c->args.words[i], json_incref(data));
		json_decref(data);
		if (first == CLI_OK)
			first = rc;
	}
	(void)cli_out_json(
	    c, json_object_size(all) == 1 && c->args.nwords == 1 ? json_object_get(all, c->args.words[0]) : all);
	json_decref(all);
	return first;
}
