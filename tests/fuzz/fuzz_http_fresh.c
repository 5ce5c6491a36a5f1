/* Cache-Control, Age, Date, Expires, with NULs between. */
#include "gateway/scout/http_fresh.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 4), *v[4];
	size_t at = 0;

	REQUIRE(text);
	memcpy(text, data, size);
	memset(text + size, 0, 4);
	for (int i = 0; i < 4; i++) {
		v[i] = text + at;
		if (at < size)
			at += strlen(v[i]) + 1;
		if (at > size)
			at = size;
	}

	struct http_fresh_fields f = {v[0], v[1], v[2], v[3]};

	REQUIRE(http_fresh(&f, INT64_C(1795312800), 1000) <= 1000);
	free(text);
	return 0;
}
