/* URLs of certificate stores: base, a newline, value. What is made has no octet outside of URLs behind the base. */
#include "certstore/http_search.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *base = strndup((const char *)data, size), *value = base ? strchr(base, '\n') : NULL, out[300];

	if (value)
		*value++ = '\0';
	if (base && http_search_url(base, "email", value ? value : "", out, sizeof out) == 0) {
		REQUIRE(http_search_base(base) == 0 && strlen(out) < sizeof out);
		for (const char *p = out; *p; p++)
			REQUIRE((unsigned char)*p > 0x20 && (unsigned char)*p < 0x7f);
	}
	free(base);
	return 0;
}
