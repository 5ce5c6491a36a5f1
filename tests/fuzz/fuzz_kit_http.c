/* What a gateway's web listener answers: whole and of at most a mebioctet, or a reason. */
#include "interop/kit/http_get.h"

#include "tests/fuzz/fuzz_kit.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf type = {0}, body = {0}, transcript = {0}, why = {0};
	long status = -1;

	if (http_get("http://gateway.test/x", kit_server(data, size), &status, &type, &body, &transcript, &why) ==
	    0) {
		REQUIRE(body.n <= 1024 * 1024 && body.n < size && why.n == 0);
		REQUIRE(status >= 100 && status <= 999);
	} else {
		REQUIRE(why.n > 0);
	}
	buf_free(&type);
	buf_free(&body);
	buf_free(&transcript);
	buf_free(&why);
	return 0;
}
