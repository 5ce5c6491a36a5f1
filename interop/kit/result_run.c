#include "interop/kit/result_run.h"

#include <openssl/crypto.h>
#include <string.h>

#include "interop/kit/plan.h"
#include "interop/kit/requirements.h"

#define KIT_VERSION "1"

static void add_setting(void *arg, const char *name, const char *value)
{
	json_object_set_new(arg, name, result_text(value));
}

static json_t *profiles_of(const struct case_list *cases)
{
	json_t *list = json_array();

	for (size_t i = 0; i < cases->n; i++)
		if (i == 0 || strcmp(cases->cases[i].profile, cases->cases[i - 1].profile) != 0)
			json_array_append_new(list, result_text(cases->cases[i].profile));
	return list;
}

static json_t *judges_of(const char *second)
{
	json_t *list = json_array();

	json_array_append_new(list, json_string(OpenSSL_version(OPENSSL_VERSION)));
	if (second)
		json_array_append_new(list, result_text(second));
	return list;
}

json_t *result_run(const struct kit *k, const struct case_list *cases, const char *plan, const char *second,
    const char *id, struct buf *why)
{
	struct requirement_list list = {0};
	json_t *requirements = NULL, *all = NULL, *configuration;
	char hash[65];

	if (requirements_read(k->requirements, &list, why) == 0 && plan_cases_hash(cases, hash, why) == 0)
		requirements = requirements_json(&list, cases, why);
	if (requirements) {
		configuration = json_object();
		kit_each(k, add_setting, configuration);
		all = json_pack("{s:s, s:s, s:o, s:{s:o, s:o, s:o}, s:o, s:o, s:o, s:o, s:o, s:s, s:o}", "kit",
		    KIT_VERSION, "run", id, "tester", result_text(k->tester), "gateway", "name",
		    result_text(k->gateway_name), "version", result_text(k->gateway_version), "domain",
		    result_text(k->gateway_domain), "kit-domain", result_text(k->kit_domain), "judges",
		    judges_of(second), "configuration", configuration, "profiles", profiles_of(cases), "plan",
		    plan ? json_string(plan) : json_null(), "cases-hash", hash, "requirements", requirements);
		if (!all)
			die("the results of a run cannot be put together");
	}
	requirements_free(&list);
	return all;
}
