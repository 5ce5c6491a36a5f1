#include "interop/kit/plan_verify.h"

#include <openssl/x509.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop/kit/plan.h"
#include "interop/kit/result.h"
#include "interop/kit/tester.h"
#include "interop/kit/verify.h"
#include "interop/kit/verify_fact.h"

/* cases-hash as the plan's cases give it (plan.h): they are sorted in the plan as for the hash, or the plan's maker
 * did not use this kit and the hashes differ. */
static void hash_of_cases(const json_t *plan, char hex[65])
{
	const json_t *list = json_object_get(plan, "cases");
	struct buf all = {0}, digits = {0};
	unsigned char sum[32];

	buf_adds(&all, "");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *c = json_array_get(list, i);

		buf_addf(&all, "%s %s/%s\n", result_member(c, "sha256"), result_member(c, "profile"),
		    result_member(c, "id"));
	}
	sha256_of(all.p, all.n, sum);
	hex_add(&digits, sum, sizeof(sum));
	memcpy(hex, digits.p, 65);
	buf_free(&all);
	buf_free(&digits);
}

/* A text in a file of its own, for those that read certificates from files. Unlink and free; NULL: none. */
static char *as_file(const char *text)
{
	const char *dir = getenv("TMPDIR");
	char *path;
	int fd;

	if (!*text)
		return NULL;
	path = text_make("%s/postern-interop-XXXXXX", dir && *dir ? dir : "/tmp");
	fd = mkstemp(path);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("%s cannot be written", path);
	close(fd);
	return path;
}

static void drop_file(char *path)
{
	if (path)
		unlink(path);
	free(path);
}

/* which party's tester signed the run: the one whose certificate is the run's tester.pem; -1: none */
static int party_of(const json_t *plan, const char *run)
{
	char *own = text_make("%s/tester.pem", run);
	X509 *is = certificate_read_plain(own, NULL);
	int found = -1;

	for (int i = 0; is && i < 2; i++) {
		char *path =
		    as_file(result_member(json_array_get(json_object_get(plan, "parties"), (size_t)i), "tester"));
		X509 *c = path ? certificate_read(path, NULL) : NULL;

		if (c && X509_cmp(c, is) == 0)
			found = i;
		X509_free(c);
		drop_file(path);
	}
	X509_free(is);
	free(own);
	return found;
}

static void check_cases(struct facts *f, const json_t *plan, const json_t *results)
{
	const json_t *cases = json_object_get(results, "cases"), *wanted = json_object_get(plan, "cases");
	size_t count[3];
	json_t *there = json_object();

	for (size_t i = 0; i < json_array_size(cases); i++)
		json_object_set(there, result_member(json_array_get(cases, i), "id"), json_array_get(cases, i));
	for (size_t i = 0; i < json_array_size(wanted); i++) {
		const char *id = result_member(json_array_get(wanted, i), "id");
		const json_t *c = json_object_get(there, id);

		if (!c || strcmp(result_member(c, "result"), "passed") != 0)
			verify_fact(f, false, "case %s passed: it %s %s", id, c ? "is" : "was",
			    c ? result_member(c, "result") : "left out");
	}
	verify_fact(f, json_array_size(cases) == json_array_size(wanted),
	    "the run has as many cases as the plan, %zu", json_array_size(wanted));
	result_count(results, NULL, count);
	verify_fact(f, count[FAILED] == 0 && count[NOT_RUN] == 0,
	    "all cases passed (%zu passed, %zu failed, %zu not run)", count[PASSED], count[FAILED], count[NOT_RUN]);
	json_decref(there);
}

static void check_results(struct facts *f, const json_t *plan, const json_t *results, const json_t *tested)
{
	char plan_is[65], cases_are[65];
	const char *domain = result_member(json_object_get(results, "gateway"), "domain");

	plan_hash(plan, plan_is);
	hash_of_cases(plan, cases_are);
	verify_fact(f, !strcmp(result_member(results, "plan"), plan_is), "it was run by this plan, %s", plan_is);
	verify_fact(f, !strcmp(result_member(results, "cases-hash"), cases_are),
	    "its cases are those of the plan, file by file");
	verify_fact(f,
	    strcmp(result_member(results, "began"), result_member(plan, "not-before")) >= 0 &&
		strcmp(result_member(results, "ended"), result_member(plan, "until")) <= 0,
	    "it was run within the plan's time, from %s to %s", result_member(results, "began"),
	    result_member(results, "ended"));
	verify_fact(f, tested && !strcasecmp(domain, result_member(tested, "domain")),
	    "it tested the other party's domain (it was %s)", domain);
	check_cases(f, plan, results);
}

/* Adds the lines of verify_report with the name of the run before each. */
static void add_report(struct facts *f, const char *run, const char *tester, const char *gateway)
{
	struct buf said = {0};

	f->wrong += verify_report(run, tester, gateway, &said) != 0;
	for (char *p = said.p, *end; p && *p && (end = strchr(p, '\n')); p = end + 1) {
		size_t word = strcspn(p, ":");

		buf_addf(f->say, "%.*s: %s:%.*s\n", (int)word, p, f->about, (int)(end - p - (ptrdiff_t)word - 1),
		    p + word + 1);
	}
	buf_free(&said);
}

static int check_run(struct facts *f, const json_t *plan, const char *run)
{
	const json_t *parties = json_object_get(plan, "parties");
	int who = party_of(plan, run);
	const json_t *by = who < 0 ? NULL : json_array_get(parties, (size_t)who),
		     *tested = who < 0 ? NULL : json_array_get(parties, (size_t)!who);
	char *tester = as_file(result_member(by, "tester")), *gateway = as_file(result_member(tested, "gateway"));
	struct buf why = {0};
	json_t *results;

	verify_fact(f, by, by ? "the tester is that of party %s" : "the tester is that of a party of the plan%s",
	    by ? result_member(by, "name") : "");
	add_report(f, run, tester, gateway);
	results = result_read(run, &why);
	if (results)
		check_results(f, plan, results, tested);
	else
		f->wrong++; /* verify_report has said so */
	json_decref(results);
	buf_free(&why);
	drop_file(tester);
	drop_file(gateway);
	return who;
}

int plan_verify(const char *plan_path, const char *run_a, const char *run_b, struct buf *say)
{
	struct facts f = {.say = say};
	struct buf why = {0};
	json_t *plan = plan_read(plan_path, &why);
	int a, b;

	buf_adds(&why, "");
	verify_fact(&f, plan, plan ? "the plan is well-formed%s" : "the plan is well-formed: %s", why.p);
	if (plan) {
		f.about = run_a;
		a = check_run(&f, plan, run_a);
		f.about = run_b;
		b = check_run(&f, plan, run_b);
		f.about = NULL;
		verify_fact(&f, a >= 0 && b >= 0 && a != b, "each party ran it once");
	}
	json_decref(plan);
	buf_free(&why);
	return f.wrong ? 1 : 0;
}
