/* Certificates to encrypt to are kept out of believed mail alone: which one, for whom, how many, and what they are
 * used for. */
#include "gateway/proc/judge_harvest.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_resolve.h"
#include "gateway/proc/judge_signers.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

#define NOW TESTCERT_NOW

static struct judge_fixture fx;
static struct testcert root, other, sign, enc, both, bob, strange;
static struct judge_trust trust;
static struct judge_verdict v;
static struct arena *arena;

static struct testcert issue(const struct testcert *by, const char *cn, const char *san, const char *ku)
{
	return testcert_make(
	    &(struct testcert_spec){.cn = cn, .san = san, .ku = ku, .issuer = by->x, .issuer_key = by->key});
}

static void setup(void)
{
	judge_fixture_start(&fx);
	arena = arena_new(1 << 20);
	root = testcert_ca("root", NULL);
	other = testcert_ca("other", NULL);
	sign = issue(&root, "sign", "DNS:lab.example", "digitalSignature");
	enc = issue(&root, "enc", "DNS:lab.example", "keyAgreement");
	both = issue(&root, "both", "DNS:lab.example", NULL);
	bob = issue(&root, "bob", "email:bob@lab.example", NULL);
	strange = issue(&other, "strange", "DNS:lab.example", NULL);
	judge_fixture_anchor(&fx, "*", STORE_BOTH, &root);
}

static void teardown(void)
{
	arena_free(arena);
	testcert_free(&root);
	testcert_free(&other);
	testcert_free(&sign);
	testcert_free(&enc);
	testcert_free(&both);
	testcert_free(&bob);
	testcert_free(&strange);
	judge_fixture_end(&fx);
}

static void mail(const char *from, const struct testcert *signer, const struct testcert *wants)
{
	struct judge_signers rq = {
	    .our_domain = "hospital.example", .n = 1, .v = {{.cert = {signer->der, signer->n}}}};

	if (wants)
		rq.v[0].enc = (struct judge_octets){wants->der, wants->n};
	memcpy(rq.from, from, strlen(from) + 1);
	judge_signers(fx.s, &fx.w, NULL, &rq, NOW, arena, &trust);
	judge_harvest(fx.s, &fx.w, NULL, &rq, &trust, NOW);
}

static const struct testcert *used(const char *recipient)
{
	const struct testcert *all[] = {&sign, &enc, &both, &bob, &strange};
	struct judge_resolve rq = {.sender = "alice@hospital.example"};

	memcpy(rq.recipient, recipient, strlen(recipient) + 1);
	ck_assert_msg(judge_resolve(fx.s, &fx.w, NULL, &rq, NOW, arena, &v) == 0, "%s", v.pr.text);
	for (size_t i = 0; v.certs == POLICY_CERTS_USABLE && i < 5; i++)
		if (v.rcpt_certs[0].n == all[i]->n && memcmp(v.rcpt_certs[0].p, all[i]->der, all[i]->n) == 0)
			return all[i];
	return NULL;
}

static size_t kept(const char *owner)
{
	struct store_cert *list;
	size_t n;

	ck_assert_int_eq(store_certs(fx.s, owner, &list, &n, NULL), 0);
	store_certs_free(list, n);
	return n;
}

START_TEST(which)
{
	static const struct {
		struct testcert *signer, *wants, *used;
	} t[] = {
	    {&sign, NULL, NULL},     /* may not be encrypted to */
	    {&sign, &enc, &enc},     /* the preference */
	    {&both, NULL, &both},    /* its own */
	    {&both, &enc, &enc},     /* the preference before its own */
	    {&sign, &strange, NULL}, /* not believed itself */
	    {&strange, &enc, NULL},  /* the signer is not believed */
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		teardown();
		setup();
		mail("ann@lab.example", t[i].signer, t[i].wants);
		ck_assert_msg(used("ann@lab.example") == t[i].used, "row %zu: %s", i, v.cert_why);
		ck_assert_msg(used("bob@lab.example") == t[i].used, "row %zu", i);
		ck_assert(used("ann@other.example") == NULL);
		ck_assert_uint_eq(kept("lab.example"), t[i].used ? 1 : 0);
		ck_assert(v.certs == POLICY_CERTS_NONE);
	}
}
END_TEST

START_TEST(for_the_person)
{
	mail("bob@lab.example", &bob, NULL);
	mail("bob@lab.example", &bob, NULL);
	ck_assert_uint_eq(kept("bob@lab.example"), 1);
	ck_assert(used("Bob@lab.example") == &bob && v.personal);
	ck_assert(used("ann@lab.example") == NULL);
	mail("ann@lab.example", &bob, NULL); /* another author than the certificate's */
	ck_assert_uint_eq(kept("ann@lab.example") + kept("lab.example"), 0);
	/* the admin's word for the domain is stronger */
	judge_fixture_cert(&fx, "lab.example", &strange, true);
	ck_assert(used("bob@lab.example") == &strange);
}
END_TEST

START_TEST(bounds)
{
	fx.w.harvest = false;
	mail("ann@lab.example", &both, NULL);
	ck_assert_uint_eq(kept("lab.example"), 0);
	fx.w.harvest = true;
	fx.w.harvest_max = 1;
	mail("bob@lab.example", &bob, NULL);
	mail("ann@lab.example", &both, NULL);
	ck_assert(kept("bob@lab.example") == 1 && kept("lab.example") == 0);
	fx.w.harvest_max = 2;
	for (int i = 0; i < JUDGE_HARVEST_OWNER_MAX + 2; i++) {
		struct testcert c = issue(&root, "again", "DNS:lab.example", NULL);

		mail("ann@lab.example", &c, NULL);
		testcert_free(&c);
	}
	ck_assert_uint_eq(kept("lab.example"), JUDGE_HARVEST_OWNER_MAX);
}
END_TEST

/* What ran out is as if it had never come: nobody chose it, and nobody's mail is refused for it. */
START_TEST(run_out)
{
	struct judge_resolve rq = {.sender = "alice@hospital.example", .recipient = "ann@lab.example"};

	mail("ann@lab.example", &both, NULL);
	ck_assert_int_eq(judge_resolve(fx.s, &fx.w, NULL, &rq, TESTCERT_UNTIL + 10, arena, &v), 0);
	ck_assert(v.certs == POLICY_CERTS_NONE);
}
END_TEST

/* What the admin imported is not changed by mail. */
START_TEST(of_the_admin)
{
	struct store_cert *list;
	size_t n;

	judge_fixture_cert(&fx, "lab.example", &both, true);
	mail("ann@lab.example", &both, NULL);
	ck_assert_int_eq(store_certs(fx.s, "lab.example", &list, &n, NULL), 0);
	ck_assert(n == 1 && list[0].pinned);
	ck_assert_str_eq(list[0].source, "test");
	store_certs_free(list, n);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("judge_harvest");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_test(tc, which);
	tcase_add_test(tc, for_the_person);
	tcase_add_test(tc, bounds);
	tcase_add_test(tc, run_out);
	tcase_add_test(tc, of_the_admin);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
