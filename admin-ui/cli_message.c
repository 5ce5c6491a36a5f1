/* postern message ... */
#include "admin-ui/cli_message.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_help.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_table.h"
#include "gateway/base/encode.h"

enum { FIND_DEFAULT = 20, FIND_MOST = 100000, PAGE = 1000, LEAD = 21 };

/* ---- times ---- */

static int ago(const char *text, int64_t now, int64_t *unix_s_r)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}, {'w', 604800}};
	char *end;
	long long n = strtoll(text, &end, 10);

	if (end == text || n < 0 || n > 1000000 || !end[0] || end[1])
		return -1;
	for (size_t i = 0; i < sizeof units / sizeof units[0]; i++)
		if (units[i].unit == *end) {
			*unix_s_r = now - n * units[i].seconds;
			return 0;
		}
	return -1;
}

int cli_message_time(const char *text, int64_t now, int64_t *unix_s_r)
{
	static const char *const forms[] = {"%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M",
	    "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%d"};

	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		struct tm t = {0};
		const char *end = strptime(text, forms[i], &t);

		if (end && !*end) {
			*unix_s_r = timegm(&t);
			return 0;
		}
	}
	return ago(text, now, unix_s_r);
}

static int set_time(struct cli *c, json_t *args, const char *name)
{
	const char *text = cli_args_get(&c->args, name);
	char why[200];
	int64_t t;

	if (!text)
		return CLI_OK;
	if (cli_message_time(text, time(NULL), &t)) {
		(void)snprintf(why, sizeof why,
		    "--%s: \"%.40s\" is not a time such as 2h (ago), 3d, 2026-11-22 or \"2026-11-22 14:05\" (UTC)",
		    name, text);
		return cli_help_usage(c->command, why);
	}
	cli_json_set(args, name, json_integer(t));
	return CLI_OK;
}

/* ---- find ---- */

static const struct {
	const char *option, *argument;
} filters[] = {{"from", "from"}, {"to", "to"}, {"id", "id"}, {"message-id", "message_id"}, {"outcome", "outcome"},
    {"direction", "direction"}};

static int make_args(struct cli *c, json_t *args)
{
	int rc;

	for (size_t i = 0; i < sizeof filters / sizeof filters[0]; i++)
		cli_json_option(args, filters[i].argument, &c->args, filters[i].option);
	rc = set_time(c, args, "since");
	return rc == CLI_OK ? set_time(c, args, "until") : rc;
}

/* The gateway answers in bounded pieces, some of them empty: asked on until there is enough. */
static int fetch(struct cli *c, json_t *args, json_int_t want, json_t *all, bool *more_r)
{
	for (;;) {
		json_int_t left = want - (json_int_t)json_array_size(all);
		json_t *data, *cursor;
		int rc;

		cli_json_set(args, "limit", json_integer(left < PAGE ? left : PAGE));
		rc = cli_call(c, "message.find", json_deep_copy(args), &data);
		if (rc != CLI_OK)
			return rc;
		(void)json_array_extend(all, json_object_get(data, "messages"));
		cursor = json_incref(json_object_get(data, "cursor"));
		json_decref(data);
		*more_r = cursor != NULL;
		if (!cursor || (json_int_t)json_array_size(all) >= want) {
			json_decref(cursor);
			return CLI_OK;
		}
		cli_json_set(args, "cursor", cursor);
	}
}

static const char *or_null_path(const char *address)
{
	return address[0] ? address : "<>";
}

static void rows_of(struct cli_table *t, const json_t *m)
{
	const json_t *r;
	size_t i;

	json_array_foreach(json_object_get(m, "recipients"), i, r)
	{
		char at[17];
		const char *values[] = {cli_json_str(m, "id"), cli_out_minute_ms(cli_json_int(m, "at"), at),
		    cli_json_str(m, "direction"), cli_json_str(r, "outcome"), cli_json_str(r, "treatment"),
		    or_null_path(cli_json_str(m, "from")), cli_json_str(r, "address")};

		cli_table_row(t, values);
	}
}

static void tell_found(const json_t *all, bool more)
{
	static const char *const heads[] = {"ID", "TIME (UTC)", "WAY", "OUTCOME", "AS", "~FROM", "~TO", NULL};
	struct cli_table *t = cli_table_new(heads);
	const json_t *m;
	size_t i;

	json_array_foreach(all, i, m) rows_of(t, m);
	cli_table_print(t, "No such message.");
	if (json_array_size(all) == 1)
		cli_out_note("Its way: postern message show %s", cli_json_str(json_array_get(all, 0), "id"));
	if (more)
		cli_out_note("There may be more: --limit N shows N, --since, --to, --outcome fewer.");
}

int cli_message_find(struct cli *c)
{
	json_t *args = cli_json_object(), *data = cli_json_object(), *all = json_array(), *number = cli_json_object();
	int rc = cli_json_number(number, "limit", &c->args, "limit");
	json_int_t want = cli_args_has(&c->args, "limit") ? cli_json_int(number, "limit") : FIND_DEFAULT;
	bool more = false;

	cli_json_set(data, "messages", all);
	if (want < 1 || want > FIND_MOST)
		want = FIND_MOST;
	if (rc == CLI_OK)
		rc = make_args(c, args);
	if (rc == CLI_OK)
		rc = fetch(c, args, want, all, &more);
	cli_json_set(data, "more", json_boolean(more));
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_found(all, more);
	json_decref(number);
	json_decref(data);
	json_decref(args);
	return rc;
}

/* ---- show ---- */

static void tell_rcpt(const json_t *r)
{
	cli_out_line("%s", "");
	cli_out_field("Recipient", cli_json_str(r, "address"));
	cli_out_field("Outcome", cli_json_str(r, "outcome"));
	cli_out_field("Treatment", cli_json_str(r, "treatment"));
	cli_out_field("Rule", cli_json_str(r, "rule"));
	cli_out_field("Partner", cli_json_str(r, "partner"));
	cli_out_field("Certificate", cli_json_str(r, "certificates"));
	cli_out_field("Signed by", cli_json_str(r, "signed_by"));
	cli_out_field("Last word", cli_json_str(r, "reason"));
	cli_out_field("Last at", cli_json_str(r, "remote"));
	cli_out_field("TLS", cli_json_str(r, "tls"));
	cli_out_field("Opened as", cli_json_str(r, "message"));
}

/* "2026-11-22 14:05:09  delivered to bob@lab.example" and what was said below it. */
static void tell_event(const json_t *e)
{
	char iso[21], lead[120], line[1600];
	const char *to = cli_json_str(e, "to"), *text = cli_json_str(e, "text"), *remote = cli_json_str(e, "remote"),
		   *tls = cli_json_str(e, "tls");

	encode_time(cli_json_int(e, "at") / 1000, iso);
	iso[10] = ' ';
	iso[19] = '\0';
	(void)snprintf(lead, sizeof lead, "%s  ", iso);
	(void)snprintf(line, sizeof line, "%s%s%.320s%s%.1000s", cli_json_str(e, "event"), to[0] ? " to " : "", to,
	    text[0] ? ": " : "", text);
	cli_out_wrap(lead, LEAD, line);
	if (remote[0]) {
		(void)snprintf(line, sizeof line, "at %.700s%s%.300s", remote, tls[0] ? ", " : "", tls);
		cli_out_wrap("                     ", LEAD, line);
	}
}

static void tell_message(const json_t *m)
{
	static const char *const fields[][2] = {{"Message-ID", "message_id"}, {"From host", "client"},
	    {"Said HELO", "helo"}, {"TLS", "tls"}, {"Judged", "judged"}, {"Trace", "trace"}};
	const json_t *v;
	char at[17], size[16];
	size_t i;

	cli_out_field("Id", cli_json_str(m, "id"));
	cli_out_field("Time", cli_out_minute_ms(cli_json_int(m, "at"), at));
	cli_out_field("Way", cli_json_str(m, "direction"));
	cli_out_field("Sender", or_null_path(cli_json_str(m, "from")));
	if (cli_json_int(m, "size") > 0)
		cli_out_field("Size", cli_out_size(cli_json_int(m, "size"), size));
	for (i = 0; i < sizeof fields / sizeof fields[0]; i++)
		cli_out_field(fields[i][0], cli_json_str(m, fields[i][1]));
	json_array_foreach(json_object_get(m, "recipients"), i, v) tell_rcpt(v);
	cli_out_line("%s", "");
	cli_out_line("What happened (UTC):");
	json_array_foreach(json_object_get(m, "events"), i, v) tell_event(v);
}

int cli_message_show(struct cli *c)
{
	json_t *args = cli_json_object(), *data;
	int rc;

	cli_json_set_str(args, "id", c->args.words[0]);
	rc = cli_call(c, "message.show", args, &data);
	if (rc == CLI_OK && !cli_out_json(c, data))
		tell_message(data);
	json_decref(data);
	return rc;
}

/* ---- counts ---- */

int cli_message_counts(struct cli *c)
{
	static const char *const heads[] = {
	    "HOUR (UTC)", ">IN", ">OUT", ">SEALED", ">OPENED", ">CLEAR", ">REFUSED", ">HELD", NULL};
	static const char *const words[] = {"in", "out", "sealed", "opened", "clear", "refused", "held"};
	enum { COLUMNS = sizeof words / sizeof words[0] };
	struct cli_table *t;
	json_t *data, *h;
	size_t i;
	int rc = cli_call(c, "message.counts", NULL, &data);

	if (rc == CLI_OK && !cli_out_json(c, data)) {
		t = cli_table_new(heads);
		json_array_foreach(json_object_get(data, "hours"), i, h)
		{
			char hour[17], numbers[COLUMNS][24];
			const char *values[COLUMNS + 1] = {
			    cli_out_minute_ms((int64_t)cli_json_int(h, "at") * 1000, hour)};

			for (size_t k = 0; k < COLUMNS; k++) {
				(void)snprintf(
				    numbers[k], sizeof numbers[k], "%lld", (long long)cli_json_int(h, words[k]));
				values[k + 1] = numbers[k];
			}
			cli_table_row(t, values);
		}
		cli_table_print(t, "");
		if (cli_json_int(data, "left_out") > 0)
			cli_out_note("%lld refusals at RCPT were too many in their minute and are only counted.",
			    (long long)cli_json_int(data, "left_out"));
	}
	json_decref(data);
	return rc;
}
