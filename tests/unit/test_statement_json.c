/* Statements as JSON: what is taken, and each thing that is not. */
#include "gateway/xsmg/statement_json.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/statement_fixture.h"
#include "tests/unit/suite.h"

static struct testcert cert;
static struct arena *arena;

static void setup(void)
{
	cert = fx_gateway("statement key");
	arena = arena_new(STATEMENT_ARENA);
}

static void teardown(void)
{
	testcert_free(&cert);
	arena_free(arena);
}

static const char base[] =
    "{\"v\":1,\"domain\":\"lab.example\",\"serial\":1795312800000,\"issued\":\"2026-11-22T02:00:00Z\","
    "\"expires\":\"2026-11-29T02:00:00Z\",\"signer\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\","
    "\"certificates\":[{\"use\":\"both\",\"der\":\"MAA=\",\"from\":\"2026-11-22T02:00:00Z\","
    "\"until\":\"2027-11-22T02:00:00Z\"}],\"read\":{\"content\":[\"aes-256-gcm\",\"aes-256-cbc\"],"
    "\"keys\":[\"rsa-oaep-sha256\"],\"signatures\":[\"rsa-sha256\"],\"formats\":[\"signed-enveloped\"]}}";

/* The base with the first `from` replaced by `to`. NULL `why`: taken. */
static const struct {
	const char *from, *to, *why;
} cases[] = {
    {"", "", NULL},
    /* members that must be there */
    {"\"v\":1,", "", "has no v"},
    {"\"domain\":\"lab.example\",", "", "has no domain"},
    {"\"serial\":1795312800000,", "", "has no serial"},
    {"\"issued\"", "\"issue\"", "has no issued"},
    {"\"expires\"", "\"expire\"", "has no expires"},
    {"\"signer\"", "\"signers\"", "has no signer"},
    {"\"certificates\"", "\"certs\"", "has no certificates"},
    {"\"read\"", "\"reads\"", "has no read"},
    {"\"content\":", "\"contents\":", "read has no content"},
    {"\"keys\":", "\"key\":", "read has no keys"},
    {"\"signatures\":", "\"s\":", "read has no signatures"},
    {"\"formats\":", "\"f\":", "read has no formats"},
    /* the version */
    {"\"v\":1", "\"v\":2", "v is not 1"},
    {"\"v\":1", "\"v\":\"1\"", "v is not 1"},
    {"\"v\":1", "\"v\":true", "v is not 1"},
    /* two of one name, at the top and below, as it stands and escaped */
    {"{\"v\":1", "{\"v\":1,\"v\":1", "each member once"},
    {"{\"v\":1", "{\"v\":1,\"\\u0076\":1", "each member once"},
    {"\"serial\":1795312800000", "\"serial\":1795312800000,\"serial\":1795312800001", "each member once"},
    {"{\"use\":\"both\"", "{\"use\":\"both\",\"use\":\"sign\"", "each member once"},
    {"{\"v\":1", "{\"x\":{\"a\":1,\"a\":2},\"v\":1", "each member once"},
    /* what is not known */
    {"{\"v\":1", "{\"x\":[1,{\"y\":null}],\"v\":1", NULL},
    {"{\"v\":1", "{\"critical\":[\"urls\",\"read\"],\"v\":1", NULL},
    {"{\"v\":1", "{\"critical\":[\"x\"],\"x\":1,\"v\":1", "critical member \"x\""},
    {"{\"v\":1", "{\"critical\":[\"quantum\\u0007\"],\"v\":1", "critical member \"quantum?\""},
    {"{\"v\":1", "{\"critical\":\"x\",\"v\":1", "critical is no array"},
    {"{\"v\":1", "{\"critical\":[1],\"v\":1", "critical has a value that is no string"},
    {"\"aes-256-gcm\"", "\"kyber-1024-gcm\"", NULL},
    {"\"aes-256-gcm\"", "\"AES-256-GCM\"", NULL},
    {"\"aes-256-gcm\"", "256", "content has a value that is no string"},
    {"[\"aes-256-gcm\",\"aes-256-cbc\"]", "\"aes-256-gcm\"", "content is no array"},
    {"[\"aes-256-gcm\",\"aes-256-cbc\"]", "[]", NULL},
    /* the domain */
    {"lab.example", "Lab.example", "not a domain in A-labels"},
    {"lab.example", "lab.example.", "not a domain in A-labels"},
    {"lab.example",
	"l\xc3\xa4"
	"b.example",
	"not a domain in A-labels"},
    {"lab.example", "xn--lb-via.example", NULL},
    {"lab.example", "*.example", "not a domain in A-labels"},
    {"lab.example", "[192.0.2.1]", "not a domain in A-labels"},
    {"lab.example", "lab example", "not a domain in A-labels"},
    {"lab.example", "", "not a domain in A-labels"},
    {"\"lab.example\"", "7", "not a domain in A-labels"},
    /* numbers */
    {"1795312800000", "9007199254740991", NULL},
    {"1795312800000", "9007199254740992", "above 2^53 - 1"},
    {"1795312800000", "9223372036854775807", "above 2^53 - 1"},
    {"1795312800000", "9223372036854775808", "no JSON"},
    {"1795312800000", "1795312800000.0", "not an integer"},
    {"1795312800000", "1.7953128e12", "not an integer"},
    {"1795312800000", "0", "serial is no integer from 1"},
    {"1795312800000", "-1", "serial is no integer from 1"},
    {"1795312800000", "01", "no JSON"},
    {"1795312800000", "\"1795312800000\"", "serial is no integer from 1"},
    {"1795312800000", "NaN", "no JSON"},
    {"{\"v\":1", "{\"x\":0.5,\"v\":1", "not an integer"},
    {"{\"v\":1", "{\"x\":-9007199254740992,\"v\":1", "above 2^53 - 1"},
    /* times */
    {"2026-11-29T02:00:00Z", "2026-11-29T02:00:00z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-29t02:00:00Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-29 02:00:00Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-29T02:00:00+00:00", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-29T02:00:00.0Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-29T02:00Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-31T02:00:00Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-02-29T02:00:00Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-29T24:00:00Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-29T02:00:60Z", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-1-29T002:00:00Z", "no time of the form"},
    {"\"2026-11-29T02:00:00Z\"", "1795917600", "no time of the form"},
    {"2026-11-29T02:00:00Z", "2026-11-22T02:00:00Z", "expires is not after issued"},
    {"2026-11-29T02:00:00Z", "2026-12-22T02:00:00Z", NULL},
    {"2026-11-29T02:00:00Z", "2026-12-22T02:00:01Z", "more than 30 days"},
    {"2026-11-29T02:00:00Z", "9999-12-31T23:59:59Z", "more than 30 days"},
    {"2027-11-22T02:00:00Z", "2026-11-22T02:00:00Z", "from that is not before its until"},
    {"2027-11-22T02:00:00Z", "soon", "until of a certificate is \"soon\""},
    /* status, signer */
    {"{\"v\":1", "{\"status\":\"withdrawn\",\"v\":1", NULL},
    {"{\"v\":1", "{\"status\":\"active\",\"v\":1", NULL},
    {"{\"v\":1", "{\"status\":\"gone\",\"v\":1", "neither active nor withdrawn"},
    {"{\"v\":1", "{\"status\":true,\"v\":1", "neither active nor withdrawn"},
    {"AAA\"", "AAAA\"", "signer is no SHA-256"},
    {"AAA\"", "AA=\"", "signer is no SHA-256"},
    {"AAA\"", "AA+\"", "signer is no SHA-256"},
    {"AAA\"", "AAB\"", "signer is no SHA-256"},
    {"AAA\"", "AAE\"", NULL},
    /* certificates */
    {"\"use\":\"both\"", "\"use\":\"all\"", "none of statement, sign, encrypt and both"},
    {"\"use\":\"both\",", "", "none of statement, sign, encrypt and both"},
    {"MAA=", "MAA", "no base64"},
    {"MAA=", "MAB=", "no base64"},
    {"MAA=", "MA A=", "no base64"},
    {"MAA=", "MA-_", "no base64"},
    {"MAA=", "", "certificate has no der"},
    {"[{\"use\":\"both\"", "[[],{\"use\":\"both\"", "a value that is no object"},
    /* read and write */
    {"\"read\":{", "\"read\":{\"octets\":1,", NULL},
    {"\"read\":{", "\"read\":{\"octets\":0,", "octets is no integer from 1"},
    {"\"read\":{", "\"read\":{\"headers\":[\"rfc9788\"],", NULL},
    {"\"read\":{", "\"read\":{\"headers\":{},", "headers is no array"},
    {"{\"v\":1", "{\"write\":{\"signs\":\"all\",\"until\":\"2027-01-01T00:00:00Z\"},\"v\":1", NULL},
    {"{\"v\":1", "{\"write\":{\"signs\":\"all\"},\"v\":1", "until of write"},
    {"{\"v\":1", "{\"write\":{\"signs\":\"none\",\"until\":\"2027-01-01T00:00:00Z\"},\"v\":1",
	"neither all nor some"},
    {"{\"v\":1", "{\"write\":{\"test\":1,\"until\":\"2027-01-01T00:00:00Z\"},\"v\":1", "neither true nor false"},
    {"{\"v\":1", "{\"write\":[],\"v\":1", "write is no object"},
    {"{\"v\":1", "{\"demand\":[\"signed\",\"sung\"],\"v\":1", NULL},
    {"{\"v\":1", "{\"demand\":[1],\"v\":1", "demand has a value that is no string"},
    {"{\"v\":1", "{\"asserts\":[\"archived\",\"blessed\"],\"v\":1", NULL},
    {"{\"v\":1", "{\"notices\":7,\"v\":1", "notices is no array"},
    {"{\"v\":1", "{\"urls\":[\"https://smg.lab.example/s\"],\"v\":1", NULL},
    {"{\"v\":1", "{\"urls\":[\"http://smg.lab.example/s\"],\"v\":1", "no https URL"},
    {"{\"v\":1", "{\"urls\":[\"https:///s\"],\"v\":1", "no https URL"},
    {"{\"v\":1", "{\"urls\":[\"https://a b/\"],\"v\":1", "no https URL"},
    {"{\"v\":1", "{\"urls\":[\"file:///etc/passwd\"],\"v\":1", "no https URL"},
    {"{\"v\":1",
	"{\"urls\":[\"https://a/1\",\"https://a/2\",\"https://a/3\",\"https://a/4\",\"https://a/5\","
	"\"https://a/6\",\"https://a/7\",\"https://a/8\",\"https://a/9\"],\"v\":1",
	"urls has 9 values, more than 8"},
    /* JSON and I-JSON */
    {"{\"v\":1", "{\"x\":\"\\u0000\",\"v\":1", "no JSON"},
    {"{\"v\":1", "{\"x\":\"\\ud800\",\"v\":1", "no JSON"},
    {"{\"v\":1", "{\"x\":\"\\udbff\\udfff\",\"v\":1", "noncharacter"},
    {"{\"v\":1", "{\"x\":\"\xef\xbf\xbf\",\"v\":1", "noncharacter"},
    {"{\"v\":1", "{\"x\":\"\\ufdd0\",\"v\":1", "noncharacter"},
    {"{\"v\":1", "{\"\\ufffe\":1,\"v\":1", "noncharacter"},
    {"{\"v\":1", "{\"x\":\"\\ufffd \\ud83d\\ude00\",\"v\":1", NULL},
    {"{\"v\":1", "{\"x\":\"\xc3\x28\",\"v\":1", "not UTF-8"},
    {"{\"v\":1", "{\"x\":\"\xed\xa0\x80\",\"v\":1", "not UTF-8"},
    {"{\"v\":1", "{\"x\":\"\xc0\xae\",\"v\":1", "not UTF-8"},
    {"{\"v\":1", "{\"x\":\"\xff\",\"v\":1", "not UTF-8"},
    {"{\"v\":1", "\xef\xbb\xbf{\"v\":1", "no JSON"},
    {"{\"v\":1", "{'v':1", "no JSON"},
    {"{\"v\":1", "{\"v\":1,", "no JSON"},
    {"{\"v\":1", "{/**/\"v\":1", "no JSON"},
    {"{\"v\":1", "[{\"v\":1", "no JSON"},
    {"]}}", "]}}{}", "no JSON"},
    {"]}}", "]}} \r\n\t", NULL},
    {"{\"v\":1", "{\"x\":[[[[[[[1]]]]]]],\"v\":1", NULL},
    {"{\"v\":1", "{\"x\":[[[[[[[[1]]]]]]]],\"v\":1", "nested more than 8 deep"},
    {"{\"v\":1", "{\"x\":\"[[[[[[[[[[[[[[\",\"v\":1", NULL},
    {"{\"v\":1", "{\"x\":\"\\\"[[[[[[[[[[[[\",\"v\":1", NULL},
};

/* The base with one thing replaced; free it. */
static char *patched(const char *from, const char *to)
{
	const char *at = strstr(base, from);
	char *out = malloc(sizeof base + strlen(to));
	size_t before = (size_t)(at - base);

	ck_assert_msg(at != NULL, "\"%s\" is not in the base", from);
	memcpy(out, base, before);
	strcpy(out + before, to);
	strcat(out, at + strlen(from));
	return out;
}

START_TEST(patches)
{
	char *text = patched(cases[_i].from, cases[_i].to);
	struct statement s;
	struct problem pr = {0};
	int r = statement_json_read(text, strlen(text), arena, &s, &pr);

	ck_assert_msg((r == 0) == (cases[_i].why == NULL), "\"%s\": %s", cases[_i].to, pr.text);
	if (cases[_i].why)
		ck_assert_msg(strstr(pr.text, cases[_i].why) != NULL, "\"%s\": %s", cases[_i].to, pr.text);
	free(text);
}
END_TEST

/* Every prefix of it, and every octet made NUL. */
START_TEST(pieces)
{
	char text[sizeof base];
	struct statement s;

	for (size_t i = 0; i < sizeof base - 1; i++) {
		ck_assert_int_eq(statement_json_read(base, i, arena, &s, NULL), -1);
		memcpy(text, base, sizeof base);
		text[i] = 0;
		ck_assert_int_eq(statement_json_read(text, sizeof base - 1, arena, &s, NULL), -1);
	}
}
END_TEST

static void run(const char *open, const char *close, size_t n, const char *why)
{
	struct statement s;
	struct problem pr = {0};
	struct buf b;

	buf_init(&b, 1 << 20);
	for (size_t i = 0; i < n; i++)
		fx_must(buf_adds(&b, open));
	for (size_t i = 0; i < n && *close; i++)
		fx_must(buf_adds(&b, close));
	ck_assert_int_eq(statement_json_read(b.p, b.len, arena, &s, &pr), -1);
	ck_assert_msg(strstr(pr.text, why) != NULL, "%s", pr.text);
	buf_clear(&b);
}

START_TEST(bombs)
{
	run("[", "]", 10000, "nested more than 8 deep");
	run("[", "", 10000, "nested more than 8 deep");
	run("{\"a\":", "}", 10000, "nested more than 8 deep");
	run("\"[\":", "", 10000, "no JSON");
	run("}", "", 10000, "no JSON");
	run("]]]]]]]][[[[[[[[[", "", 1, "no JSON");
	run("x", "", STATEMENT_MAX + 1, "more than 65536 octets");
}
END_TEST

/* Arrays and objects have their bounds, also where nobody looks. */
START_TEST(many)
{
	static const struct {
		const char *open, *each, *close, *why;
		int n, named;
	} t[] = {
	    {"{\"x\":[", "1", "],\"v\":1", "", 64, 0},
	    {"{\"x\":[", "1", "],\"v\":1", "more than 64 values", 65, 0},
	    {"{\"x\":{", "1", "},\"v\":1", "", 64, 1},
	    {"{\"x\":{", "1", "},\"v\":1", "more than 64 members", 65, 1},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		char head[2000], *text;
		size_t at = (size_t)snprintf(head, sizeof head, "%s", t[i].open);
		struct statement s;
		struct problem pr = {0};

		for (int k = 0; k < t[i].n; k++) {
			if (t[i].named)
				at += (size_t)snprintf(head + at, sizeof head - at, "%s\"m%d\":1", k ? "," : "", k);
			else
				at += (size_t)snprintf(head + at, sizeof head - at, "%s1", k ? "," : "");
		}
		snprintf(head + at, sizeof head - at, "%s", t[i].close);
		text = patched("{\"v\":1", head);
		ck_assert_int_eq(statement_json_read(text, strlen(text), arena, &s, &pr), t[i].why[0] ? -1 : 0);
		ck_assert_msg(strstr(pr.text, t[i].why) != NULL, "%s", pr.text);
		free(text);
	}
}
END_TEST

START_TEST(certificates_max)
{
	static const char one[] = "{\"use\":\"both\",\"der\":\"MAA=\",\"from\":\"2026-11-22T02:00:00Z\","
				  "\"until\":\"2027-11-22T02:00:00Z\"},";

	for (int n = 31; n <= 32; n++) {
		char list[34 * sizeof one] = "[", *text;
		struct statement s;
		struct problem pr = {0};

		for (int i = 0; i < n; i++)
			strcat(list, one);
		text = patched("[{\"use\"", strcat(list, "{\"use\""));
		ck_assert_int_eq(statement_json_read(text, strlen(text), arena, &s, &pr), n == 31 ? 0 : -1);
		ck_assert(n == 31 ? s.ncerts == 32 : strstr(pr.text, "33 values, more than 32") != NULL);
		free(text);
	}
}
END_TEST

/* Words keep their order, stand once; what is not known is passed over. */
START_TEST(words)
{
	char *text = patched("\"aes-256-gcm\",", "\"aes-128-cbc\",\"x\",\"aes-256-gcm\",\"aes-128-cbc\",");
	struct statement s;

	ck_assert_int_eq(statement_json_read(text, strlen(text), arena, &s, NULL), 0);
	ck_assert_uint_eq(s.read.content.n, 3);
	ck_assert_uint_eq(s.read.content.word[0], STATEMENT_AES_128_CBC);
	ck_assert_uint_eq(s.read.content.word[1], STATEMENT_AES_256_GCM);
	ck_assert_uint_eq(s.read.content.word[2], STATEMENT_AES_256_CBC);
	free(text);
}
END_TEST

static void all_set(struct statement *s)
{
	s->withdrawn = true;
	s->certs[s->ncerts++] = fx_cert(STATEMENT_FOR_BOTH, &cert);
	for (unsigned i = 1; i <= 4; i++)
		statement_words_add(&s->read.content, i);
	for (unsigned i = 5; i >= 1; i--)
		statement_words_add(&s->read.keys, i);
	for (unsigned i = 1; i <= 6; i++)
		statement_words_add(&s->read.signatures, i);
	for (unsigned i = 1; i <= 3; i++)
		statement_words_add(&s->read.formats, i);
	statement_words_add(&s->read.headers, STATEMENT_RFC822_WRAP);
	s->write = (struct statement_write){
	    true, STATEMENT_PROMISES_ALL, STATEMENT_PROMISES_SOME, FX_NOW + 90 * FX_DAY, true};
	s->demand_signed = s->demand_encrypted = true;
	s->asserts = 31;
	s->notices = 7;
	s->urls[s->nurls++] = "https://smg.lab.example/.well-known/smg/lab.example";
	s->urls[s->nurls++] = "https://192.0.2.1:8443/x?y=z";
}

static void same(const struct statement *a, const struct statement *b)
{
	ck_assert_str_eq(a->domain, b->domain);
	ck_assert(a->serial == b->serial && a->issued == b->issued && a->expires == b->expires);
	ck_assert(a->withdrawn == b->withdrawn && memcmp(a->signer, b->signer, 32) == 0);
	ck_assert_mem_eq(&a->read, &b->read, sizeof a->read);
	ck_assert(a->write.said == b->write.said && a->write.signs == b->write.signs);
	ck_assert(a->write.encrypts == b->write.encrypts && a->write.until == b->write.until);
	ck_assert(a->write.test == b->write.test && a->asserts == b->asserts && a->notices == b->notices);
	ck_assert(a->demand_signed == b->demand_signed && a->demand_encrypted == b->demand_encrypted);
	ck_assert_uint_eq(a->nurls, b->nurls);
	for (size_t i = 0; i < a->nurls; i++)
		ck_assert_str_eq(a->urls[i], b->urls[i]);
	ck_assert_uint_eq(a->ncerts, b->ncerts);
	for (size_t i = 0; i < a->ncerts; i++) {
		ck_assert(a->certs[i].use == b->certs[i].use && a->certs[i].from == b->certs[i].from);
		ck_assert(a->certs[i].until == b->certs[i].until && a->certs[i].der.n == b->certs[i].der.n);
		ck_assert_mem_eq(a->certs[i].der.p, b->certs[i].der.p, a->certs[i].der.n);
		ck_assert_str_eq(a->certs[i].sha256, b->certs[i].sha256);
	}
}

/* What is written is read as it was, and written again the same. */
START_TEST(round_trip)
{
	for (int full = 0; full < 2; full++) {
		struct statement s = fx_statement(&cert), got;
		struct problem pr = {0};
		struct buf a, b;

		if (full)
			all_set(&s);
		a = fx_json(&s);
		ck_assert_msg(statement_json_read(a.p, a.len, arena, &got, &pr) == 0, "%s", pr.text);
		same(&s, &got);
		b = fx_json(&got);
		ck_assert(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
		ck_assert_ptr_null(memchr(a.p, '\n', a.len));
		buf_clear(&a);
		buf_clear(&b);
	}
}
END_TEST

START_TEST(full_buffer)
{
	struct statement s = fx_statement(&cert);
	struct buf whole;

	all_set(&s);
	whole = fx_json(&s);
	for (size_t max = 0; max < whole.len; max += 7) {
		struct buf b;

		buf_init(&b, max);
		ck_assert_int_eq(statement_json_write(&s, &b), -1);
		buf_clear(&b);
	}
	buf_clear(&whole);
}
END_TEST

START_TEST(little_memory)
{
	struct arena *little = arena_new(64);
	struct statement s = fx_statement(&cert), got;
	struct buf b = fx_json(&s);
	struct problem pr = {0};

	ck_assert_int_eq(statement_json_read(b.p, b.len, little, &got, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "more memory"));
	buf_clear(&b);
	arena_free(little);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("statement_json");
	TCase *tc = tcase_create("all");

	tcase_add_checked_fixture(tc, setup, teardown);
	tcase_add_loop_test(tc, patches, 0, sizeof cases / sizeof *cases);
	tcase_add_test(tc, pieces);
	tcase_add_test(tc, bombs);
	tcase_add_test(tc, many);
	tcase_add_test(tc, certificates_max);
	tcase_add_test(tc, words);
	tcase_add_test(tc, round_trip);
	tcase_add_test(tc, full_buffer);
	tcase_add_test(tc, little_memory);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
