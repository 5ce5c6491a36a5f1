/* The checks in their order: each attack on a statement, and which check refuses it. */
#include "gateway/xsmg/statement_check.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/statement_fixture.h"
#include "tests/unit/suite.h"

enum { HOUR = 3600, MINUTE = 60 };
#define TRUSTED_ID "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"

/* Who has a certificate. The first is the domain's own statement key. */
enum who {
	OWN,
	PREVIOUS,
	MAIL,
	THIEF,	 /* self-signed, of nobody */
	EVIL,	 /* of another domain */
	STUDENT, /* secure@ of the domain */
	WEB,	 /* a web server of the domain, from any CA */
	ANY_EKU, /* anyExtendedKeyUsage */
	NO_EKU,
	AUTHORITY, /* domain-signing-authority@ */
	SECRECY,   /* domain-confidentiality-authority@ */
	CA,
	NO_SIGN,    /* key usage without digitalSignature */
	NO_ENCRYPT, /* key usage without keyAgreement */
	SHORT,	    /* RSA 1024 */
	AGREED,	    /* the statement key again, in another certificate */
	PEOPLE
};
static const struct testcert_spec specs[PEOPLE] = {
    [OWN] = {.cn = "own", .san = "DNS:lab.example"},
    [PREVIOUS] = {.cn = "previous", .san = "DNS:lab.example"},
    [MAIL] = {.cn = "mail", .san = "DNS:lab.example"},
    [THIEF] = {.cn = "thief"},
    [EVIL] = {.cn = "evil", .san = "DNS:evil.example"},
    [STUDENT] = {.cn = "student", .san = "email:secure@lab.example"},
    [WEB] = {.cn = "www", .san = "DNS:lab.example,DNS:www.lab.example", .eku = "serverAuth,clientAuth"},
    [ANY_EKU] = {.cn = "any", .san = "DNS:lab.example", .eku = "anyExtendedKeyUsage"},
    [NO_EKU] = {.cn = "none", .san = "DNS:lab.example", .eku = ""},
    [AUTHORITY] = {.cn = "authority", .san = "email:domain-signing-authority@lab.example"},
    [SECRECY] = {.cn = "secrecy", .san = "email:domain-confidentiality-authority@lab.example"},
    [CA] = {.cn = "CA",
	.san = "DNS:lab.example",
	.constraints = "critical,CA:TRUE",
	.ku = "digitalSignature,keyCertSign"},
    [NO_SIGN] = {.cn = "agree", .san = "DNS:lab.example", .ku = "keyAgreement"},
    [NO_ENCRYPT] = {.cn = "sign", .san = "DNS:lab.example", .ku = "digitalSignature"},
    [SHORT] = {.cn = "short", .san = "DNS:lab.example", .rsa = 1024},
};
static struct testcert people[PEOPLE];
static struct arena *arena;

static void setup(void)
{
	for (size_t i = 0; i < PEOPLE; i++)
		if (i != AGREED)
			people[i] = testcert_make(&specs[i]);
	people[AGREED] =
	    testcert_make(&(struct testcert_spec){.cn = "again", .san = "DNS:lab.example", .key = people[OWN].key});
	arena = arena_new(STATEMENT_ARENA);
}

static void teardown(void)
{
	for (size_t i = 0; i < PEOPLE; i++)
		testcert_free(&people[i]);
	arena_free(arena);
}

/* One statement: what is different from an honest one, and what becomes of it. */
struct scene {
	const char *what;
	enum statement_result result;
	enum statement_step step;
	const char *why; /* a part of the sentence */
	/* the statement */
	const char *domain;
	int64_t serial_off /* ms */, issued_off, life;
	enum who listed; /* as signer in `signer` and `certificates`; OWN: 0 */
	enum statement_use listed_use;
	/* around it */
	enum fx_twist twist;
	enum who by; /* who signs; OWN: 0 */
	int also;    /* enum who that signs besides, or 0 */
	/* the reader */
	int64_t now_off;
	int64_t trusted_off; /* of the trusted statement's serial in ms; with `trusted` */
	int64_t trusted_issued_off;
	int trusted; /* 1: with another id, 2: with this one's */
};

static const struct scene scenes[] = {
    {.what = "honest", .result = STATEMENT_OK},
    {.what = "honest, newer than what is trusted", .result = STATEMENT_OK, .trusted = 1, .trusted_off = -1},
    {.what = "signed by the previous key too", .result = STATEMENT_OK, .also = PREVIOUS},
    /* the outside */
    {.what = "id-data: a user's mail with statement JSON",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_TYPE,
	.twist = FX_ID_DATA,
	.why = "not id-smg-statement"},
    {.what = "octets behind",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_DER,
	.twist = FX_TRAILING,
	.why = "octets follow"},
    {.what = "BER",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_DER,
	.twist = FX_INDEFINITE,
	.why = "not DER"},
    {.what = "SHA-1",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNERS,
	.twist = FX_INFO_SHA1,
	.why = "not SHA-256"},
    {.what = "unsigned attributes",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNERS,
	.twist = FX_UNSIGNED,
	.why = "unsigned attributes"},
    {.what = "crls", .result = STATEMENT_REFUSED, .step = STATEMENT_STEP_SIGNERS, .twist = FX_CRLS, .why = "crls"},
    {.what = "every SignerInfo stripped",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNERS,
	.twist = FX_NO_SIGNER,
	.why = "no SignerInfo"},
    /* who signed */
    {.what = "broken signature",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNATURE,
	.twist = FX_SIGNATURE_BROKEN,
	.why = "signature is wrong"},
    {.what = "content swapped under the signature",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNATURE,
	.twist = FX_DIGEST_OTHER,
	.why = "messageDigest"},
    {.what = "SignerInfo of the domain stripped, the thief's appended",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNATURE,
	.by = THIEF,
	.why = "not signed by the certificate that it names"},
    {.what = "the thief's SignerInfo appended", .result = STATEMENT_OK, .also = THIEF},
    {.what = "the previous key's SignerInfo alone",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNATURE,
	.by = PREVIOUS,
	.why = "not signed by the certificate that it names"},
    {.what = "the signer's broken, another's good",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNATURE,
	.twist = FX_SIGNATURE_BROKEN,
	.also = PREVIOUS,
	.why = "does not verify: its signature is wrong"},
    {.what = "certificate of the signer swapped: its own left out",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNATURE,
	.twist = FX_CERT_LEFT_OUT,
	.also = THIEF,
	.why = "not signed by the certificate that it names"},
    /* the domain and the clock */
    {.what = "wrong domain",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_DOMAIN,
	.domain = "evil.example",
	.why = "it is of evil.example, and lab.example was asked for"},
    {.what = "a domain below",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_DOMAIN,
	.domain = "mx.lab.example",
	.why = "was asked for"},
    {.what = "expired",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_EXPIRES,
	.now_off = 7 * FX_DAY,
	.why = "ran out at 2026-11-29T02:00:00Z"},
    {.what = "about to expire", .result = STATEMENT_OK, .now_off = 7 * FX_DAY - 1},
    {.what = "future",
	.result = STATEMENT_CLOCK,
	.step = STATEMENT_STEP_ISSUED,
	.issued_off = 2 * FX_DAY,
	.serial_off = 2 * FX_DAY * INT64_C(1000),
	.why = "from the future: it was issued at 2026-11-24T02:00:00Z"},
    {.what = "clock 10 minutes off: ours is behind",
	.result = STATEMENT_CLOCK,
	.step = STATEMENT_STEP_ISSUED,
	.now_off = -10 * MINUTE,
	.why = "the clocks differ"},
    {.what = "clock 10 minutes off: ours is ahead", .result = STATEMENT_OK, .now_off = 10 * MINUTE},
    {.what = "clock 5 minutes off", .result = STATEMENT_OK, .now_off = -5 * MINUTE},
    {.what = "clock 5 minutes and a second off",
	.result = STATEMENT_CLOCK,
	.step = STATEMENT_STEP_ISSUED,
	.now_off = -5 * MINUTE - 1,
	.why = "the clocks differ"},
    /* the serial */
    {.what = "serial 2^53 - 1",
	.result = STATEMENT_CLOCK,
	.step = STATEMENT_STEP_SERIAL,
	.serial_off = STATEMENT_SERIAL_MAX - FX_NOW * 1000,
	.why = "serial 9007199254740991 lies in the future"},
    {.what = "serial 5 minutes ahead", .result = STATEMENT_OK, .serial_off = 5 * MINUTE * 1000},
    {.what = "serial a millisecond more",
	.result = STATEMENT_CLOCK,
	.step = STATEMENT_STEP_SERIAL,
	.serial_off = 5 * MINUTE * 1000 + 1,
	.why = "lies in the future"},
    {.what = "serial of the far future although one is trusted",
	.result = STATEMENT_CLOCK,
	.step = STATEMENT_STEP_SERIAL,
	.serial_off = STATEMENT_SERIAL_MAX - FX_NOW * 1000,
	.trusted = 1,
	.trusted_off = -1,
	.why = "lies in the future"},
    {.what = "current", .result = STATEMENT_CURRENT, .trusted = 2},
    {.what = "current, with the thief's SignerInfo", .result = STATEMENT_CURRENT, .trusted = 2, .also = THIEF},
    {.what = "conflicting equal serials",
	.result = STATEMENT_CONFLICT,
	.step = STATEMENT_STEP_SERIAL,
	.trusted = 1,
	.why = "Two different statements"},
    {.what = "lagging node",
	.result = STATEMENT_OLD,
	.step = STATEMENT_STEP_SERIAL,
	.trusted = 1,
	.trusted_off = 1,
	.trusted_issued_off = 48 * HOUR,
	.why = "issued at 2026-11-22T02:00:00Z, and the trusted one at 2026-11-24T02:00:00Z"},
    /* the statement certificate */
    {.what = "of another domain",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = EVIL,
	.by = EVIL,
	.why = "not bound to the domain"},
    {.what = "of nobody",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = THIEF,
	.by = THIEF,
	.why = "not bound to the domain"},
    {.what = "secure@ of a student",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = STUDENT,
	.by = STUDENT,
	.why = "not bound to the domain"},
    {.what = "web server's certificate",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = WEB,
	.by = WEB,
	.why = "does not name emailProtection"},
    {.what = "any purpose",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = ANY_EKU,
	.by = ANY_EKU,
	.why = "does not name emailProtection"},
    {.what = "no purpose",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = NO_EKU,
	.by = NO_EKU,
	.why = "does not name emailProtection"},
    {.what = "signing authority", .result = STATEMENT_OK, .listed = AUTHORITY, .by = AUTHORITY},
    {.what = "confidentiality authority signs",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = SECRECY,
	.by = SECRECY,
	.why = "not bound to the domain"},
    {.what = "CA",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = CA,
	.by = CA,
	.why = "certification authority"},
    {.what = "may not sign",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed = NO_SIGN,
	.by = NO_SIGN,
	.why = "does not allow signing"},
    {.what = "RSA 1024",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_SIGNATURE,
	.listed = SHORT,
	.by = SHORT,
	.why = "too weak"},
    {.what = "listed for mail only",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.listed_use = STATEMENT_FOR_SIGN,
	.why = "not listed for statements"},
    {.what = "statement certificate before its time",
	.result = STATEMENT_REFUSED,
	.step = STATEMENT_STEP_CERTIFICATE,
	.issued_off = -2 * FX_DAY,
	.now_off = -2 * FX_DAY,
	.serial_off = -2 * FX_DAY * INT64_C(1000),
	.why = "counts from"},
};

static struct statement build(const struct scene *k)
{
	struct statement s = fx_statement(&people[k->listed]);

	if (k->domain)
		memcpy(s.domain, k->domain, strlen(k->domain) + 1);
	if (k->listed_use)
		s.certs[0].use = k->listed_use;
	s.certs[s.ncerts++] = fx_cert(STATEMENT_FOR_BOTH, &people[MAIL]);
	s.serial += k->serial_off;
	s.issued += k->issued_off;
	s.expires = s.issued + (k->life ? k->life : 7 * FX_DAY);
	return s;
}

START_TEST(scene)
{
	const struct scene *k = &scenes[_i];
	struct statement s = build(k), got;
	struct fx_signed around = {.by = {&people[k->by], k->also ? &people[k->also] : NULL}, .twist = k->twist};
	struct buf json = fx_json(&s), der = fx_signed(json.p, json.len, &around);
	char id[STATEMENT_ID + 1];
	struct statement_facts f = {.domain = "lab.example", .now = FX_NOW + k->now_off};
	struct statement_signed sd;
	struct statement_verdict v;

	statement_id(json.p, json.len, id);
	if (k->trusted) {
		f.trusted_id = k->trusted == 2 ? id : TRUSTED_ID;
		f.trusted_serial = s.serial + k->trusted_off;
		if (k->serial_off > 0)
			f.trusted_serial = FX_NOW * 1000;
		f.trusted_issued = s.issued + k->trusted_issued_off;
	}
	statement_check(der.p, der.len, &f, arena, &got, &sd, &v);
	ck_assert_msg(v.result == k->result && v.step == k->step, "%s: %s at %s: %s", k->what,
	    statement_check_word(v.result), statement_step_word(v.step), v.why.text);
	ck_assert_msg(strstr(v.why.text, k->why ? k->why : "") != NULL, "%s: %s", k->what, v.why.text);
	ck_assert_int_eq(v.why.cls, k->result == STATEMENT_OK || k->result == STATEMENT_CURRENT ? PROBLEM_NONE
				    : k->result == STATEMENT_CLOCK				? PROBLEM_TEMP
												: PROBLEM_PERM);
	if (v.result == STATEMENT_OK) {
		ck_assert_str_eq(got.id, id);
		ck_assert(sd.signers[v.signer].verified);
		ck_assert(memcmp(sd.signers[v.signer].cert_sha256, got.signer, 32) == 0);
		ck_assert(got.certs[0].good && got.certs[1].good);
	}
	buf_clear(&json);
	buf_clear(&der);
}
END_TEST

/* Certificates beside the signer's: what is wrong with one is said of it and harms no other. */
static const struct {
	enum who who;
	enum statement_use use;
	const char *why; /* "": good */
	int64_t from, until;
} listed[] = {
    {MAIL, STATEMENT_FOR_BOTH, "", 0, 0}, {MAIL, STATEMENT_FOR_SIGN, "", 0, 0},
    {MAIL, STATEMENT_FOR_ENCRYPT, "", 0, 0}, {PREVIOUS, STATEMENT_FOR_STATEMENT, "", 0, 0},
    {AUTHORITY, STATEMENT_FOR_SIGN, "", 0, 0}, {AUTHORITY, STATEMENT_FOR_STATEMENT, "", 0, 0},
    {AUTHORITY, STATEMENT_FOR_ENCRYPT, "not bound to the domain", 0, 0},
    {AUTHORITY, STATEMENT_FOR_BOTH, "not bound to the domain", 0, 0}, {SECRECY, STATEMENT_FOR_ENCRYPT, "", 0, 0},
    {SECRECY, STATEMENT_FOR_SIGN, "not bound to the domain", 0, 0},
    {SECRECY, STATEMENT_FOR_STATEMENT, "not bound to the domain", 0, 0},
    {EVIL, STATEMENT_FOR_ENCRYPT, "not bound to the domain", 0, 0},
    {STUDENT, STATEMENT_FOR_ENCRYPT, "not bound to the domain", 0, 0},
    {STUDENT, STATEMENT_FOR_BOTH, "not bound to the domain", 0, 0},
    {WEB, STATEMENT_FOR_ENCRYPT, "emailProtection", 0, 0}, {ANY_EKU, STATEMENT_FOR_SIGN, "emailProtection", 0, 0},
    {NO_EKU, STATEMENT_FOR_SIGN, "emailProtection", 0, 0}, {NO_SIGN, STATEMENT_FOR_ENCRYPT, "", 0, 0},
    {NO_SIGN, STATEMENT_FOR_BOTH, "does not allow signing", 0, 0}, {NO_ENCRYPT, STATEMENT_FOR_SIGN, "", 0, 0},
    {NO_ENCRYPT, STATEMENT_FOR_BOTH, "does not allow encrypting", 0, 0},
    {SHORT, STATEMENT_FOR_SIGN, "1024 bits", 0, 0}, {CA, STATEMENT_FOR_SIGN, "certification authority", 0, 0},
    {OWN, STATEMENT_FOR_BOTH, "stands there twice", 0, 0},
    {AGREED, STATEMENT_FOR_BOTH, "signs statements only", 0, 0}, {AGREED, STATEMENT_FOR_STATEMENT, "", 0, 0},
    {MAIL, STATEMENT_FOR_BOTH, "", TESTCERT_FROM, TESTCERT_UNTIL},
    {MAIL, STATEMENT_FOR_BOTH, "within its own time", TESTCERT_FROM - 1, TESTCERT_UNTIL},
    {MAIL, STATEMENT_FOR_BOTH, "within its own time", TESTCERT_FROM, TESTCERT_UNTIL + 1},
    {MAIL, STATEMENT_FOR_BOTH, "", FX_NOW + 20 * FX_DAY, FX_NOW + 40 * FX_DAY}, /* announced */
};

START_TEST(others)
{
	struct statement s = fx_statement(&people[OWN]), got;
	struct fx_signed around = {.by = {&people[OWN]}};
	struct statement_facts f = {.domain = "lab.example", .now = FX_NOW};
	struct statement_signed sd;
	struct statement_verdict v;
	struct buf json, der;

	s.certs[s.ncerts] = fx_cert(listed[_i].use, &people[listed[_i].who]);
	if (listed[_i].from) {
		s.certs[s.ncerts].from = listed[_i].from;
		s.certs[s.ncerts].until = listed[_i].until;
	}
	s.ncerts++;
	json = fx_json(&s);
	der = fx_signed(json.p, json.len, &around);
	statement_check(der.p, der.len, &f, arena, &got, &sd, &v);
	ck_assert_msg(v.result == STATEMENT_OK, "%s", v.why.text);
	ck_assert(got.certs[0].good);
	ck_assert_msg(got.certs[1].good == !listed[_i].why[0] && strstr(got.certs[1].why, listed[_i].why) != NULL,
	    "%d: %s", _i, got.certs[1].why);
	ck_assert(got.certs[1].good == !got.certs[1].why[0]);
	buf_clear(&json);
	buf_clear(&der);
}
END_TEST

/* A local part that the admin allowed for this partner counts, for every use; of another domain it does not. */
START_TEST(allowed)
{
	static const char *const locals[] = {"gate", "secure"};
	struct statement s = fx_statement(&people[STUDENT]), got;
	struct fx_signed around = {.by = {&people[STUDENT]}};
	struct statement_facts f = {.domain = "lab.example", .now = FX_NOW, .locals = locals, .nlocals = 2};
	struct statement_signed sd;
	struct statement_verdict v;
	struct buf json = fx_json(&s), der = fx_signed(json.p, json.len, &around);

	statement_check(der.p, der.len, &f, arena, &got, &sd, &v);
	ck_assert_msg(v.result == STATEMENT_OK, "%s", v.why.text);
	f.nlocals = 1;
	statement_check(der.p, der.len, &f, arena, &got, &sd, &v);
	ck_assert_int_eq(v.step, STATEMENT_STEP_CERTIFICATE);
	buf_clear(&json);
	buf_clear(&der);
}
END_TEST

static void check_text(const char *text, size_t n, enum statement_step step, const char *why)
{
	struct fx_signed around = {.by = {&people[OWN]}};
	struct statement_facts f = {.domain = "lab.example", .now = FX_NOW};
	struct statement got;
	struct statement_signed sd;
	struct statement_verdict v;
	struct buf der = fx_signed(text, n, &around);

	statement_check(der.p, der.len, &f, arena, &got, &sd, &v);
	ck_assert_msg(
	    v.result == STATEMENT_REFUSED && v.step == step, "%s: %s", statement_step_word(v.step), v.why.text);
	ck_assert_msg(strstr(v.why.text, why) != NULL, "%s", v.why.text);
	buf_clear(&der);
}

/* Contents that are properly signed. */
START_TEST(contents)
{
	struct statement s = fx_statement(&people[OWN]);
	struct buf json = fx_json(&s), b;
	char *deep = malloc(20000);

	memset(deep, '[', 10000);
	memset(deep + 10000, ']', 10000);
	check_text(deep, 20000, STATEMENT_STEP_JSON, "nested more than 8 deep");
	check_text("", 0, STATEMENT_STEP_JSON, "no JSON");
	buf_init(&b, 1 << 20);
	fx_must(buf_adds(&b, "{\"v\":1,"));
	fx_raw(&b, json.p + 1, json.len - 1);
	check_text((const char *)b.p, b.len, STATEMENT_STEP_JSON, "each member once");
	buf_reset(&b);
	for (size_t i = 0; i < STATEMENT_MAX + 1; i++)
		fx_must(buf_addc(&b, ' '));
	check_text((const char *)b.p, b.len, STATEMENT_STEP_SIZE, "more than 65536 octets");
	buf_clear(&b);
	buf_clear(&json);
	free(deep);
}
END_TEST

/* The signer's certificate is in the SignedData, but the statement does not list it. */
START_TEST(not_listed)
{
	struct statement s = fx_statement(&people[OWN]), got;
	struct fx_signed around = {.by = {&people[OWN]}};
	struct statement_facts f = {.domain = "lab.example", .now = FX_NOW};
	struct statement_signed sd;
	struct statement_verdict v;
	struct buf json, der;

	s.certs[0] = fx_cert(STATEMENT_FOR_STATEMENT, &people[PREVIOUS]);
	json = fx_json(&s);
	der = fx_signed(json.p, json.len, &around);
	statement_check(der.p, der.len, &f, arena, &got, &sd, &v);
	ck_assert_int_eq(v.step, STATEMENT_STEP_CERTIFICATE);
	ck_assert_ptr_nonnull(strstr(v.why.text, "not among its certificates"));
	buf_clear(&json);
	buf_clear(&der);
}
END_TEST

/* A certificate that is none spoils nothing but itself. */
START_TEST(no_certificate)
{
	static const uint8_t nonsense[] = {0x30, 0x03, 0x02, 0x01, 0x01};
	struct statement s = fx_statement(&people[OWN]), got;
	struct fx_signed around = {.by = {&people[OWN]}};
	struct statement_facts f = {.domain = "lab.example", .now = FX_NOW};
	struct statement_signed sd;
	struct statement_verdict v;
	struct buf json, der;

	s.certs[1] = s.certs[0];
	s.certs[1].der = (struct statement_octets){nonsense, sizeof nonsense};
	s.certs[1].use = STATEMENT_FOR_BOTH;
	s.ncerts = 2;
	json = fx_json(&s);
	der = fx_signed(json.p, json.len, &around);
	statement_check(der.p, der.len, &f, arena, &got, &sd, &v);
	ck_assert_msg(v.result == STATEMENT_OK, "%s", v.why.text);
	ck_assert(!got.certs[1].good && strstr(got.certs[1].why, "not a certificate") != NULL);
	buf_clear(&json);
	buf_clear(&der);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("statement_check");
	TCase *tc = tcase_create("all");

	tcase_add_unchecked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, scene, 0, sizeof scenes / sizeof *scenes);
	tcase_add_loop_test(tc, others, 0, sizeof listed / sizeof *listed);
	tcase_add_test(tc, allowed);
	tcase_add_test(tc, contents);
	tcase_add_test(tc, not_listed);
	tcase_add_test(tc, no_certificate);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
