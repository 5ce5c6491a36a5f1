/* What a partner's reader can is taken from believed signers alone, only forward in time, and never below the floor;
 * how mail is then written. */
#include <check.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/cms/cms.h"
#include "gateway/cms/cms_caps.h"
#include "gateway/proc/judge_format.h"
#include "gateway/proc/judge_learn.h"
#include "gateway/proc/judge_resolve.h"
#include "gateway/proc/judge_signers.h"
#include "tests/unit/judge_fixture.h"
#include "tests/unit/suite.h"

#define NOW TESTCERT_NOW
#define HOUR 3600

static struct judge_fixture fx;
static struct testcert root, lab, lab2, bob, strange;
static struct buf caps;
static struct judge_verdict v;
static struct judge_trust trust; /* the answer to the last mail */
static struct arena *arena;

static struct testcert issue(const struct testcert *by, const char *cn, const char *san)
{
	return testcert_make(&(struct testcert_spec){.cn = cn, .san = san, .issuer = by->x, .issuer_key = by->key});
}

static void setup(void)
{
	struct testcert other;

	judge_fixture_start(&fx);
	arena = arena_new(1 << 20);
	buf_init(&caps, CMS_CAPS_DER_MAX);
	root = testcert_ca("root", NULL);
	other = testcert_ca("other", NULL);
	lab = issue(&root, "lab", "DNS:lab.example");
	lab2 = issue(&root, "lab two", "DNS:lab.example");
	bob = issue(&root, "bob", "email:bob@lab.example");
	strange = issue(&other, "not lab", "DNS:lab.example");
	judge_fixture_anchor(&fx, "*", STORE_BOTH, &root);
	judge_fixture_cert(&fx, "lab.example", &lab, false);
	testcert_free(&other);
}

static void teardown(void)
{
	buf_clear(&caps);
	arena_free(arena);
	testcert_free(&root);
	testcert_free(&lab);
	testcert_free(&lab2);
	testcert_free(&bob);
	testcert_free(&strange);
	judge_fixture_end(&fx);
}

/* A mail arrives at `now`, signed at `at` by c, and says these capabilities. */
static void mail_at(const char *from, const struct testcert *c, uint32_t has, int64_t at, int64_t now)
{
	struct judge_signers rq = {.our_domain = "hospital.example", .n = 1, .v = {{.cert = {c->der, c->n}}}};

	buf_reset(&caps);
	if (has)
		ck_assert_int_eq(cms_caps_write(has, &caps), 0);
	memcpy(rq.from, from, strlen(from) + 1);
	rq.v[0].caps = (struct judge_octets){caps.p, caps.len};
	rq.v[0].signing_time = at;
	judge_signers(fx.s, &fx.w, NULL, &rq, now, NULL, &trust);
	judge_learn(fx.s, &fx.w, &rq, &trust, now);
}

static void mail(const char *from, const struct testcert *c, uint32_t has, int64_t at)
{
	mail_at(from, c, has, at, NOW);
}

static const char *written_to(const char *recipient)
{
	static char text[FORMAT_TEXT_MAX];
	struct judge_resolve rq = {.sender = "alice@hospital.example"};

	memcpy(rq.recipient, recipient, strlen(recipient) + 1);
	ck_assert_msg(judge_resolve(fx.s, &fx.w, NULL, &rq, NOW, arena, &v) == 0, "%s", v.pr.text);
	format_print(&v.format, FORMAT_GIVEN(FORMAT_CIPHER) | FORMAT_GIVEN(FORMAT_KEY), text);
	return text;
}

static int64_t audit_rows(void)
{
	struct store_counts n;

	ck_assert_int_eq(store_count(fx.s, &n, NULL), 0);
	return n.audit;
}

static void entry(const char *domain, const char *format)
{
	struct store_partner p = {.domain = FIXTURE_STR(domain),
	    .treatment = FIXTURE_STR("seal"),
	    .strength = FIXTURE_STR("require"),
	    .format = FIXTURE_STR(format)};
	struct problem pr = {0};

	ck_assert_msg(store_partner_put(fx.s, &p, "test", &pr) == 0, "%s", pr.text);
}

#define GCM (CMS_CAPS_AES_256_GCM | CMS_CAPS_AES_256_CBC | CMS_CAPS_OAEP_SHA256)
#define DEFAULT "cipher=aes-256-cbc key=pkcs1"
#define LEARNED "cipher=aes-256-gcm key=oaep-sha256"

START_TEST(learned)
{
	int64_t before = audit_rows();
	struct store_audit *rows;
	struct problem pr = {0};
	size_t n;

	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT);
	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
	ck_assert_str_eq(written_to("bob@lab.example"), LEARNED);
	ck_assert_str_eq(written_to("ann@other.example"), DEFAULT);
	ck_assert_int_eq(audit_rows(), before + 1);
	ck_assert_msg(store_audit_list(fx.s, 0, 1, &rows, &n, &pr) == 0, "%s", pr.text);
	ck_assert_str_eq(rows[0].what, "capabilities.change");
	ck_assert_str_eq(rows[0].who, "mail");
	ck_assert_str_eq(rows[0].subject, "lab.example");
	ck_assert_ptr_nonnull(
	    strstr(rows[0].detail, "reads cipher=aes-256-gcm key=oaep-sha256, said on 2026-11-22T01:00:00Z "
				   "by CN=lab"));
	store_audit_free(rows, n);
}
END_TEST

/* ---- nothing that is not believed, and nothing that is not newer ---- */

START_TEST(not_believed)
{
	mail("ann@lab.example", &strange, GCM, NOW - HOUR);		       /* no path to an anchor */
	mail("ann@other.example", &lab, GCM, NOW - HOUR);		       /* speaks for somebody else */
	mail("ann@hospital.example", &lab, GCM, NOW - HOUR);		       /* claims to be one of us */
	mail("", &lab, GCM, NOW - HOUR);				       /* nobody */
	mail("ann@lab.example", &lab, 0, NOW - HOUR);			       /* says nothing */
	mail("ann@lab.example", &lab, GCM, 0);				       /* at no time */
	mail("ann@lab.example", &lab, GCM, NOW + 301);			       /* in the future */
	mail_at("ann@lab.example", &lab, GCM, NOW - HOUR, TESTCERT_UNTIL + 1); /* by a certificate that ran out */
	fx.w.learn = false;
	mail("ann@lab.example", &lab, GCM, NOW - HOUR); /* the admin does not want it */
	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT);
	fx.w.learn = true;
	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT); /* nothing was kept for later either */
	ck_assert_str_eq(written_to("ann@other.example"), DEFAULT);
}
END_TEST

START_TEST(malformed)
{
	static const uint8_t junk[] = {0x30, 0x03, 1, 2, 3};
	struct judge_signers rq = {.our_domain = "hospital.example",
	    .from = "ann@lab.example",
	    .n = 1,
	    .v = {{.cert = {lab.der, lab.n}, .caps = {junk, sizeof junk}, .signing_time = NOW - 1}}};
	struct judge_trust t;

	judge_signers(fx.s, &fx.w, NULL, &rq, NOW, NULL, &t);
	ck_assert_uint_eq(t.v[0].state, JUDGE_TRUST_GOOD);
	judge_learn(fx.s, &fx.w, &rq, &t, NOW);
	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT);
}
END_TEST

START_TEST(only_forward)
{
	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_CBC, NOW - 2 * HOUR); /* replayed */
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_CBC, NOW - HOUR);
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
	mail("ann@lab.example", &lab2, CMS_CAPS_AES_128_CBC, NOW - 3 * HOUR); /* by the key before */
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_CBC, NOW - 1800); /* a newer word counts, to less as well */
	ck_assert_str_eq(written_to("ann@lab.example"), "cipher=aes-128-cbc key=pkcs1");
	mail("ann@lab.example", &lab2, GCM, NOW - 60); /* and that of the new key */
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_CBC, NOW - 120);
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
}
END_TEST

/* The same said with every mail: the time moves on now and then, the log stays quiet, nobody's answers are dropped.
 */
START_TEST(said_again)
{
	struct store_caps *list;
	struct problem pr = {0};
	uint64_t version;
	int64_t rows;
	size_t n;

	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	rows = audit_rows();
	version = store_version(fx.s);
	for (int64_t at = NOW - HOUR; at <= NOW; at += 100)
		mail("ann@lab.example", &lab, GCM, at);
	ck_assert_int_eq(audit_rows(), rows);
	ck_assert(store_version(fx.s) == version);
	ck_assert_int_eq(store_caps(fx.s, "lab.example", &list, &n, &pr), 0);
	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(list[0].signing_time, NOW);
	store_caps_free(list, n);
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_CBC, NOW - 700); /* held back, and sent after them */
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
}
END_TEST

static bool in_use_is(uint32_t has)
{
	uint8_t h[32];
	char hex[65];

	buf_reset(&caps);
	ck_assert_int_eq(cms_caps_write(has, &caps), 0);
	ck_assert_int_eq(EVP_Digest(caps.p, caps.len, h, NULL, EVP_sha256(), NULL), 1);
	encode_hex(h, sizeof h, hex);
	return strcmp(hex, trust.v[0].caps) == 0;
}

/* What the relay may remember: mail that says what is in use need not be shown again, any other must be. */
START_TEST(what_is_in_use)
{
	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	ck_assert(in_use_is(GCM));
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_CBC, NOW - 2 * HOUR); /* replayed */
	ck_assert(in_use_is(GCM));
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_CBC, NOW - 60);
	ck_assert(in_use_is(CMS_CAPS_AES_128_CBC));
	mail("ann@other.example", &lab, GCM, NOW - 60); /* not believed */
	ck_assert_str_eq(trust.v[0].caps, "");
	mail("bob@lab.example", &bob, GCM, NOW + 1000); /* of nothing that is in use */
	ck_assert_str_eq(trust.v[0].caps, "");
}
END_TEST

/* One owner's signers are bounded. */
START_TEST(many_signers)
{
	struct store_caps *list;
	struct problem pr = {0};
	size_t n;

	for (int i = 0; i < STORE_CAPS_SIGNERS + 3; i++) {
		struct testcert c = issue(&root, "another", "DNS:lab.example");

		mail("ann@lab.example", &c, GCM, NOW - HOUR + i);
		testcert_free(&c);
	}
	ck_assert_int_eq(store_caps(fx.s, "lab.example", &list, &n, &pr), 0);
	ck_assert_uint_eq(n, STORE_CAPS_SIGNERS);
	ck_assert_int_eq(list[0].signing_time, NOW - HOUR + STORE_CAPS_SIGNERS + 2);
	store_caps_free(list, n);
}
END_TEST

/* Strangers whom an anchor vouches for push nobody out. */
START_TEST(full)
{
	fx.w.learn_max = 1;
	mail("ann@lab.example", &lab, CMS_CAPS_AES_128_GCM, NOW - HOUR);
	mail("bob@lab.example", &bob, GCM, NOW - HOUR);
	judge_fixture_cert(&fx, "bob@lab.example", &bob, false);
	ck_assert_str_eq(written_to("bob@lab.example"), DEFAULT);
	mail("ann@lab.example", &lab, GCM, NOW - 60);
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
	fx.w.learn_max = 2;
	mail("bob@lab.example", &bob, GCM, NOW - HOUR);
	ck_assert_str_eq(written_to("bob@lab.example"), LEARNED);
}
END_TEST

/* ---- whose reader ---- */

START_TEST(person_and_domain)
{
	mail("bob@lab.example", &bob, GCM, NOW - HOUR); /* a desktop: mail for bob is sealed to the gateway's key */
	ck_assert_str_eq(written_to("bob@lab.example"), DEFAULT);
	ck_assert(!v.personal);
	judge_fixture_cert(&fx, "bob@lab.example", &bob, false);
	ck_assert_str_eq(written_to("Bob@lab.example"), LEARNED);
	ck_assert(v.personal);
	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT);
}
END_TEST

/* What the domain's gateway reads says nothing about a desktop in it. */
START_TEST(gateway_and_desktop)
{
	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	judge_fixture_cert(&fx, "bob@lab.example", &bob, false);
	ck_assert_str_eq(written_to("bob@lab.example"), DEFAULT);
	entry("lab.example", "cipher=aes-192-gcm");
	ck_assert_str_eq(written_to("bob@lab.example"), DEFAULT);
	ck_assert_str_eq(written_to("ann@lab.example"), "cipher=aes-192-gcm key=oaep-sha256");
	entry("bob@lab.example", "key=oaep-sha1");
	ck_assert_str_eq(written_to("bob@lab.example"), "cipher=aes-256-cbc key=oaep-sha1");
}
END_TEST

/* The default for everybody may be GCM; for a desktop that takes its own word, or the admin's. */
START_TEST(default_gcm)
{
	fx.w.format.cipher = CMS_AES_128_GCM;
	judge_fixture_cert(&fx, "bob@lab.example", &bob, false);
	ck_assert_str_eq(written_to("ann@lab.example"), "cipher=aes-128-gcm key=pkcs1");
	ck_assert_str_eq(written_to("bob@lab.example"), "cipher=aes-128-cbc key=pkcs1");
	mail("bob@lab.example", &bob, CMS_CAPS_AES_192_GCM, NOW - HOUR);
	ck_assert_str_eq(written_to("bob@lab.example"), "cipher=aes-192-gcm key=pkcs1");
}
END_TEST

START_TEST(pinned_person)
{
	judge_fixture_cert(&fx, "eve@lab.example", &strange, true); /* by name the domain's, pinned for one alone */
	mail("eve@lab.example", &strange, GCM, NOW - HOUR);
	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT);
	ck_assert_str_eq(written_to("eve@lab.example"), LEARNED);
}
END_TEST

/* ---- the admin's word ---- */

START_TEST(the_admin_first)
{
	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	entry("lab.example", "cipher=aes-128-cbc");
	ck_assert_str_eq(written_to("ann@lab.example"), "cipher=aes-128-cbc key=oaep-sha256");
	entry("ann@lab.example", "cipher=aes-192-cbc key=pkcs1 wrap=message triple=yes");
	ck_assert_str_eq(written_to("ann@lab.example"), "cipher=aes-192-cbc key=pkcs1");
	ck_assert(v.format.triple && v.format.wrap == FORMAT_WRAP_MESSAGE);
	ck_assert_str_eq(written_to("bob@lab.example"), "cipher=aes-128-cbc key=oaep-sha256");
	mail("ann@lab.example", &lab, GCM | CMS_CAPS_AES_128_GCM, NOW - 60); /* nothing from outside changes it */
	ck_assert_str_eq(written_to("bob@lab.example"), "cipher=aes-128-cbc key=oaep-sha256");
	entry("lab.example", "");
	ck_assert_str_eq(written_to("bob@lab.example"), LEARNED);
}
END_TEST

/* ---- the floor ---- */

static const struct {
	uint32_t has;
	unsigned bits;
	const char *want;
} floors[] = {
    {CMS_CAPS_AES_128_CBC, 128, "cipher=aes-128-cbc key=pkcs1"},
    {CMS_CAPS_AES_128_CBC, 192, DEFAULT},
    {CMS_CAPS_AES_128_GCM | CMS_CAPS_AES_256_CBC, 256, DEFAULT},
    {CMS_CAPS_AES_128_GCM | CMS_CAPS_AES_256_CBC, 128, "cipher=aes-128-gcm key=pkcs1"},
    {CMS_CAPS_AES_192_GCM | CMS_CAPS_OAEP_SHA1, 192, "cipher=aes-192-gcm key=oaep-sha1"},
    {CMS_CAPS_PSS, 128, DEFAULT},
    {CMS_CAPS_OAEP_SHA384, 128, DEFAULT},
};

START_TEST(never_below)
{
	fx.w.cipher_bits_min = floors[_i].bits;
	mail("ann@lab.example", &lab, floors[_i].has, NOW - HOUR);
	ck_assert_str_eq(written_to("ann@lab.example"), floors[_i].want);
	ck_assert_int_eq(v.certs, POLICY_CERTS_USABLE);
}
END_TEST

/* The floor was raised after the entry was made: no mail rather than weak mail. */
START_TEST(entry_below)
{
	entry("lab.example", "cipher=aes-128-gcm");
	ck_assert_str_eq(written_to("ann@lab.example"), "cipher=aes-128-gcm key=pkcs1");
	fx.w.cipher_bits_min = 256;
	(void)written_to("ann@lab.example");
	ck_assert_int_eq(v.certs, POLICY_CERTS_UNUSABLE);
	ck_assert_uint_eq(v.nrcpt_certs, 0);
	ck_assert_str_eq(v.cert_why,
	    "the format of lab.example asks for aes-128-gcm, which is below 256 bits (format, cipher-bits-min)");
	entry("lab.example", "cipher=aes-128-gcm key=what");
	fx.w.cipher_bits_min = 128;
	ck_assert_int_eq(
	    judge_resolve(fx.s, &fx.w, NULL,
		&(struct judge_resolve){.sender = "alice@hospital.example", .recipient = "ann@lab.example"}, NOW,
		arena, &v),
	    -1);
	ck_assert(v.temp && strstr(v.pr.text, "the store is damaged: the format of partner lab.example"));
}
END_TEST

START_TEST(short_rsa)
{
	struct testcert weak = testcert_make(&(struct testcert_spec){
	    .cn = "rsa", .san = "DNS:lab.example", .rsa = 2048, .issuer = root.x, .issuer_key = root.key});
	struct problem pr = {0};

	ck_assert_int_eq(store_cert_remove(fx.s, "lab.example", lab.sha256, "test", &pr), 0);
	judge_fixture_cert(&fx, "lab.example", &weak, false);
	(void)written_to("ann@lab.example");
	ck_assert_int_eq(v.certs, POLICY_CERTS_USABLE);
	fx.w.rsa_bits_min = 3072;
	(void)written_to("ann@lab.example");
	ck_assert_int_eq(v.certs, POLICY_CERTS_UNUSABLE);
	ck_assert_ptr_nonnull(
	    strstr(v.cert_why, "its RSA key has 2048 bits, and format, rsa-bits-min = 3072 asks for more"));
	testcert_free(&weak);
}
END_TEST

/* ---- who is believed no more has said nothing ---- */

START_TEST(forgotten)
{
	struct problem pr = {0};

	if (_i == 0)
		judge_fixture_cert(&fx, "lab.example", &lab2, false);
	if (_i == 2)
		entry("lab.example", "");
	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	ck_assert_str_eq(written_to("ann@lab.example"), LEARNED);
	if (_i == 0)
		ck_assert_int_eq(store_cert_remove(fx.s, "lab.example", lab.sha256, "test", &pr), 0);
	else if (_i == 1)
		ck_assert_int_eq(store_anchor_remove(fx.s, "*", "", root.sha256, "test", &pr), 0);
	else
		ck_assert_int_eq(store_partner_remove(fx.s, "lab.example", "test", &pr), 0);
	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT);
}
END_TEST

/* A store that cannot be written loses the hint, not the answer. */
START_TEST(store_away)
{
	char path[128];
	sqlite3 *db;

	(void)snprintf(path, sizeof path, "%s/store.db", fx.dir);
	ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
	ck_assert_int_eq(
	    sqlite3_exec(db,
		"CREATE TRIGGER full BEFORE INSERT ON capabilities BEGIN SELECT RAISE(ABORT, 'full'); END", NULL,
		NULL, NULL),
	    SQLITE_OK);
	sqlite3_close(db);
	mail("ann@lab.example", &lab, GCM, NOW - HOUR);
	ck_assert_str_eq(written_to("ann@lab.example"), DEFAULT);
	ck_assert_int_eq(v.certs, POLICY_CERTS_USABLE);
}
END_TEST

#define COUNT(t) ((int)(sizeof(t) / sizeof(t)[0]))
int main(void)
{
	Suite *s = suite_create("judge_learn");
	TCase *t = tcase_create("judge_learn");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, learned);
	tcase_add_test(t, not_believed);
	tcase_add_test(t, malformed);
	tcase_add_test(t, only_forward);
	tcase_add_test(t, said_again);
	tcase_add_test(t, what_is_in_use);
	tcase_add_test(t, many_signers);
	tcase_add_test(t, full);
	tcase_add_test(t, person_and_domain);
	tcase_add_test(t, gateway_and_desktop);
	tcase_add_test(t, default_gcm);
	tcase_add_test(t, pinned_person);
	tcase_add_test(t, the_admin_first);
	tcase_add_loop_test(t, never_below, 0, COUNT(floors));
	tcase_add_test(t, entry_below);
	tcase_add_test(t, short_rsa);
	tcase_add_loop_test(t, forgotten, 0, 3);
	tcase_add_test(t, store_away);
	suite_add_tcase(s, t);
	return suite_run(s);
}
