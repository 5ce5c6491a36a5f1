/* Which recipients a message is too large for: at RCPT by its SIZE, and by what the sealer made of it. */
#include "gateway/proc/relay_partly.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/policy/policy.h"
#include "tests/unit/suite.h"

static const struct {
	const char *what;
	uint64_t max, size;
	bool sealed;
	uint8_t exempt, any_exempt;
	bool refused;
} sizes[] = {
    {"no statement", 0, 1 << 30, true, 0, 0, false},
    {"no SIZE", 1000, 0, true, 0, 0, false},
    {"it fits", 1000, 1000, false, 0, 0, false},
    {"too large as it is", 1000, 1001, false, 0, 0, true},
    {"it fits when encrypted", 1000, 750, true, 0, 0, false},
    {"too large when encrypted", 1000, 751, true, 0, 0, true},
    {"the rule may let it go unencrypted", 1000, 751, true, POLICY_EXEMPT_CALENDAR, 0, false},
    {"another author's rule may", 1000, 751, true, 0, POLICY_EXEMPT_CALENDAR, false},
    {"too large then as well", 1000, 1001, true, POLICY_EXEMPT_CALENDAR, 0, true},
    {"no overflow", UINT64_MAX, UINT64_MAX, false, 0, 0, false},
    {"none in encrypting", UINT64_MAX - 1, UINT64_MAX, true, 0, 0, true},
};

START_TEST(at_rcpt)
{
	struct judge_verdict v = {
	    .octets_max = sizes[_i].max, .exempt = sizes[_i].exempt, .any_exempt = sizes[_i].any_exempt};
	struct problem pr = {0};

	ck_assert_msg(relay_partly_too_large(&v, "bob@small.example", sizes[_i].size, sizes[_i].sealed, &pr) ==
			  sizes[_i].refused,
	    "%s", sizes[_i].what);
	if (!sizes[_i].refused)
		return;
	ck_assert(pr.cls == PROBLEM_PERM && pr.code == 552 && strcmp(pr.enh, "5.3.4") == 0);
	ck_assert_ptr_nonnull(strstr(pr.text, "the gateway of small.example takes messages of at most "));
	ck_assert((strstr(pr.text, "a third more when it is encrypted") != NULL) ==
		  (sizes[_i].sealed && !sizes[_i].exempt && !sizes[_i].any_exempt));
}
END_TEST

/* What goes out stands first, with its own content; NULL where all does. */
START_TEST(order)
{
	struct job_result *res = calloc(1, sizeof(*res));
	struct spool *outs[JOB_VERDICTS_MAX];
	struct relay_partly *p;

	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++)
		outs[i] = (struct spool *)(res + i); /* nobody looks inside */
	res->noutputs = 4;
	for (size_t i = 0; i < 4; i++)
		snprintf(res->outputs[i].treatment, sizeof(res->outputs[i].treatment), "%zu", i);
	ck_assert_ptr_null(relay_partly_new(res, outs));
	strcpy(res->outputs[0].refused, "5.3.4");
	strcpy(res->outputs[2].refused, "5.3.4");
	p = relay_partly_new(res, outs);
	ck_assert_ptr_nonnull(p);
	ck_assert(p->res.noutputs == 2 && p->nrefused == 2);
	for (size_t i = 0; i < 4; i++) {
		static const size_t want[] = {1, 3, 0, 2};

		ck_assert_int_eq(p->res.outputs[i].treatment[0], '0' + (int)want[i]);
		ck_assert_ptr_eq(p->outs[i], outs[want[i]]);
	}
	free(p);
	free(res);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_partly");
	TCase *tc = tcase_create("all");

	tcase_add_loop_test(tc, at_rcpt, 0, (int)(sizeof(sizes) / sizeof(sizes[0])));
	tcase_add_test(tc, order);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
