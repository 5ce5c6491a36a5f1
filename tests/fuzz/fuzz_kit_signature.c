/* What a stranger's report is signed by: nothing but what the tester and the gateway wrote is taken. */
#include "interop/kit/countersign.h"
#include "interop/kit/tester.h"
#include "tests/fuzz/fuzz_kit.h"

static const char run[] = "00112233445566778899aabbccddeeff";
static const char sum[] = "0011223344556677889900112233445566778899001122334455667788990011";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct credential rsa, ec;
	static STACK_OF(X509) * gateway;
	struct opener o;
	struct buf why = {0}, opened = {0};
	X509 *signer = NULL;

	if (!rsa.cert) {
		rsa = kit_credential("tests/data/cms/rsa.pem", "tests/data/cms/rsa.key");
		ec = kit_credential("tests/data/cms/ec.pem", "tests/data/cms/ec.key");
		gateway = sk_X509_new_null();
		sk_X509_push(gateway, ec.cert);
	}
	if (tester_verify(data, size, "text", 4, NULL, &signer, &why) == 0)
		REQUIRE(signer != NULL);
	else
		REQUIRE(signer == NULL && why.n > 0);
	X509_free(signer);
	signer = NULL;
	buf_clear(&why);
	o = (struct opener){rsa.cert, rsa.key, false};
	if (countersign_read(data, size, &o, gateway, run, sum, &opened, &signer, &why) == 0)
		REQUIRE(signer == ec.cert);
	else
		REQUIRE(signer == NULL && why.n > 0);
	X509_free(signer);
	buf_free(&why);
	buf_free(&opened);
	return 0;
}
