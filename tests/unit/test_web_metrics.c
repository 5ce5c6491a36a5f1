/* Status becomes metrics; what is missing or odd is left out. */
#include "gateway/proc/web_metrics.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct buf b;

static void make(const char *judge, const char *relay)
{
	json_t *j = json_loads(judge, JSON_DECODE_ANY, NULL), *r = json_loads(relay, JSON_DECODE_ANY, NULL);

	buf_init(&b, WEB_METRICS_MAX);
	web_metrics(json_is_null(j) ? NULL : j, json_is_null(r) ? NULL : r, 1700000100000, &b);
	json_decref(j);
	json_decref(r);
}

static int has(const char *line)
{
	return strstr(buf_str(&b), line) != NULL;
}

START_TEST(whole)
{
	make("{\"counts\":{\"partners\":20000},\"expiring\":[1,2,3],\"waiting\":[],\"keeper\":{\"keys\":4}}",
	    "{\"queue\":{\"queued\":7,\"active\":1,\"held\":2,\"oldest_queued\":1700000000000,\"trouble\":\"\"},"
	    "\"sessions\":5,\"jobs\":{\"running\":1,\"waiting\":0}}");
	ck_assert(has("postern_up{role=\"judge\"} 1\npostern_up{role=\"relay\"} 1\n"));
	ck_assert(has("# TYPE postern_queue_messages gauge\npostern_queue_messages{state=\"queued\"} 7\n"
		      "postern_queue_messages{state=\"active\"} 1\npostern_queue_messages{state=\"held\"} 2\n"));
	ck_assert(has("\npostern_partners 20000\n"));
	ck_assert(has("\npostern_certificates_expiring 3\n"));
	ck_assert(has("\npostern_certificates_waiting 0\n"));
	ck_assert(has("\npostern_keeper_keys 4\n"));
	ck_assert(has("\npostern_queue_oldest_seconds 100\n"));
	ck_assert(has("\npostern_queue_trouble 0\n"));
	ck_assert(!has("postern_rules"));
	buf_clear(&b);
}
END_TEST

/* ---- the format: what promtool checks ---- */

static bool is_name(const char *s, size_t n)
{
	return n > 8 && strncmp(s, "postern_", 8) == 0 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789_") == n;
}

/* `name{label="value",label="value"} number` */
static void check_sample(const char *line, const char *name)
{
	const char *p = line + strlen(name);
	char *end;

	ck_assert_msg(
	    strncmp(line, name, strlen(name)) == 0 && (*p == '{' || *p == ' '), "%s is not of %s", line, name);
	if (*p == '{') {
		do {
			size_t n = strspn(++p, "abcdefghijklmnopqrstuvwxyz_");

			ck_assert_msg(n > 0 && strncmp(p + n, "=\"", 2) == 0, "%s", line);
			p += n + 2;
			p += strcspn(p, "\"\\");
			ck_assert_msg(*p == '"', "%s", line);
			p++;
		} while (*p == ',');
		ck_assert_msg(*p++ == '}', "%s", line);
	}
	ck_assert_msg(*p++ == ' ', "%s", line);
	(void)strtod(p, &end);
	ck_assert_msg(end > p && !*end, "%s", line);
}

START_TEST(format)
{
	char name[200] = "", *names[200], *saved = NULL;
	size_t n = 0, samples = 0;

	make("{\"counts\":{\"partners\":1,\"rules\":2},\"audit\":{\"id\":7},\"lookups\":{\"kept\":1,\"octets\":2,"
	     "\"asked\":3,\"used\":4,\"refused\":5,\"waiting\":6},\"expiring\":[],\"statements\":[{\"domain\":\"a."
	     "example\","
	     "\"state\":\"pending\",\"why\":\"\\\"}\\n\"}]}",
	    "{\"queue\":{\"queued\":7,\"active\":1,\"held\":2,\"oldest_queued\":1700000000000,\"trouble\":\"\"},"
	    "\"nodes\":[{}],\"totals\":{\"in\":{\"sealed\":3,\"odd\":4},\"out\":{\"refused\":5}}}");
	ck_assert(b.len > 0 && b.p[b.len - 1] == '\n');
	ck_assert(has("postern_recipients_total{direction=\"in\",outcome=\"sealed\"} 3\n"
		      "postern_recipients_total{direction=\"out\",outcome=\"refused\"} 5\n"));
	ck_assert(has("\npostern_alerts{kind=\"pending\"} 1\n") && has("\npostern_alerts{kind=\"held\"} 1\n") &&
		  !has("odd"));
	ck_assert(has("# TYPE postern_lookups_asked_total counter\n"));
	for (char *line = strtok_r((char *)(uintptr_t)buf_str(&b), "\n", &saved); line;
	     line = strtok_r(NULL, "\n", &saved)) {
		if (strncmp(line, "# HELP ", 7) == 0) {
			size_t len = strcspn(line + 7, " ");

			ck_assert_msg(samples > 0 || n == 0, "%s has no sample", name);
			ck_assert_msg(is_name(line + 7, len) && line[7 + len] == ' ' && line[8 + len], "%s", line);
			(void)snprintf(name, sizeof name, "%.*s", (int)len, line + 7);
			for (size_t i = 0; i < n; i++)
				ck_assert_msg(strcmp(names[i], name) != 0, "%s stands twice", name);
			names[n++] = strdup(name);
			samples = 0;
		} else if (strncmp(line, "# TYPE ", 7) == 0) {
			bool grows = strlen(name) > 6 && strcmp(name + strlen(name) - 6, "_total") == 0;
			char wanted[240];

			(void)snprintf(wanted, sizeof wanted, "# TYPE %s %s", name, grows ? "counter" : "gauge");
			ck_assert_str_eq(line, wanted);
			ck_assert_uint_eq(samples, 0);
		} else {
			check_sample(line, name);
			samples++;
		}
	}
	ck_assert_uint_gt(n, 12);
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	buf_clear(&b);
}
END_TEST

START_TEST(odd)
{
	make("null", "null");
	ck_assert(has("postern_up{role=\"judge\"} 0\npostern_up{role=\"relay\"} 0\n"));
	ck_assert(!has("postern_queue"));
	buf_clear(&b);
	make("[]",
	    "{\"queue\":{\"queued\":\"7\\npostern_up 9\",\"oldest_queued\":1800000000000,\"trouble\":\"no\\nspace\"},"
	    "\"sessions\":1.5}");
	ck_assert(!has("postern_queue_messages") && !has("postern_up 9") && !has("space") && !has("sessions"));
	ck_assert(has("\npostern_queue_oldest_seconds 0\n"));
	ck_assert(has("\npostern_queue_trouble 1\n"));
	buf_clear(&b);
}
END_TEST

static Suite *suite(void)
{
	Suite *su = suite_create("web_metrics");
	TCase *t = tcase_create("web_metrics");

	tcase_add_test(t, whole);
	tcase_add_test(t, format);
	tcase_add_test(t, odd);
	suite_add_tcase(su, t);
	return su;
}

int main(void)
{
	return suite_run(suite());
}
