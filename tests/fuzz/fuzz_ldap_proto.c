/* Both decoders of ldap_proto.c; what they accept is encoded again and must come out the same. First octet: which of
 * them. */
#include "gateway/scout/ldap_proto.h"

#include <string.h>

#include "gateway/base/log.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct ldap_proto_ask a;
	struct ldap_proto_answer b;
	struct ipc_out o;

	if (size == 0)
		return 0;

	struct ipc_in in = {
	    .type = data[0] & 1 ? LDAP_PROTO_ANSWER : LDAP_PROTO_ASK, .id = 1, .p = data + 1, .n = size - 1};

	if (data[0] & 1) {
		if (ldap_proto_get_answer(&in, &b) != 0)
			return 0;
		for (const char *p = b.said; *p != '\0'; p++)
			REQUIRE((unsigned char)*p >= 0x20);
		ldap_proto_put_answer(&o, 1, &b);
	} else {
		if (ldap_proto_get_ask(&in, &a) != 0)
			return 0;
		ldap_proto_put_ask(&o, 1, &a);
		REQUIRE(memcmp(o.b.p + IPC_HEADER, data + 1, size - 1) == 0);
	}
	REQUIRE(!o.bad && o.b.len == IPC_HEADER + size - 1);
	ipc_out_clear(&o);
	return 0;
}
