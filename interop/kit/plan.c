#include "interop/kit/plan.h"

#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/manifest.h"
#include "interop/kit/result.h"
#include "interop/kit/result_check.h"
#include "interop/kit/tester.h"

#define FORMAT "postern-interop-plan-1"
#define PLAN_MAX (16 * 1024 * 1024)
#define CASES_MAX 10000
#define N(a) (sizeof(a) / sizeof(*(a)))

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* SHA-256 over the lines once they are sorted (by their last word: all begin with 64 digits and a blank); frees them
 */
static int by_path(const void *a, const void *b)
{
	return strcmp(*(char *const *)a + 65, *(char *const *)b + 65);
}

static void hash_lines(char **lines, size_t n, char hex[65])
{
	unsigned char sum[32];
	struct buf all = {0}, digits = {0};

	qsort(lines, n, sizeof(*lines), by_path);
	for (size_t i = 0; i < n; i++) {
		buf_addf(&all, "%s\n", lines[i]);
		free(lines[i]);
	}
	free(lines);
	buf_adds(&all, "");
	sha256_of(all.p, all.n, sum);
	hex_add(&digits, sum, sizeof(sum));
	memcpy(hex, digits.p, 65);
	buf_free(&all);
	buf_free(&digits);
}

int plan_case_hash(const char *case_dir, char hex[65], struct buf *why)
{
	json_t *files = manifest_files(case_dir, true, why), *one;
	char **lines;
	const char *path;
	size_t n = 0;

	if (!files)
		return -1;
	lines = need((json_object_size(files) + 1) * sizeof(*lines));
	json_object_foreach(files, path, one) lines[n++] = text_make("%s %s", result_member(one, "sha256"), path);
	hash_lines(lines, n, hex);
	json_decref(files);
	return 0;
}

int plan_cases_hash(const struct case_list *cases, char hex[65], struct buf *why)
{
	char **lines = need((cases->n + 1) * sizeof(*lines)), one[65];
	int rc = 0;

	for (size_t i = 0; i < cases->n; i++) {
		const struct case_file *c = &cases->cases[i];

		if (plan_case_hash(c->dir, one, why) < 0) {
			rc = -1;
			memset(one, '0', 64);
			one[64] = 0;
		}
		lines[i] = text_make("%s %s/%s", one, c->profile, c->id);
	}
	hash_lines(lines, cases->n, hex);
	return rc;
}

/* A certificate's file as PEM without anything else; NULL with why. */
static char *pem_of(const char *path, struct buf *why)
{
	X509 *c = certificate_read(path, why);
	BIO *b = c ? BIO_new(BIO_s_mem()) : NULL;
	char *p = NULL, *text = NULL;
	long n;

	if (b && PEM_write_bio_X509(b, c) && (n = BIO_get_mem_data(b, &p)) > 0)
		text = text_cut(p, (size_t)n);
	BIO_free(b);
	X509_free(c);
	return text;
}

static json_t *party(const char *text, struct buf *why)
{
	char *parts[4] = {0}, *all = text_copy(text), *rest = all, *tester = NULL, *gateway = NULL;
	json_t *v = NULL;
	size_t n = 0;

	while (rest && n < N(parts))
		parts[n++] = strsep(&rest, ",");
	if (n < 3 || rest || !*parts[0] || !*parts[1])
		fail(why, "\"%s\" is not NAME,domain,tester-cert[,gateway-cert]", text);
	else if ((tester = pem_of(parts[2], why)) && (n == 3 || (gateway = pem_of(parts[3], why))))
		v = json_pack("{s:s,s:s,s:s,s:s}", "name", parts[0], "domain", parts[1], "tester", tester, "gateway",
		    gateway ? gateway : "");
	if (tester && !v && (n == 3 || gateway))
		fail(why, "\"%s\" is not UTF-8", text);
	free(tester);
	free(gateway);
	free(all);
	return v;
}

static json_t *cases_json(const struct case_list *cases, struct buf *why)
{
	char **lines = need((cases->n + 1) * sizeof(*lines)), hex[65];
	json_t *list = json_array();
	int rc = 0;

	for (size_t i = 0; i < cases->n; i++)
		lines[i] = text_make("%s/%s\t%zu", cases->cases[i].profile, cases->cases[i].id, i);
	qsort(lines, cases->n, sizeof(*lines), by_text);
	for (size_t i = 0; i < cases->n; i++) {
		const struct case_file *c = &cases->cases[strtoul(strrchr(lines[i], '\t') + 1, NULL, 10)];

		if (plan_case_hash(c->dir, hex, why) < 0)
			rc = -1;
		else
			json_array_append_new(
			    list, json_pack("{s:s,s:s,s:s}", "profile", c->profile, "id", c->id, "sha256", hex));
		free(lines[i]);
	}
	free(lines);
	if (rc == 0)
		return list;
	json_decref(list);
	return NULL;
}

static json_t *words(const char *text)
{
	json_t *list = json_array();

	for (const char *p = text; *p;) {
		size_t n = strcspn(p, ",");

		if (n > 0)
			json_array_append_new(list, json_stringn(p, n));
		p += n + (p[n] == ',');
	}
	return list;
}

static int check_list(const json_t *plan, struct buf *why)
{
	static const struct member members[] = {{"profile", M_ID}, {"id", M_ID}, {"sha256", M_SHA256}};
	const json_t *cases = json_object_get(plan, "cases");
	json_t *seen = json_object();
	int rc = 0;

	if (json_array_size(cases) == 0 || json_array_size(cases) > CASES_MAX)
		rc = fail(why, "a plan has 1 to %d cases", CASES_MAX);
	for (size_t i = 0; rc == 0 && i < json_array_size(cases); i++) {
		const json_t *c = json_array_get(cases, i);

		rc = result_check(c, members, N(members), "a case of the plan", why);
		if (rc == 0 && json_object_get(seen, result_member(c, "id")))
			rc = fail(why, "case %s stands twice in the plan", result_member(c, "id"));
		json_object_set_new(seen, result_member(c, "id"), json_true());
	}
	json_decref(seen);
	return rc;
}

static int check_parties(const json_t *list, struct buf *why)
{
	static const struct member members[] = {
	    {"name", M_ID}, {"domain", M_ID}, {"tester", M_TEXT}, {"gateway", M_TEXT}};
	const json_t *a = json_array_get(list, 0), *b = json_array_get(list, 1);

	if (json_array_size(list) != 2)
		return fail(why, "a plan has two parties");
	if (result_check(a, members, N(members), "a party of the plan", why) < 0 ||
	    result_check(b, members, N(members), "a party of the plan", why) < 0)
		return -1;
	for (size_t i = 0; i < 3; i++)
		if (!strcasecmp(result_member(a, members[i].name), result_member(b, members[i].name)))
			return fail(why, "both parties have the same \"%s\"", members[i].name);
	return 0;
}

static int check(const json_t *plan, struct buf *why)
{
	static const struct member members[] = {{"format", M_TEXT}, {"id", M_RUN}, {"profiles", M_IDS},
	    {"cases", M_LIST}, {"parties", M_LIST}, {"not-before", M_TIME}, {"until", M_TIME}};

	if (result_check(plan, members, N(members), "the plan", why) < 0)
		return -1;
	if (strcmp(result_member(plan, "format"), FORMAT) != 0)
		return fail(why, "the plan is of a format that is not known here");
	if (strcmp(result_member(plan, "not-before"), result_member(plan, "until")) >= 0)
		return fail(why, "the plan is over before it begins");
	return check_parties(json_object_get(plan, "parties"), why) < 0 ? -1 : check_list(plan, why);
}

json_t *plan_make(const struct case_list *cases, const char *profiles, char **parties, size_t n, time_t not_before,
    time_t until, struct buf *why)
{
	json_t *list = cases_json(cases, why), *both = json_array(), *plan;
	unsigned char id[16];
	struct buf hex = {0}, from = {0}, to = {0};

	for (size_t i = 0; i < n; i++) {
		json_t *one = party(parties[i], why);

		if (one)
			json_array_append_new(both, one);
	}
	if (RAND_bytes(id, sizeof(id)) != 1)
		die("there are no random octets");
	hex_add(&hex, id, sizeof(id));
	time_add_iso(&from, not_before);
	time_add_iso(&to, until);
	plan = list ? json_pack("{s:s,s:s,s:o,s:O,s:O,s:s,s:s}", "format", FORMAT, "id", hex.p, "profiles",
			  words(profiles), "cases", list, "parties", both, "not-before", from.p, "until", to.p)
		    : NULL;
	if (plan && (json_array_size(both) != n || check(plan, why) < 0)) {
		json_decref(plan);
		plan = NULL;
	}
	json_decref(list);
	json_decref(both);
	buf_free(&hex);
	buf_free(&from);
	buf_free(&to);
	return plan;
}

int plan_write(const char *path, const json_t *plan, struct buf *why)
{
	char *text = json_dumps(plan, JSON_INDENT(1));
	int rc;

	if (!text)
		die("out of memory");
	rc = file_write(path, text, strlen(text), 0644, why);
	free(text);
	return rc;
}

json_t *plan_read(const char *path, struct buf *why)
{
	json_t *plan = json_file(path, PLAN_MAX, why);

	if (!plan || check(plan, why) == 0)
		return plan;
	json_decref(plan);
	return NULL;
}

void plan_hash(const json_t *plan, char hex[65])
{
	char *text = json_dumps(plan, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENSURE_ASCII);
	struct buf digits = {0};
	unsigned char sum[32];

	if (!text)
		die("out of memory");
	sha256_of(text, strlen(text), sum);
	hex_add(&digits, sum, sizeof(sum));
	memcpy(hex, digits.p, 65);
	buf_free(&digits);
	free(text);
}

char *plan_profiles(const json_t *plan)
{
	const json_t *list = json_object_get(plan, "profiles");
	struct buf b = {0};

	buf_adds(&b, "");
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_addf(&b, "%s%s", i ? "," : "", json_string_value(json_array_get(list, i)));
	return b.p;
}

char *plan_case_ids(const json_t *plan)
{
	const json_t *list = json_object_get(plan, "cases");
	struct buf b = {0};

	buf_adds(&b, "");
	for (size_t i = 0; i < json_array_size(list); i++)
		buf_addf(&b, "%s%s", i ? "," : "", result_member(json_array_get(list, i), "id"));
	return b.p;
}

/* the plan's case with this id and profile; NULL: none */
static const json_t *case_of(const json_t *plan, const struct case_file *c)
{
	const json_t *list = json_object_get(plan, "cases");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *one = json_array_get(list, i);

		if (!strcmp(result_member(one, "id"), c->id) && !strcmp(result_member(one, "profile"), c->profile))
			return one;
	}
	return NULL;
}

int plan_check_cases(const json_t *plan, const struct case_list *cases, struct buf *why)
{
	const json_t *list = json_object_get(plan, "cases");
	int rc = 0;

	for (size_t i = 0; i < cases->n; i++) {
		const struct case_file *c = &cases->cases[i];
		const json_t *one = case_of(plan, c);
		char hex[65];

		if (!one)
			rc = fail(why, "case %s is not in the plan", c->id);
		else if (plan_case_hash(c->dir, hex, why) < 0)
			rc = -1;
		else if (strcmp(hex, result_member(one, "sha256")) != 0)
			rc = fail(why, "case %s is not the one of the plan: its files differ", c->id);
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		bool there = false;

		for (size_t j = 0; j < cases->n && !there; j++)
			there = !strcmp(cases->cases[j].id, result_member(json_array_get(list, i), "id"));
		if (!there)
			rc = fail(why, "case %s of the plan is not on this machine",
			    result_member(json_array_get(list, i), "id"));
	}
	return rc;
}

/* whether the certificate of a file is that of this PEM text */
static bool same_certificate(const char *path, const char *pem, struct buf *why)
{
	X509 *a = certificate_read(path, why), *b = NULL;
	BIO *in = BIO_new_mem_buf(pem, -1);
	bool same;

	if (in)
		b = PEM_read_bio_X509(in, NULL, NULL, NULL);
	same = a && b && X509_cmp(a, b) == 0;
	BIO_free(in);
	X509_free(a);
	X509_free(b);
	return same;
}

int plan_check_kit(const json_t *plan, const struct kit *k, const char *name, time_t now, struct buf *why)
{
	const json_t *parties = json_object_get(plan, "parties"), *a = json_array_get(parties, 0),
		     *b = json_array_get(parties, 1);
	bool first = !strcmp(result_member(a, "name"), name), second = !strcmp(result_member(b, "name"), name);
	const char *domain = result_member(first ? b : a, "domain");
	struct buf iso = {0};
	char *path;
	int rc = 0;

	if (!first && !second)
		return fail(why, "%s is no party of the plan", name);
	if (strcasecmp(domain, k->gateway_domain) != 0)
		return fail(why, "%s tests the domain %s by the plan, and gateway-domain is %s", name, domain,
		    k->gateway_domain);
	time_add_iso(&iso, now);
	if (strcmp(iso.p, result_member(plan, "not-before")) < 0 || strcmp(iso.p, result_member(plan, "until")) > 0)
		rc = fail(why, "the plan is from %s until %s", result_member(plan, "not-before"),
		    result_member(plan, "until"));
	path = text_make("%s/tester.pem", k->dir);
	if (!same_certificate(path, result_member(first ? a : b, "tester"), why))
		rc = fail(why, "%s is not the tester's certificate that the plan has for %s", path, name);
	free(path);
	buf_free(&iso);
	return rc;
}
