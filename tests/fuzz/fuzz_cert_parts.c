/* multipart/mixed with certificates. Every part lies inside, and behind the one before. */
#include "certstore/cert_parts.h"

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cert_part v[CERT_PARTS_MAX];
	size_t n = cert_parts(data, size, v);
	const uint8_t *at = data;

	REQUIRE(n <= CERT_PARTS_MAX);
	for (size_t i = 0; i < n; i++) {
		REQUIRE(v[i].n > 0 && v[i].p >= at && v[i].p + v[i].n <= data + size);
		at = v[i].p + v[i].n;
	}
	return 0;
}
