/* The header field that names a statement: what is taken is written and read as the same again. */
#include "gateway/xsmg/xsmg_field.h"

#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct xsmg_field f, again;
	char text[XSMG_FIELD_MAX];
	const char *why = NULL;

	if (xsmg_field_read((const char *)data, size, &f, &why) < 0) {
		REQUIRE(why);
		return 0;
	}
	REQUIRE(xsmg_field_write(f.id, f.url, text) == 0);
	REQUIRE(xsmg_field_read(text, strlen(text), &again, &why) == 0);
	REQUIRE(strcmp(f.id, again.id) == 0 && strcmp(f.url, again.url) == 0);
	return 0;
}
