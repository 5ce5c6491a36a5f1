/* postern status: one screen. */
#include "admin-ui/cli_status.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "admin-ui/cli_call.h"
#include "admin-ui/cli_json.h"
#include "admin-ui/cli_out.h"
#include "admin-ui/cli_show.h"

enum { ROWS_SHOWN = 10 /* of each kind */ };

/* "keeper, judge, 2 sealers": those that are not running are named with their state. */
static void tell_parent(const json_t *p)
{
	const json_t *r;
	char text[400], span[16];
	size_t i, running = 0;

	json_array_foreach(json_object_get(p, "roles"), i, r)
	{
		if (strcmp(cli_json_str(r, "state"), "running") == 0) {
			running++;
			continue;
		}
		(void)snprintf(text, sizeof text, "%.20s %lld is %.20s", cli_json_str(r, "role"),
		    (long long)cli_json_int(r, "number"), cli_json_str(r, "state"));
		cli_out_field("Process", text);
	}
	(void)snprintf(text, sizeof text, "%zu of %zu processes run, since %s", running,
	    json_array_size(json_object_get(p, "roles")), cli_out_span(cli_json_int(p, "uptime_s"), span));
	cli_out_field("Gateway", text);
	cli_out_field("Keeper", cli_json_str(p, "keeper"));
}

static void tell_relay(const json_t *r)
{
	const json_t *q = json_object_get(r, "queue");
	long long oldest = cli_json_int(q, "oldest_queued");
	char text[300], span[16];

	(void)snprintf(text, sizeof text, "%lld queued, %lld in delivery, %lld held, %lld done since the start",
	    (long long)cli_json_int(q, "queued"), (long long)cli_json_int(q, "active"),
	    (long long)cli_json_int(q, "held"), (long long)cli_json_int(q, "done"));
	cli_out_field("Queue", text);
	if (cli_json_str(q, "trouble")[0])
		cli_out_field("Trouble", cli_json_str(q, "trouble"));
	if (oldest > 0) {
		(void)snprintf(
		    text, sizeof text, "waits for %s", cli_out_span((long long)time(NULL) - oldest / 1000, span));
		cli_out_field("Oldest", text);
	}
	(void)snprintf(text, sizeof text,
	    "%lld in, %lld deliveries out, %lld messages being sealed or opened, %lld waiting for that",
	    (long long)cli_json_int(r, "sessions"), (long long)cli_json_int(r, "deliveries"),
	    (long long)cli_json_int(json_object_get(r, "jobs"), "running"),
	    (long long)cli_json_int(json_object_get(r, "jobs"), "waiting"));
	cli_out_field("Sessions", text);
}

static void tell_domains(const json_t *domains)
{
	const json_t *d;
	char text[900];
	size_t i;

	json_array_foreach(domains, i, d)
	{
		bool signs = cli_json_is(d, "signs"), opens = cli_json_is(d, "opens");

		(void)snprintf(text, sizeof text, "%.255s: %s%s%.250s, %s%s%.250s", cli_json_str(d, "domain"),
		    signs ? "signs" : "does not sign", signs ? "" : " - ", signs ? "" : cli_json_str(d, "sign_why"),
		    opens ? "opens" : "does not open", opens ? "" : " - ", opens ? "" : cli_json_str(d, "open_why"));
		cli_out_field(i == 0 ? "Domains" : "       ", text);
	}
}

static void more(size_t n)
{
	char text[80];

	(void)snprintf(text, sizeof text, "and %zu more (postern status --json)", n);
	cli_out_field("       ", text);
}

/* What to do about it: the gateway's sentence. */
static void next(const json_t *row)
{
	char text[2400];

	if (!cli_json_str(row, "next")[0])
		return;
	(void)snprintf(text, sizeof text, "-> %.2390s", cli_json_str(row, "next"));
	cli_out_field("       ", text);
}

static void tell_expiring(const json_t *rows)
{
	const json_t *r;
	char text[600], name[128], day[11];
	size_t i;

	json_array_foreach(rows, i, r)
	{
		long long left = cli_json_int(r, "days_left");

		if (i == ROWS_SHOWN) {
			more(json_array_size(rows) - i);
			return;
		}
		(void)snprintf(text, sizeof text, "%.255s (%.20s) %s on %s: %.128s, serial %.64s",
		    cli_json_str(r, "owner"), cli_json_str(r, "kind"), left < 0 ? "ran out" : "runs out",
		    cli_out_day(cli_json_str(r, "not_after"), day), cli_show_name(cli_json_str(r, "subject"), name),
		    cli_json_str(r, "serial"));
		cli_out_field(i == 0 ? "Expiring" : "       ", text);
		next(r);
	}
}

/* ---- what else waits for the admin ---- */

static void say_waiting(const json_t *r, char *out, size_t cap)
{
	char day[11];

	(void)snprintf(out, cap, "%.390s%s%.255s: %.16s (%.60s) would take the place of %.16s (%.60s), since %s",
	    cli_json_str(r, "owner"), cli_json_str(r, "local")[0] ? ", for mail of " : "", cli_json_str(r, "local"),
	    cli_json_str(r, "sha256"), cli_json_str(r, "by"), cli_json_str(r, "known"), cli_json_str(r, "known_by"),
	    cli_out_day(cli_json_str(r, "since"), day));
}

static void say_revoked(const json_t *r, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%.390s: certificate %.16s, %.500s", cli_json_str(r, "owner"),
	    cli_json_str(r, "sha256"), cli_json_str(r, "why"));
}

static void say_bundle(const json_t *r, char *out, size_t cap)
{
	char minute[17];

	(void)snprintf(out, cap, "%.1000s: since %s %.600s", cli_json_str(r, "url"),
	    cli_out_minute(cli_json_str(r, "since"), minute), cli_json_str(r, "why"));
}

static void say_retired(const json_t *r, char *out, size_t cap)
{
	char day[11];

	(void)snprintf(out, cap, "%.63s of %.255s, retired on %s", cli_json_str(r, "key_id"),
	    cli_json_str(r, "domain"), cli_out_day(cli_json_str(r, "since"), day));
}

static void say_rollover(const json_t *r, char *out, size_t cap)
{
	char day[11];

	(void)snprintf(out, cap, "%.255s: new %.20s keys, since %s, wait for %s", cli_json_str(r, "domain"),
	    cli_json_str(r, "keys"), cli_out_day(cli_json_str(r, "since"), day),
	    strcmp(cli_json_str(r, "waits_for"), "partners") == 0 ? "the day on which partners know them"
								  : "their certificates");
}

static void say_noticed(const json_t *r, char *out, size_t cap)
{
	char minute[17];

	(void)snprintf(out, cap, "%.255s: %s, %lld times, last on %s: %.200s", cli_json_str(r, "domain"),
	    strcmp(cli_json_str(r, "what"), "downgrade") == 0 ? "it offers XSMG no more"
							      : "mail in its name is not what it promises",
	    (long long)cli_json_int(r, "count"), cli_out_minute(cli_json_str(r, "last"), minute),
	    cli_json_str(r, "why"));
}

static void say_statement(const json_t *r, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%.255s: %.60s: %.1200s", cli_json_str(r, "domain"), cli_json_str(r, "state"),
	    cli_json_str(r, "why"));
}

static void say_proposal(const json_t *r, char *out, size_t cap)
{
	(void)snprintf(out, cap, "%lld: %.400s, proposed by %.200s: postern proposal confirm %lld",
	    (long long)cli_json_int(r, "id"), cli_json_str(r, "what"), cli_json_str(r, "who"),
	    (long long)cli_json_int(r, "id"));
}

static const struct {
	const char *name, *label;
	void (*say)(const json_t *r, char *out, size_t cap);
} kinds[] = {
    {"waiting", "Waiting", say_waiting},
    {"statements", "Statement", say_statement},
    {"proposals", "For two", say_proposal},
    {"revoked", "Revoked", say_revoked},
    {"bundles", "Bundle", say_bundle},
    {"retired", "Retired", say_retired},
    {"rollovers", "Rollover", say_rollover},
    {"partners_noticed", "Noticed", say_noticed},
};

static void tell_kinds(const json_t *judge)
{
	char text[2000];
	const json_t *r;
	size_t i;

	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++)
		json_array_foreach(json_object_get(judge, kinds[k].name), i, r)
		{
			if (i == ROWS_SHOWN) {
				more(json_array_size(json_object_get(judge, kinds[k].name)) - i);
				break;
			}
			kinds[k].say(r, text, sizeof text);
			cli_out_field(kinds[k].label, text);
			next(r);
		}
}

static void tell_lookups(const json_t *l)
{
	char text[300];

	if (!l)
		return;
	(void)snprintf(text, sizeof text,
	    "%lld answers of the network kept, %lld used, %lld questions sent, %lld under way, %lld refused; %lld of "
	    "our "
	    "mail wait for one",
	    (long long)cli_json_int(l, "kept"), (long long)cli_json_int(l, "used"),
	    (long long)cli_json_int(l, "asked"), (long long)cli_json_int(l, "asking"),
	    (long long)cli_json_int(l, "refused"), (long long)cli_json_int(l, "waiting"));
	cli_out_field("Look-ups", text);
}

static void tell_judge(const json_t *j)
{
	const json_t *n = json_object_get(j, "counts"), *audit = json_object_get(j, "audit");
	char text[300];

	(void)snprintf(text, sizeof text, "%lld", (long long)cli_json_int(json_object_get(j, "keeper"), "keys"));
	cli_out_field("Private keys", text);
	tell_domains(json_object_get(j, "domains"));
	(void)snprintf(text, sizeof text,
	    "%lld partners, %lld certificates, %lld anchors, %lld rules, %lld keys of ours",
	    (long long)cli_json_int(n, "partners"), (long long)cli_json_int(n, "certificates"),
	    (long long)cli_json_int(n, "anchors"), (long long)cli_json_int(n, "rules"),
	    (long long)cli_json_int(n, "identities"));
	cli_out_field("Store", text);
	(void)snprintf(text, sizeof text, "%lld rows, head %.16s", (long long)cli_json_int(audit, "id"),
	    cli_json_str(audit, "hash"));
	cli_out_field("Audit", text);
	tell_lookups(json_object_get(j, "lookups"));
	tell_kinds(j);
	tell_expiring(json_object_get(j, "expiring"));
}

static void tell_trouble(const json_t *trouble)
{
	const json_t *v;
	size_t i;

	json_array_foreach(trouble, i, v) cli_out_field("Trouble", json_string_value(v));
}

int cli_status(struct cli *c)
{
	json_t *data;
	int rc = cli_call(c, "status", NULL, &data);

	if (rc == CLI_OK && !cli_out_json(c, data)) {
		if (json_is_object(json_object_get(data, "parent")))
			tell_parent(json_object_get(data, "parent"));
		if (json_is_object(json_object_get(data, "relay")))
			tell_relay(json_object_get(data, "relay"));
		if (json_is_object(json_object_get(data, "judge")))
			tell_judge(json_object_get(data, "judge"));
		tell_trouble(json_object_get(data, "trouble"));
	}
	json_decref(data);
	return rc;
}
