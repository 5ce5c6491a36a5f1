/* For the fuzz targets of packets: a decoder's input in a block of its own, and what was taken encoded again, which
 * must give the same octets. */
#ifndef POSTERN_TESTS_FUZZ_PROTO_H
#define POSTERN_TESTS_FUZZ_PROTO_H

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/arena.h"
#include "gateway/base/ipc.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Decodes in as message `kind` and, when it is taken, encodes it into o: 0; -1 not taken. */
typedef int fuzz_proto_again(unsigned kind, struct ipc_in *in, struct arena *a, struct ipc_out *o);

/* The first octet chooses one of `kinds` messages. */
static inline int fuzz_proto(const uint8_t *data, size_t size, unsigned kinds, fuzz_proto_again *again)
{
	struct ipc_in in = {0};
	struct ipc_out o;
	struct arena *a;
	uint8_t *p;

	if (size < 1 || size > IPC_PACKET_MAX - IPC_HEADER)
		return 0;
	p = malloc(size - 1); /* its own block: reading past the end is seen */
	REQUIRE(p || size == 1);
	if (p)
		memcpy(p, data + 1, size - 1);
	a = arena_new(1 << 20);
	in.p = p;
	in.n = size - 1;
	ipc_out_init(&o, 1, 1);
	if (again(data[0] % kinds, &in, a, &o) == 0)
		REQUIRE(!o.bad && o.b.len - IPC_HEADER == size - 1 &&
			(size == 1 || memcmp(o.b.p + IPC_HEADER, p, size - 1) == 0));
	ipc_out_clear(&o);
	arena_free(a);
	free(p);
	return 0;
}

#endif
