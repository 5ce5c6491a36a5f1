#include "interop/kit/result.h"

#include <stdlib.h>
#include <string.h>

#include "interop/kit/result_check.h"
#include "interop/kit/visible.h"

#define RESULTS_MAX (64 * 1024 * 1024)
#define SENTENCE_MAX 8192
#define CASES_MAX 10000
/* what is made of results looks at each pair of them */
#define REQUIREMENTS_MAX 2000
#define PROVES_MAX 50000
#define PROFILES_MAX 100
#define N(a) (sizeof(a) / sizeof(*(a)))

const char *const verdict_names[] = {"passed", "failed", "not run"};

int verdict_read(const char *name)
{
	for (int i = 0; i < 3; i++)
		if (!strcmp(name, verdict_names[i]))
			return i;
	return -1;
}

/* failed comes before not run, and that before passed */
static enum verdict worse(enum verdict a, enum verdict b)
{
	return a == FAILED || b == FAILED ? FAILED : a == NOT_RUN || b == NOT_RUN ? NOT_RUN : PASSED;
}

enum verdict result_of(const struct finding *f, size_t n)
{
	enum verdict all = n ? PASSED : NOT_RUN;

	for (size_t i = 0; i < n; i++)
		all = worse(all, f[i].verdict);
	return all;
}

json_t *result_text(const char *text)
{
	struct buf b = {0};
	json_t *v;
	uint32_t c;

	visible_add(&b, text ? text : "", text ? strlen(text) : 0);
	if (b.n > SENTENCE_MAX) {
		size_t at = SENTENCE_MAX;

		while (at > 0 && utf8_next(b.p + at, b.n - at, &c) == 0)
			at--;
		b.n = at;
		buf_adds(&b, " [cut]");
	}
	v = json_stringn(b.p, b.n);
	buf_free(&b);
	if (!v)
		die("out of memory");
	return v;
}

json_t *result_case(const struct case_file *c, const struct finding *f, size_t n, double seconds)
{
	json_t *all = json_array(), *proves = json_array(), *v;

	for (size_t i = 0; i < c->n_proves; i++)
		json_array_append_new(proves, result_text(c->proves[i]));
	for (size_t i = 0; i < n; i++)
		json_array_append_new(all, json_pack("{s:s,s:i,s:o}", "result", verdict_names[f[i].verdict], "line",
					       f[i].line, "sentence", result_text(f[i].sentence)));
	v = json_pack("{s:o,s:o,s:o,s:o,s:s,s:f,s:o,s:o}", "id", result_text(c->id), "profile",
	    result_text(c->profile), "title", result_text(c->title), "proves", proves, "result",
	    verdict_names[result_of(f, n)], "seconds", seconds, "evidence", json_sprintf("evidence/%s", c->id),
	    "findings", all);
	if (!v)
		die("the result of %s cannot be written", c->id);
	return v;
}

const char *result_member(const json_t *object, const char *name)
{
	const char *s = json_string_value(json_object_get(object, name));

	return s ? s : "";
}

static int check_finding(const json_t *f, const char *where, enum verdict *all, struct buf *why)
{
	static const struct member members[] = {{"result", M_TEXT}, {"line", M_LINE}, {"sentence", M_TEXT}};
	int is;

	if (result_check(f, members, N(members), where, why) < 0)
		return -1;
	is = verdict_read(result_member(f, "result"));
	if (is < 0)
		return fail(why, "%s has a finding that is not passed, failed or not run", where);
	*all = worse(*all, (enum verdict)is);
	return 0;
}

static int check_proves(const json_t *c, const char *where, const json_t *known, struct buf *why)
{
	const json_t *proves = json_object_get(c, "proves");

	for (size_t i = 0; i < json_array_size(proves); i++) {
		const char *id = json_string_value(json_array_get(proves, i));

		if (!json_object_get(known, id))
			return fail(why, "%s proves %s, which is not among the requirements", where, id);
	}
	return 0;
}

static int check_case(const json_t *c, const json_t *known, json_t *seen, struct buf *why)
{
	static const struct member members[] = {{"id", M_ID}, {"profile", M_ID}, {"title", M_TEXT}, {"proves", M_IDS},
	    {"result", M_TEXT}, {"seconds", M_NUMBER}, {"evidence", M_TEXT}, {"findings", M_LIST}};
	const char *id = result_member(c, "id"), *evidence = result_member(c, "evidence");
	char where[160];
	enum verdict all = PASSED;
	const json_t *findings = json_object_get(c, "findings");

	snprintf(where, sizeof(where), "case %.120s", id);
	if (result_check(c, members, N(members), where, why) < 0)
		return -1;
	if (json_object_get(seen, id))
		return fail(why, "%s stands twice", where);
	json_object_set_new(seen, id, json_true());
	if (strncmp(evidence, "evidence/", 9) != 0 || strcmp(evidence + 9, id) != 0)
		return fail(why, "%s has its evidence elsewhere than in evidence/%s", where, id);
	for (size_t i = 0; i < json_array_size(findings); i++)
		if (check_finding(json_array_get(findings, i), where, &all, why) < 0)
			return -1;
	if (json_array_size(findings) == 0)
		all = NOT_RUN;
	if (strcmp(result_member(c, "result"), verdict_names[all]) != 0)
		return fail(why, "%s is not said to be %s, as its findings have it", where, verdict_names[all]);
	return check_proves(c, where, known, why);
}

static int check_requirements(const json_t *list, json_t *known, struct buf *why)
{
	static const struct member members[] = {{"id", M_ID}, {"rfc", M_TEXT}, {"must", M_TEXT}, {"failure", M_TEXT}};

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *r = json_array_get(list, i);

		if (result_check(r, members, N(members), "a requirement", why) < 0)
			return -1;
		if (json_object_get(known, result_member(r, "id")))
			return fail(why, "requirement %s stands twice", result_member(r, "id"));
		json_object_set_new(known, result_member(r, "id"), json_true());
	}
	return 0;
}

/* each once; a case of another profile would stand in no table */
static int check_profiles(const json_t *v, const json_t *cases, struct buf *why)
{
	const json_t *list = json_object_get(v, "profiles");
	json_t *names = json_object();
	int rc = json_array_size(list) > PROFILES_MAX ? fail(why, "more than %d profiles", PROFILES_MAX) : 0;

	for (size_t i = 0; rc == 0 && i < json_array_size(list); i++) {
		if (json_object_get(names, json_string_value(json_array_get(list, i))))
			rc = fail(why, "a profile stands twice");
		json_object_set_new(names, json_string_value(json_array_get(list, i)), json_true());
	}
	for (size_t i = 0; rc == 0 && i < json_array_size(cases); i++)
		if (!json_object_get(names, result_member(json_array_get(cases, i), "profile")))
			rc = fail(why, "case %s is of a profile that the run does not have",
			    result_member(json_array_get(cases, i), "id"));
	json_decref(names);
	return rc;
}

static int check_cases(const json_t *v, struct buf *why)
{
	const json_t *cases = json_object_get(v, "cases"), *required = json_object_get(v, "requirements");
	json_t *known, *seen;
	size_t proves = 0;
	int rc = 0;

	if (json_array_size(cases) > CASES_MAX || json_array_size(required) > REQUIREMENTS_MAX)
		return fail(why, "more than %d cases or %d requirements", CASES_MAX, REQUIREMENTS_MAX);
	for (size_t i = 0; i < json_array_size(cases); i++)
		proves += json_array_size(json_object_get(json_array_get(cases, i), "proves"));
	if (proves > PROVES_MAX)
		return fail(why, "the cases prove more than %d requirements, each counted anew", PROVES_MAX);
	known = json_object();
	seen = json_object();
	rc = check_requirements(required, known, why);
	for (size_t i = 0; rc == 0 && i < json_array_size(cases); i++)
		rc = check_case(json_array_get(cases, i), known, seen, why);
	if (rc == 0)
		rc = check_profiles(v, cases, why);
	json_decref(known);
	json_decref(seen);
	return rc;
}

static int check(const json_t *v, struct buf *why)
{
	static const struct member members[] = {{"kit", M_TEXT}, {"run", M_RUN}, {"began", M_TIME}, {"ended", M_TIME},
	    {"tester", M_TEXT}, {"gateway", M_OBJECT}, {"kit-domain", M_TEXT}, {"judges", M_TEXTS},
	    {"configuration", M_MAP}, {"profiles", M_IDS}, {"plan", M_PLAN}, {"cases-hash", M_SHA256},
	    {"requirements", M_LIST}, {"cases", M_LIST}};
	static const struct member gateway[] = {{"name", M_TEXT}, {"version", M_TEXT}, {"domain", M_TEXT}};

	if (result_check(v, members, N(members), "results.json", why) < 0 ||
	    result_check(json_object_get(v, "gateway"), gateway, N(gateway), "\"gateway\"", why) < 0)
		return -1;
	if (strcmp(result_member(v, "began"), result_member(v, "ended")) > 0)
		return fail(why, "the run ended before it began");
	return check_cases(v, why);
}

json_t *result_read(const char *dir, struct buf *why)
{
	char *path = text_make("%s/results.json", dir);
	json_t *v = json_file(path, RESULTS_MAX, why);

	if (v && check(v, why) < 0) {
		json_decref(v);
		v = NULL;
	}
	free(path);
	return v;
}

int result_write(const char *dir, const json_t *results, struct buf *why)
{
	char *path = text_make("%s/results.json", dir), *text = NULL;
	int rc = check(results, why);

	if (rc == 0) {
		text = json_dumps(results, JSON_INDENT(1) | JSON_REAL_PRECISION(6));
		rc = text ? file_write(path, text, strlen(text), 0644, why)
			  : fail(why, "the results cannot be written as JSON");
	}
	free(text);
	free(path);
	return rc;
}

void result_count(const json_t *results, const char *profile, size_t count[3])
{
	const json_t *cases = json_object_get(results, "cases");

	count[0] = count[1] = count[2] = 0;
	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);
		int is = verdict_read(result_member(c, "result"));

		if (is >= 0 && (!profile || !strcmp(profile, result_member(c, "profile"))))
			count[is]++;
	}
}

bool result_proves(const json_t *of_case, const char *id)
{
	const json_t *proves = json_object_get(of_case, "proves");

	for (size_t i = 0; i < json_array_size(proves); i++)
		if (!strcmp(json_string_value(json_array_get(proves, i)), id))
			return true;
	return false;
}

enum verdict result_requirement(const json_t *results, const char *id)
{
	const json_t *cases = json_object_get(results, "cases");
	enum verdict all = PASSED;
	bool any = false;

	for (size_t i = 0; i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);

		if (!result_proves(c, id))
			continue;
		any = true;
		all = worse(all, (enum verdict)verdict_read(result_member(c, "result")));
	}
	return any ? all : NOT_RUN;
}
