/* Comparison of runs, requirements, and plans of two operators. Linked as test_report. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interop/kit/compare.h"
#include "interop/kit/plan.h"
#include "interop/kit/plan_verify.h"
#include "interop/test/report_stand.h"
#include "interop/kit/result.h"

static void test_compare(const struct kit *k, struct case_list *l)
{
	struct case_list two = {l->cases, 2};
	char *old = make_run(k, &two, "old", NULL, good), *new = make_run(k, l, "new", NULL, mixed), *all;
	struct buf say = {0}, why = {0};
	size_t worse = 0;

	CHECK(compare_runs(old, new, &say, &worse, &why) == 0 && worse == 1);
	CHECK(says("find-b: passed before, failed now (", &say) && says("trust-a: new, not run now", &say));
	CHECK(says("1 cases have the result they had before; 1 that passed before do not pass now", &say));
	buf_clear(&say);
	CHECK(compare_runs(new, old, &say, &worse, &why) == 0 && worse == 0);
	CHECK(says("trust-a: not run before, gone now", &say) && says("find-b: failed before, passed now\n", &say));
	CHECK(compare_runs(top, new, &say, NULL, &why) < 0 && why.n > 0);
	/* who leaves out what passed before does not do better */
	all = make_run(k, l, "all", NULL, good);
	buf_clear(&say);
	CHECK(compare_runs(all, old, &say, &worse, &why) == 0 && worse == 1);
	CHECK(says("trust-a: passed before, gone now", &say));
	free(all);
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
	time_t now = time(NULL);

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
	json_t *plan = plan_make(l, "find,trust", parties, 2, time(NULL) - 86400, time(NULL) + 86400, &why), *read;
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

int main(void)
{
	struct kit a, b;
	struct case_list l;

	begin("test-plan");
	a = make_kit("Alpha");
	b = make_kit("Beta");
	b.gateway_domain = (char *)"b.test";
	l = make_cases();
	test_requirements(&l);
	test_compare(&a, &l);
	test_plan(&l, &a, &b);
	free_cases(&l);
	free(a.dir);
	free(b.dir);
	return end();
}
