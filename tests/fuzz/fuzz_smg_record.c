/* The TXT record _smg. A URL that is taken is https and fits. */
#include "certstore/smg_record.h"

#include <string.h>
#include <strings.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smg_record r;
	const char *why = NULL;
	int rc = smg_record_read(data, size, &r, &why);

	REQUIRE(why && (rc < 0) == (*why != '\0'));
	REQUIRE((rc == 1) == (r.url[0] != '\0'));
	REQUIRE(rc != 1 || strncasecmp(r.url, "https://", 8) == 0);
	REQUIRE(r.nkeys <= SMG_RECORD_KEYS_MAX && (rc == 1 || rc < 0 || r.nkeys == 0));
	return 0;
}
