/* Filters: a pattern that passes the check, filled with anything, stays one filter with the same parentheses. Input:
 * pattern, 0xff, local part. */
#include "ldap/ldap_filter.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t count(const char *s, char c)
{
	size_t n = 0;

	for (; *s != '\0'; s++)
		n += *s == c;
	return n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *sep = size == 0 ? NULL : memchr(data, 0xff, size);
	struct buf out;

	if (sep == NULL || memchr(data, 0, size) != NULL)
		return 0;
	char *pattern = strndup((const char *)data, (size_t)(sep - data));
	char *local = strndup((const char *)sep + 1, size - (size_t)(sep - data) - 1);

	REQUIRE(pattern != NULL && local != NULL);
	buf_init(&out, LDAP_FILTER_MAX);
	if (ldap_filter_check(pattern, NULL) == 0 && ldap_filter_make(pattern, local, "x.example", &out) == 0)
		for (const char *c = "()*"; *c != '\0'; c++)
			REQUIRE(count(buf_str(&out), *c) == count(pattern, *c));
	buf_clear(&out);
	free(pattern);
	free(local);
	return 0;
}
