/* Traces that are kept: the last ones, bounded in number and octets, found by their id; and who gets one. */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "certstore/source.h"
#include "gateway/proc/judge_log.h"
#include "gateway/proc/judge_traces.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static const struct judge_resolve rq = {"ann@hospital.example", "bob@lab.example"};

static struct trace two_steps(void)
{
	struct trace t = {0};

	(void)snprintf(trace_add(&t, "store", "bob@lab.example")->answer, 20, "nothing");
	(void)snprintf(trace_add(&t, "dns CERT", "lab.example CERT")->answer, 20, "none");
	return t;
}

START_TEST(number)
{
	struct judge_traces *t = judge_traces_new(3, 1 << 20);
	struct trace steps = two_steps();
	char first[JUDGE_TRACE_ID + 1], last[JUDGE_TRACE_ID + 1], why[20];

	ck_assert_ptr_null(judge_traces_at(t, 0));
	for (int i = 0; i < 5; i++) {
		const char *id;

		(void)snprintf(why, sizeof why, "number %d", i);
		id = judge_traces_keep(t, &rq, "none", why, i == 4 ? NULL : &steps, 100 + i);
		ck_assert_uint_eq(strlen(id), JUDGE_TRACE_ID);
		memcpy(i == 0 ? first : last, id, sizeof first);
	}
	ck_assert_ptr_null(judge_traces_find(t, first));
	ck_assert_str_eq(judge_traces_find(t, last)->why, "number 4");
	ck_assert_str_eq(judge_traces_find(t, last)->steps, "[]");
	ck_assert_str_eq(judge_traces_at(t, 2)->why, "number 2");
	ck_assert(strstr(judge_traces_at(t, 2)->steps, "lab.example CERT") && judge_traces_at(t, 2)->at == 102);
	ck_assert_ptr_null(judge_traces_at(t, 3));
	judge_traces_free(t);
	trace_clear(&steps);
}
END_TEST

/* 500 recipients of a partner that has no certificate are one trace. */
START_TEST(same)
{
	static const struct judge_resolve carol = {"ann@hospital.example", "carol@lab.example"},
					  other = {"ann@hospital.example", "bob@other.example"};
	struct judge_traces *t = judge_traces_new(3, 1 << 20);
	struct trace steps = two_steps();
	const char *id = judge_traces_keep(t, &rq, "none", "why", &steps, 100);

	ck_assert_ptr_nonnull(judge_traces_same(t, &carol, "none", "why", 159));
	ck_assert_str_eq(judge_traces_same(t, &carol, "none", "why", 159)->id, id);
	ck_assert_ptr_null(judge_traces_same(t, &carol, "none", "why", 160));
	ck_assert_ptr_null(judge_traces_same(t, &carol, "none", "why", 99));
	ck_assert_ptr_null(judge_traces_same(t, &carol, "none", "another why", 101));
	ck_assert_ptr_null(judge_traces_same(t, &carol, "uncertain", "why", 101));
	ck_assert_ptr_null(judge_traces_same(t, &other, "none", "why", 101));
	ck_assert_ptr_null(judge_traces_same(NULL, &carol, "none", "why", 101));
	judge_traces_free(t);
	trace_clear(&steps);
}
END_TEST

START_TEST(octets)
{
	struct judge_traces *t = judge_traces_new(1000, 2000), *none = judge_traces_new(0, 2000);
	struct trace steps = two_steps(), large = {0};
	size_t n = 0;

	for (int i = 0; i < 50; i++)
		ck_assert_ptr_nonnull(judge_traces_keep(t, &rq, "none", "why", &steps, i));
	while (judge_traces_at(t, n))
		n++;
	ck_assert(n > 1 && n < 10);
	ck_assert_int_eq(judge_traces_at(t, 0)->at, 49);
	for (int i = 0; i < 100; i++)
		(void)trace_add(&large, "dns CERT", "lab.example CERT %d", i);
	ck_assert_ptr_null(judge_traces_keep(t, &rq, "none", "why", &large, 1)); /* never fits: the others stay */
	ck_assert_int_eq(judge_traces_at(t, 0)->at, 49);
	ck_assert_ptr_null(judge_traces_keep(none, &rq, "none", "why", &steps, 1));
	ck_assert_ptr_null(judge_traces_keep(NULL, &rq, "none", "why", &steps, 1));
	ck_assert_ptr_null(judge_traces_at(NULL, 0));
	judge_traces_free(t);
	judge_traces_free(none);
	trace_clear(&steps);
	trace_clear(&large);
}
END_TEST

static const struct {
	const char *name;
	enum policy_certs certs;
	enum policy_treatment treatment;
	enum policy_strength strength;
	bool signer, temp, waited, pending;
	bool kept, told; /* told: the relay gets its id */
} cases[] = {
    {"usable, known", POLICY_CERTS_USABLE, POLICY_SEAL, POLICY_REQUIRE, true, .kept = false},
    {"usable, asked", POLICY_CERTS_USABLE, POLICY_SEAL, POLICY_REQUIRE, true, .waited = true, .kept = true},
    {"none, must be", POLICY_CERTS_NONE, POLICY_SEAL, POLICY_REQUIRE, true, .kept = true, .told = true},
    {"none, may be", POLICY_CERTS_NONE, POLICY_SEAL, POLICY_PREFER, true, .kept = false},
    {"none, may be, asked", POLICY_CERTS_NONE, POLICY_SEAL, POLICY_PREFER, true, .waited = true, .kept = true},
    {"uncertain", POLICY_CERTS_UNCERTAIN, POLICY_SEAL, POLICY_PREFER, true, .kept = true, .told = true},
    {"no signer", POLICY_CERTS_USABLE, POLICY_SEAL, POLICY_REQUIRE, false, .kept = true, .told = true},
    {"store away", POLICY_CERTS_UNCERTAIN, POLICY_SEAL, POLICY_PREFER, false, .temp = true, .kept = true,
	.told = true},
    {"tls, refused by the relay", POLICY_CERTS_NONE, POLICY_TLS, POLICY_REQUIRE, true, .kept = false},
    {"no answer yet", POLICY_CERTS_NONE, POLICY_SEAL, POLICY_REQUIRE, true, .pending = true, .kept = false},
};

START_TEST(who_gets_one)
{
	struct judge_world w = {.traces = judge_traces_new(10, 1 << 20)};
	struct trace steps = two_steps();
	struct source_run run = {
	    .trace = &steps, .now = 1000, .began = 990, .waited = cases[_i].waited, .pending = cases[_i].pending};
	static struct judge_verdict v;

	log_init("test", LOG_LEVEL_ERROR);
	memset(&v, 0, sizeof v);
	v.treatment = v.any_treatment = (uint8_t)cases[_i].treatment;
	v.strength = v.any_strength = (uint8_t)cases[_i].strength;
	v.certs = (uint8_t)cases[_i].certs;
	v.have_signer = cases[_i].signer;
	v.temp = cases[_i].temp;
	judge_log_certs(&w, &run, &rq, &v);
	ck_assert_msg((judge_traces_at(w.traces, 0) != NULL) == cases[_i].kept, "%s", cases[_i].name);
	ck_assert_msg((v.trace[0] != '\0') == cases[_i].told, "%s: %s", cases[_i].name, v.trace);
	if (cases[_i].told)
		ck_assert_str_eq(v.trace, judge_traces_at(w.traces, 0)->id);
	judge_log_certs(&w, NULL, &rq, &v);
	ck_assert_ptr_null(judge_traces_at(w.traces, 1));
	judge_traces_free(w.traces);
	trace_clear(&steps);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_traces");
	TCase *t = tcase_create("judge_traces");

	tcase_add_test(t, number);
	tcase_add_test(t, same);
	tcase_add_test(t, octets);
	tcase_add_loop_test(t, who_gets_one, 0, sizeof cases / sizeof *cases);
	suite_add_tcase(s, t);
	return suite_run(s);
}
