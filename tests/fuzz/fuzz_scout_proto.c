/* Both decoders of scout_proto.c; what they accept is encoded again and must come out the same. First octet: which of
 * them. */
#include "gateway/scout/scout_proto.h"

#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void again(struct ipc_out *o, const uint8_t *p, size_t n)
{
	REQUIRE(!o->bad && o->b.len == IPC_HEADER + n && memcmp(o->b.p + IPC_HEADER, p, n) == 0);
	ipc_out_clear(o);
}

static void hosts(const uint8_t *p, size_t n)
{
	static struct scout_hosts h;
	struct ipc_in in = {.type = SCOUT_PROTO_HOSTS, .id = 1, .p = p, .n = n};
	struct ipc_out o;

	if (scout_proto_get_hosts(&in, &h) < 0)
		return;
	REQUIRE(h.nhosts <= SCOUT_HOSTS_MAX && (h.status == SCOUT_OK) == (h.nhosts > 0));
	scout_proto_put_hosts(&o, 1, &h);
	/* control octets of the text are replaced, so only the length is sure to be the same */
	REQUIRE(!o.bad && o.b.len == IPC_HEADER + n);
	ipc_out_clear(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct scout_ask a;
	struct ipc_out o;

	if (size == 0)
		return 0;
	if (data[0] & 1) {
		hosts(data + 1, size - 1);
		return 0;
	}

	struct ipc_in in = {.type = SCOUT_PROTO_ASK, .id = 1, .p = data + 1, .n = size - 1};

	if (scout_proto_get_ask(&in, &a) < 0)
		return 0;
	scout_proto_put_ask(&o, 1, &a);
	again(&o, data + 1, size - 1);
	return 0;
}
