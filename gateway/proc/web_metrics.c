/* Metrics for Prometheus. Role web; pure. Every name and label is ours: nothing from outside gets into the text. */
#include "gateway/proc/web_metrics.h"

#include <stdbool.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/proc/alert_list.h"

enum from { JUDGE, RELAY };
enum { QUEUE_OLD_MS = 4 * 3600 * 1000 };

/* The value is a number, or an array that is counted. Rows of one name stand together. */
static const struct metric {
	const char *name, *label; /* label: in braces, "" none */
	enum from from;
	const char *path; /* names with points between */
	const char *help;
} metrics[] = {
    {"postern_queue_messages", "{state=\"queued\"}", RELAY, "queue.queued", "Messages in the queue."},
    {"postern_queue_messages", "{state=\"active\"}", RELAY, "queue.active", ""},
    {"postern_queue_messages", "{state=\"held\"}", RELAY, "queue.held", ""},
    {"postern_smtp_sessions", "", RELAY, "sessions", "SMTP sessions of clients."},
    {"postern_deliveries", "", RELAY, "deliveries", "Deliveries under way."},
    {"postern_opening", "", RELAY, "opening", "Messages that are being opened."},
    {"postern_jobs", "{state=\"running\"}", RELAY, "jobs.running", "Messages at the sealers."},
    {"postern_jobs", "{state=\"waiting\"}", RELAY, "jobs.waiting", ""},
    {"postern_partners", "", JUDGE, "counts.partners", "Partners that are listed."},
    {"postern_certificates", "", JUDGE, "counts.certificates", "Certificates of partners in the store."},
    {"postern_anchors", "", JUDGE, "counts.anchors", "Trust anchors in the store."},
    {"postern_rules", "", JUDGE, "counts.rules", "Rules in the store."},
    {"postern_identities", "", JUDGE, "counts.identities", "Keys of ours, with or without a certificate."},
    {"postern_protected_domains", "", JUDGE, "counts.seen_protected", "Domains that were seen protected."},
    {"postern_keeper_keys", "", JUDGE, "keeper.keys", "Private keys that the keeper has open."},
    {"postern_certificates_expiring", "", JUDGE, "expiring", "Certificates that run out within 60 days."},
    {"postern_certificates_waiting", "", JUDGE, "waiting", "Certificates that wait for the admin's decision."},
    {"postern_certificates_revoked", "", JUDGE, "revoked", "Certificates of partners that are revoked."},
    {"postern_bundles_refused", "", JUDGE, "bundles", "Trust bundles whose last edition was not taken."},
    {"postern_statements_waiting", "", JUDGE, "statements",
	"Partners whose statement waits for the admin's decision."},
    {"postern_partners_noticed", "", JUDGE, "partners_noticed",
	"Partners that stopped to protect or broke a promise."},
    {"postern_rollovers", "", JUDGE, "rollovers", "Changes of our keys under way."},
    {"postern_nodes", "", RELAY, "nodes", "Nodes that are known to this one, itself among them."},
    {"postern_audit_rows", "", JUDGE, "audit.id", "Rows of the audit log."},
    {"postern_lookups_kept", "", JUDGE, "lookups.kept", "Answers of the network that are kept."},
    {"postern_lookups_kept_bytes", "", JUDGE, "lookups.octets", "Their octets."},
    {"postern_lookups_asked_total", "", JUDGE, "lookups.asked", "Questions to the network."},
    {"postern_lookups_used_total", "", JUDGE, "lookups.used", "Questions answered from what was kept."},
    {"postern_lookups_refused_total", "", JUDGE, "lookups.refused", "Questions that were refused because of limits."},
    {"postern_lookups_waiting", "", JUDGE, "lookups.waiting", "Questions that wait for the network."},
};

/* What only grows while the process lives. */
static const char *const outcomes[] = {
    "sealed", "signed", "tls", "clear", "held", "delivered", "refused", "bounced", "deferred"};
static const char *const kinds[] = {
    "expiry", "pending", "downgrade", "revoked", "bundle", "queue", "held", "keys", "database"};

static const json_t *at(const json_t *o, const char *path)
{
	while (o && *path) {
		char name[40];
		size_t n = strcspn(path, ".");

		REQUIRE(n < sizeof name);
		memcpy(name, path, n);
		name[n] = '\0';
		o = json_object_get(o, name);
		path += n + (path[n] == '.');
	}
	return o;
}

static bool value_of(const json_t *v, long long *n_r)
{
	*n_r = json_is_array(v) ? (long long)json_array_size(v) : (long long)json_integer_value(v);
	return json_is_array(v) || json_is_integer(v);
}

static void head(struct buf *b, const char *name, const char *help)
{
	size_t n = strlen(name);
	bool grows = n > 6 && strcmp(name + n - 6, "_total") == 0;

	REQUIRE(buf_addf(b, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, grows ? "counter" : "gauge") == 0);
}

static void totals(const json_t *relay, struct buf *b)
{
	static const char *const ways[] = {"in", "out"};
	const json_t *all = at(relay, "totals");

	if (!json_is_object(all))
		return;
	head(b, "postern_recipients_total",
	    "Recipients of mail since the relay began, by direction and what became of them.");
	for (size_t w = 0; w < sizeof ways / sizeof *ways; w++)
		for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
			const json_t *v = json_object_get(json_object_get(all, ways[w]), outcomes[i]);

			if (json_is_integer(v) && json_integer_value(v) >= 0)
				REQUIRE(
				    buf_addf(b, "postern_recipients_total{direction=\"%s\",outcome=\"%s\"} %lld\n",
					ways[w], outcomes[i], (long long)json_integer_value(v)) == 0);
		}
}

/* What an alert by mail would be about, whether anybody is told or not. */
static void alerts(const json_t *judge, const json_t *relay, int64_t now_ms, struct buf *b)
{
	json_t *list = alert_list(
	    &(struct alert_source){.judge = judge, .relay = relay, .now_ms = now_ms, .queue_age_ms = QUEUE_OLD_MS});

	head(b, "postern_alerts", "What wants the admin now, by kind.");
	for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
		const json_t *a;
		size_t i, n = 0;

		json_array_foreach(list, i, a) n +=
		    strcmp(json_string_value(json_object_get(a, "kind")), kinds[k]) == 0;
		REQUIRE(buf_addf(b, "postern_alerts{kind=\"%s\"} %zu\n", kinds[k], n) == 0);
	}
	json_decref(list);
}

static void age(const json_t *relay, int64_t now_ms, struct buf *b)
{
	const json_t *v = at(relay, "queue.oldest_queued");
	int64_t since = json_integer_value(v);

	if (!json_is_integer(v))
		return;
	head(b, "postern_queue_oldest_seconds", "How long the oldest message that is to be delivered waits.");
	REQUIRE(buf_addf(b, "postern_queue_oldest_seconds %lld\n",
		    since > 0 && since < now_ms ? (long long)((now_ms - since) / 1000) : 0LL) == 0);
}

static void trouble(const json_t *relay, struct buf *b)
{
	const char *text = json_string_value(at(relay, "queue.trouble"));

	if (!text)
		return;
	head(b, "postern_queue_trouble", "1: the queue cannot be written to.");
	REQUIRE(buf_addf(b, "postern_queue_trouble %d\n", text[0] != '\0') == 0);
}

void web_metrics(const json_t *judge, const json_t *relay, int64_t now_ms, struct buf *b)
{
	const char *last = "";

	head(b, "postern_up", "Whether this part of the gateway answers.");
	REQUIRE(buf_addf(b, "postern_up{role=\"judge\"} %d\npostern_up{role=\"relay\"} %d\n", judge != NULL,
		    relay != NULL) == 0);
	for (size_t i = 0; i < sizeof metrics / sizeof *metrics; i++) {
		const struct metric *m = &metrics[i];
		long long v;

		if (!value_of(at(m->from == JUDGE ? judge : relay, m->path), &v))
			continue;
		if (strcmp(last, m->name) != 0 && m->help[0])
			head(b, m->name, m->help);
		last = m->name;
		REQUIRE(buf_addf(b, "%s%s %lld\n", m->name, m->label, v) == 0);
	}
	age(relay, now_ms, b);
	trouble(relay, b);
	totals(relay, b);
	alerts(judge, relay, now_ms, b);
}
