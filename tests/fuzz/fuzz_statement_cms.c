/* SignedData of statements, then all the checks. What is taken lies inside of the octets; a refusal has a sentence
 * and a step; what passes every check was signed and is of the domain. */
#include "gateway/xsmg/statement_cms.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/xsmg/statement_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void within(const struct statement_octets *o, const uint8_t *data, size_t size)
{
	REQUIRE(o->n <= size && o->p >= data && o->p + o->n <= data + size);
}

static void check(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(STATEMENT_ARENA);
	struct statement_facts f = {.domain = "lab.example", .now = 1795312800};
	struct statement s;
	struct statement_signed sd;
	struct statement_verdict v;

	statement_check(data, size, &f, arena, &s, &sd, &v);
	REQUIRE((v.result == STATEMENT_OK) == (v.why.text[0] == 0));
	REQUIRE((v.result == STATEMENT_OK) == (v.step == STATEMENT_STEP_NONE));
	if (v.result == STATEMENT_OK) {
		REQUIRE(strcmp(s.domain, "lab.example") == 0);
		REQUIRE(v.signer >= 0 && sd.signers[v.signer].verified);
		REQUIRE(strcmp(s.id, sd.id) == 0);
	}
	arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct statement_signed sd;
	struct problem pr = {0};
	int r = statement_cms_read(data, size, &sd, &pr);

	REQUIRE((r < 0) == (pr.text[0] != 0) && (r < 0) == (sd.step != STATEMENT_STEP_NONE));
	if (r == 0) {
		within(&sd.content, data, size);
		REQUIRE(sd.nsigners >= 1 && sd.nsigners <= STATEMENT_SIGNERS_MAX);
		for (size_t i = 0; i < sd.ncerts; i++)
			within(&sd.certs[i], data, size);
		for (size_t i = 0; i < sd.nsigners; i++)
			REQUIRE(sd.signers[i].verified == (sd.signers[i].why[0] == 0));
	}
	check(data, size);
	return 0;
}
