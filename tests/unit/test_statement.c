/* Words, times, ids and the choice of certificates of statements. */
#include "gateway/xsmg/statement.h"

#include <check.h>
#include <string.h>

#include "gateway/base/encode.h"
#include "tests/unit/suite.h"

START_TEST(words)
{
	static const size_t count[STATEMENT_KINDS] = {4, 5, 6, 3, 2, 5, 3, 4, 2};

	for (int k = 0; k < STATEMENT_KINDS; k++) {
		bool bits = k == STATEMENT_KIND_ASSERTS || k == STATEMENT_KIND_NOTICES;
		size_t n = 0;

		for (unsigned v = 1; v <= 128; v++) {
			const char *w = statement_word(k, v);

			if (!w)
				continue;
			n++;
			ck_assert(!bits || (v & (v - 1)) == 0);
			ck_assert_uint_eq(statement_value(k, w, strlen(w)), v);
			ck_assert_uint_eq(statement_value(k, w, strlen(w) - 1), 0);
		}
		ck_assert_uint_eq(n, count[k]);
		ck_assert(bits || n <= STATEMENT_WORDS_MAX);
		ck_assert_uint_eq(statement_value(k, "", 0), 0);
	}
}
END_TEST

START_TEST(times)
{
	static const int64_t days[] = {0, 59, 60, 11016, 11017, 19781, 20779, 47540, 2932896};
	int64_t t;

	/* 2000-02-28 to 2100-03-01 among them: written and read again */
	for (size_t i = 0; i < sizeof days / sizeof *days; i++)
		for (int64_t s = 0; s < 86400; s += 86399) {
			char text[21];

			encode_time(days[i] * 86400 + s, text);
			ck_assert_int_eq(statement_time(text, 20, &t), 0);
			ck_assert_int_eq(t, days[i] * 86400 + s);
			ck_assert_int_eq(statement_time(text, 19, &t), -1);
			ck_assert_int_eq(statement_time(text, 21, &t), -1);
		}
	ck_assert_int_eq(statement_time("1969-12-31T23:59:59Z", 20, &t), -1);
	ck_assert_int_eq(statement_time("2100-02-29T00:00:00Z", 20, &t), -1);
	ck_assert_int_eq(statement_time("2000-02-29T00:00:00Z", 20, &t), 0);
	ck_assert_int_eq(statement_time("2026-00-01T00:00:00Z", 20, &t), -1);
	ck_assert_int_eq(statement_time("2026-01-00T00:00:00Z", 20, &t), -1);
	ck_assert_int_eq(statement_time("2026-13-01T00:00:00Z", 20, &t), -1);
	ck_assert_int_eq(statement_time("2026-01-01T00:00:0/Z", 20, &t), -1);
}
END_TEST

START_TEST(ids)
{
	char id[STATEMENT_ID + 1];
	uint8_t md[32], again[32];

	/* SHA-256 of nothing */
	statement_id("", 0, id);
	ck_assert_str_eq(id, "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU");
	statement_hash("", 0, md);
	ck_assert_int_eq(statement_unid(id, STATEMENT_ID, again), 0);
	ck_assert_mem_eq(md, again, 32);
	ck_assert(!statement_id_ok(id, STATEMENT_ID - 1));
	for (const char *c = "+/= \nV"; *c; c++) {
		char bad[STATEMENT_ID + 1];

		memcpy(bad, id, sizeof bad);
		bad[STATEMENT_ID - 1] = *c; /* V: bits that say nothing are set */
		ck_assert(!statement_id_ok(bad, STATEMENT_ID));
	}
}
END_TEST

START_TEST(urls)
{
	static const struct {
		const char *url;
		bool ok;
	} t[] = {
	    {"https://smg.lab.example/.well-known/smg/lab.example", true},
	    {"https://[2001:db8::1]:8443/x?a=b&c", true},
	    {"https://a", true},
	    {"https://", false},
	    {"https:///x", false},
	    {"https://?x", false},
	    {"http://smg.lab.example/", false},
	    {"HTTPS://smg.lab.example/", false},
	    {"https://smg.lab.example/ x", false},
	    {"https://smg.lab.example/\"", false},
	    {"https://smg.lab.example/\\", false},
	    {"https://smg.lab.example/\n", false},
	    {"https://smg.lab.\xc3\xa4xample/", false},
	};
	char far[300] = "https://a/";

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ck_assert_msg(statement_url_ok(t[i].url, strlen(t[i].url)) == t[i].ok, "%s", t[i].url);
	memset(far + 10, 'x', 280);
	ck_assert(statement_url_ok(far, STATEMENT_URL_MAX));
	ck_assert(!statement_url_ok(far, STATEMENT_URL_MAX + 1));
}
END_TEST

START_TEST(certificate_now)
{
	struct statement s = {.ncerts = 5,
	    .certs = {
		{.use = STATEMENT_FOR_STATEMENT, .from = 0, .until = 100, .good = true},
		{.use = STATEMENT_FOR_BOTH, .from = 0, .until = 50, .good = true},
		{.use = STATEMENT_FOR_ENCRYPT, .from = 20, .until = 100, .good = true},
		{.use = STATEMENT_FOR_ENCRYPT, .from = 30, .until = 100, .good = false},
		{.use = STATEMENT_FOR_SIGN, .from = 40, .until = 100, .good = true},
	    }};
	static const struct {
		enum statement_use use;
		int64_t now;
		int want; /* -1: none */
	} t[] = {
	    {STATEMENT_FOR_ENCRYPT, -1, -1},
	    {STATEMENT_FOR_ENCRYPT, 0, 1},
	    {STATEMENT_FOR_ENCRYPT, 19, 1},
	    {STATEMENT_FOR_ENCRYPT, 20, 2},
	    {STATEMENT_FOR_ENCRYPT, 35, 2}, /* the one that is not good never */
	    {STATEMENT_FOR_ENCRYPT, 100, -1},
	    {STATEMENT_FOR_SIGN, 39, 1},
	    {STATEMENT_FOR_SIGN, 40, 4},
	    {STATEMENT_FOR_SIGN, 99, 4},
	    {STATEMENT_FOR_STATEMENT, 10, 0},
	    {STATEMENT_FOR_STATEMENT, 100, -1},
	};

	for (size_t i = 0; i < sizeof t / sizeof *t; i++)
		ck_assert_msg(
		    statement_cert_now(&s, t[i].use, t[i].now) == (t[i].want < 0 ? NULL : &s.certs[t[i].want]),
		    "case %zu", i);
}
END_TEST

START_TEST(steps)
{
	for (int i = STATEMENT_STEP_NONE + 1; i < STATEMENT_STEPS; i++)
		ck_assert(statement_step_word(i)[0] != '\0');
	ck_assert_str_eq(statement_step_word(STATEMENT_STEP_NONE), "");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("statement");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, words);
	tcase_add_test(tc, times);
	tcase_add_test(tc, ids);
	tcase_add_test(tc, urls);
	tcase_add_test(tc, certificate_now);
	tcase_add_test(tc, steps);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
