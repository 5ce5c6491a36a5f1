/* Whom to believe: paths, anchors, time, use, strength, binding. */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/trust.h"
#include "tests/unit/suite.h"
#include "tests/unit/testcert.h"

static struct testcert root, inter, leaf, other_root;
static struct address bob;

static struct testcert issue(const struct testcert *by, struct testcert_spec s)
{
	s.issuer = by->x;
	s.issuer_key = by->key;
	if (!s.san)
		s.san = "DNS:lab.example";
	return testcert_make(&s);
}

static void setup(void)
{
	root = testcert_ca("root", NULL);
	other_root = testcert_ca("other root", NULL);
	inter = testcert_ca("inter", &root);
	leaf = issue(&inter, (struct testcert_spec){.cn = "leaf"});
	bob = (struct address){.local = "bob", .domain = "lab.example"};
}

static void teardown(void)
{
	testcert_free(&root);
	testcert_free(&other_root);
	testcert_free(&inter);
	testcert_free(&leaf);
}

static char why[700];

static enum trust_result check(
    const struct testcert *c, const struct testcert *anchor, X509 *extra, enum cert_purpose use, int64_t at)
{
	struct store_anchor an = {.der = anchor ? anchor->der : NULL, .der_len = anchor ? anchor->n : 0};
	X509 *list[1] = {extra};
	struct trust_question q = {.who = &bob,
	    .use = use,
	    .anchors = &an,
	    .nanchors = anchor ? 1 : 0,
	    .extra = list,
	    .nextra = extra ? 1 : 0,
	    .at = at};

	why[0] = 0;
	return trust_check(c->x, &q, why, sizeof why);
}

static enum trust_result check_pinned(const struct testcert *c, enum cert_purpose use, int64_t at)
{
	struct trust_question q = {.who = &bob, .use = use, .pinned = true, .at = at};

	return trust_check(c->x, &q, why, sizeof why);
}

#define GOOD(e) ck_assert_msg((e) == TRUST_GOOD, "%s", why)
#define BAD(e, words)                                                                                                \
	do {                                                                                                         \
		ck_assert_msg((e) == TRUST_BAD, "%s", why);                                                          \
		ck_assert_msg(strstr(why, words) != NULL, "\"%s\" has no \"%s\"", why, words);                       \
		ck_assert_msg(strstr(why, "serial") != NULL && strstr(why, "valid 20") != NULL, "%s", why);          \
	} while (0)

START_TEST(anchors)
{
	GOOD(check(&leaf, &root, inter.x, CERT_TO_SIGN, TESTCERT_NOW));
	ck_assert_msg(strstr(why, "CN=root") != NULL, "%s", why);
	GOOD(check(&leaf, &root, inter.x, CERT_TO_ENCRYPT, TESTCERT_NOW));
	GOOD(check(&leaf, &inter, NULL, CERT_TO_SIGN, TESTCERT_NOW)); /* an intermediate as the anchor */
	GOOD(check(&leaf, &leaf, NULL, CERT_TO_SIGN, TESTCERT_NOW));  /* the leaf itself */
	BAD(check(&leaf, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "no anchor leads to it");
	BAD(check(&leaf, &other_root, inter.x, CERT_TO_SIGN, TESTCERT_NOW), "no anchor leads to it");
	BAD(check(&leaf, NULL, inter.x, CERT_TO_SIGN, TESTCERT_NOW), "no anchor leads to it");
	ck_assert_msg(strstr(why, "CN=root") != NULL, "the missing issuer is named: %s", why);
}
END_TEST

/* What the message brings along is no anchor, be it a root. */
START_TEST(extra_is_not_trusted)
{
	struct testcert own = issue(&other_root, (struct testcert_spec){.cn = "leaf of other"});
	struct testcert self = testcert_make(&(struct testcert_spec){.cn = "self", .san = "DNS:lab.example"});

	BAD(check(&own, &root, other_root.x, CERT_TO_SIGN, TESTCERT_NOW), "no anchor leads to it");
	BAD(check(&self, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "self-signed");
	BAD(check(&self, &root, self.x, CERT_TO_SIGN, TESTCERT_NOW), "self-signed");
	GOOD(check(&self, &self, NULL, CERT_TO_SIGN, TESTCERT_NOW));
	testcert_free(&own);
	testcert_free(&self);
}
END_TEST

/* An anchor of the same name and another key vouches for nobody. */
START_TEST(same_name_other_key)
{
	struct testcert fake = testcert_ca("root", NULL);

	ck_assert_int_eq(check(&leaf, &fake, inter.x, CERT_TO_SIGN, TESTCERT_NOW), TRUST_BAD);
	testcert_free(&fake);
}
END_TEST

START_TEST(times)
{
	struct testcert old_root = testcert_make(&(struct testcert_spec){.cn = "old root",
	    .ku = "keyCertSign",
	    .eku = "",
	    .constraints = "critical,CA:TRUE",
	    .until = TESTCERT_FROM + 1000});
	struct testcert c = issue(&old_root, (struct testcert_spec){.cn = "c"});

	GOOD(check(&leaf, &root, inter.x, CERT_TO_SIGN, TESTCERT_FROM));
	GOOD(check(&leaf, &root, inter.x, CERT_TO_SIGN, TESTCERT_UNTIL - 1));
	BAD(check(&leaf, &root, inter.x, CERT_TO_SIGN, TESTCERT_FROM - 1), "not valid before 2026-01-01");
	BAD(check(&leaf, &root, inter.x, CERT_TO_SIGN, TESTCERT_UNTIL), "ran out on 2028-01-01");
	GOOD(check(&c, &old_root, NULL, CERT_TO_SIGN, TESTCERT_FROM + 10));
	BAD(check(&c, &old_root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "CN=old root");
	testcert_free(&old_root);
	testcert_free(&c);
}
END_TEST

START_TEST(uses)
{
	struct testcert sign = issue(&root, (struct testcert_spec){.ku = "digitalSignature"});
	struct testcert enc = issue(&root, (struct testcert_spec){.ku = "keyAgreement"});
	struct testcert tls = issue(&root, (struct testcert_spec){.eku = "serverAuth"});

	GOOD(check(&sign, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW));
	BAD(check(&sign, &root, NULL, CERT_TO_ENCRYPT, TESTCERT_NOW), "does not allow encrypting");
	GOOD(check(&enc, &root, NULL, CERT_TO_ENCRYPT, TESTCERT_NOW));
	BAD(check(&enc, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "does not allow signing");
	BAD(check(&tls, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "emailProtection");
	BAD(check_pinned(&sign, CERT_TO_ENCRYPT, TESTCERT_NOW), "does not allow encrypting");
	BAD(check_pinned(&tls, CERT_TO_SIGN, TESTCERT_NOW), "emailProtection");
	testcert_free(&sign);
	testcert_free(&enc);
	testcert_free(&tls);
}
END_TEST

START_TEST(strength)
{
	struct testcert weak = issue(&root, (struct testcert_spec){.rsa = 1024});
	struct testcert sha1 = issue(&root, (struct testcert_spec){.digest = "SHA1"});
	struct testcert weak_ca = testcert_make(&(struct testcert_spec){.cn = "weak ca",
	    .rsa = 1024,
	    .ku = "keyCertSign",
	    .eku = "",
	    .constraints = "CA:TRUE",
	    .issuer = root.x,
	    .issuer_key = root.key});
	struct testcert below = issue(&weak_ca, (struct testcert_spec){.cn = "below"});
	struct testcert sha1_root = testcert_make(&(struct testcert_spec){
	    .cn = "sha1 root", .digest = "SHA1", .ku = "keyCertSign", .eku = "", .constraints = "CA:TRUE"});
	struct testcert under = issue(&sha1_root, (struct testcert_spec){.cn = "under"});

	BAD(check(&weak, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "1024 bits");
	BAD(check_pinned(&weak, CERT_TO_SIGN, TESTCERT_NOW), "1024 bits");
	BAD(check(&sha1, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "signed with SHA1");
	BAD(check_pinned(&sha1, CERT_TO_SIGN, TESTCERT_NOW), "signed with SHA1");
	ck_assert_int_eq(check(&below, &root, weak_ca.x, CERT_TO_SIGN, TESTCERT_NOW), TRUST_BAD);
	ck_assert_int_eq(check(&below, &weak_ca, NULL, CERT_TO_SIGN, TESTCERT_NOW), TRUST_BAD);
	GOOD(check(
	    &under, &sha1_root, NULL, CERT_TO_SIGN, TESTCERT_NOW)); /* nobody checks an anchor's own signature */
	testcert_free(&weak);
	testcert_free(&sha1);
	testcert_free(&weak_ca);
	testcert_free(&below);
	testcert_free(&sha1_root);
	testcert_free(&under);
}
END_TEST

START_TEST(issuers)
{
	struct testcert no_ca = issue(&root, (struct testcert_spec){.cn = "no ca"});
	struct testcert below = issue(&no_ca, (struct testcert_spec){.cn = "below"});
	struct testcert tls_ca = testcert_make(&(struct testcert_spec){.cn = "tls ca",
	    .ku = "keyCertSign",
	    .eku = "serverAuth",
	    .constraints = "critical,CA:TRUE",
	    .issuer = root.x,
	    .issuer_key = root.key});
	struct testcert mail = issue(&tls_ca, (struct testcert_spec){.cn = "mail"});
	struct testcert path0 = testcert_make(&(struct testcert_spec){.cn = "pathlen 0",
	    .ku = "keyCertSign",
	    .eku = "",
	    .constraints = "critical,CA:TRUE,pathlen:0",
	    .issuer = root.x,
	    .issuer_key = root.key});
	struct testcert below0 = testcert_ca("below 0", &path0);
	struct testcert deep = issue(&below0, (struct testcert_spec){.cn = "deep"});
	X509 *both[] = {path0.x, below0.x};
	struct store_anchor an = {.der = root.der, .der_len = root.n};
	struct trust_question q = {.who = &bob,
	    .use = CERT_TO_SIGN,
	    .anchors = &an,
	    .nanchors = 1,
	    .extra = both,
	    .nextra = 2,
	    .at = TESTCERT_NOW};

	ck_assert_int_eq(check(&below, &root, no_ca.x, CERT_TO_SIGN, TESTCERT_NOW), TRUST_BAD);
	BAD(check(&mail, &root, tls_ca.x, CERT_TO_SIGN, TESTCERT_NOW), "may not issue certificates for mail");
	ck_assert_int_eq(trust_check(deep.x, &q, why, sizeof why), TRUST_BAD);
	testcert_free(&no_ca);
	testcert_free(&below);
	testcert_free(&tls_ca);
	testcert_free(&mail);
	testcert_free(&path0);
	testcert_free(&below0);
	testcert_free(&deep);
}
END_TEST

/* Five certificates with leaf and anchor are a path, six are not. */
START_TEST(path_length)
{
	enum { CAS = TRUST_PATH_MAX + 1 };
	struct testcert ca[CAS];
	X509 *extra[CAS];
	struct store_anchor an;
	struct trust_question q = {
	    .who = &bob, .use = CERT_TO_SIGN, .anchors = &an, .nanchors = 1, .extra = extra, .at = TESTCERT_NOW};

	ca[0] = testcert_ca("ca 0", NULL);
	an = (struct store_anchor){.der = ca[0].der, .der_len = ca[0].n};
	for (int i = 1; i < CAS; i++) {
		char name[] = "ca 0";

		name[3] = (char)('0' + i);
		ca[i] = testcert_ca(name, &ca[i - 1]);
		extra[q.nextra++] = ca[i].x;
	}
	for (int i = 0; i < CAS; i++) {
		struct testcert c = issue(&ca[i], (struct testcert_spec){.cn = "leaf"});
		enum trust_result r = trust_check(c.x, &q, why, sizeof why);

		/* leaf + ca[i]..ca[0] */
		ck_assert_msg(r == (i + 2 <= TRUST_PATH_MAX ? TRUST_GOOD : TRUST_BAD), "%d: %s", i, why);
		testcert_free(&c);
	}
	for (int i = 0; i < CAS; i++)
		testcert_free(&ca[i]);
}
END_TEST

/* An issuer that demands a policy (RFC 5280 4.2.1.11) gets its way; policies that nobody demands hinder nobody. */
START_TEST(policies)
{
	static const struct {
		const char *ca, *demand, *leaf;
		enum trust_result want;
	} cases[] = {
	    {NULL, NULL, NULL, TRUST_GOOD},
	    {"1.2.3.4", NULL, NULL, TRUST_GOOD},
	    {"1.2.3.4", NULL, "1.2.3.5", TRUST_GOOD},
	    {"1.2.3.4", "critical,requireExplicitPolicy:0", "1.2.3.4", TRUST_GOOD},
	    {"2.5.29.32.0", "critical,requireExplicitPolicy:0", "1.2.3.5", TRUST_GOOD},
	    {"1.2.3.4", "critical,requireExplicitPolicy:0", "1.2.3.5", TRUST_BAD},
	    {"1.2.3.4", "critical,requireExplicitPolicy:0", NULL, TRUST_BAD},
	    {NULL, "critical,requireExplicitPolicy:0", "1.2.3.4", TRUST_BAD},
	};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		struct testcert ca = testcert_make(&(struct testcert_spec){.cn = "ca",
		    .ku = "critical,keyCertSign,cRLSign",
		    .eku = "",
		    .constraints = "critical,CA:TRUE",
		    .policies = cases[i].ca,
		    .policy_demand = cases[i].demand,
		    .issuer = root.x,
		    .issuer_key = root.key});
		struct testcert c = issue(&ca, (struct testcert_spec){.cn = "leaf", .policies = cases[i].leaf});
		enum trust_result r = check(&c, &root, ca.x, CERT_TO_SIGN, TESTCERT_NOW);

		ck_assert_msg(r == cases[i].want, "%zu: %s", i, why);
		if (r == TRUST_BAD)
			ck_assert_msg(strstr(why, "demands a certificate policy") != NULL, "%zu: %s", i, why);
		testcert_free(&c);
		testcert_free(&ca);
	}
}
END_TEST

START_TEST(binding)
{
	struct testcert alien = issue(&root, (struct testcert_spec){.cn = "alien", .san = "DNS:other.example"});
	struct testcert expired =
	    issue(&root, (struct testcert_spec){.san = "DNS:other.example", .until = TESTCERT_NOW - 1});

	ck_assert_int_eq(check(&alien, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), TRUST_UNBOUND);
	ck_assert_msg(strstr(why, "bob@lab.example") && strstr(why, "dns:other.example"), "%s", why);
	GOOD(check_pinned(&alien, CERT_TO_SIGN, TESTCERT_NOW));
	ck_assert_msg(strstr(why, "pinned") != NULL, "%s", why);
	BAD(check_pinned(&expired, CERT_TO_SIGN, TESTCERT_NOW), "ran out");
	BAD(check(&expired, &root, NULL, CERT_TO_SIGN, TESTCERT_NOW), "ran out");
	testcert_free(&alien);
	testcert_free(&expired);
}
END_TEST

/* A certificate of two lies: the extra one has the leaf's issuer name and another key. */
START_TEST(wrong_signature)
{
	struct testcert fake_inter = testcert_ca("inter", &root);

	ck_assert_int_eq(check(&leaf, &root, fake_inter.x, CERT_TO_SIGN, TESTCERT_NOW), TRUST_BAD);
	testcert_free(&fake_inter);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("trust");
	TCase *t = tcase_create("trust");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, anchors);
	tcase_add_test(t, extra_is_not_trusted);
	tcase_add_test(t, same_name_other_key);
	tcase_add_test(t, times);
	tcase_add_test(t, uses);
	tcase_add_test(t, strength);
	tcase_add_test(t, issuers);
	tcase_add_test(t, path_length);
	tcase_add_test(t, policies);
	tcase_add_test(t, binding);
	tcase_add_test(t, wrong_signature);
	suite_add_tcase(s, t);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
