/* Header blocks, read whole and in pieces; then author, recipients, identifiers, and the 7-bit form. */
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/mail/author_domains.h"
#include "gateway/mail/header.h"
#include "gateway/mail/sevenbit_header.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct pieces {
	struct reader reader;
	const uint8_t *p;
	size_t step;
};

static int read_piece(struct reader *r, uint64_t off, void *p, size_t n, size_t *got_r, struct problem *pr)
{
	struct pieces *s = (struct pieces *)r;
	size_t left = off < r->size ? (size_t)(r->size - off) : 0;

	(void)pr;
	n = n < left ? n : left;
	n = n < s->step ? n : s->step;
	if (n)
		memcpy(p, s->p + off, n);
	*got_r = n;
	return 0;
}

static int read_step(struct arena *a, const uint8_t *p, size_t n, size_t step, struct header *h)
{
	struct pieces s = {.reader = {.read_at = read_piece, .size = n}, .p = p, .step = step};
	struct header_limits lim = {.octets = 16384, .fields = 100};

	return header_read(a, &s.reader, 0, n, &lim, h, NULL);
}

/* The fields are the octets in front of the empty line, one behind the other. */
static void check_octets(const struct header *h, const uint8_t *p, size_t n)
{
	size_t at = 0;

	REQUIRE(h->octets <= n);
	for (size_t i = 0; i < h->n; i++) {
		const struct header_field *f = &h->f[i];
		size_t len = f->raw_len < n - at ? f->raw_len : n - at; /* the last may have been given its CRLF */

		REQUIRE(memcmp(f->raw, p + at, len) == 0);
		REQUIRE(f->value + f->value_len + 2 == f->raw + f->raw_len && f->raw[f->name_len] == ':');
		at += len;
	}
	REQUIRE(at == h->octets || at + 2 == h->octets);
}

static void use(struct arena *a, const struct header *h)
{
	struct author_domains named = {0};
	struct address from, list[8];
	const char *ids[4];
	struct problem pr;
	size_t n;

	if (header_author(a, h, &from, &pr) == 0)
		REQUIRE(from.local[0] && from.domain[0] && header_count(h, "from") == 1);
	else
		REQUIRE(address_is_null(&from) && pr.text[0]);
	if (author_domains_find(a, h, &named) == 0)
		for (size_t i = 0; i < named.n; i++)
			REQUIRE(named.n <= AUTHOR_DOMAINS_MAX && named.v[i][0] != '\0');
	if (header_recipients(a, h, list, 8, &n, NULL) == 0)
		REQUIRE(n <= 8);
	for (size_t i = 0; i < h->n; i++) {
		char *text = header_text(a, &h->f[i]);

		REQUIRE(!text || (!strchr(text, '\r') && !strchr(text, '\n')));
		n = header_msgids(a, &h->f[i], ids, 4);
		for (size_t k = 0; k < n; k++)
			REQUIRE(ids[k][0] == '<' && ids[k][strlen(ids[k]) - 1] == '>');
	}
}

static void check_sevenbit(struct arena *a, const struct header *h)
{
	struct stream_buf w;
	struct header again;
	struct buf b;

	buf_init(&b, 1 << 20);
	stream_buf_init(&w, &b);
	if (sevenbit_header_write(h, NULL, &w.writer, NULL) == 0) {
		struct header_limits lim = {.octets = 1 << 20, .fields = 100};
		struct stream_mem m;

		for (size_t i = 0; i < b.len; i++)
			REQUIRE(b.p[i] < 128);
		stream_mem_init(&m, b.p, b.len);
		REQUIRE(header_read(a, &m.reader, 0, b.len, &lim, &again, NULL) == 0 && again.n == h->n);
		REQUIRE(again.octets == b.len);
	}
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct arena *a = arena_new(4 << 20);
	struct header h, cut;

	if (size > 0) {
		size_t step = data[0] ? data[0] : 1;
		int result = read_step(a, data + 1, size - 1, size, &h);

		REQUIRE(read_step(a, data + 1, size - 1, step, &cut) == result);
		REQUIRE(h.n == cut.n && h.octets == cut.octets);
		if (result == 0) {
			check_octets(&h, data + 1, size - 1);
			use(a, &h);
			check_sevenbit(a, &h);
		}
	}
	arena_free(a);
	return 0;
}
