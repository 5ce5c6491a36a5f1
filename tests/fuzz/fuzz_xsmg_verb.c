/*
 * XSMG on the wire. The first octet says what the rest is: a command, the lines of a PUT, a reply to GET. What is
 * taken is written and read as the same again.
 */
#include "gateway/xsmg/xsmg_verb.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void command(const char *p, size_t n)
{
	struct xsmg_verb v, again;
	struct problem pr = {0};
	struct buf b;

	if (xsmg_verb_read(p, n, &v, &pr) < 0) {
		REQUIRE(pr.code == 501 || pr.code == 552);
		return;
	}
	buf_init(&b, XSMG_VERB_LINE_MAX);
	REQUIRE((v.kind == XSMG_VERB_GET ? xsmg_verb_get(v.domain, v.id, &b)
					 : xsmg_verb_put(v.domain, v.octets, &b)) == 0);
	REQUIRE(xsmg_verb_read(buf_str(&b) + 5, b.len - 7, &again, NULL) == 0);
	REQUIRE(v.kind == again.kind && v.octets == again.octets && strcmp(v.domain, again.domain) == 0 &&
		strcmp(v.id, again.id) == 0);
	buf_clear(&b);
}

static void body(const uint8_t *data, size_t size)
{
	size_t octets = size >= 2 ? (size_t)data[0] << 8 | data[1] : 1;
	const char *p = (const char *)data, *end = p + size;
	struct xsmg_verb_body b;
	struct buf der;
	int r = 0;

	xsmg_verb_body_init(&b, octets ? octets : 65536);
	buf_init(&der, STATEMENT_MAX);
	for (p += size < 2 ? size : 2; r == 0 && p < end;) {
		const char *nl = memchr(p, '\n', (size_t)(end - p));
		size_t n = (size_t)((nl ? nl : end) - p);

		r = xsmg_verb_body_line(&b, p, n, NULL);
		p += n + (nl != NULL);
	}
	if (r == 1 && xsmg_verb_body_end(&b, &der, NULL) == 0)
		REQUIRE(der.len == b.octets);
	REQUIRE(b.seen <= XSMG_VERB_BODY_MAX && b.text.len <= 87384);
	buf_clear(&der);
	xsmg_verb_body_clear(&b);
}

static void answer(const char *p, size_t n)
{
	static const char held[] = "7ZbZ0xh3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
	struct buf der;
	char id[STATEMENT_ID + 1];
	struct problem pr = {0};
	enum xsmg_verb_answer a;

	buf_init(&der, STATEMENT_MAX);
	a = xsmg_verb_get_answer(250, p, n, held, &der, id, &pr);
	REQUIRE(a == XSMG_VERB_CURRENT || a == XSMG_VERB_STATEMENT || a == XSMG_VERB_BROKEN);
	REQUIRE((a == XSMG_VERB_BROKEN) == (pr.text[0] != 0));
	REQUIRE((a == XSMG_VERB_STATEMENT) == (der.len > 0));
	REQUIRE(a != XSMG_VERB_CURRENT || strcmp(id, held) == 0);
	(void)xsmg_verb_get_answer(n > 1 ? p[0] * 4 : 0, p, n, held, &der, id, &pr);
	buf_clear(&der);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	(void)xsmg_verb_offered((const char *)data + 1, size - 1);
	if (data[0] % 3 == 0)
		command((const char *)data + 1, size - 1);
	else if (data[0] % 3 == 1)
		body(data + 1, size - 1);
	else
		answer((const char *)data + 1, size - 1);
	return 0;
}
