/* A plan that a stranger made: what is taken has two parties, cases, and one hash. */
#include "interop/kit/plan.h"

#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char domain[] = "a.test";
	struct kit k = {.dir = (char *)kit_dir(), .gateway_domain = domain};
	struct case_list none = {0};
	struct buf why = {0};
	char *path = text_make("%s/plan.json", kit_dir()), hex[65], again[65];
	json_t *plan, *copy;

	kit_file("plan.json", data, size);
	plan = plan_read(path, &why);
	REQUIRE(plan || why.n > 0);
	if (plan) {
		plan_hash(plan, hex);
		REQUIRE(plan_write(path, plan, &why) == 0 && (copy = plan_read(path, &why)));
		plan_hash(copy, again);
		REQUIRE(!strcmp(hex, again));
		json_decref(copy);
		free(plan_profiles(plan));
		free(plan_case_ids(plan));
		REQUIRE(plan_check_cases(plan, &none, &why) < 0);
		REQUIRE(plan_check_kit(plan, &k, "A", 1800000000, &why) < 0);
	}
	json_decref(plan);
	free(path);
	buf_free(&why);
	return 0;
}
