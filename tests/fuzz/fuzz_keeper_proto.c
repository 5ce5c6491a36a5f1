/*
 * The keeper's packets as a role that was taken over, or a broken keeper, could send them. Input: a type (2 octets),
 * then the fields. What is accepted must be written again octet for octet.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/keys/keeper_proto.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

static void same(struct ipc_out *o, const uint8_t *p, size_t n)
{
	REQUIRE(o->b.len == IPC_HEADER + n && memcmp(o->b.p + IPC_HEADER, p, n) == 0);
	ipc_out_clear(o);
}

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct keeper_request rq;
	struct keeper_reply rp;
	struct ipc_out o;
	struct ipc_in in;

	if (n < 2 || n > IPC_PACKET_MAX)
		return 0;
	in = (struct ipc_in){.type = (uint16_t)(p[0] << 8 | p[1]), .id = 7, .p = p + 2, .n = n - 2};
	if (keeper_proto_get_request(&in, &rq) == 0) {
		(void)keeper_proto_id_ok(rq.id);
		REQUIRE(keeper_proto_put_request(&o, &rq) == 0);
		same(&o, p + 2, n - 2);
	}
	in = (struct ipc_in){.type = (uint16_t)(p[0] << 8 | p[1]), .id = 7, .p = p + 2, .n = n - 2};
	if (keeper_proto_get_reply(&in, &rp) == 0) {
		REQUIRE(keeper_proto_put_reply(&o, &rp) == 0);
		same(&o, p + 2, n - 2);
	}
	return 0;
}
