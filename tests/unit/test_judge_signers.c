/* Whose signature is believed for which author. */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/proc/judge_signers.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

static struct judge_fixture fx;
static struct judge_trust t;
static struct testcert root, inter, lab;

static struct testcert issue(const struct testcert *by, struct testcert_spec s)
{
	s.issuer = by->x;
	s.issuer_key = by->key;
	return testcert_make(&s);
}

static void setup(void)
{
	judge_fixture_start(&fx);
	root = testcert_ca("root", NULL);
	inter = testcert_ca("inter", &root);
	lab = issue(&inter, (struct testcert_spec){.cn = "lab", .san = "DNS:lab.example", .ski = true});
}

static void teardown(void)
{
	testcert_free(&root);
	testcert_free(&inter);
	testcert_free(&lab);
	judge_fixture_end(&fx);
}

static uint8_t ask_at(const char *from, const struct testcert *c, const struct testcert *extra, int64_t now)
{
	struct judge_signers rq = {.our_domain = "hospital.example", .n = 1, .v = {{.cert = {c->der, c->n}}}};

	memcpy(rq.from, from, strlen(from) + 1);
	if (extra) {
		rq.extra[0] = (struct judge_octets){extra->der, extra->n};
		rq.nextra = 1;
	}
	judge_signers(fx.s, &fx.w, NULL, &rq, now, NULL, &t);
	ck_assert_uint_eq(t.n, 1);
	ck_assert(t.v[0].why[0]);
	return t.v[0].state;
}

static uint8_t ask(const char *from, const struct testcert *c, const struct testcert *extra)
{
	return ask_at(from, c, extra, TESTCERT_NOW);
}

#define STATE(e, want) ck_assert_msg((e) == (want), "%d: %s", t.v[0].state, t.v[0].why)

START_TEST(by_anchor)
{
	STATE(ask("bob@lab.example", &lab, &inter), JUDGE_TRUST_UNTRUSTED);
	judge_fixture_anchor(&fx, "*", STORE_OUT, &root); /* whom we encrypt to: not whom we believe */
	STATE(ask("bob@lab.example", &lab, &inter), JUDGE_TRUST_UNTRUSTED);
	judge_fixture_anchor(&fx, "other.example", STORE_IN, &root);
	STATE(ask("bob@lab.example", &lab, &inter), JUDGE_TRUST_UNTRUSTED);
	judge_fixture_anchor(&fx, "lab.example", STORE_IN, &root);
	STATE(ask("bob@lab.example", &lab, &inter), JUDGE_TRUST_GOOD);
	ck_assert_str_eq(t.v[0].sha256, lab.sha256);
	ck_assert_msg(strstr(t.v[0].why, "CN=lab, serial") && strstr(t.v[0].why, "CN=root"), "%s", t.v[0].why);
	STATE(ask("Bob <bob@lab.example>", &lab, &inter),
	    JUDGE_TRUST_UNBOUND); /* not an address: nobody to speak for */
	STATE(ask("", &lab, &inter), JUDGE_TRUST_UNBOUND);
	/* Without the intermediate there is no path, and the earlier answer is not taken for this one. */
	STATE(ask("bob@lab.example", &lab, NULL), JUDGE_TRUST_UNTRUSTED);
	STATE(ask("bob@lab.example", &lab, &inter), JUDGE_TRUST_GOOD);
	STATE(ask("bob@second-lab.example", &lab, &inter),
	    JUDGE_TRUST_UNTRUSTED); /* the anchor is lab.example's alone */
	judge_fixture_anchor(&fx, "*", STORE_BOTH, &root);
	STATE(ask("bob@second-lab.example", &lab, &inter), JUDGE_TRUST_UNBOUND);
	STATE(ask_at("bob@lab.example", &lab, &inter, TESTCERT_UNTIL - 1), JUDGE_TRUST_GOOD);
	STATE(ask_at("bob@lab.example", &lab, &inter, TESTCERT_UNTIL),
	    JUDGE_TRUST_EXPIRED); /* kept answers end with the certificate */
}
END_TEST

/* Expired is what would be good but for the time; the signer's own clock makes nothing good. */
START_TEST(by_time)
{
	static const struct {
		const char *from;
		int64_t signed_at, now;
		bool anchor;
		uint8_t want;
		const char *says;
	} v[] = {
	    {"bob@lab.example", 0, TESTCERT_UNTIL + 9, true, JUDGE_TRUST_EXPIRED, "ran out on"},
	    {"bob@lab.example", TESTCERT_NOW, TESTCERT_UNTIL + 9, true, JUDGE_TRUST_EXPIRED, "signer's own word"},
	    {"bob@lab.example", TESTCERT_UNTIL + 1, TESTCERT_UNTIL + 9, true, JUDGE_TRUST_EXPIRED, "ran out on"},
	    {"bob@lab.example", TESTCERT_NOW, TESTCERT_UNTIL + 9, false, JUDGE_TRUST_UNTRUSTED, "ran out on"},
	    {"bob@other.example", TESTCERT_NOW, TESTCERT_UNTIL + 9, true, JUDGE_TRUST_UNTRUSTED, "ran out on"},
	    {"bob@lab.example", TESTCERT_NOW, 1000, true, JUDGE_TRUST_UNTRUSTED, "not valid before"},
	    {"bob@lab.example", 1, TESTCERT_NOW, true, JUDGE_TRUST_GOOD, "CN=root"},
	};

	for (size_t round = 0; round < 2; round++) /* without the anchor, then with it */
		for (size_t i = 0; i < sizeof v / sizeof *v; i++) {
			struct judge_signers rq = {.our_domain = "hospital.example",
			    .n = 1,
			    .v = {{.cert = {lab.der, lab.n}, .signing_time = v[i].signed_at}},
			    .nextra = 1,
			    .extra = {{inter.der, inter.n}}};

			if (v[i].anchor != (round == 1))
				continue;
			memcpy(rq.from, v[i].from, strlen(v[i].from) + 1);
			judge_signers(fx.s, &fx.w, NULL, &rq, v[i].now, NULL, &t);
			ck_assert_msg(t.v[0].state == v[i].want && strstr(t.v[0].why, v[i].says), "%zu: %d %s", i,
			    t.v[0].state, t.v[0].why);
			if (round == 0)
				judge_fixture_anchor(&fx, "*", STORE_BOTH, &root);
		}
}
END_TEST

/* A whole chain in the message, root and all, is its maker's word alone, whatever names it has. */
START_TEST(self_made_chain)
{
	struct testcert fake = testcert_ca("root", NULL);
	struct testcert evil = issue(&fake, (struct testcert_spec){.cn = "lab", .san = "DNS:lab.example"});

	judge_fixture_anchor(&fx, "*", STORE_IN, &root);
	STATE(ask("bob@lab.example", &evil, &fake), JUDGE_TRUST_UNTRUSTED);
	ck_assert_msg(strstr(t.v[0].why, "CN=lab"), "%s", t.v[0].why);
	STATE(ask("bob@lab.example", &fake, &fake), JUDGE_TRUST_UNTRUSTED);
	testcert_free(&evil);
	testcert_free(&fake);
}
END_TEST

/* What a signer without a certificate says of it: issuer and serial, or the key identifier. Freed by the caller. */
static struct judge_signer_id id_of(const struct testcert *c, bool ski)
{
	const ASN1_OCTET_STRING *key = X509_get0_subject_key_id(c->x);
	struct judge_signer_id id = {0};
	unsigned char *p = NULL;
	int n;

	if (ski) {
		ck_assert_ptr_nonnull(key);
		id.ski = (struct judge_octets){ASN1_STRING_get0_data(key), (size_t)ASN1_STRING_length(key)};
		return id;
	}
	n = i2d_X509_NAME(X509_get_issuer_name(c->x), &p);
	id.issuer = (struct judge_octets){p, (size_t)n};
	p = NULL;
	n = i2d_ASN1_INTEGER(X509_get0_serialNumber(c->x), &p);
	id.serial = (struct judge_octets){p, (size_t)n};
	return id;
}

static void ask_named(const char *from, const struct testcert *c, bool ski, struct arena *a)
{
	struct judge_signers rq = {.our_domain = "hospital.example", .n = 1, .v = {{.id = id_of(c, ski)}}};

	memcpy(rq.from, from, strlen(from) + 1);
	judge_signers(fx.s, &fx.w, NULL, &rq, TESTCERT_NOW, a, &t);
	ck_assert_uint_eq(t.n, 1);
	ck_assert_str_eq(t.v[0].sha256, "");
	ck_assert_uint_eq(t.v[0].state, JUDGE_TRUST_UNTRUSTED);
	ck_assert_msg(strstr(t.v[0].why, "not in the message, and none that is known here for "), "%s", t.v[0].why);
	if (!ski) {
		OPENSSL_free((void *)(uintptr_t)rq.v[0].id.issuer.p);
		OPENSSL_free((void *)(uintptr_t)rq.v[0].id.serial.p);
	}
}

/* A certificate that the message does not bring: the author's alone, weighed as ever. */
START_TEST(not_in_the_message)
{
	struct testcert same =
	    issue(&inter, (struct testcert_spec){.cn = "lab", .san = "DNS:lab.example", .ski = true, .key = lab.key});
	struct testcert ours = issue(&inter, (struct testcert_spec){.cn = "ours", .san = "DNS:hospital.example"});
	struct arena *a = arena_new(1 << 20);

	ask_named("bob@lab.example", &lab, false, a);
	ck_assert_uint_eq(t.nknown, 0);
	ck_assert_msg(
	    strstr(t.v[0].why, "lab.example has serial ") && strstr(t.v[0].why, "issuer CN=inter"), "%s", t.v[0].why);
	judge_fixture_cert(&fx, "lab.example", &lab, false);
	ask_named("bob@lab.example", &lab, false, a);
	ck_assert_uint_eq(t.nknown, 1);
	ck_assert_uint_eq(t.known[0].state, JUDGE_TRUST_UNTRUSTED);
	judge_fixture_cert(&fx, "lab.example", &same, true);
	for (int ski = 0; ski < 2; ski++) {
		ask_named("bob@lab.example", &same, ski, a);
		ck_assert_uint_eq(t.nknown, ski ? 2 : 1);
		ck_assert_uint_eq(t.known[0].cert.n, same.n); /* pinned first */
		ck_assert_mem_eq(t.known[0].cert.p, same.der, same.n);
		ck_assert_uint_eq(t.known[0].state, JUDGE_TRUST_GOOD);
		ck_assert_ptr_nonnull(strstr(t.known[0].why, "CN=lab"));
		/* it is nobody else's */
		ask_named("bob@other.example", &same, ski, a);
		ck_assert_uint_eq(t.nknown, 0);
	}
	/* a colleague's mail: our own signing certificates, and no partner's */
	judge_fixture_cert(&fx, "hospital.example", &lab, true);
	ask_named("a@hospital.example", &lab, false, a);
	ck_assert_uint_eq(t.nknown, 0);
	judge_fixture_identity(&fx, "hospital.example", STORE_SIGN, "k", &ours, true);
	ask_named("a@hospital.example", &ours, false, a);
	ck_assert_uint_eq(t.nknown, 1);
	ck_assert_uint_eq(t.known[0].state, JUDGE_TRUST_GOOD);
	arena_free(a);
	testcert_free(&same);
	testcert_free(&ours);
}
END_TEST

START_TEST(by_binding)
{
	struct testcert bob = issue(&root, (struct testcert_spec){.cn = "bob", .san = "email:bob@lab.example"});
	struct testcert office =
	    issue(&root, (struct testcert_spec){.cn = "office", .san = "email:domain-signing-authority@lab.example"});
	struct testcert wrong = issue(&root,
	    (struct testcert_spec){.cn = "wrong", .san = "email:domain-confidentiality-authority@lab.example"});
	struct testcert enc =
	    issue(&root, (struct testcert_spec){.cn = "enc", .san = "DNS:lab.example", .ku = "keyAgreement"});

	judge_fixture_anchor(&fx, "*", STORE_IN, &root);
	STATE(ask("bob@lab.example", &bob, NULL), JUDGE_TRUST_GOOD);
	STATE(ask("carol@lab.example", &bob, NULL), JUDGE_TRUST_UNBOUND);
	STATE(ask("carol@lab.example", &office, NULL), JUDGE_TRUST_GOOD);
	STATE(ask("carol@lab.example", &wrong, NULL), JUDGE_TRUST_UNBOUND);
	STATE(ask("carol@lab.example", &enc, NULL), JUDGE_TRUST_UNTRUSTED);
	ck_assert_msg(strstr(t.v[0].why, "does not allow signing"), "%s", t.v[0].why);
	testcert_free(&bob);
	testcert_free(&office);
	testcert_free(&wrong);
	testcert_free(&enc);
}
END_TEST

START_TEST(by_pin)
{
	struct testcert self = testcert_make(&(struct testcert_spec){.cn = "self", .san = "DNS:lab.example"});
	struct testcert twin = testcert_make(&(struct testcert_spec){.cn = "self", .san = "DNS:lab.example"});

	judge_fixture_cert(&fx, "lab.example", &self, false); /* imported, not pinned: no word for it */
	STATE(ask("bob@lab.example", &self, NULL), JUDGE_TRUST_UNTRUSTED);
	judge_fixture_cert(&fx, "lab.example", &self, true);
	STATE(ask("bob@lab.example", &self, NULL), JUDGE_TRUST_GOOD);
	STATE(ask("bob@lab.example", &twin, NULL), JUDGE_TRUST_UNTRUSTED);
	STATE(ask("bob@other.example", &self, NULL), JUDGE_TRUST_UNTRUSTED);
	judge_fixture_cert(&fx, "carol@other.example", &twin, true);
	STATE(ask("Carol@OTHER.example", &twin, NULL), JUDGE_TRUST_GOOD);
	STATE(ask("bob@other.example", &twin, NULL), JUDGE_TRUST_UNTRUSTED);
	testcert_free(&self);
	testcert_free(&twin);
}
END_TEST

/* From one of ours: only our own signing certificate, whatever a CA says. */
START_TEST(our_own)
{
	struct testcert own = testcert_make(
	    &(struct testcert_spec){.cn = "own", .san = "DNS:hospital.example", .ku = "digitalSignature"});
	struct testcert fake = issue(
	    &root, (struct testcert_spec){.cn = "fake", .san = "DNS:hospital.example,email:alice@hospital.example"});

	judge_fixture_anchor(&fx, "*", STORE_BOTH, &root);
	judge_fixture_cert(&fx, "hospital.example", &fake, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_SIGN, "k1", &own, true);
	judge_fixture_identity(&fx, "hospital.example", STORE_DECRYPT, "k2", &fake, true);
	STATE(ask("alice@hospital.example", &fake, NULL), JUDGE_TRUST_UNTRUSTED);
	ck_assert_msg(strstr(t.v[0].why, "is ours"), "%s", t.v[0].why);
	STATE(ask("alice@hospital.example", &own, NULL), JUDGE_TRUST_GOOD);
	STATE(ask("alice@second.example", &own, NULL), JUDGE_TRUST_UNTRUSTED);
	STATE(ask_at("alice@hospital.example", &own, NULL, TESTCERT_UNTIL), JUDGE_TRUST_EXPIRED);
	testcert_free(&own);
	testcert_free(&fake);
}
END_TEST

START_TEST(several)
{
	static const uint8_t junk[] = {0x30, 0x03, 1, 1, 0};
	struct judge_signers rq = {.from = "bob@lab.example",
	    .n = 3,
	    .v = {{.cert = {junk, sizeof junk}}, {.cert = {lab.der, lab.n}}, {.cert = {NULL, 0}}},
	    .nextra = 2,
	    .extra = {{junk, sizeof junk}, {inter.der, inter.n}}};

	judge_fixture_anchor(&fx, "*", STORE_IN, &root);
	judge_signers(fx.s, &fx.w, NULL, &rq, TESTCERT_NOW, NULL, &t);
	ck_assert_uint_eq(t.n, 3);
	ck_assert_int_eq(t.v[0].state, JUDGE_TRUST_UNTRUSTED);
	ck_assert_int_eq(t.v[1].state, JUDGE_TRUST_GOOD);
	ck_assert_int_eq(t.v[2].state, JUDGE_TRUST_UNTRUSTED);
	ck_assert(t.v[0].sha256[0] && t.v[0].why[0]);
}
END_TEST

static const char *const tables[] = {"cert", "anchor"};

START_TEST(store_away)
{
	char path[128], text[80];
	sqlite3 *db;

	(void)snprintf(path, sizeof path, "%s/store.db", fx.dir);
	(void)snprintf(text, sizeof text, "ALTER TABLE %s RENAME TO gone", tables[_i]);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(db, text, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	STATE(ask("bob@lab.example", &lab, &inter), JUDGE_TRUST_TEMP);
}
END_TEST

static Suite *suite(void)
{
	Suite *s = suite_create("judge_signers");
	TCase *c = tcase_create("judge_signers");

	tcase_set_timeout(c, 60);
	tcase_add_checked_fixture(c, setup, teardown);
	tcase_add_test(c, by_anchor);
	tcase_add_test(c, by_time);
	tcase_add_test(c, self_made_chain);
	tcase_add_test(c, not_in_the_message);
	tcase_add_test(c, by_binding);
	tcase_add_test(c, by_pin);
	tcase_add_test(c, our_own);
	tcase_add_test(c, several);
	tcase_add_loop_test(c, store_away, 0, 2);
	suite_add_tcase(s, c);
	return s;
}

int main(void)
{
	return suite_run(suite());
}
