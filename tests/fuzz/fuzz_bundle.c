/* bundle.c: any octets as a trust bundle; with a signer set nothing is taken without the signer's key. */
#include <stdint.h>

#include "certstore/bundle.h"
#include "certstore/cert_read.h"
#include "tests/fuzz/fuzz_revoke.h"

enum { MAX = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem pr = {0};
	X509 *list[MAX];
	int n;

	fuzz_start();
	n = bundle_read(data, size, NULL, (int64_t)time(NULL), list, MAX, &pr);
	REQUIRE(n == -1 ? pr.text[0] != 0 : n >= 1 && n <= MAX);
	cert_list_free(list, n > 0 ? (size_t)n : 0);
	problem_clear(&pr);
	REQUIRE(bundle_read(data, size, fuzz_leaf, (int64_t)time(NULL), list, MAX, &pr) == -1 && pr.text[0]);
	return 0;
}
