/* The TXT record _smg. A URL that is taken is https and fits. */
#include "certstore/smg_record.h"

#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char url[SMG_RECORD_URL_MAX + 1];
	const char *why = NULL;
	int rc = smg_record_read(data, size, url, &why);

	REQUIRE(why && (rc < 0) == (*why != '\0'));
	REQUIRE((rc == 1) == (url[0] != '\0'));
	REQUIRE(rc != 1 || strncasecmp(url, "https://", 8) == 0);
	return 0;
}
