/* The kit's reader and writer of DER: everything that it points at lies inside, and what it puts in is there. */
#include "interop/kit/der.h"

#include "interop/kit/cms_names.h"
#include "tests/fuzz/fuzz_kit.h"

static const unsigned char *from, *to;

static void inside(const struct der *e)
{
	if (!e->at)
		return;
	REQUIRE(e->at >= from && e->p >= e->at && e->p + e->n <= e->end && e->end <= to);
}

static void tree(const struct der *e, int depth)
{
	struct buf text = {0};
	struct der c;

	inside(e);
	der_oid(e, &text);
	REQUIRE(text.p != NULL && cms_names_of_cipher(text.p) != NULL && cms_names_of_digest(text.p) != NULL);
	buf_clear(&text);
	der_octets(e, &text);
	REQUIRE(text.n <= e->n);
	buf_free(&text);
	for (size_t i = 0; depth < 6 && i < 8 && der_child(e, i, &c) == 0; i++)
		tree(&c, depth + 1);
	if (depth < 6)
		REQUIRE(der_count(e) <= e->n);
}

static void replaced(const uint8_t *data, size_t size, const struct der *e)
{
	struct buf b = {0};
	struct der target = *e, again;

	if (!e->at)
		return;
	buf_add(&b, data, size);
	target.at = (const unsigned char *)b.p + (e->at - from);
	target.p = (const unsigned char *)b.p + (e->p - from);
	target.end = (const unsigned char *)b.p + (e->end - from);
	der_replace(&b, &target, "\x04\x03new", 5);
	REQUIRE(octets_find(b.p, b.n, "\x04\x03new") != NULL);
	REQUIRE(der_read((const unsigned char *)b.p, b.n, &again) == 0);
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned char *copy = malloc(size ? size : 1);
	struct cms_parts parts;
	struct der e;

	memcpy(copy, data, size);
	from = copy;
	to = copy + size;
	if (der_read(copy, size, &e) == 0)
		tree(&e, 0);
	if (cms_parts_read(copy, size, &parts) == 0) {
		const struct der *all[] = {&parts.whole, &parts.body, &parts.content, &parts.cipher,
		    &parts.parameters, &parts.recipients, &parts.signers, &parts.mac};

		for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++)
			inside(all[i]);
		replaced(copy, size, &parts.content);
		replaced(copy, size, &parts.mac);
	}
	free(copy);
	return 0;
}
