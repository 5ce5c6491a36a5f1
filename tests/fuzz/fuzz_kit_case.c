/* A case that somebody wrote: read, or an error with a line; and every statement of it is known, or said why not. */
#include "interop/kit/case_file.h"

#include "interop/kit/steps.h"
#include "tests/fuzz/fuzz_kit.h"

static void stmts(const struct stmt *s, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct buf why = {0};

		REQUIRE(s[i].verb && s[i].line > 0);
		for (size_t k = 0; k < s[i].n_attributes; k++)
			REQUIRE(stmt_attribute(&s[i], s[i].attributes[k].name, NULL) != NULL);
		REQUIRE(steps_check(&s[i], &why) == 0 || why.n > 0);
		buf_free(&why);
		stmts(s[i].below, s[i].n_below);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct case_file c = {0};
	struct buf why = {0};

	if (case_file_parse((const char *)data, size, &c, &why) == 0) {
		stmts(c.stmts, c.n_stmts);
	} else {
		REQUIRE(why.n > 0);
	}
	case_file_free(&c);
	buf_free(&why);
	return 0;
}
