/*
 * The header and the field getters of ipc.c, read in the order the input itself chooses: octet 0 says how many
 * getters run, the next ones which, the rest is the packet.
 */
#include "gateway/base/ipc.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned sum;

static void use(const void *p, size_t n)
{
	const uint8_t *o = p;

	for (size_t i = 0; i < n; i++)
		sum += o[i];
}

static void get(struct ipc_in *in, uint8_t which)
{
	char text[16];
	size_t n, left = in->n;
	const uint8_t *p;

	switch (which % 7) {
	case 0:
		sum += ipc_get_u8(in);
		break;
	case 1:
		sum += ipc_get_u16(in);
		break;
	case 2:
		sum += ipc_get_u32(in);
		break;
	case 3:
		sum += (unsigned)ipc_get_u64(in);
		break;
	case 4:
		p = ipc_get_bytes(in, &n);
		use(p, n);
		break;
	case 5:
		ipc_get_str(in, text, 1 + which % sizeof text);
		if (strlen(text) > which % sizeof text || (in->bad && text[0]))
			abort();
		break;
	default:
		if (ipc_get_fd(in) != -1 || !in->bad)
			abort();
	}
	if (in->n > left)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t steps = size ? data[0] % 32 : 0;

	if (size < 1 + steps)
		return 0;

	/* a copy of exactly this size, so that one octet too far is seen */
	size_t n = size - 1 - steps;
	uint8_t *packet = malloc(n ? n : 1);
	struct ipc_in in = {0};

	memcpy(packet, data + 1 + steps, n);
	if (ipc_parse(packet, n, &in) < 0)
		in = (struct ipc_in){.p = packet, .n = n};
	for (size_t i = 0; i < steps; i++)
		get(&in, data[1 + i]);
	if ((ipc_end(&in) == 0) != (!in.bad && in.n == 0))
		abort();
	free(packet);
	return 0;
}
