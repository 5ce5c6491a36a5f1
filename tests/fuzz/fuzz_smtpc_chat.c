/*
 * The client's reply parser, and what reads its replies: EHLO keywords and the judgement. The first octet chooses
 * where the input is cut into two deliveries, and whether a reply may be long.
 */
#include "gateway/smtp/smtpc_chat.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpc_ehlo.h"
#include "gateway/smtp/smtpc_trouble.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_text(const char *s, size_t n, int newline)
{
	for (size_t i = 0; i < n; i++)
		REQUIRE((s[i] >= 0x20 && s[i] <= 0x7e) || (newline && s[i] == '\n'));
}

static void use(const struct smtpc_reply *r)
{
	struct smtpc_ehlo e;
	struct smtpc_trouble t;
	char words[SMTPC_CHAT_WORDS];

	REQUIRE(r->code >= 200 && r->code <= 559 && r->lines > 0);
	REQUIRE(!r->enh[0] || r->enh[0] == '0' + r->code / 100);
	check_text((const char *)r->text.p, r->text.len, 1);
	smtpc_chat_words(r, words);
	check_text(words, strlen(words), 0);
	smtpc_ehlo_read(&e, r);
	for (int s = 0; r->code >= 400 && s < SMTPC_STAGES; s++) {
		smtpc_trouble_reply(&t, (enum smtpc_stage)s, "mx.test[192.0.2.1]:25", r);
		REQUIRE(t.pr.cls != PROBLEM_NONE && t.pr.enh[0] == (t.pr.cls == PROBLEM_TEMP ? '4' : '5'));
	}
}

/* Everything that can be read from p; -1 when it broke. *at_r: where the rest begins. */
static int feed(struct smtpc_chat *h, const uint8_t *p, size_t n, size_t *at_r)
{
	size_t used;
	int r;

	while ((r = smtpc_chat_feed(h, p + *at_r, n - *at_r, &used)) == 1) {
		REQUIRE(used > 0 && used <= n - *at_r);
		*at_r += used;
		use(&h->reply);
	}
	if (r == 0)
		*at_r += used;
	return r;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpc_chat h;
	size_t at = 0;

	if (size == 0)
		return 0;

	size_t cut = data[0] % 128u < size - 1 ? data[0] % 128u : size - 1;

	smtpc_chat_init(&h, 600, 20);
	h.may_be_long = data[0] >= 128;
	if (feed(&h, data + 1, cut, &at) == 0)
		(void)feed(&h, data + 1, size - 1, &at);
	smtpc_chat_clear(&h);
	return 0;
}
