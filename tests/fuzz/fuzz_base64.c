/* base64.c: decoding anything, whole and cut where the first octet says; encoding it and reading that back. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/cms/base64.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int decode(const uint8_t *p, size_t n, size_t cut, struct buf *b)
{
	struct problem pr = {0};
	struct base64_dec d;
	struct stream_buf to;

	buf_init(b, 1 << 24);
	stream_buf_init(&to, b);
	base64_dec_init(&d, &to.writer);
	if (stream_write(&d.writer, p, cut, &pr) == -1 || stream_write(&d.writer, p + cut, n - cut, &pr) == -1)
		return -1;
	return base64_dec_end(&d, &pr);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct problem pr = {0};
	struct base64_enc e;
	struct stream_buf to;
	struct buf a, b, text;
	size_t cut;
	int r;

	if (size == 0)
		return 0;
	cut = data[0] % size;
	r = decode(data, size, 0, &a);

	REQUIRE(decode(data, size, cut, &b) == r);
	REQUIRE(r == -1 || (a.len == b.len && (a.len == 0 || memcmp(a.p, b.p, a.len) == 0)));
	buf_clear(&a);
	buf_clear(&b);

	buf_init(&text, 1 << 24);
	stream_buf_init(&to, &text);
	base64_enc_init(&e, &to.writer);
	REQUIRE(stream_write(&e.writer, data, cut, &pr) == 0 &&
		stream_write(&e.writer, data + cut, size - cut, &pr) == 0);
	REQUIRE(base64_enc_end(&e, &pr) == 0);
	REQUIRE(decode(text.p, text.len, text.len / 2, &a) == 0);
	REQUIRE(a.len == size && memcmp(a.p, data, size) == 0);
	buf_clear(&a);
	buf_clear(&text);
	return 0;
}
