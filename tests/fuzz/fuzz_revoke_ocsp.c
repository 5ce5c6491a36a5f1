/* revoke_ocsp.c: any octets as an OCSP response; without the CA's key nothing is learned from them. */
#include <stdint.h>

#include "certstore/revoke_ocsp.h"
#include "tests/fuzz/fuzz_revoke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t nonce[REVOKE_CACHE_NONCE];
	struct revoke_reply reply = {.status = REVOKE_CACHE_NONE};
	char why[200] = "";

	fuzz_start();
	REQUIRE(revoke_ocsp_read(
		    data, size, fuzz_leaf, fuzz_ca, nonce, (int64_t)time(NULL), &reply, why, sizeof why) == -1);
	REQUIRE(why[0] && reply.status == REVOKE_CACHE_NONE);
	return 0;
}
