#include "interop/kit/report_html.h"

#include <stdlib.h>
#include <string.h>

#include "interop/kit/report_style.h"
#include "interop/kit/result.h"
#include "interop/kit/visible.h"

#define FOREACH(i, list) for (size_t i = 0; i < json_array_size(list); i++)

static const char *const verdict_class[] = {"passed", "failed", "not-run"};

static enum verdict verdict_of(const json_t *o)
{
	int is = verdict_read(result_member(o, "result"));

	return is < 0 ? NOT_RUN : (enum verdict)is;
}

static void add_verdict(struct buf *b, enum verdict v)
{
	buf_addf(b, "<span class=\"%s\">%s</span>", verdict_class[v], verdict_names[v]);
}

/* <th>name</th><td>text</td> as a row */
static void add_row(struct buf *b, const char *name, const char *text)
{
	buf_adds(b, "<tr><th scope=\"row\">");
	markup_add(b, name);
	buf_adds(b, "</th><td>");
	markup_add(b, text);
	buf_adds(b, "</td></tr>\n");
}

static enum verdict verdict_all(const size_t count[3])
{
	return count[FAILED] ? FAILED : count[NOT_RUN] || !count[PASSED] ? NOT_RUN : PASSED;
}

static void add_head(struct buf *b, const json_t *r)
{
	const json_t *gateway = json_object_get(r, "gateway");

	buf_adds(b, "<!DOCTYPE html>\n<html lang=\"en\" xmlns=\"http://www.w3.org/1999/xhtml\">\n<head>\n<meta "
		    "charset=\"utf-8\" />\n"
		    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
		    "'unsafe-inline'\" />\n"
		    "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\" />\n"
		    "<meta name=\"referrer\" content=\"no-referrer\" />\n<title>Interoperability report: ");
	markup_add(b, result_member(gateway, "name"));
	buf_addf(b, "</title>\n<style>\n%s</style>\n</head>\n<body>\n<header>\n<h1>Interoperability report</h1>\n<p>",
	    report_style);
	markup_add(b, result_member(gateway, "name"));
	buf_adds(b, " ");
	markup_add(b, result_member(gateway, "version"));
	buf_adds(b, " for <code>");
	markup_add(b, result_member(gateway, "domain"));
	buf_adds(b, "</code>, tested by ");
	markup_add(b, result_member(r, "tester"));
	buf_adds(b,
	    ".</p>\n</header>\n<nav aria-label=\"Contents\">\n<ul>\n<li><a href=\"#summary\">Summary</a></li>\n"
	    "<li><a href=\"#run\">The run</a></li>\n<li><a href=\"#requirements\">Requirements</a></li>\n"
	    "<li><a href=\"#profiles\">Profiles</a></li>\n<li><a href=\"#cases\">Cases</a></li>\n"
	    "<li><a href=\"#configuration\">Configuration</a></li>\n<li><a href=\"#files\">Files</a></li>\n</ul>\n"
	    "</nav>\n<main>\n");
}

static void add_profile_row(struct buf *b, const json_t *r, const char *profile)
{
	size_t count[3];

	result_count(r, profile, count);
	buf_adds(b, "<tr><th scope=\"row\">");
	markup_add(b, profile);
	buf_addf(b, "</th><td class=\"n\">%zu</td><td class=\"n\">%zu</td><td class=\"n\">%zu</td><td class=\"v\">",
	    count[PASSED], count[FAILED], count[NOT_RUN]);
	add_verdict(b, verdict_all(count));
	buf_adds(b, "</td></tr>\n");
}

/* The sentence that whoever reads no further takes with him. */
static void add_summary(struct buf *b, const json_t *r)
{
	const json_t *profiles = json_object_get(r, "profiles"), *required = json_object_get(r, "requirements");
	size_t count[3], wants[3] = {0};

	result_count(r, NULL, count);
	FOREACH(i, required)
	wants[result_requirement(r, result_member(json_array_get(required, i), "id"))]++;
	buf_addf(
	    b, "<section id=\"summary\">\n<h2>Summary</h2>\n<p class=\"sum %s\">", verdict_class[verdict_all(count)]);
	if (count[PASSED] + count[FAILED] + count[NOT_RUN] == 0)
		buf_adds(b, "No case was run.");
	else if (verdict_all(count) == PASSED)
		buf_addf(b, "All %zu cases passed.", count[PASSED]);
	else
		buf_addf(b, "%zu cases passed, %zu failed, %zu were not run.", count[PASSED], count[FAILED],
		    count[NOT_RUN]);
	buf_addf(b,
	    "</p>\n<p>Of %zu requirements, %zu are proved by cases that passed, %zu are not met, and of %zu nothing "
	    "is known, "
	    "because a case that proves them was not run.</p>\n"
	    "<table>\n<caption>Cases by profile</caption>\n<thead><tr><th scope=\"col\">Profile</th><th "
	    "scope=\"col\">Passed"
	    "</th><th scope=\"col\">Failed</th><th scope=\"col\">Not run</th><th "
	    "scope=\"col\">Result</th></tr></thead>\n"
	    "<tbody>\n",
	    json_array_size(required), wants[PASSED], wants[FAILED], wants[NOT_RUN]);
	FOREACH(i, profiles)
	add_profile_row(b, r, json_string_value(json_array_get(profiles, i)));
	buf_adds(b, "</tbody>\n</table>\n<p class=\"quiet\">A case that could not be judged, by both judges where it "
		    "is about "
		    "S/MIME, is &quot;not run&quot;, never &quot;passed&quot;.</p>\n</section>\n");
}

/* What does not work, and what that means to a user: before all details. */
static void add_failures(struct buf *b, const json_t *r)
{
	const json_t *required = json_object_get(r, "requirements");
	bool any = false;

	FOREACH(i, required)
	{
		const json_t *one = json_array_get(required, i);

		if (result_requirement(r, result_member(one, "id")) != FAILED)
			continue;
		if (!any)
			buf_adds(b, "<section id=\"failures\">\n<h2>What is not met, and what that means to "
				    "users</h2>\n<ul>\n");
		any = true;
		buf_adds(b, "<li><a href=\"#r-");
		href_add(b, result_member(one, "id"));
		buf_adds(b, "\">");
		markup_add(b, result_member(one, "id"));
		buf_adds(b, "</a>: ");
		markup_add(b, result_member(one, "failure"));
		buf_adds(b, "</li>\n");
	}
	if (any)
		buf_adds(b, "</ul>\n</section>\n");
}

static void add_run(struct buf *b, const json_t *r)
{
	static const char *const rows[][2] = {{"run", "Run"}, {"began", "Began"}, {"ended", "Ended"},
	    {"tester", "Tester"}, {"kit", "Version of the kit"}, {"kit-domain", "Domain of the kit"},
	    {"cases-hash", "SHA-256 over the cases"}, {"plan", "SHA-256 of the plan"}};
	const json_t *gateway = json_object_get(r, "gateway"), *judges = json_object_get(r, "judges");

	buf_adds(b, "<section id=\"run\">\n<h2>The run</h2>\n<table>\n<tbody>\n");
	add_row(b, "Gateway", result_member(gateway, "name"));
	add_row(b, "Version of the gateway", result_member(gateway, "version"));
	add_row(b, "Domain of the gateway", result_member(gateway, "domain"));
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (*result_member(r, rows[i][0]))
			add_row(b, rows[i][1], result_member(r, rows[i][0]));
	FOREACH(i, judges)
	add_row(b, "Judge", json_string_value(json_array_get(judges, i)));
	buf_adds(b, "</tbody>\n</table>\n</section>\n");
}

static void add_case_link(struct buf *b, const json_t *c)
{
	buf_adds(b, "<a href=\"#c-");
	href_add(b, result_member(c, "id"));
	buf_adds(b, "\">");
	markup_add(b, result_member(c, "id"));
	buf_adds(b, "</a>");
}

static void add_requirement(struct buf *b, const json_t *r, const json_t *one)
{
	const json_t *cases = json_object_get(r, "cases");
	const char *id = result_member(one, "id");

	buf_adds(b, "<tr id=\"r-");
	markup_add(b, id);
	buf_adds(b, "\"><th scope=\"row\">");
	markup_add(b, id);
	buf_adds(b, "<br /><span class=\"quiet\">");
	markup_add(b, result_member(one, "rfc"));
	buf_adds(b, "</span></th><td>");
	markup_add(b, result_member(one, "must"));
	buf_adds(b, "</td><td>");
	markup_add(b, result_member(one, "failure"));
	buf_adds(b, "</td><td class=\"v\">");
	add_verdict(b, result_requirement(r, id));
	buf_adds(b, "</td><td>");
	FOREACH(i, cases)
	{
		const json_t *c = json_array_get(cases, i);

		if (!result_proves(c, id))
			continue;
		add_case_link(b, c);
		buf_addf(b, " (%s)<br />", verdict_names[verdict_of(c)]);
	}
	buf_adds(b, "</td></tr>\n");
}

static void add_requirements(struct buf *b, const json_t *r)
{
	const json_t *required = json_object_get(r, "requirements");

	buf_adds(b,
	    "<section id=\"requirements\">\n<h2>Requirements</h2>\n<table>\n<thead><tr><th scope=\"col\">Requirement"
	    "</th><th scope=\"col\">What is required</th><th scope=\"col\">What a failure means to a user</th>"
	    "<th scope=\"col\">Result</th><th scope=\"col\">Proved by</th></tr></thead>\n<tbody>\n");
	FOREACH(i, required)
	add_requirement(b, r, json_array_get(required, i));
	buf_adds(b, "</tbody>\n</table>\n</section>\n");
}

static void add_profiles(struct buf *b, const json_t *r)
{
	const json_t *profiles = json_object_get(r, "profiles"), *cases = json_object_get(r, "cases");

	buf_adds(b, "<section id=\"profiles\">\n<h2>Profiles</h2>\n");
	FOREACH(i, profiles)
	{
		const char *profile = json_string_value(json_array_get(profiles, i));

		buf_adds(b, "<h3>");
		markup_add(b, profile);
		buf_adds(b,
		    "</h3>\n<table>\n<thead><tr><th scope=\"col\">Case</th><th scope=\"col\">What a user gets</th>"
		    "<th scope=\"col\">Result</th><th scope=\"col\">Seconds</th></tr></thead>\n<tbody>\n");
		FOREACH(j, cases)
		{
			const json_t *c = json_array_get(cases, j);

			if (strcmp(result_member(c, "profile"), profile) != 0)
				continue;
			buf_adds(b, "<tr><th scope=\"row\">");
			add_case_link(b, c);
			buf_adds(b, "</th><td>");
			markup_add(b, result_member(c, "title"));
			buf_adds(b, "</td><td class=\"v\">");
			add_verdict(b, verdict_of(c));
			buf_addf(b, "</td><td class=\"n\">%.1f</td></tr>\n",
			    json_number_value(json_object_get(c, "seconds")));
		}
		buf_adds(b, "</tbody>\n</table>\n");
	}
	buf_adds(b, "</section>\n");
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Rows for the files whose path begins with prefix, sorted; how many. */
static size_t add_files(struct buf *b, const json_t *files, const char *prefix)
{
	const char **names = need((json_object_size(files) + 1) * sizeof(*names)), *name;
	size_t n = 0;
	json_t *one;

	json_object_foreach((json_t *)files, name, one) if (!strncmp(name, prefix, strlen(prefix))) names[n++] = name;
	qsort(names, n, sizeof(*names), by_text);
	for (size_t i = 0; i < n; i++) {
		one = json_object_get(files, names[i]);
		buf_adds(b, "<tr><td><a href=\"");
		href_add(b, names[i]);
		buf_adds(b, "\">");
		markup_add(b, names[i]);
		buf_addf(b, "</a></td><td class=\"n\">%lld</td><td><code>",
		    (long long)json_integer_value(json_object_get(one, "size")));
		markup_add(b, result_member(one, "sha256"));
		buf_adds(b, "</code></td></tr>\n");
	}
	free(names);
	return n;
}

static const char files_head[] = "<thead><tr><th scope=\"col\">File</th><th scope=\"col\">Octets</th>"
				 "<th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n";

static void add_evidence(struct buf *b, const json_t *c, const json_t *files)
{
	char *prefix = text_make("%s/", result_member(c, "evidence"));
	size_t at = b->n;

	buf_addf(b, "<table>\n<caption>Evidence</caption>\n%s", files_head);
	if (add_files(b, files, prefix) > 0) {
		buf_adds(b, "</tbody>\n</table>\n");
	} else {
		b->n = at;
		buf_adds(b, "<p class=\"quiet\">There is no evidence of this case.</p>\n");
	}
	free(prefix);
}

static void add_findings(struct buf *b, const json_t *findings)
{
	if (json_array_size(findings) == 0) {
		buf_adds(b, "<p class=\"quiet\">Nothing was found out.</p>\n");
		return;
	}
	buf_adds(b, "<table>\n<caption>Findings</caption>\n<thead><tr><th scope=\"col\">Result</th><th "
		    "scope=\"col\">Line</th>"
		    "<th scope=\"col\">What was wanted, and what was seen</th></tr></thead>\n<tbody>\n");
	FOREACH(i, findings)
	{
		const json_t *f = json_array_get(findings, i);

		buf_adds(b, "<tr><td class=\"v\">");
		add_verdict(b, verdict_of(f));
		buf_addf(b, "</td><td class=\"n\">%lld</td><td>",
		    (long long)json_integer_value(json_object_get(f, "line")));
		markup_add(b, result_member(f, "sentence"));
		buf_adds(b, "</td></tr>\n");
	}
	buf_adds(b, "</tbody>\n</table>\n");
}

static void add_case(struct buf *b, const json_t *c, const json_t *files)
{
	const json_t *proves = json_object_get(c, "proves");

	buf_adds(b, "<section class=\"case\" id=\"c-");
	markup_add(b, result_member(c, "id"));
	buf_adds(b, "\">\n<h3>");
	markup_add(b, result_member(c, "id"));
	buf_adds(b, ": ");
	add_verdict(b, verdict_of(c));
	buf_adds(b, "</h3>\n<p>");
	markup_add(b, result_member(c, "title"));
	buf_adds(b, "</p>\n<p class=\"quiet\">Profile ");
	markup_add(b, result_member(c, "profile"));
	buf_adds(b, "; proves");
	FOREACH(i, proves)
	{
		buf_adds(b, " <a href=\"#r-");
		href_add(b, json_string_value(json_array_get(proves, i)));
		buf_adds(b, "\">");
		markup_add(b, json_string_value(json_array_get(proves, i)));
		buf_adds(b, "</a>");
	}
	buf_addf(b, "; %.1f seconds.</p>\n", json_number_value(json_object_get(c, "seconds")));
	add_findings(b, json_object_get(c, "findings"));
	add_evidence(b, c, files);
	buf_adds(b, "</section>\n");
}

static void add_configuration(struct buf *b, const json_t *r)
{
	const json_t *map = json_object_get(r, "configuration");
	const char *name;
	json_t *value;

	buf_adds(b, "<section id=\"configuration\">\n<h2>Configuration</h2>\n<table>\n<tbody>\n");
	json_object_foreach((json_t *)map, name, value) add_row(b, name, json_string_value(value));
	buf_adds(b, "</tbody>\n</table>\n</section>\n");
}

static void add_end(struct buf *b, const json_t *files)
{
	buf_addf(b,
	    "<section id=\"files\">\n<h2>Files</h2>\n<p><code>manifest.json</code> holds the SHA-256 of every file "
	    "of this run, "
	    "this one among them. <code>manifest.p7s</code> is the tester's signature over it; "
	    "<code>countersignature.eml"
	    "</code>, if it is there, is a message that the gateway under test signed and that names the manifest's "
	    "SHA-256. "
	    "<code>postern-interop verify-report</code> in front of this directory's name checks all of them.</p>\n"
	    "<table>\n<caption>Certificates</caption>\n%s",
	    files_head);
	add_files(b, files, "tester.pem");
	add_files(b, files, "gateway.pem");
	buf_adds(b, "</tbody>\n</table>\n</section>\n</main>\n</body>\n</html>\n");
}

void report_html(const json_t *results, const json_t *files, struct buf *out)
{
	const json_t *cases = json_object_get(results, "cases");

	add_head(out, results);
	add_summary(out, results);
	add_failures(out, results);
	add_run(out, results);
	add_requirements(out, results);
	add_profiles(out, results);
	buf_adds(out, "<section id=\"cases\">\n<h2>Cases</h2>\n");
	FOREACH(i, cases)
	add_case(out, json_array_get(cases, i), files);
	buf_adds(out, "</section>\n");
	add_configuration(out, results);
	add_end(out, files);
}
