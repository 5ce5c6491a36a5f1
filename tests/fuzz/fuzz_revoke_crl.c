/* revoke_crl.c: any octets as a revocation list; whatever they say, without the CA's key nothing is revoked by them,
 * and nothing is known to be good. */
#include <stdint.h>
#include <string.h>

#include "certstore/revoke_crl.h"
#include "tests/fuzz/fuzz_revoke.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct revoke_list facts = {.url = NULL};
	struct revoke r = {.cache = NULL, .mode = REVOKE_HARD};
	struct revoke_answer a;
	X509_CRL *crl;

	fuzz_start();
	crl = revoke_crl_read(data, size, &facts);
	REQUIRE(crl ? facts.this_update != 0 : facts.why[0] != 0);
	if (!crl)
		return 0;
	r.cache = revoke_cache_new();
	r.given = &crl;
	r.ngiven = 1;
	revoke_path(&r, (X509 *const[]){fuzz_leaf, fuzz_ca}, 2, NULL, 0, (int64_t)time(NULL), &a);
	REQUIRE(a.state == REVOKE_UNKNOWN && a.words[0]);
	revoke_cache_free(r.cache);
	X509_CRL_free(crl);
	return 0;
}
