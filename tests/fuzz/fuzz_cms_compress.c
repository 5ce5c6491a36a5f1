/* cms_compress.c: any octets as a CMS message, and as the packed content of a well-formed one; never more than is
 * allowed comes out. */
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/cms_compress.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAX = 3 << 20 };

struct counter {
	struct writer writer;
	uint64_t n;
};

static int count(struct writer *w, const void *p, size_t n, struct problem *pr)
{
	(void)p;
	(void)pr;
	((struct counter *)w)->n += n;
	return 0;
}

static void uncompress_all(const void *p, size_t n)
{
	struct counter c = {.writer = {.write = count}};
	struct problem pr = {0};
	struct cms_outline *o;
	struct stream_mem in;

	stream_mem_init(&in, p, n);
	if (cms_outline(&in.reader, NULL, &o, &pr) == -1)
		return;
	if (cms_uncompress(o, MAX, &c.writer, &pr) == -1)
		REQUIRE(pr.cls == PROBLEM_PERM && pr.text[0] != '\0');
	REQUIRE(c.n <= MAX && (c.n <= CMS_COMPRESS_FREE || c.n / CMS_COMPRESS_RATIO <= n));
	cms_outline_free(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint8_t head[] = {0x30, 0x80, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x09, 0x10,
	    0x01, 0x09, 0xa0, 0x80, 0x30, 0x80, 0x02, 0x01, 0x00, 0x30, 0x0d, 0x06, 0x0b, 0x2a, 0x86, 0x48, 0x86,
	    0xf7, 0x0d, 0x01, 0x09, 0x10, 0x03, 0x08, 0x30, 0x80, 0x06, 0x09, 0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d,
	    0x01, 0x07, 0x01, 0xa0, 0x80, 0x04, 0x83};
	uint8_t len[3] = {(uint8_t)(size >> 16), (uint8_t)(size >> 8), (uint8_t)size};
	struct buf der;

	uncompress_all(data, size);
	if (size >= 1 << 24)
		return 0;
	buf_init(&der, size + 100);
	REQUIRE(buf_add(&der, head, sizeof(head)) == 0 && buf_add(&der, len, 3) == 0);
	REQUIRE(buf_add(&der, data, size) == 0 && buf_add(&der, "\0\0\0\0\0\0\0\0\0\0", 10) == 0);
	uncompress_all(der.p, der.len);
	buf_clear(&der);
	return 0;
}
