/* Options of looking for certificates: what is read is printed and reads back as the same. */
#include "certstore/find_options.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct find_options f = find_options_default(), again = find_options_default();
	char *text = strndup((const char *)data, size), out[FIND_TEXT_MAX], twice[FIND_TEXT_MAX];
	unsigned given, same;
	struct problem pr = {0};

	if (text && find_options_read(text, &f, &given, &pr) == 0) {
		find_options_print(&f, given, out);
		REQUIRE(find_options_read(out, &again, &same, &pr) == 0 && same == given);
		find_options_print(&again, same, twice);
		REQUIRE(strcmp(out, twice) == 0);
	} else if (text) {
		REQUIRE(pr.text[0]);
	}
	free(text);
	return 0;
}
