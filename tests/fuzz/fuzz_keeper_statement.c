/* keeper_statement.c: the attributes a judge that was taken over could send. Input: an octet that chooses the hash,
 * then the attributes. */
#include "gateway/base/log.h"
#include "gateway/keys/keeper_statement.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	static const size_t digests[] = {32, 48, 64};
	struct problem pr = {0};
	int r;

	if (n < 1)
		return 0;
	r = keeper_statement_check(p + 1, n - 1, digests[p[0] % 3], &pr);
	REQUIRE((r == 0) == (pr.text[0] == 0));
	REQUIRE(r == 0 || pr.cls == PROBLEM_PERM);
	return 0;
}
