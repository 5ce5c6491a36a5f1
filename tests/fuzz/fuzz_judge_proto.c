/* The decoders of relay <-> judge: whatever is taken must be encoded again to the same octets. The first octet
 * chooses the message. */
#include "certstore/judge_proto.h"
#include "tests/fuzz/fuzz_proto.h"

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

static int again(unsigned kind, struct ipc_in *in, struct arena *a, struct ipc_out *o)
{
	if (get(kind, in, a) != 0)
		return -1;
	put(kind, o);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	return fuzz_proto(data, size, 7, again);
}
