/* Certificates of a file: whatever comes lies within the file or its PEM block, and it ends. */
#include "certstore/cert_split.h"

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem pr = {0};
	struct cert_split s;
	const uint8_t *der;
	uint8_t sum = 0;
	size_t n;
	int rc = cert_split_begin(&s, data, size, &pr);

	while (rc == 0 && (rc = cert_split_next(&s, &der, &n, &pr)) > 0) {
		REQUIRE(n >= 2 && n <= size);
		for (size_t i = 0; i < n; i++)
			sum ^= der[i];
		rc = 0;
		REQUIRE(s.n <= size);
	}
	REQUIRE(rc == 0 || pr.cls != PROBLEM_NONE);
	cert_split_clear(&s);
	(void)sum;
	return 0;
}
