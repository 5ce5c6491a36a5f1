/* The recipient-map. The first line (to 0xff) is an address to look for, the rest the file. Whatever is taken: a
 * wanted address decides by a line of the file, or by none. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/address.h"
#include "gateway/proc/relay_rcpts_map.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *sep = size == 0 ? NULL : memchr(data, 0xff, size);
	struct relay_rcpts_map *m = NULL;
	struct problem pr = {0};
	struct address a;
	unsigned line, lines = 1;
	size_t n;

	if (sep == NULL || address_parse((const char *)data, (size_t)(sep - data), &a, NULL) != 0 ||
	    a.domain[0] == '\0')
		return 0;
	n = size - (size_t)(sep - data) - 1;
	for (size_t i = 0; i < n; i++)
		lines += sep[1 + i] == '\n';
	if (relay_rcpts_map_parse("map", (const char *)sep + 1, n, &m, &pr) != 0) {
		REQUIRE(strncmp(pr.text, "map:", 4) == 0 && m == NULL);
		return 0;
	}
	REQUIRE(relay_rcpts_map_entries(m) <= lines);
	bool known = relay_rcpts_map_find(m, a.local, NULL, a.domain, &line);
	REQUIRE(line <= lines && (!known || line > 0));
	(void)relay_rcpts_map_find(m, a.local, "anna", a.domain, &line);
	REQUIRE(line <= lines);
	relay_rcpts_map_free(m);
	return 0;
}
