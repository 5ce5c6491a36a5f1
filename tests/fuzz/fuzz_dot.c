/* DATA in any cut: the first octet tells the cut; the plain rule (CRLF.CRLF, nothing bare) is the judge. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/dot.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct result {
	size_t end; /* 0: none */
	int bare;
	struct buf out;
};

static void run(const uint8_t *p, size_t n, size_t step, struct result *x)
{
	struct dot_in d;
	size_t used;

	memset(x, 0, sizeof(*x));
	buf_init(&x->out, n + 4);
	dot_in_init(&d);
	for (size_t at = 0; at < n && !x->end; at += step) {
		size_t len = step < n - at ? step : n - at;

		if (dot_in_feed(&d, p + at, len, &used, &x->out))
			x->end = at + used;
		else
			REQUIRE(used == len);
	}
	x->bare = d.bare;
}

static void check_rule(const uint8_t *p, size_t n, const struct result *x)
{
	uint8_t *s = malloc(n + 2);
	const uint8_t *end;
	int bare = 0;

	memcpy(s, "\r\n", 2);
	if (n)
		memcpy(s + 2, p, n);
	n += 2;
	end = memmem(s, n, "\r\n.\r\n", 5);
	REQUIRE(x->end == (end ? (size_t)(end - s) + 3 : 0));
	if (end)
		n = (size_t)(end - s) + 5;
	for (size_t i = 2; i < n; i++) {
		bare |= s[i] == '\n' && s[i - 1] != '\r';
		bare |= s[i] == '\r' && i + 1 < n && s[i + 1] != '\n';
	}
	REQUIRE(x->bare == bare);
	free(s);
}

static void check_out(const uint8_t *p, size_t n, size_t step)
{
	struct dot_out whole, cut;
	struct buf a, b;
	struct result back;

	buf_init(&a, 2 * n + 16);
	buf_init(&b, 2 * n + 16);
	dot_out_init(&whole);
	dot_out_init(&cut);
	dot_out_feed(&whole, p, n, &a);
	dot_out_end(&whole, &a);
	for (size_t at = 0; at < n; at += step)
		dot_out_feed(&cut, p + at, step < n - at ? step : n - at, &b);
	dot_out_end(&cut, &b);
	REQUIRE(a.len == b.len && memcmp(a.p, b.p, a.len) == 0 && whole.bare == cut.bare);
	run(a.p, a.len, a.len, &back);
	REQUIRE(back.end == a.len && !back.bare);
	if (!whole.bare && n >= 2 && p[n - 1] == '\n')
		REQUIRE(back.out.len == n && memcmp(back.out.p, p, n) == 0);
	buf_clear(&back.out);
	buf_clear(&a);
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct result whole, cut;
	size_t step;

	if (size == 0)
		return 0;
	step = data[0] ? data[0] : 1;
	data++, size--;
	run(data, size, size ? size : 1, &whole);
	run(data, size, step, &cut);
	REQUIRE(whole.end == cut.end && whole.bare == cut.bare);
	if (!whole.bare && size)
		REQUIRE(whole.out.len == cut.out.len &&
			(whole.out.len == 0 || memcmp(whole.out.p, cut.out.p, whole.out.len) == 0));
	check_rule(data, size, &whole);
	check_out(data, size, step);
	buf_clear(&whole.out);
	buf_clear(&cut.out);
	return 0;
}
