/* The options of a format: what is taken prints to a text that is taken again and means the same; what is not leaves
 * the format as it was, with a sentence. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/format.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct format f = format_default(), before = f, again = f;
	struct problem pr = {0};
	char *text = malloc(size + 1), out[FORMAT_TEXT_MAX], all[FORMAT_TEXT_MAX];
	unsigned given, same;

	memcpy(text, data, size);
	text[size] = '\0';
	if (format_read(text, &f, &given, &pr) < 0) {
		REQUIRE(memcmp(&f, &before, sizeof f) == 0 && pr.cls == PROBLEM_PERM && pr.text[0]);
	} else {
		format_print(&f, given, out);
		REQUIRE(format_read(out, &again, &same, NULL) == 0 && same == given);
		REQUIRE(memcmp(&f, &again, sizeof f) == 0);
		format_print(&f, FORMAT_ALL, all);
		REQUIRE(format_read(all, &before, &same, NULL) == 0 && same == FORMAT_ALL);
		REQUIRE(memcmp(&f, &before, sizeof f) == 0);
	}
	free(text);
	return 0;
}
