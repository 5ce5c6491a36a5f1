/* From results.json to what is handed over: reports, manifest, signatures, countersignature; each change is found.
 * The gateway, the world and the sink are stood in for, so it is linked with these alone: util case_file visible
 * result result_check manifest tester countersign report report_html report_junit report_countersign verify
 * verify_fact compare requirements plan plan_verify (interop/kit), and report_stand (interop/test); -ljansson
 * -lcrypto. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interop/kit/manifest.h"
#include "interop/kit/report.h"
#include "interop/test/report_stand.h"
#include "interop/kit/result.h"
#include "interop/kit/tester.h"
#include "interop/kit/verify.h"
#include "interop/kit/visible.h"

static void test_rendered(const char *run)
{
	struct buf html = {0}, junit = {0}, again = {0};
	char *path = in(run, "report.html");

	CHECK(file_read(path, &html, NULL) == 0);
	free(path);
	path = in(run, "junit.xml");
	CHECK(file_read(path, &junit, NULL) == 0);
	free(path);
	CHECK(!octets_find(html.p, html.n, "<script") && octets_find(html.p, html.n, "&lt;script&gt;alert(&quot;1"));
	CHECK(!octets_find(html.p, html.n, "http://") || !octets_find(html.p, html.n, "src="));
	CHECK(octets_find(html.p, html.n, "\\u{202e}") && !octets_find(html.p, html.n, "\xe2\x80\xae"));
	CHECK(octets_find(html.p, html.n, "href=\"evidence/find-a/01-message%20%26%20%22x%22.eml\""));
	CHECK(octets_find(html.p, html.n, "1 cases passed, 1 failed, 1 were not run"));
	CHECK(octets_find(html.p, html.n, "What is not met, and what that means to users"));
	CHECK(octets_find(html.p, html.n, "Mail goes out in the clear."));
	CHECK(octets_find(junit.p, junit.n, "tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""));
	CHECK(octets_find(junit.p, junit.n, "<skipped") && octets_find(junit.p, junit.n, "<failure"));
	buf_clear(&html);
	CHECK(
	    report_render(run, &html, &again, NULL) == 0 && again.n == junit.n && !memcmp(again.p, junit.p, again.n));
	for (size_t i = 0; i < 2; i++) {
		char *file = in(run, i ? "report.html" : "junit.xml");
		int status = command("xmllint", "--noout", file);

		CHECK(status == 0 || status == 127);
		if (status == 127)
			printf("xmllint is not installed: whether %s is well-formed was not looked at\n", file);
		free(file);
	}
	buf_free(&html);
	buf_free(&junit);
	buf_free(&again);
}

/* Changes one octet of a file at each of so many places: each change must be found. */
static void test_octets(const char *run, const char *name, size_t step, const char *tester, const char *gw)
{
	char *path = in(run, name);
	struct buf text = {0}, why = {0}, say = {0};
	size_t missed = 0, at = 0;

	CHECK(file_read(path, &text, &why) == 0);
	for (size_t i = 0; i < text.n; i += step) {
		unsigned char bit = (unsigned char)(1u << (i / step % 8));

		text.p[i] ^= (char)bit;
		file_write(path, text.p, text.n, 0644, &why);
		buf_clear(&say);
		if (verify_report(run, tester, gw, &say) == 0) {
			missed++;
			at = i;
		}
		text.p[i] ^= (char)bit;
	}
	file_write(path, text.p, text.n, 0644, &why);
	if (!CHECK(missed == 0))
		printf("  %s: %zu changed octets were not found, the last at %zu of %zu\n", name, missed, at, text.n);
	CHECK(verified(run, tester, gw, NULL) == 0);
	free(path);
	buf_free(&text);
	buf_free(&say);
	buf_free(&why);
}

/* every octet, and every bit of it, of a tester's signature */
static void test_signature(const char *run)
{
	char *json = in(run, "manifest.json"), *p7s = in(run, "manifest.p7s");
	struct buf text = {0}, der = {0};
	size_t missed = 0;

	CHECK(file_read(json, &text, NULL) == 0 && file_read(p7s, &der, NULL) == 0);
	CHECK(tester_verify(der.p, der.n, text.p, text.n, NULL, NULL, NULL) == 0);
	for (size_t i = 0; i < der.n * 8; i++) {
		der.p[i / 8] ^= (char)(1 << i % 8);
		missed += tester_verify(der.p, der.n, text.p, text.n, NULL, NULL, NULL) == 0;
		der.p[i / 8] ^= (char)(1 << i % 8);
	}
	CHECK(missed == 0);
	for (size_t n = 0; n < der.n; n++)
		missed += tester_verify(der.p, n, text.p, text.n, NULL, NULL, NULL) == 0;
	buf_add(&der, "x", 1);
	CHECK(missed == 0 && tester_verify(der.p, der.n, text.p, text.n, NULL, NULL, NULL) < 0);
	free(json);
	free(p7s);
	buf_free(&text);
	buf_free(&der);
}

static void test_files(const char *run, const char *tester, const char *gw)
{
	char *more = in(run, "evidence/find-a/02-more"), *link = in(run, "evidence/link"),
	     *there = in(run, "junit.xml"), *away = in(top, "away");

	write_text(more, "x");
	CHECK(verified(run, tester, gw, "evidence/find-a/02-more was added") == 1);
	unlink(more);
	CHECK(symlink("/etc/passwd", link) == 0);
	CHECK(verified(run, tester, gw, "evidence/link is neither a file nor a directory") == 1);
	unlink(link);
	CHECK(rename(there, away) == 0);
	CHECK(verified(run, tester, gw, "junit.xml is missing") == 1);
	CHECK(symlink(away, there) == 0 && verified(run, tester, gw, NULL) == 1);
	unlink(there);
	CHECK(rename(away, there) == 0);
	CHECK(verified(run, tester, gw, NULL) == 0);
	free(more);
	free(link);
	free(there);
	free(away);
}

/* What a report is made of is bounded, so that reading a stranger's ends. */
static void test_bounds(const struct case_list *l)
{
	json_t *r = make_results(l, "own.test", NULL, good), *list = json_object_get(r, "requirements"),
	       *proves = json_object_get(json_array_get(json_object_get(r, "cases"), 0), "proves");
	struct buf why = {0};

	CHECK(result_write(top, r, &why) == 0);
	while (json_array_size(proves) < 50001)
		json_array_append(proves, json_array_get(proves, 0));
	CHECK(result_write(top, r, &why) < 0);
	json_array_clear(proves);
	for (int i = 0; json_array_size(list) < 2001; i++)
		json_array_append_new(list, json_pack("{s:o,s:s,s:s,s:s}", "id", json_sprintf("R-%d", i), "rfc", "",
						"must", "", "failure", ""));
	buf_clear(&why);
	CHECK(result_write(top, r, &why) < 0 && says("2000 requirements", &why));
	buf_free(&why);
	json_decref(r);
}

/* A report's files that never end, or that are somebody else's. */
static void test_no_files(const char *run, const char *tester, const char *gw)
{
	static const char *const names[] = {"tester.pem", "gateway.pem", "results.json", "manifest.json",
	    "manifest.p7s", "countersignature.eml", "countersignature.json", "countersignature.pem"};
	char *away = in(top, "away");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *there = in(run, names[i]);
		bool was = rename(there, away) == 0;

		CHECK(mkfifo(there, 0600) == 0 && verified(run, tester, NULL, NULL) == 1);
		unlink(there);
		CHECK(symlink("/dev/zero", there) == 0 && verified(run, tester, NULL, NULL) == 1);
		unlink(there);
		CHECK(!was || rename(away, there) == 0);
		free(there);
	}
	CHECK(verified(run, tester, gw, NULL) == 0);
	free(away);
}

static void test_missing(const char *run, const char *tester, const char *gw)
{
	static const char *const names[] = {"manifest.json", "manifest.p7s", "results.json", "report.html",
	    "tester.pem", "countersignature.eml", "countersignature.sealed.eml", "countersignature.pem",
	    "countersignature.json", "countersignature.p7s"};
	char *away = in(top, "away");

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		char *path = in(run, names[i]);

		CHECK(rename(path, away) == 0);
		if (!CHECK(verified(run, tester, gw, NULL) == 1))
			printf("  without %s\n", names[i]);
		CHECK(rename(away, path) == 0);
		free(path);
	}
	CHECK(verified(run, tester, gw, NULL) == 0);
	free(away);
}

static void test_countersign(const struct kit *k, const char *run, const char *tester, const char *gw)
{
	static const enum manner taken[] = {SIGN, DETACHED, BASE64, TRIPLE, SIGN_SEAL};

	CHECK(verified(run, tester, gw, "there is no countersignature") == 1);
	CHECK(countersigned(k, run, PLAIN, "it is not signed") < 0);
	CHECK(countersigned(k, run, SEAL, "it is not signed") < 0);
	CHECK(countersigned(k, run, OTHER_KEY, "a certificate that is not the gateway's") < 0);
	CHECK(countersigned(k, run, OTHER_TEXT, "does not name this run") < 0);
	CHECK(countersigned(k, run, LOSE, "no message to report@countersign.kit.test came") < 0);
	CHECK(countersigned(k, run, REFUSE, "550 5.7.1 no") < 0);
	CHECK(verified(run, tester, gw, "there is no countersignature") == 1);
	for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++)
		if (CHECK(countersigned(k, run, taken[i], NULL) == 0))
			CHECK(verified(run, tester, gw, "the gateway countersigned manifest.json with") == 0);
}

/* Certificates that were not valid at the time, though all signatures fit. */
static void test_valid(const struct kit *k, const struct case_list *l)
{
	char *run = in(top, "valid");
	json_t *v = make_results(l, k->gateway_domain, NULL, good);
	struct buf why = {0};

	json_object_set_new(v, "began", json_string("2020-01-01T00:00:00Z"));
	json_object_set_new(v, "ended", json_string("2020-01-01T00:00:00Z"));
	CHECK(directory_make(run, &why) == 0 && result_write(run, v, &why) == 0 && report_write(k, run, &why) == 0);
	CHECK(countersigned(k, run, SIGN_SEAL, NULL) == 0);
	CHECK(verified(run, NULL, NULL, "does not hold: the tester's certificate was valid when the run ended") == 1);
	json_decref(v);
	v = make_results(l, k->gateway_domain, NULL, good);
	CHECK(result_write(run, v, &why) == 0 && report_write(k, run, &why) == 0);
	CHECK(verified(run, NULL, NULL, "there is no countersignature") == 1); /* that of before is gone */
	came_shift_ms = (int64_t)-7200 * 1000;
	CHECK(countersigned(k, run, SIGN_SEAL, NULL) == 0);
	CHECK(verified(run, NULL, NULL, "does not hold: the gateway's certificate was valid when it came") == 1);
	came_shift_ms = 0;
	CHECK(countersigned(k, run, SIGN_SEAL, NULL) == 0 && verified(run, NULL, NULL, NULL) == 0);
	json_decref(v);
	buf_free(&why);
	free(run);
}

/* results.json that must not be read */
static void test_strict(const struct case_list *l)
{
	static const char *const wrong[][2] = {{"run", "\"xyz\""}, {"run", "\"00112233445566778899AABBCCDDEEFF\""},
	    {"began", "\"2027-01-01T00:00:00Z\""}, {"ended", "\"yesterday\""}, {"tester", "7"}, {"gateway", "{}"},
	    {"judges", "[1]"}, {"configuration", "{\"a\":1}"}, {"profiles", "[\"../x\"]"}, {"profiles", "[\"find\"]"},
	    {"profiles", "[\"find\",\"trust\",\"find\"]"}, {"plan", "\"\""}, {"cases-hash", "null"},
	    {"requirements", "[]"}, {"cases", "{}"}, {"cases", "[{}]"}, {"more", "1"}};
	static const char *const wrong_case[][2] = {{"id", "\"../../x\""}, {"evidence", "\"/etc\""},
	    {"evidence", "\"evidence/../x\""}, {"result", "\"passed\""}, {"seconds", "-1"}, {"seconds", "\"1\""},
	    {"proves", "[\"NO-1\"]"}, {"findings", "[]"}, {"findings", "[{}]"}, {"id", "\"find-a\""},
	    {"profile", "\"x\""}, {"findings", "[{\"result\":\"failed\",\"line\":1.5,\"sentence\":\"\"}]"}};
	char *dir = in(top, "strict"), *path = in(dir, "results.json");
	struct buf why = {0};

	CHECK(directory_make(dir, &why) == 0);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong) + sizeof(wrong_case) / sizeof(*wrong_case); i++) {
		json_t *v = make_results(l, "a.test", NULL, mixed), *read;
		size_t j = i - sizeof(wrong) / sizeof(*wrong);
		bool whole = i < sizeof(wrong) / sizeof(*wrong);
		const char *const *pair = whole ? wrong[i] : wrong_case[j];
		json_t *at = whole ? v : json_array_get(json_object_get(v, "cases"), 1);
		char *text;

		json_object_set_new(at, pair[0], json_loads(pair[1], JSON_DECODE_ANY, NULL));
		text = json_dumps(v, 0);
		write_text(path, text);
		buf_clear(&why);
		read = result_read(dir, &why);
		if (!CHECK(!read && why.n > 0 && result_write(dir, v, NULL) < 0))
			printf("  %s: %s\n", pair[0], pair[1]);
		json_decref(read);
		json_decref(v);
		free(text);
	}
	write_text(path, "{\"a\":1,\"a\":2}");
	CHECK(!result_read(dir, NULL));
	write_text(path, "[[[[");
	CHECK(!result_read(dir, NULL));
	buf_free(&why);
	free(dir);
	free(path);
}

static void test_verdicts(void)
{
	struct finding f[] = {{PASSED, 1, NULL}, {NOT_RUN, 1, NULL}, {FAILED, 1, NULL}};

	CHECK(result_of(f, 0) == NOT_RUN && result_of(f, 1) == PASSED && result_of(f, 2) == NOT_RUN &&
	      result_of(f, 3) == FAILED);
}

static void test_paths(void)
{
	static const char *const bad[] = {"", "/etc/passwd", "..", "a/../b", "a//b", "./a", "a/", "a/.", "a\\b",
	    "a\nb", "\xc3\xa4", "1/2/3/4/5/6/7/8/9"};
	char *long_one = need(600);

	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		if (!CHECK(!manifest_path(bad[i])))
			printf("  %s\n", bad[i]);
	memset(long_one, 'a', 599);
	CHECK(!manifest_path(long_one));
	CHECK(manifest_path("evidence/x/01-a b.eml") && manifest_path("a") && manifest_path("..a/.b"));
	free(long_one);
}

static void test_visible(void)
{
	struct buf b = {0};

	markup_add(&b, "a<b>&\"'\x7f\xed\xa0\x80\xf4\x90\x80\x80\xef\xbf\xbf\xc3\xa4\n");
	CHECK(
	    !strcmp(b.p, "a&lt;b&gt;&amp;&quot;&#39;\\u{7f}\\xed\\xa0\\x80\\xf4\\x90\\x80\\x80\\u{ffff}\xc3\xa4\\n"));
	buf_clear(&b);
	markdown_add(&b, "*a* [x](y) <b>");
	CHECK(!strcmp(b.p, "\\*a\\* \\[x\\](y) \\<b\\>"));
	buf_free(&b);
}

static void test_changes(const struct kit *a, const struct kit *b, const char *run)
{
	static const char *const names[] = {"results.json", "evidence/find-a/01-message & \"x\".eml", "report.html",
	    "junit.xml", "manifest.json", "manifest.p7s", "tester.pem", "gateway.pem", "countersignature.eml",
	    "countersignature.sealed.eml", "countersignature.pem", "countersignature.json", "countersignature.p7s"};
	char *tester = in(a->dir, "tester.pem"), *other = in(b->dir, "tester.pem"), *gw = in(a->dir, "gw.pem");

	test_countersign(a, run, tester, gw);
	CHECK(verified(run, NULL, NULL, "compare this with what the tester gave you") == 0);
	CHECK(verified(run, other, gw, "by another certificate than was expected") == 1);
	CHECK(verified(run, tester, other, "a certificate that is not the gateway's") == 1);
	CHECK(verified("/nonexistent", tester, gw, "manifest.json") == 1);
	test_files(run, tester, gw);
	test_no_files(run, tester, gw);
	test_missing(run, tester, gw);
	test_signature(run);
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		struct stat st;
		char *path = in(run, names[i]);

		CHECK(stat(path, &st) == 0);
		test_octets(run, names[i], st.st_size > 4000 ? 41 : st.st_size > 1000 ? 13 : 1, tester, gw);
		free(path);
	}
	free(tester);
	free(other);
	free(gw);
}

int main(void)
{
	struct kit a, b;
	struct case_list l;
	char *run;

	begin("test-report");
	a = make_kit("Alpha");
	b = make_kit("Beta");
	l = make_cases();
	test_verdicts();
	test_paths();
	test_visible();
	test_strict(&l);
	test_bounds(&l);
	test_valid(&a, &l);
	run = make_run(&a, &l, "run", NULL, mixed);
	test_rendered(run);
	test_changes(&a, &b, run);
	free_cases(&l);
	free(run);
	free(a.dir);
	free(b.dir);
	return end();
}
