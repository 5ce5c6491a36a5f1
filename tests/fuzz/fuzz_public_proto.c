/* certstore/public_proto.c: packets of a judge that was taken over. Input: a type (1 octet), then the fields. What is
 * accepted is written again octet for octet. */
#include <string.h>

#include "certstore/public_proto.h"
#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *p, size_t n)
{
	struct public_item i;
	struct ipc_out o;
	struct ipc_in in;

	if (n < 1 || n > 60000)
		return 0;
	in = (struct ipc_in){.type = p[0], .p = p + 1, .n = n - 1};
	if (public_proto_get(&in, &i) < 0)
		return 0;
	public_proto_put(&o, &i);
	REQUIRE(o.b.len == IPC_HEADER + n - 1 && (n == 1 || memcmp(o.b.p + IPC_HEADER, p + 1, n - 1) == 0));
	ipc_out_clear(&o);
	return 0;
}
