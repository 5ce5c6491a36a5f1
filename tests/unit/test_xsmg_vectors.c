/* The published test vectors of XSMG (docs/xsmg/vectors): this gateway's reader says of each what vectors.json says.
 */
#include <check.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/xsmg/statement_check.h"
#include "tests/unit/suite.h"

#define DIR "docs/xsmg/vectors/"
enum { LEAST = 40 };

static const char *text(const json_t *v, const char *name)
{
	const char *s = json_string_value(json_object_get(v, name));

	ck_assert_msg(s != NULL, "a vector has no %s", name);
	return s;
}

static int64_t time_of(const json_t *v, const char *name)
{
	int64_t t;

	ck_assert_int_eq(statement_time(text(v, name), strlen(text(v, name)), &t), 0);
	return t;
}

static size_t load(const char *name, uint8_t *p, size_t cap)
{
	char path[200];
	size_t n;
	FILE *f;

	snprintf(path, sizeof path, DIR "%s.der", name);
	f = fopen(path, "r");
	ck_assert_msg(f != NULL, "%s", path);
	n = fread(p, 1, cap, f);
	ck_assert_uint_lt(n, cap);
	fclose(f);
	return n;
}

static void check_one(const json_t *v)
{
	static uint8_t der[2 * STATEMENT_MAX];
	size_t n = load(text(v, "name"), der, sizeof der);
	const json_t *trusted = json_object_get(v, "trusted");
	struct statement_facts f = {.domain = text(v, "domain"), .now = time_of(v, "now")};
	struct arena *a = arena_new(STATEMENT_ARENA);
	struct statement s;
	struct statement_signed sd;
	struct statement_verdict verdict;

	if (trusted) {
		f.trusted_id = text(trusted, "id");
		f.trusted_serial = json_integer_value(json_object_get(trusted, "serial"));
		f.trusted_issued = time_of(trusted, "issued");
	}
	statement_check(der, n, &f, a, &s, &sd, &verdict);
	ck_assert_msg(strcmp(statement_check_word(verdict.result), text(v, "result")) == 0 &&
			  strcmp(statement_step_word(verdict.step), text(v, "check")) == 0,
	    "%s: %s at %s: %s", text(v, "name"), statement_check_word(verdict.result),
	    statement_step_word(verdict.step), verdict.why.text);
	if (verdict.step == STATEMENT_STEP_NONE || verdict.step > STATEMENT_STEP_SIGNERS)
		ck_assert_str_eq(sd.id, text(v, "id"));
	arena_free(a);
}

START_TEST(vectors)
{
	json_t *list = json_load_file(DIR "vectors.json", JSON_REJECT_DUPLICATES, NULL);
	ck_assert_uint_ge(json_array_size(list), LEAST);
	for (size_t i = 0; i < json_array_size(list); i++)
		check_one(json_array_get(list, i));
	json_decref(list);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("xsmg_vectors");
	TCase *tc = tcase_create("all");

	tcase_add_test(tc, vectors);
	suite_add_tcase(s, tc);
	return suite_run(s);
}
