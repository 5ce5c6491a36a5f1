/* The decoders of relay <-> judge: whatever is taken must be encoded again to the same octets. The first octet
 * chooses the message. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/judge_proto.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static union {
	struct judge_resolve resolve;
	struct judge_verdict verdict;
	struct judge_identity_list list;
	struct judge_signers signers;
	struct judge_trust trust;
	char seen[256];
} m;

static int get(unsigned kind, struct ipc_in *in, struct arena *a)
{
	switch (kind) {
	case 0:
		return judge_resolve_get(in, &m.resolve);
	case 1:
		return judge_verdict_get(in, a, &m.verdict);
	case 2:
		return judge_identity_list_get(in, a, &m.list);
	case 3:
		return judge_signers_get(in, a, &m.signers);
	case 4:
		return judge_trust_get(in, a, &m.trust);
	case 5:
		return judge_seen_get(in, m.seen);
	default:
		return judge_changed_get(in, m.seen);
	}
}

static void put(unsigned kind, struct ipc_out *o)
{
	switch (kind) {
	case 0:
		judge_resolve_put(o, &m.resolve);
		break;
	case 1:
		judge_verdict_put(o, &m.verdict);
		break;
	case 2:
		judge_identity_list_put(o, &m.list);
		break;
	case 3:
		judge_signers_put(o, &m.signers);
		break;
	case 4:
		judge_trust_put(o, &m.trust);
		break;
	case 5:
		judge_seen_put(o, m.seen);
		break;
	default:
		judge_changed_put(o, m.seen);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ipc_in in = {0};
	struct ipc_out o;
	struct arena *a;
	uint8_t *p;

	if (size < 1 || size > IPC_PACKET_MAX - IPC_HEADER)
		return 0;
	p = malloc(size); /* its own block: reading past the end is seen */
	memcpy(p, data + 1, size - 1);
	a = arena_new(1 << 20);
	in.p = p;
	in.n = size - 1;
	if (get(data[0] % 7, &in, a) == 0) {
		ipc_out_init(&o, 1, 1);
		put(data[0] % 7, &o);
		REQUIRE(!o.bad && o.b.len - IPC_HEADER == size - 1 && memcmp(o.b.p + IPC_HEADER, p, size - 1) == 0);
		ipc_out_clear(&o);
	}
	arena_free(a);
	free(p);
	return 0;
}
