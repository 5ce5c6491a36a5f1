/* The first judge, before octets that the gateway under test sent: it says what it saw, and when not all, why. */
#include "interop/kit/judge.h"

#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct credential rsa, ec;
	const struct credential *const keys[] = {&rsa, &ec};
	struct judged j;

	if (!rsa.cert) {
		rsa = kit_credential("tests/data/cms/rsa.pem", "tests/data/cms/rsa.key");
		ec = kit_credential("tests/data/cms/ec.pem", "tests/data/cms/ec.key");
	}
	judge(data, size, keys, 2, &j);
	REQUIRE(j.n <= JUDGE_LAYERS_MAX);
	REQUIRE(!j.whole || (j.content.p && !j.broken));
	for (size_t i = 0; i < j.n; i++) {
		const struct layer *l = &j.layers[i];

		REQUIRE(!j.whole || l->kind > LAYER_AUTH_ENVELOPED || l->opened);
		for (size_t k = 0; k < l->n_signers; k++)
			REQUIRE(l->signers[k].valid ? strlen(l->signers[k].cert_sha256) == 64 && !l->signers[k].why
						    : l->signers[k].why != NULL);
		for (size_t k = 0; k < l->n_recipients; k++) {
			REQUIRE(l->recipients[k].id && l->recipients[k].keys);
			judge_names(&l->recipients[k], rsa.cert);
		}
	}
	judged_free(&j);
	return 0;
}
