/*
 * Both decoders of source.c; what they accept is encoded again and must come out the same. First octet: bit 0 the
 * decoder of answers, bit 1 with a memory file: then u16 length of the fields, fields, octets of the file.
 */
#include "certstore/source.h"

#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void same(struct ipc_out *o, const uint8_t *p, size_t n)
{
	REQUIRE(!o->bad && o->b.len == IPC_HEADER + n && memcmp(o->b.p + IPC_HEADER, p, n) == 0);
	ipc_out_clear(o);
}

static void ask(const uint8_t *p, size_t n)
{
	static struct source_ask a;
	struct ipc_in in = {.type = SOURCE_PROTO_ASK, .id = 1, .p = p, .n = n};
	struct ipc_out o;
	char words[600], why[100];

	if (source_ask_get(&in, &a) < 0)
		return;
	REQUIRE(source_ask_check(&a, why, sizeof why) == 0);
	source_ask_words(&a, words, sizeof words);
	source_ask_put(&o, 1, &a);
	same(&o, p, n);
}

static void answer(const uint8_t *p, size_t n, int fd)
{
	static struct source_answer r;
	struct arena *a = arena_new(SOURCE_OCTETS_MAX + 65536);
	struct ipc_in in = {.type = SOURCE_PROTO_ANSWER, .id = 1, .p = p, .n = n};
	struct ipc_out o;
	size_t all = 0;
	int made;

	if (fd >= 0)
		in.fds[in.nfds++] = fd;
	if (source_answer_get(&in, a, &r) == 0) {
		REQUIRE((r.status == SOURCE_FOUND) == (r.n > 0) && r.n <= SOURCE_ITEMS_MAX);
		for (size_t i = 0; i < r.n; i++)
			for (size_t k = 0; k < r.items[i].n; k++)
				all += r.items[i].p[k];
		REQUIRE(all <= (size_t)SOURCE_OCTETS_MAX * 255);
		REQUIRE(source_answer_put(&o, 1, &r, &made) == 0);
		/* a small one may have come as a file; control octets of texts are replaced: only the length is sure
		 */
		if (fd < 0 && made < 0)
			REQUIRE(!o.bad && o.b.len == IPC_HEADER + n);
		if (made >= 0)
			close(made);
		ipc_out_clear(&o);
	}
	arena_free(a);
}

static void answer_with_file(const uint8_t *p, size_t size)
{
	size_t n;

	if (size < 2)
		return;
	n = (size_t)p[0] << 8 | p[1];
	if (n > size - 2)
		return;
	answer(p + 2, n, file_memfd("fuzz", p + 2 + n, size - 2 - n));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size == 0)
		return 0;
	if (!(data[0] & 1))
		ask(data + 1, size - 1);
	else if (data[0] & 2)
		answer_with_file(data + 1, size - 1);
	else
		answer(data + 1, size - 1, -1);
	return 0;
}
