/*
 * Legacy displays: found in any text, and put into any text so that taking them out leaves what was there. First
 * octet: encoding and type; then a header block, an empty line, the text.
 */
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/legacy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const enum mime_cte ctes[] = {MIME_CTE_7BIT, MIME_CTE_8BIT, MIME_CTE_QP, MIME_CTE_BASE64};

struct text {
	struct arena *a;
	struct header h;
	const uint8_t *raw;
	size_t n;
	enum mime_cte cte;
	enum legacy_kind kind;
};

static void find(const struct text *x, const struct legacy_text *t)
{
	size_t from, to;
	uint32_t raw_from, raw_to;

	for (size_t i = 0; i < t->n; i++)
		REQUIRE(t->at[i] < x->n && t->at[i] <= t->at[i + 1]);
	REQUIRE(t->at[t->n] <= x->n);
	if (!legacy_find(x->kind, t, &x->h, &from, &to))
		return;
	REQUIRE(from < to && to <= t->n);
	if (legacy_cut(t, x->raw, x->cte, from, to, &raw_from, &raw_to))
		REQUIRE(raw_from <= raw_to && raw_to <= x->n);
}

/* What was put in is found, and it is the whole of what was put in. */
static void there_and_back(const struct text *x, const struct legacy_text *t, const struct buf *display)
{
	size_t place = legacy_place(x->kind, t), from, to;
	uint32_t raw_from, raw_to;
	struct legacy_text now;
	struct buf out, all;

	buf_init(&out, 1 << 20);
	buf_init(&all, 1 << 20);
	REQUIRE(place <= t->n);
	if (legacy_insert(&out, t, x->cte, place, display, &raw_from, &raw_to) == 0) {
		REQUIRE(raw_from <= raw_to && raw_to <= x->n);
		REQUIRE(buf_add(&all, x->raw, raw_from) == 0 && buf_add(&all, out.p, out.len) == 0 &&
			buf_add(&all, x->raw + raw_to, x->n - raw_to) == 0);
		if (all.len <= LEGACY_RAW_MAX && legacy_decode(x->a, all.p, all.len, x->cte, &now) == 0 &&
		    now.n >= t->n + display->len) {
			REQUIRE(legacy_find(x->kind, &now, &x->h, &from, &to));
			REQUIRE(from == place && to - from >= display->len && to - from < display->len + 3);
			REQUIRE(memcmp(now.p, t->p, from) == 0 && memcmp(now.p + to, t->p + from, t->n - from) == 0);
		}
	}
	buf_clear(&out);
	buf_clear(&all);
}

static void run(const struct text *x)
{
	struct legacy_text t;
	struct buf display;

	if (legacy_decode(x->a, x->raw, x->n, x->cte, &t) != 0)
		return;
	find(x, &t);
	buf_init(&display, 65536);
	if (legacy_make(&display, x->kind, &x->h, t.n % 2 == 0) == 0 && display.len > 0)
		there_and_back(x, &t, &display);
	buf_clear(&display);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct header_limits lim = {.octets = 8192, .fields = 30};
	struct text x = {.a = arena_new(8 << 20)};
	struct stream_mem m;

	if (size > 1) {
		x.cte = ctes[data[0] & 3];
		x.kind = data[0] & 4 ? LEGACY_HTML : LEGACY_PLAIN;
		stream_mem_init(&m, data + 1, size - 1);
		if (header_read(x.a, &m.reader, 0, size - 1, &lim, &x.h, NULL) == 0) {
			x.raw = data + 1 + x.h.octets;
			x.n = size - 1 - x.h.octets;
			if (x.n <= LEGACY_RAW_MAX)
				run(&x);
		}
	}
	arena_free(x.a);
	return 0;
}
