/* cms_outline.c, cms_skeleton.c, cms_content.c: what the sealer does with any octets before there is a key: outline,
 * check, find, hash, content. */
#include <openssl/pem.h>
#include <stdio.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/cms_outline.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static X509 *certs[2];

static void load(void)
{
	static const char *const names[] = {"tests/data/cms/rsa.pem", "tests/data/cms/ec.pem"};

	for (int i = 0; i < 2 && certs[i] == NULL; i++) {
		FILE *f = fopen(names[i], "r");

		REQUIRE(f != NULL); /* run in the project's root */
		certs[i] = PEM_read_X509(f, NULL, NULL, NULL);
		REQUIRE(certs[i] != NULL);
		fclose(f);
	}
}

static void read_content(const struct cms_outline *o)
{
	struct problem pr = {0};
	struct cms_content c;
	const uint8_t *p;
	uint64_t sum = 0;
	size_t n;

	REQUIRE(cms_outline_content(o, &c, &pr) == 0);
	while (cms_content_next(&c, &p, &n, &pr) == 1)
		sum += n;
	cms_content_close(&c);
	/* the second pass sees what the first one counted */
	REQUIRE(sum == cms_outline_skeleton(o)->content.octets && pr.cls == PROBLEM_NONE);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem pr = {0};
	struct cms_outline *o;
	struct stream_mem in;
	uint8_t hash[32];

	load();
	stream_mem_init(&in, data, size);
	if (cms_outline(&in.reader, NULL, &o, &pr) == -1) {
		REQUIRE(pr.cls == PROBLEM_PERM && pr.text[0] != '\0' && o == NULL);
		return 0;
	}
	if (cms_outline_check(o, &pr) == -1)
		REQUIRE(pr.cls == PROBLEM_PERM && pr.text[0] != '\0');
	for (int i = 0; i < 2; i++) {
		int found = cms_outline_find(o, &certs[i], 1);

		REQUIRE(cms_outline_key_hash(o, certs[i], hash) == (found == 0 ? 0 : -1));
	}
	if (cms_outline_has_content(o))
		read_content(o);
	cms_outline_free(o);
	return 0;
}
