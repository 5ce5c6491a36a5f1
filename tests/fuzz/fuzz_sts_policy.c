/* The two texts of MTA-STS. First octet: which of them. What is accepted keeps its promises and reads back as the
 * same.
 */
#include "gateway/scout/sts_policy.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void txt(const uint8_t *p, size_t n)
{
	char *text = strndup((const char *)p, n), id[STS_POLICY_ID_MAX + 1];

	if (text && sts_policy_txt(text, id) == 0)
		REQUIRE(id[0] && strlen(id) <= STS_POLICY_ID_MAX);
	free(text);
}

static void file(const uint8_t *p, size_t n)
{
	static struct sts_policy a, b;
	const char *why;
	struct buf out;

	if (sts_policy_parse(p, n, &a, &why) < 0) {
		REQUIRE(why);
		return;
	}
	REQUIRE(a.nmx <= STS_POLICY_MX_MAX && (a.nmx > 0 || a.mode == SCOUT_STS_NONE));
	(void)sts_policy_match(&a, "mx.lab.example");
	buf_init(&out, 32 * 1024);
	REQUIRE(sts_policy_put(&a, &out) == 0 && sts_policy_parse(out.p, out.len, &b, &why) == 0);
	REQUIRE(a.mode == b.mode && a.max_age == b.max_age && a.nmx == b.nmx);
	for (size_t i = 0; i < a.nmx; i++)
		REQUIRE(strcmp(a.mx[i], b.mx[i]) == 0);
	buf_clear(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (data[0] & 1)
		file(data + 1, size - 1);
	else
		txt(data + 1, size - 1);
	return 0;
}
