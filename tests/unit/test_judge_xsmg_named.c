/* What the network is asked because mail names a statement: by whose signature, and whether the mail was encrypted.
 */
#include "gateway/proc/judge_xsmg_relay.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "certstore/judge_xsmg_proto.h"
#include "gateway/proc/judge_xsmg_fetch.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/park_fixture.h"
#include "tests/unit/suite.h"

#define NAMED_ID "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
#define NAMED_URL "https://there.example/statement"
#define NOW 1800000000

static struct judge_fixture j;
static struct park_fixture p;
static char asked[1200]; /* names, each with its blank */

static int scout(void *ctx, uint32_t id, const struct source_ask *a)
{
	size_t n = strlen(asked);

	(void)ctx;
	(void)id;
	(void)snprintf(asked + n, sizeof asked - n, "%s ", a->name);
	return 0;
}

static void nothing(void)
{
}

static void setup(void)
{
	judge_fixture_start(&j);
	asked[0] = 0;
	park_fixture_start(&p, scout);
	j.w.find.tiers |= 1u << FIND_SMG;
	j.w.fetch = judge_xsmg_fetch_new(p.loop, &j.w, j.s, p.park, nothing, nothing);
}

static void teardown(void)
{
	judge_xsmg_fetch_free(j.w.fetch);
	park_fixture_end(&p);
	judge_fixture_end(&j);
}

START_TEST(named)
{
	static const struct {
		const char *domain;
		enum judge_xsmg_seen seen;
		bool verified;
		const char *asked;
	} v[] = {
	    {"a.example", JUDGE_XSMG_NAMED, false, "_smg.a.example "},
	    {"b.example", JUDGE_XSMG_NAMED, true, NAMED_URL " "},
	    /* nothing at once that would show that it was opened; of a stranger's words nothing at all */
	    {"c.example", JUDGE_XSMG_NAMED_INSIDE, true, ""},
	    {"d.example", JUDGE_XSMG_NAMED_INSIDE, false, ""},
	};

	for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
		struct judge_xsmg_note m = {
		    .seen = v[i].seen, .id = NAMED_ID, .words = NAMED_URL, .verified = v[i].verified};

		(void)snprintf(m.partner, sizeof m.partner, "%s", v[i].domain);
		asked[0] = 0;
		judge_xsmg_relay_note(&j.w, j.s, &m, NOW);
		ck_assert_str_eq(asked, v[i].asked);
	}
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_xsmg_named");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, named);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
