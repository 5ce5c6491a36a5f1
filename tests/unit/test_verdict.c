/* verdict.c: which signature decides, and what is said of each. */
#include "gateway/pipeline/verdict.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

static struct verdict v;
static struct policy_in f;

static void setup(void)
{
	memset(&v, 0, sizeof(v));
	memset(&f, 0, sizeof(f));
}

static void signer(bool ok)
{
	struct cms_signer_facts s = {
	    .ok = ok, .digest = "sha256", .sigalg = "ecdsa-with-SHA256", .signing_time = 86400};

	if (!ok)
		memcpy(s.why, "damaged", 8);
	(void)verdict_signer(&v, &s);
}

/* E enveloped, A authEnveloped, C compressed, S signed, D multipart/signed, b with a bad signature, 2 another signer
 * of the same layer. */
static void layers(const char *what)
{
	for (; *what; what++)
		switch (*what) {
		case 'E':
			verdict_layer(&v, VERDICT_ENVELOPED, "aes-256-cbc");
			break;
		case 'A':
			verdict_layer(&v, VERDICT_AUTH_ENVELOPED, "aes-256-gcm");
			break;
		case 'C':
			verdict_layer(&v, VERDICT_COMPRESSED, "");
			break;
		case 'b':
			verdict_layer(&v, VERDICT_SIGNED, "");
			signer(false);
			break;
		case '2':
			signer(true);
			break;
		default:
			verdict_layer(&v, *what == 'D' ? VERDICT_DETACHED : VERDICT_SIGNED, "");
			signer(true);
		}
}

/* One letter for each signer: g good, u untrusted, n not bound, t temporary, e expired, r revoked; "" not asked. */
static void judge(const char *answers)
{
	static const char letters[] = "gunter";
	static const uint8_t states[] = {JUDGE_TRUST_GOOD, JUDGE_TRUST_UNTRUSTED, JUDGE_TRUST_UNBOUND,
	    JUDGE_TRUST_TEMP, JUDGE_TRUST_EXPIRED, JUDGE_TRUST_REVOKED};
	struct judge_trust t = {.n = strlen(answers)};

	if (t.n == 0)
		return;
	for (size_t i = 0; i < t.n; i++) {
		t.v[i].state = states[strchr(letters, answers[i]) - letters];
		memcpy(t.v[i].why, "the judge's sentence", 21);
	}
	verdict_judged(&v, &t);
}

static const struct {
	const char *layers, *answers;
	bool author;
	enum policy_sig sig;
	const char *line;
} cases[] = {
    {"", "", true, POLICY_SIG_NONE, "-"},
    {"E", "", true, POLICY_SIG_NONE, "enveloped(aes-256-cbc)"},
    {"S", "g", true, POLICY_SIG_GOOD, "signed(sha256)=pass"},
    {"D", "u", true, POLICY_SIG_UNTRUSTED, "multipart-signed(sha256)=untrusted"},
    {"S", "n", true, POLICY_SIG_UNBOUND, "signed(sha256)=unbound"},
    {"S", "e", true, POLICY_SIG_EXPIRED, "signed(sha256)=expired"},
    {"S", "r", true, POLICY_SIG_REVOKED, "signed(sha256)=revoked"},
    {"S", "t", true, POLICY_SIG_TEMP, "signed(sha256)=temporary"},
    {"S", "", false, POLICY_SIG_BAD, "signed(sha256)=not-judged"},
    {"b", "", true, POLICY_SIG_BAD, "signed(sha256)=fail"},
    {"ES", "g", true, POLICY_SIG_GOOD, "enveloped(aes-256-cbc)>signed(sha256)=pass"},
    {"SE", "g", true, POLICY_SIG_OUTSIDE, "signed(sha256)=pass>enveloped(aes-256-cbc)"},
    {"SA", "u", true, POLICY_SIG_OUTSIDE, "signed(sha256)=untrusted>auth-enveloped(aes-256-gcm)"},
    {"ESE", "g", true, POLICY_SIG_OUTSIDE, "enveloped(aes-256-cbc)>signed(sha256)=pass>enveloped(aes-256-cbc)"},
    {"SC", "g", true, POLICY_SIG_GOOD, "signed(sha256)=pass>compressed"},
    {"ECS", "g", true, POLICY_SIG_GOOD, "enveloped(aes-256-cbc)>compressed>signed(sha256)=pass"},
    {"SES", "ug", true, POLICY_SIG_GOOD, "signed(sha256)=untrusted>enveloped(aes-256-cbc)>signed(sha256)=pass"},
    {"SES", "gu", true, POLICY_SIG_UNTRUSTED, "signed(sha256)=pass>enveloped(aes-256-cbc)>signed(sha256)=untrusted"},
    {"SES", "tg", true, POLICY_SIG_GOOD, "signed(sha256)=temporary>enveloped(aes-256-cbc)>signed(sha256)=pass"},
    {"bES", "", true, POLICY_SIG_BAD, "signed(sha256)=fail>enveloped(aes-256-cbc)>signed(sha256)=not-judged"},
    {"SS", "gu", true, POLICY_SIG_UNTRUSTED, "signed(sha256)=pass>signed(sha256)=untrusted"},
    {"S2", "ug", true, POLICY_SIG_GOOD, "signed(sha256)=untrusted+pass"},
    {"S2", "ut", true, POLICY_SIG_TEMP, "signed(sha256)=untrusted+temporary"},
    {"S2", "ue", true, POLICY_SIG_EXPIRED, "signed(sha256)=untrusted+expired"},
    {"S2", "re", true, POLICY_SIG_REVOKED, "signed(sha256)=revoked+expired"},
    {"S2", "rg", true, POLICY_SIG_GOOD, "signed(sha256)=revoked+pass"},
    {"S2", "nu", true, POLICY_SIG_UNBOUND, "signed(sha256)=unbound+untrusted"},
    {"b2", "", true, POLICY_SIG_BAD, "signed(sha256)=fail+not-judged"},
};

START_TEST(decides)
{
	char line[VERDICT_TEXT_MAX];

	layers(cases[_i].layers);
	judge(cases[_i].answers);
	verdict_conclude(&v, cases[_i].author ? NULL : "there are two From fields", &f);
	ck_assert_msg(f.sig == cases[_i].sig, "%d: %d %s", _i, f.sig, f.sig_why);
	ck_assert(f.sig_why[0]);
	if (f.sig == POLICY_SIG_GOOD)
		ck_assert(f.whole);
	verdict_line(&v, line, sizeof(line));
	ck_assert_str_eq(line, cases[_i].line);
}
END_TEST

/* Nobody else's result is called "pass": readers take that for the message's. */
START_TEST(smime_words)
{
	for (int r = VERDICT_UNSIGNED; r <= VERDICT_UNJUDGED; r++) {
		struct verdict_signer s = {.result = (enum verdict_result)r};

		ck_assert(verdict_word(s.result)[0] && strcmp(verdict_smime(&s), "pass") != 0);
	}
}
END_TEST

/* More of everything than there is room for: said, never forgotten. */
START_TEST(bounds)
{
	char line[VERDICT_TEXT_MAX], words[1600];

	for (int i = 0; i < VERDICT_LAYERS_MAX + 5; i++)
		layers("E");
	ck_assert_uint_eq(v.nlayers, VERDICT_LAYERS_MAX);
	for (int i = 0; i < JUDGE_CERTS_MAX; i++)
		signer(true);
	ck_assert(!v.failed);
	signer(true);
	ck_assert(v.failed && strstr(v.failure, "more signers"));
	verdict_conclude(&v, NULL, &f);
	ck_assert_int_eq(f.sig, POLICY_SIG_BAD);
	verdict_line(&v, line, sizeof(line));
	ck_assert_uint_eq(strlen(line), sizeof(line) - 1);
	for (size_t i = 0; i < VERDICT_PARTS_MAX + 3; i++)
		verdict_part(&v, &(struct verdict_part){.path = "1"});
	ck_assert_uint_eq(v.nparts, VERDICT_PARTS_MAX);
	memset(v.signers[0].subject, 'x', sizeof(v.signers[0].subject) - 1);
	memset(v.signers[0].issuer, 'y', sizeof(v.signers[0].issuer) - 1);
	v.signers[0].have_cert = true;
	verdict_signer_words(&v.signers[0], words, sizeof(words));
	ck_assert(strstr(words, "1970-01-02T00:00:00Z by its own clock") && strstr(words, "not-judged"));
}
END_TEST

START_TEST(parts)
{
	char words[200], line[VERDICT_TEXT_MAX];

	verdict_part(&v, &(struct verdict_part){.path = "2", .encrypted = true, .type = "application/pkcs7-mime"});
	verdict_conclude(&v, NULL, &f);
	ck_assert_int_eq(f.sig, POLICY_SIG_NONE);
	verdict_part(&v, &(struct verdict_part){.path = "1.3", .attached = true, .type = "multipart/signed"});
	verdict_conclude(&v, NULL, &f);
	ck_assert_int_eq(f.sig, POLICY_SIG_PARTLY);
	ck_assert(!f.whole && strstr(f.sig_why, "part 1.3 (multipart/signed, in an attached message)"));
	verdict_part_words(&v.parts[1], words, sizeof(words));
	ck_assert_str_eq(words, "1.3 multipart/signed; signed, in an attached message; not opened");
	verdict_line(&v, line, sizeof(line));
	ck_assert_str_eq(line, "[2=encrypted]>[1.3=signed]");
}
END_TEST

START_TEST(changed)
{
	layers("b");
	verdict_changed(&v, "a footer of 7 octets was added");
	verdict_conclude(&v, NULL, &f);
	ck_assert_int_eq(f.sig, POLICY_SIG_BAD);
	ck_assert_str_eq(f.sig_why, "damaged: a footer of 7 octets was added");
	ck_assert_str_eq(v.signers[0].why, f.sig_why);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("verdict");
	TCase *t = tcase_create("verdict");

	tcase_add_checked_fixture(t, setup, NULL);
	tcase_add_loop_test(t, decides, 0, sizeof cases / sizeof *cases);
	tcase_add_test(t, smime_words);
	tcase_add_test(t, bounds);
	tcase_add_test(t, parts);
	tcase_add_test(t, changed);
	suite_add_tcase(s, t);
	return suite_run(s);
}
