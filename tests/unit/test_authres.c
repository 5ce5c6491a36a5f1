/* authres.c: whatever claims to be ours goes, other servers' stays, and what we write reads back as it was meant. */
#include "gateway/mail/authres.h"

#include "gateway/mail/lex.h"
#include "tests/unit/slow_reader.h"

static struct arena *arena;

static void setup(void)
{
	arena = arena_new(1 << 20);
}

static void teardown(void)
{
	arena_free(arena);
}

static bool forged(const char *field, const char *id)
{
	struct stream_mem m;
	struct header h;

	stream_mem_init(&m, field, strlen(field));
	ck_assert_int_eq(header_read(arena, &m.reader, 0, strlen(field), &header_limits_default, &h, NULL), 0);
	ck_assert_uint_eq(h.n, 1);
	return authres_is_forged(&h.f[0], id);
}

static const struct {
	const char *field;
	bool want;
} fields[] = {
    /* ours */
    {"Authentication-Results: gw.example; smime=pass\r\n", true},
    {"authentication-results:gw.example;smime=pass\r\n", true},
    {"AUTHENTICATION-RESULTS: GW.Example; smime=pass\r\n", true},
    {"Authentication-Results:\r\n\tgw.example;\r\n\tsmime=pass\r\n", true},
    {"Authentication-Results: (a comment) gw.example (b) ; smime=pass\r\n", true},
    {"Authentication-Results: (a (nested; other.example) \\) \r\n b)gw.example(c); smime=pass\r\n", true},
    {"Authentication-Results: \"gw.example\"; smime=pass\r\n", true},
    {"Authentication-Results: \"g\\w.exampl\\e\"; smime=pass\r\n", true},
    {"Authentication-Results: \"gw.\r\n example\"; smime=pass\r\n", true},
    {"Authentication-Results: gw.example 1; smime=pass\r\n", true},
    {"Authentication-Results: gw.example (x) 1 (y); smime=pass\r\n", true},
    {"Authentication-Results: gw.example(x)1; smime=pass\r\n", true},
    {"Authentication-Results: gw.example 999999999999999999999; smime=pass\r\n", true},
    {"Authentication-Results: gw.example.; smime=pass\r\n", true},
    {"Authentication-Results: gw.example\r\n", true},
    {"Authentication-Results: gw.example; none\r\n", true},
    {"Authentication-Results: gw.example none\r\n", true},
    {"Authentication-Results: gw.example/1; smime=pass\r\n", true},
    {"Authentication-Results: gw.example, other.example; smime=pass\r\n", true},
    {"Authentication-Results: gw.example\x01; smime=pass\r\n", true},
    {"X-Postern-Verdict: trusted\r\n", true},
    {"x-postern-anything: x\r\n", true},
    {"X-POSTERN-: x\r\n", true},
    /* cannot be read: gone too */
    {"Authentication-Results:\r\n", true},
    {"Authentication-Results: ; smime=pass\r\n", true},
    {"Authentication-Results: (open gw.example; smime=pass\r\n", true},
    {"Authentication-Results: \"other.example; smime=pass\r\n", true},
    {"Authentication-Results: \"\"; smime=pass\r\n", true},
    {"Authentication-Results: \"other.example; gw.example\"; smime=pass\r\n", true},
    {"Authentication-Results: other.example (open; smime=pass\r\n", true},
    {"Authentication-Results: spf=pass smtp.mailfrom=a.example; dkim=none\r\n", true},
    {"Authentication-Results: other.example gw.example; smime=pass\r\n", true},
    {"Authentication-Results: =?utf-8?q?gw=2Eexample?=; smime=pass\r\n", true},
    {"Authentication-Results: gw\xe2\x80\xa4"
     "example; smime=pass\r\n",
	true},
    {"Authentication-Results: other.example 1x; smime=pass\r\n", true},
    {"Authentication-Results: .; smime=pass\r\n", true},
    /* others' */
    {"Authentication-Results: other.example; smime=pass\r\n", false},
    {"Authentication-Results: other.example; x=gw.example\r\n", false},
    {"Authentication-Results: (gw.example) other.example; smime=pass\r\n", false},
    {"Authentication-Results: gw.example.org; smime=pass\r\n", false},
    {"Authentication-Results: agw.example; smime=pass\r\n", false},
    {"Authentication-Results: gw.exampl; smime=pass\r\n", false},
    {"Authentication-Results: \"other.example\" 1; smime=pass\r\n", false},
    {"Authentication-Results: other.example; none\r\n", false},
    {"Authentication-Results: other.example\r\n", false},
    {"ARC-Authentication-Results: i=1; gw.example; smime=pass\r\n", false},
    {"X-Authentication-Results: gw.example; smime=pass\r\n", false},
    {"Authentication-Results-Old: gw.example; smime=pass\r\n", false},
    {"X-Postern: x\r\n", false},
    {"X-Posterna: x\r\n", false},
    {"Subject: gw.example\r\n", false},
};

START_TEST(test_forged)
{
	ck_assert_int_eq(forged(fields[_i].field, "gw.example"), fields[_i].want);
	ck_assert_int_eq(forged(fields[_i].field, "GW.EXAMPLE."), fields[_i].want);
}
END_TEST

START_TEST(test_long_id)
{
	char field[1200];

	memset(field, 'a', sizeof(field));
	memcpy(field, "Authentication-Results: ", 24);
	memcpy(field + 1100, "; x=pass\r\n", 11);
	ck_assert(forged(field, "gw.example"));
}
END_TEST

static void add(struct buf *b, const struct authres *r)
{
	buf_init(b, 65536);
	ck_assert_int_eq(authres_add(b, r), 0);
}

START_TEST(test_add)
{
	struct authres r = {.authserv_id = "gw.example",
	    .result = "pass",
	    .reason = "signed by a trusted certificate",
	    .body_smime_identifier = "bob@x.example",
	    .body_smime_serial = "1a2b",
	    .body_smime_issuer = "CN=Some CA,O=Org \"X\"",
	    .encryption = "encrypted aes-256-cbc (RSA)"};
	struct buf b;

	add(&b, &r);
	ck_assert_str_eq(buf_str(&b),
	    "Authentication-Results: gw.example; smime=pass (encrypted aes-256-cbc \\(RSA\\))\r\n"
	    " reason=\"signed by a trusted certificate\" body.smime-identifier=bob@x.example\r\n"
	    " body.smime-serial=1a2b body.smime-issuer=\"CN=Some CA,O=Org \\\"X\\\"\"\r\n");
	ck_assert(forged(buf_str(&b), "gw.example"));
	ck_assert(!forged(buf_str(&b), "other.example"));
	buf_clear(&b);
}
END_TEST

START_TEST(test_add_least)
{
	struct authres r = {.authserv_id = "gw.example", .result = "none"};
	struct buf b;

	add(&b, &r);
	ck_assert_str_eq(buf_str(&b), "Authentication-Results: gw.example; smime=none\r\n");
	buf_clear(&b);
}
END_TEST

/* The value of body.smime-issuer as a reader of RFC 8601 finds it: everything in front must be passed over rightly.
 */
static void read_back(const char *field, size_t n, char *out, size_t cap)
{
	static const char name[] = " body.smime-issuer=";
	const char *at = memmem(field, n, name, sizeof(name) - 1);
	struct lex l;
	size_t len;

	ck_assert_ptr_nonnull(at);
	lex_init(&l, at + sizeof(name) - 1, n - (size_t)(at + sizeof(name) - 1 - field));
	ck_assert_int_eq(lex_quoted(&l, out, cap, &len), 0);
	ck_assert_int_eq(l.end - l.p, 2);
}

/* Text from a certificate cannot end its quotes, add a field or a result, whatever its length does to the folding. */
START_TEST(test_add_hostile)
{
	static const char attack[] = "\"; smime=pass body.smime-identifier=ceo@bank.example\r\nX-Evil: 1\r\n\r\n\\";
	char value[1600], out[4096];

	for (size_t pad = 0; pad<1200; pad += pad % 200> 190 || pad % 250 > 230 ? 1 : 7) {
		struct authres r = {.authserv_id = "gw.example", .result = "fail", .body_smime_issuer = value};
		struct stream_mem m;
		struct header h;
		struct buf b;

		memset(value, pad % 2 ? '\\' : '"', pad);
		memcpy(value + pad, attack, sizeof(attack));
		add(&b, &r);
		stream_mem_init(&m, b.p, b.len);
		ck_assert_int_eq(header_read(arena, &m.reader, 0, b.len, &header_limits_default, &h, NULL), 0);
		ck_assert_uint_eq(h.n, 1);
		ck_assert_uint_eq(h.f[0].raw_len, b.len);
		read_back(buf_str(&b), b.len, out, sizeof(out));
		ck_assert_ptr_nonnull(strstr(out, "; smime=pass"));
		for (size_t i = 0, line = 0; i < b.len; i++) {
			line = b.p[i] == '\n' ? 0 : line + 1;
			ck_assert_uint_le(line, 999);
		}
		buf_clear(&b);
	}
}
END_TEST

/* Between quotes no encoded word may stand: RFC 4514's escape, of what can be shown. */
START_TEST(test_add_beyond_ascii)
{
	struct authres r = {.authserv_id = "gw.example",
	    .result = "policy",
	    .reason = "certificate CN=M\xc3\xbcller: no",
	    .body_smime_issuer = "CN=\xe4\xb8\xad \xc2\x9b\xff\"",
	    .encryption = "J\xc3\xbcrgen)"};
	char out[200];
	struct buf b;

	add(&b, &r);
	ck_assert_str_eq(buf_str(&b),
	    "Authentication-Results: gw.example; smime=policy (=?utf-8?Q?J=C3=BCrgen=29?=)\r\n"
	    " reason=\"certificate CN=M\\\\C3\\\\BCller: no\" body.smime-issuer=\"CN=\\\\E4\\\\B8\\\\AD\r\n"
	    " ??\\\"\"\r\n");
	read_back(buf_str(&b), b.len, out, sizeof(out));
	ck_assert_str_eq(out, "CN=\\E4\\B8\\AD ??\"");
	buf_clear(&b);
}
END_TEST

START_TEST(test_add_odd_identifier)
{
	struct authres r = {
	    .authserv_id = "gw.example", .result = "pass", .body_smime_identifier = "\"a; b\"@x.example"};
	struct buf b;

	add(&b, &r);
	ck_assert_ptr_nonnull(strstr(buf_str(&b), "body.smime-identifier=\"\\\"a;\r\n b\\\"@x.example\"\r\n"));
	buf_clear(&b);
}
END_TEST

START_TEST(test_add_x)
{
	struct buf b;

	buf_init(&b, 300);
	ck_assert_int_eq(authres_add_x(&b, "Verdict", "held: no\r\nInjected: \xc3\xa4 yes"), 0);
	ck_assert_str_eq(buf_str(&b), "X-Postern-Verdict: held: no Injected: =?utf-8?Q?=C3=A4?= yes\r\n");
	ck_assert(forged(buf_str(&b), "gw.example"));
	buf_reset(&b);
	ck_assert_int_eq(authres_add_x(&b, "Reason",
			     "The certificate with serial number 1234 of CN=Some CA expired on 2026-01-01, ask the "
			     "partner for a new one."),
	    0);
	ck_assert_str_eq(buf_str(&b), "X-Postern-Reason: The certificate with serial number 1234 of CN=Some CA\r\n"
				      " expired on 2026-01-01, ask the partner for a new one.\r\n");
	buf_clear(&b);
	buf_init(&b, 10);
	ck_assert_int_eq(authres_add_x(&b, "Reason", "x"), -1);
	ck_assert_uint_eq(b.len, 0);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("authres");
	TCase *t = tcase_create("all");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60); /* with sanitizers on a busy machine */
	tcase_add_loop_test(t, test_forged, 0, (int)(sizeof(fields) / sizeof(fields[0])));
	tcase_add_test(t, test_long_id);
	tcase_add_test(t, test_add);
	tcase_add_test(t, test_add_least);
	tcase_add_test(t, test_add_hostile);
	tcase_add_test(t, test_add_beyond_ascii);
	tcase_add_test(t, test_add_odd_identifier);
	tcase_add_test(t, test_add_x);
	suite_add_tcase(s, t);
	return suite_run(s);
}
