/* From results.json to everything that is handed over: reports, manifest, signatures, countersignature, comparison,
 * plans, requirements. The gateway, the world and the sink are stood in for here, so it is linked with these alone:
 * util case_file visible result result_check manifest tester countersign report report_html report_junit
 * report_countersign verify verify_fact compare requirements plan plan_verify; -ljansson -lcrypto. */
#include <fcntl.h>
#include <openssl/cms.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interop/kit/compare.h"
#include "interop/kit/countersign.h"
#include "interop/kit/manifest.h"
#include "interop/kit/plan.h"
#include "interop/kit/plan_verify.h"
#include "interop/kit/report.h"
#include "interop/kit/requirements.h"
#include "interop/kit/result.h"
#include "interop/kit/smtp_client.h"
#include "interop/kit/tester.h"
#include "interop/kit/verify.h"
#include "interop/kit/visible.h"

static int failed, checks;
static char *top;

#define CHECK(what) check((what), #what, __LINE__)

static bool check(bool is, const char *what, int line)
{
	checks++;
	if (!is) {
		failed++;
		printf("line %d: %s\n", line, what);
	}
	return is;
}

static void write_text(const char *path, const char *text)
{
	struct buf why = {0};
	char *dir = text_copy(path);

	*strrchr(dir, '/') = 0;
	if (directory_make(dir, &why) < 0 || file_write(path, text, strlen(text), 0644, &why) < 0)
		die("%s", why.p);
	free(dir);
}

static char *in(const char *dir, const char *name)
{
	return text_make("%s/%s", dir, name);
}

/* ---- the stand-ins: a world with one credential, a gateway that signs and seals, a sink with one mail ---- */

enum manner { SIGN_SEAL, SIGN, DETACHED, SEAL, PLAIN, OTHER_KEY, LOSE, REFUSE, BASE64, TRIPLE, OTHER_TEXT };

static enum manner manner;
static struct credential gateway, partner, stranger;
static struct mail came;
static bool has_come;

static struct credential make_credential(const char *name)
{
	struct credential c = {.key = EVP_RSA_gen(2048), .cert = X509_new(), .chain = sk_X509_new_null()};

	X509_set_version(c.cert, 2);
	ASN1_INTEGER_set(X509_get_serialNumber(c.cert), 7);
	X509_NAME_add_entry_by_txt(
	    X509_get_subject_name(c.cert), "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(c.cert, X509_get_subject_name(c.cert));
	X509_gmtime_adj(X509_getm_notBefore(c.cert), -3600);
	X509_gmtime_adj(X509_getm_notAfter(c.cert), 360000);
	X509_set_pubkey(c.cert, c.key);
	X509_sign(c.cert, c.key, EVP_sha256());
	return c;
}

const struct credential *world_credential(struct world *w, const struct case_file *c, const char *name, char use)
{
	(void)w, (void)c, (void)use;
	return !strcmp(name, "countersign") ? &partner : NULL;
}

static void out_of(BIO *b, struct buf *out)
{
	char *p;
	long n = BIO_get_mem_data(b, &p);

	buf_clear(out);
	buf_add(out, p, (size_t)n);
	BIO_free(b);
}

static void sign(struct buf *m, const struct credential *c, bool detached)
{
	int flags = CMS_BINARY | (detached ? CMS_DETACHED | CMS_STREAM : 0);
	BIO *data = BIO_new_mem_buf(m->p, (int)m->n), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms = CMS_sign(c->cert, c->key, NULL, data, flags);

	(void)BIO_reset(data);
	SMIME_write_CMS(out, cms, data, flags);
	CMS_ContentInfo_free(cms);
	BIO_free(data);
	out_of(out, m);
}

/* OpenSSL writes S/MIME with LF; mail has CRLF, and is signed so */
static void with_crlf(struct buf *m)
{
	struct buf b = {0};

	for (size_t i = 0; i < m->n; i++) {
		if (m->p[i] == '\n' && (i == 0 || m->p[i - 1] != '\r'))
			buf_adds(&b, "\r");
		buf_add(&b, m->p + i, 1);
	}
	buf_free(m);
	*m = b;
}

static void seal(struct buf *m)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *data = BIO_new_mem_buf(m->p, (int)m->n), *out = BIO_new(BIO_s_mem());
	CMS_ContentInfo *cms;

	sk_X509_push(to, partner.cert);
	cms = CMS_encrypt(to, data, EVP_aes_256_cbc(), CMS_BINARY);
	SMIME_write_CMS(out, cms, data, CMS_BINARY);
	CMS_ContentInfo_free(cms);
	BIO_free(data);
	sk_X509_free(to);
	out_of(out, m);
	with_crlf(m);
}

static void as_base64(struct buf *m)
{
	struct buf b = {0};

	buf_adds(&b, "Content-Type: text/plain\r\nContent-Transfer-Encoding: base64\r\n\r\n");
	base64_add(&b, m->p, m->n, 76);
	buf_free(m);
	*m = b;
}

int smtp_send(const char *address, const char *helo, bool tls, const char *from, char **to, size_t n,
    const void *data, size_t len, struct buf *transcript, struct reply *r, int64_t *answer_us, struct buf *why)
{
	struct buf m = {0};

	(void)address, (void)helo, (void)tls, (void)from, (void)to, (void)n, (void)transcript, (void)answer_us,
	    (void)why;
	if (manner == REFUSE) {
		buf_adds(&r->text, "550 5.7.1 no\r\n");
		return 550;
	}
	buf_add(&m, data, len);
	if (manner == OTHER_TEXT) { /* everything from the subject on */
		size_t at = (size_t)(octets_find(m.p, m.n, "Subject") - m.p);

		memset(m.p + at, 'x', m.n - at);
	}
	if (manner == BASE64)
		as_base64(&m);
	if (manner != SEAL && manner != PLAIN)
		sign(&m, manner == OTHER_KEY ? &stranger : &gateway, manner == DETACHED);
	if (manner == SIGN_SEAL || manner == SEAL || manner == TRIPLE || manner == BASE64)
		seal(&m);
	if (manner == TRIPLE)
		sign(&m, &gateway, true);
	has_come = manner != LOSE;
	buf_free(&came.data);
	came.data = m;
	came.number++;
	came.came_ms = now_ms();
	return 250;
}

const struct mail *sink_wait(struct sink *s, enum side side, const char *to, unsigned after, int64_t wait_ms,
    bool (*test)(const struct mail *, void *), void *arg)
{
	(void)s, (void)side, (void)wait_ms, (void)test, (void)arg;
	CHECK(!strcmp(to, "report@countersign.kit.test"));
	return has_come && came.number > after ? &came : NULL;
}

/* ---- a run ---- */

static const char hostile[] =
    "<script>alert(\"1\")</script> & 'q' \x01\x1b[31m \xff\xfe \xc0\xaf \xe2\x80\xae ]]> \r\n --";

static struct case_file make_case(const char *id, const char *profile, const char *title, char **proves)
{
	return (struct case_file){.id = (char *)id,
	    .profile = (char *)profile,
	    .title = (char *)title,
	    .dir = text_make("%s/cases/%s/%s", top, profile, id),
	    .proves = proves,
	    .n_proves = 1};
}

static struct case_list make_cases(void)
{
	static char *one[] = {"FIND-1"}, *two[] = {"TRUST-1"};
	struct case_list l = {.cases = need(3 * sizeof(*l.cases)), .n = 3};

	l.cases[0] = make_case("find-a", "find", "A certificate is found", one);
	l.cases[1] = make_case("find-b", "find", hostile, one);
	l.cases[2] = make_case("trust-a", "trust", "Trust", two);
	for (size_t i = 0; i < l.n; i++) {
		char *path = in(l.cases[i].dir, "case");

		write_text(path, l.cases[i].id);
		free(path);
	}
	return l;
}

static struct requirement_list requirements(void)
{
	static const char find[] = "# comment\nFIND-1  RFC 4398 2.1\nmust: It is <b>found</b>.\n  Always.\n"
				   "failure: Mail goes out in the clear.\n",
			  trust[] = "TRUST-1 RFC 5280 6\nmust: It is checked.\nfailure: Anybody reads it.\n\n\n";
	struct requirement_list l = {0};
	struct buf why = {0};

	CHECK(requirements_parse("find", find, sizeof(find) - 1, &l, &why) == 0);
	CHECK(requirements_parse("trust", trust, sizeof(trust) - 1, &l, &why) == 0);
	CHECK(why.n == 0 && l.n == 2 && !strcmp(l.all[0].must, "It is <b>found</b>. Always."));
	return l;
}

static json_t *make_results(
    const struct case_list *l, const char *domain, const char *plan, const enum verdict *verdicts)
{
	struct requirement_list r = requirements();
	char hash[65];
	json_t *cases = json_array(), *v;
	struct buf why = {0};

	CHECK(plan_cases_hash(l, hash, &why) == 0);
	for (size_t i = 0; i < l->n; i++) {
		struct finding f[2] = {
		    {PASSED, 3, (char *)"the layers were enveloped"}, {verdicts[i], 4, (char *)hostile}};

		json_array_append_new(cases, result_case(&l->cases[i], f, 2, 1.25));
	}
	v = json_pack("{s:s,s:s,s:s,s:s,s:o,s:{s:o,s:s,s:s},s:s,s:[s,s],s:{s:o},s:[s,s],s:s?,s:s,s:o,s:o}", "kit",
	    "1.0", "run",
	    !strcmp(domain, "a.test") ? "00112233445566778899aabbccddeeff" : "ff112233445566778899aabbccddeeff",
	    "began", "2026-11-23T08:00:00Z", "ended", "2026-11-23T08:10:00Z", "tester", result_text(hostile),
	    "gateway", "name", result_text(hostile), "version", "2", "domain", domain, "kit-domain", "kit.test",
	    "judges", "OpenSSL 3.0", "BouncyCastle 1.72", "configuration", "marks", result_text(hostile), "profiles",
	    "find", "trust", "plan", plan, "cases-hash", hash, "requirements", requirements_json(&r, l, &why),
	    "cases", cases);
	requirements_free(&r);
	buf_free(&why);
	return v;
}

static struct kit make_kit(const char *name)
{
	struct kit k = {.dir = in(top, name),
	    .kit_domain = (char *)"kit.test",
	    .host = (char *)"mx.kit.test",
	    .gateway_domain = (char *)"a.test",
	    .gateway_inside = (char *)"127.0.0.1:1",
	    .gateway_sign = (char *)"gw.pem",
	    .tester = (char *)name};
	struct buf why = {0};
	char *path = in(k.dir, "gw.pem");
	BIO *b = BIO_new(BIO_s_mem());
	struct buf pem = {0};

	PEM_write_bio_X509(b, gateway.cert);
	out_of(b, &pem);
	write_text(path, pem.p);
	CHECK(tester_make(&k, &why) == 0 && tester_make(&k, &why) == 0);
	buf_free(&pem);
	free(path);
	return k;
}

static const enum verdict mixed[] = {PASSED, FAILED, NOT_RUN}, good[] = {PASSED, PASSED, PASSED};

static char *make_run(
    const struct kit *k, const struct case_list *l, const char *name, const char *plan, const enum verdict *verdicts)
{
	char *run = in(top, name), *evidence = in(run, "evidence/find-a/01-message & \"x\".eml"), *more;
	json_t *v = make_results(l, k->gateway_domain, plan, verdicts);
	struct buf why = {0};

	write_text(evidence, "Subject: x\r\n\r\nhello\r\n");
	more = in(run, "evidence/find-b/01-x.txt");
	write_text(more, "");
	if (result_write(run, v, &why) < 0 || report_write(k, run, &why) < 0)
		die("%s", why.p);
	json_decref(v);
	free(evidence);
	free(more);
	return run;
}

/* status of verify_report; text must be among what it says */
static int verified(const char *run, const char *tester, const char *gw, const char *text)
{
	struct buf say = {0};
	int rc = verify_report(run, tester, gw, &say);

	if (!check(!text || octets_find(say.p, say.n, text), text ? text : "", __LINE__))
		printf("%s", say.p);
	buf_free(&say);
	return rc;
}

/* runs "program path" with the shell; the path is our own */
static bool command(const char *program, const char *path, const char *name)
{
	char *line = text_make("%s %s%s", program, path, name);
	int rc = system(line);

	free(line);
	return rc == 0;
}

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
	if (command("command -v xmllint >", "/dev/null", "")) {
		CHECK(command("xmllint --noout --nonet", run, "/junit.xml"));
		CHECK(command("xmllint --noout --nonet", run, "/report.html"));
	} else {
		printf("xmllint is not installed: well-formedness was not looked at\n");
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

static int countersigned(const struct kit *k, const char *run, enum manner how, const char *text)
{
	struct buf why = {0};
	int rc;

	manner = how;
	has_come = false;
	rc = report_countersign(k, NULL, NULL, run, &why);
	if (!check(
		rc == 0 ? !text : text && octets_find(why.p, why.n, text), text ? text : "countersigned", __LINE__))
		printf("  manner %d: %s\n", (int)how, why.n ? why.p : "taken");
	buf_free(&why);
	return rc;
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

static bool says(const char *text, const struct buf *b)
{
	return b->n > 0 && octets_find(b->p, b->n, text);
}

static void test_compare(const struct kit *k, struct case_list *l)
{
	struct case_list two = {l->cases, 2};
	char *old = make_run(k, &two, "old", NULL, good), *new = make_run(k, l, "new", NULL, mixed);
	struct buf say = {0}, why = {0};
	size_t worse = 0;

	CHECK(compare_runs(old, new, &say, &worse, &why) == 0 && worse == 1);
	CHECK(says("find-b: passed before, failed now (", &say) && says("trust-a: new, not run now", &say));
	CHECK(says("1 cases have the result they had before; 1 that passed before do not pass now", &say));
	buf_clear(&say);
	CHECK(compare_runs(new, old, &say, &worse, &why) == 0 && worse == 0);
	CHECK(says("trust-a: not run before, gone now", &say) && says("find-b: failed before, passed now\n", &say));
	CHECK(compare_runs(top, new, &say, NULL, &why) < 0 && why.n > 0);
	buf_free(&say);
	buf_free(&why);
	free(old);
	free(new);
}

static void test_requirements(const struct case_list *l)
{
	static const char *const wrong[] = {"A-1\nmust: x\nfailure: y\n", "A-1 RFC\nfailure: y\n",
	    "A-1 RFC\nmust: x\n", "A_1 RFC\nmust: x\nfailure: y\n", "A-1 RFC\nmust: x\nfailure: y\nmust: z\n",
	    "  x\n", "A-1 RFC\nmust: x\nfailure: y\n\nA-1 RFC\nmust: x\nfailure: y\n",
	    "A-1 RFC\nmust:\nfailure: y\n"};
	struct requirement_list r = requirements();
	struct buf out = {0}, why = {0};
	struct case_list one = {l->cases, 1};
	json_t *v;

	CHECK(requirements_check(&r, l, &why) == 0 && why.n == 0);
	CHECK(requirements_check(&r, &one, &why) < 0 && says("no case proves TRUST-1 (trust, line 1)", &why));
	v = requirements_json(&r, &one, &why);
	CHECK(json_array_size(v) == 1);
	json_decref(v);
	r.n = 1;
	CHECK(requirements_check(&r, l, &why) < 0 &&
	      says("case trust-a proves TRUST-1, which is no requirement", &why));
	CHECK(!requirements_json(&r, l, &why));
	r.n = 2;
	CHECK(profile_markdown(&r, l, "find", &out, &why) == 0 && says("- `find-a`: A certificate is found\n", &out));
	CHECK(says("It is \\<b\\>found\\</b\\>. Always.", &out) && !says("TRUST-1", &out) &&
	      says("\\<script\\>", &out));
	CHECK(profile_markdown(&r, l, "none", &out, &why) < 0);
	requirements_free(&r);
	for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
		buf_clear(&why);
		if (!CHECK(
			requirements_parse("x", wrong[i], strlen(wrong[i]), &r, &why) < 0 && says("x, line ", &why)))
			printf("  %s\n", wrong[i]);
		requirements_free(&r);
	}
	buf_free(&out);
	buf_free(&why);
}

static int plan_holds(const char *plan, const char *a, const char *b, const char *text)
{
	struct buf say = {0};
	int rc = plan_verify(plan, a, b, &say);

	if (!check(!text || says(text, &say), text ? text : "", __LINE__) || (!text && rc))
		printf("%s", say.p);
	buf_free(&say);
	return rc;
}

static void test_plan_kit(const json_t *plan, const struct kit *a, const struct kit *b)
{
	struct buf why = {0};
	time_t now = 1795500000; /* 2026-11-24 */

	CHECK(plan_check_kit(plan, a, "Alpha", now, &why) == 0 && plan_check_kit(plan, b, "Beta", now, &why) == 0);
	CHECK(plan_check_kit(plan, a, "Beta", now, &why) < 0 && plan_check_kit(plan, a, "Gamma", now, &why) < 0);
	CHECK(plan_check_kit(plan, a, "Alpha", now + 864000, &why) < 0 && says("the plan is from", &why));
	buf_free(&why);
}

static void test_plan(struct case_list *l, const struct kit *a, const struct kit *b)
{
	char *path = in(top, "plan.json"), *first = text_make("Alpha,b.test,%s/tester.pem,%s/gw.pem", a->dir, a->dir),
	     *second = text_make("Beta,a.test,%s/tester.pem", b->dir), *parties[] = {first, second}, hash[65],
	     again[65];
	struct buf why = {0};
	struct case_list two = {l->cases, 2};
	json_t *plan = plan_make(l, "find,trust", parties, 2, 1795300000, 1795600000, &why), *read;
	char *run_a, *run_b, *run_c, *run_d, *file = in(l->cases[0].dir, "case"), *ids = plan_case_ids(plan);

	CHECK(plan && plan_write(path, plan, &why) == 0 && (read = plan_read(path, &why)) != NULL);
	plan_hash(plan, hash);
	plan_hash(read, again);
	CHECK(!strcmp(hash, again) && !strcmp(ids, "find-a,find-b,trust-a"));
	CHECK(!plan_make(l, "find", parties, 1, 1, 2, &why) && !plan_make(l, "find", parties, 2, 2, 1, &why));
	CHECK(plan_check_cases(plan, l, &why) == 0);
	test_plan_kit(plan, a, b);
	run_a = make_run(a, l, "plan-a", hash, good);
	run_b = make_run(b, l, "plan-b", hash, good);
	CHECK(plan_holds(path, run_a, run_b, "there is no countersignature") == 1);
	CHECK(countersigned(a, run_a, SIGN_SEAL, NULL) == 0 && countersigned(b, run_b, DETACHED, NULL) == 0);
	CHECK(plan_holds(path, run_a, run_b, NULL) == 0 && plan_holds(path, run_b, run_a, NULL) == 0);
	CHECK(plan_holds(path, run_a, run_a, "each party ran it once") == 1);
	run_c = make_run(b, l, "plan-c", hash, mixed);
	CHECK(countersigned(b, run_c, SIGN, NULL) == 0 &&
	      plan_holds(path, run_a, run_c, "case find-b passed: it is failed") == 1);
	run_d = make_run(a, &two, "plan-d", NULL, good);
	CHECK(countersigned(a, run_d, SIGN, NULL) == 0 &&
	      plan_holds(path, run_d, run_b, "case trust-a passed: it was left out") == 1);
	write_text(file, "changed");
	CHECK(plan_check_cases(plan, l, &why) < 0 && says("case find-a is not the one of the plan", &why));
	json_object_set_new(json_array_get(json_object_get(plan, "cases"), 0), "sha256", json_string(hash));
	CHECK(plan_write(path, plan, &why) == 0 && plan_holds(path, run_a, run_b, "does not hold: ") == 1);
	CHECK(
	    plan_check_cases(plan, &two, &why) < 0 && says("case trust-a of the plan is not on this machine", &why));
	json_decref(plan);
	json_decref(read);
	buf_free(&why);
	free(ids), free(file), free(run_a), free(run_b), free(run_c), free(run_d), free(path), free(first),
	    free(second);
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
	const char *tmp = getenv("TMPDIR");
	struct kit a, b;
	struct case_list l;
	char *run;

	top = text_make("%s/test-report-XXXXXX", tmp ? tmp : "/tmp");
	if (!mkdtemp(top))
		die("%s cannot be made", top);
	gateway = make_credential("gateway");
	partner = make_credential("countersign.kit.test");
	stranger = make_credential("stranger");
	a = make_kit("Alpha");
	b = make_kit("Beta");
	b.gateway_domain = (char *)"b.test";
	l = make_cases();
	test_verdicts();
	test_paths();
	test_visible();
	test_strict(&l);
	test_requirements(&l);
	run = make_run(&a, &l, "run", NULL, mixed);
	test_rendered(run);
	test_changes(&a, &b, run);
	test_compare(&a, &l);
	test_plan(&l, &a, &b);
	printf("%d checks, %d failed\n", checks, failed);
	if (!failed)
		command("rm -rf", top, "");
	return failed ? 1 : 0;
}
