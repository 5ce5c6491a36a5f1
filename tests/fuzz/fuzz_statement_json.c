/* Statements as JSON. What is taken has lawful values, is written, and is read as the same again. */
#include "gateway/xsmg/statement_json.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/xsmg/statement_json_write.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void lawful(const struct statement *s)
{
	REQUIRE(s->domain[0] && s->serial > 0 && s->serial <= STATEMENT_SERIAL_MAX);
	REQUIRE(s->issued < s->expires && s->expires - s->issued <= STATEMENT_LIFE_MAX);
	REQUIRE(s->ncerts > 0 && s->ncerts <= STATEMENT_CERTS_MAX && s->nurls <= STATEMENT_URLS_MAX);
	for (size_t i = 0; i < s->ncerts; i++)
		REQUIRE(s->certs[i].der.n > 0 && s->certs[i].from < s->certs[i].until &&
			strlen(s->certs[i].sha256) == 64);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *arena = arena_new(STATEMENT_ARENA);
	struct problem pr = {0};
	struct statement s, again;
	struct buf a, b;
	int r = statement_json_read(data, size, arena, &s, &pr);

	REQUIRE((r < 0) == (pr.text[0] != 0));
	if (r == 0) {
		lawful(&s);
		buf_init(&a, 1 << 20);
		buf_init(&b, 1 << 20);
		REQUIRE(statement_json_write(&s, &a) == 0);
		/* what is left out of a statement when it is empty can make it longer than what was read */
		if (a.len <= STATEMENT_MAX) {
			REQUIRE(statement_json_read(a.p, a.len, arena, &again, &pr) == 0);
			REQUIRE(statement_json_write(&again, &b) == 0);
			REQUIRE(a.len == b.len && memcmp(a.p, b.p, a.len) == 0);
		}
		buf_clear(&a);
		buf_clear(&b);
	}
	arena_free(arena);
	return 0;
}
