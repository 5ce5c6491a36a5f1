#include "interop/kit/report_junit.h"

#include <string.h>

#include "interop/kit/result.h"
#include "interop/kit/visible.h"

#define FOREACH(i, list) for (size_t i = 0; i < json_array_size(list); i++)

/* The first finding with this verdict, as an attribute. */
static void add_reason(struct buf *b, const json_t *c, enum verdict v)
{
	const json_t *findings = json_object_get(c, "findings");

	buf_adds(b, " message=\"");
	FOREACH(i, findings)
	{
		const json_t *f = json_array_get(findings, i);

		if (verdict_read(result_member(f, "result")) != (int)v)
			continue;
		markup_add(b, result_member(f, "sentence"));
		buf_adds(b, "\"");
		return;
	}
	buf_adds(b, "nothing was found out\"");
}

static void add_findings(struct buf *b, const json_t *c)
{
	const json_t *findings = json_object_get(c, "findings");

	FOREACH(i, findings)
	{
		const json_t *f = json_array_get(findings, i);

		markup_add(b, result_member(f, "result"));
		buf_addf(b, ", line %lld: ", (long long)json_integer_value(json_object_get(f, "line")));
		markup_add(b, result_member(f, "sentence"));
		buf_adds(b, "\n");
	}
}

static void add_case(struct buf *b, const json_t *c)
{
	int is = verdict_read(result_member(c, "result"));

	buf_adds(b, "    <testcase classname=\"");
	markup_add(b, result_member(c, "profile"));
	buf_adds(b, "\" name=\"");
	markup_add(b, result_member(c, "id"));
	buf_adds(b, ": ");
	markup_add(b, result_member(c, "title"));
	buf_addf(b, "\" time=\"%.3f\">\n", json_number_value(json_object_get(c, "seconds")));
	if (is == FAILED) {
		buf_adds(b, "      <failure");
		add_reason(b, c, FAILED);
		buf_adds(b, " type=\"failed\">");
		add_findings(b, c);
		buf_adds(b, "</failure>\n");
	} else if (is != PASSED) {
		buf_adds(b, "      <skipped");
		add_reason(b, c, NOT_RUN);
		buf_adds(b, "/>\n");
	}
	if (is != FAILED) {
		buf_adds(b, "      <system-out>");
		add_findings(b, c);
		buf_adds(b, "</system-out>\n");
	}
	buf_adds(b, "    </testcase>\n");
}

static void add_counts(struct buf *b, const json_t *r, const char *profile)
{
	const json_t *cases = json_object_get(r, "cases");
	size_t count[3];
	double seconds = 0;

	result_count(r, profile, count);
	FOREACH(i, cases)
	if (!profile || !strcmp(profile, result_member(json_array_get(cases, i), "profile")))
		seconds += json_number_value(json_object_get(json_array_get(cases, i), "seconds"));
	buf_addf(b, " tests=\"%zu\" failures=\"%zu\" errors=\"0\" skipped=\"%zu\" time=\"%.3f\"",
	    count[0] + count[1] + count[2], count[FAILED], count[NOT_RUN], seconds);
}

static void add_property(struct buf *b, const char *name, const char *value)
{
	buf_addf(b, "      <property name=\"%s\" value=\"", name);
	markup_add(b, value);
	buf_adds(b, "\"/>\n");
}

static void add_suite(struct buf *b, const json_t *r, const char *profile)
{
	const json_t *cases = json_object_get(r, "cases"), *gateway = json_object_get(r, "gateway");

	buf_adds(b, "  <testsuite name=\"");
	markup_add(b, profile);
	buf_adds(b, "\"");
	add_counts(b, r, profile);
	buf_addf(b, " timestamp=\"%.19s\" hostname=\"", result_member(r, "began"));
	markup_add(b, result_member(gateway, "domain"));
	buf_adds(b, "\">\n    <properties>\n");
	add_property(b, "gateway", result_member(gateway, "name"));
	add_property(b, "gateway-version", result_member(gateway, "version"));
	add_property(b, "kit", result_member(r, "kit"));
	add_property(b, "run", result_member(r, "run"));
	buf_adds(b, "    </properties>\n");
	FOREACH(i, cases)
	if (!strcmp(profile, result_member(json_array_get(cases, i), "profile")))
		add_case(b, json_array_get(cases, i));
	buf_adds(b, "  </testsuite>\n");
}

void report_junit(const json_t *results, struct buf *out)
{
	const json_t *profiles = json_object_get(results, "profiles");

	buf_adds(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"postern-interop\"");
	add_counts(out, results, NULL);
	buf_adds(out, ">\n");
	FOREACH(i, profiles)
	add_suite(out, results, json_string_value(json_array_get(profiles, i)));
	buf_adds(out, "</testsuites>\n");
}
