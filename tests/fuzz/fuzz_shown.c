/* Text as a reader sees it: whatever is removed stays removed, and what comes out can stand in a header. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/author_name.h"
#include "gateway/mail/shown.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_lines(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		if (b->p[i] == '\n')
			REQUIRE(i > 0 && b->p[i - 1] == '\r' && i + 2 < b->len && b->p[i + 1] == ' ');
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *p = malloc(size ? size : 1), text[64], other[ADDRESS_TEXT_MAX]; /* its own block */
	struct header_field f = {.value = p, .value_len = size};
	struct address who = {.local = "x", .domain = "evil.test"};
	struct arena *a = arena_new(8 << 20);
	struct buf out;
	struct shown s;

	memcpy(p, data, size);
	buf_init(&out, 1 << 20);
	if (shown_read(a, p, size, &s) == 0) {
		REQUIRE(s.n <= SHOWN_MAX);
		shown_text(&s, text, sizeof(text));
	}
	if (shown_remove(a, p, size, "[not verified]", &out) == 1)
		check_lines(&out);
	if (author_name_other(a, &f, &who, other))
		REQUIRE(strchr(other, '@') != NULL);
	buf_clear(&out);
	arena_free(a);
	free(p);
	return 0;
}
