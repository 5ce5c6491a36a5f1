/* Paths and addr-specs: whatever is accepted must come back from its own text. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/mail/address.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void round_trip(const struct address *a)
{
	char text[ADDRESS_TEXT_MAX];
	struct address b;

	REQUIRE(strlen(address_text(a, text)) < sizeof(text));
	REQUIRE(address_same(a, a));
	if (a->domain[0] == 0)
		return;
	REQUIRE((address_parse(text, strlen(text), &b, NULL) == 0) == !address_is_utf8(a));
	REQUIRE(address_is_utf8(a) || (address_same(a, &b) && address_same_nocase(a, &b)));
}

/* With SMTPUTF8: what is accepted without is accepted the same; a domain is ASCII in any case. */
static void paths(const char *p, size_t size)
{
	struct problem pr;
	struct address a, b;
	char text[ADDRESS_TEXT_MAX + 2] = "<";
	size_t used, used8;
	bool utf8;
	int plain = address_parse_path(p, size, &a, &used, &pr);

	if (address_parse_path_utf8(p, size, &b, &used8, &utf8, &pr) != 0) {
		REQUIRE(plain != 0 && address_is_null(&b) && used8 == 0 && pr.code != 0);
		return;
	}
	REQUIRE(utf8 || (plain == 0 && used == used8 && address_same(&a, &b)));
	REQUIRE(!utf8 || plain != 0);
	for (const char *c = b.domain; *c; c++)
		REQUIRE((unsigned char)*c < 128);
	if (address_is_null(&b) || b.domain[0] == 0)
		return;
	round_trip(&b);
	address_text(&b, text + 1);
	snprintf(text + strlen(text), 2, ">");
	if (strlen(text) > 256)
		return;
	REQUIRE(address_parse_path_utf8(text, strlen(text), &a, &used, &utf8, &pr) == 0);
	REQUIRE(address_same(&a, &b) && utf8 == address_is_utf8(&b));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char out[ADDRESS_DOMAIN_MAX + 1];
	char *p = malloc(size + 1); /* its own block: reading past the end is seen */
	struct problem pr;
	struct address a;
	size_t used;

	memcpy(p, data, size);
	if (address_parse(p, size, &a, &pr) == 0)
		round_trip(&a);
	else
		REQUIRE(address_is_null(&a) && pr.code != 0);
	if (address_parse_path(p, size, &a, &used, &pr) == 0) {
		REQUIRE(used >= 2 && used <= size && p[used - 1] == '>');
		round_trip(&a);
	} else {
		REQUIRE(address_is_null(&a) && used == 0);
	}
	paths(p, size);
	if (address_domain(p, size, out, NULL) == 0)
		REQUIRE(out[0] && strlen(out) <= 253 && !strchr(out, '_'));
	free(p);
	return 0;
}
