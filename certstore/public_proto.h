/*
 * judge -> public: all that the public listener serves, at each change whole again: BEGIN, any number of the others,
 * END. Nothing goes the other way: what comes from the network asks the judge nothing. Encoder and decoder side by
 * side; decoders reject left-over octets.
 */
#ifndef POSTERN_CERTSTORE_PUBLIC_PROTO_H
#define POSTERN_CERTSTORE_PUBLIC_PROTO_H

#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ipc.h"

enum public_msg { PUBLIC_BEGIN = 1, PUBLIC_STATEMENT, PUBLIC_CERT, PUBLIC_TLS, PUBLIC_END };
struct public_octets {
	const uint8_t *p;
	size_t n;
};
/* STATEMENT: name is its id; body the SignedData. CERT: name is empty, body one certificate of the domain for mail,
 * in the order in which they are to be offered. TLS: domain is the host, name the keeper's id of its key, body its
 * certificate and chain, DER one behind the other. BEGIN and END have nothing. */
struct public_item {
	uint16_t msg;
	char domain[256], name[64];
	int64_t expires; /* unix s, of a statement */
	struct public_octets body;
};
void public_proto_put(struct ipc_out *o, const struct public_item *i);
/* body points into the packet. 0, -1 malformed. */
int public_proto_get(struct ipc_in *in, struct public_item *i_r) __attribute__((warn_unused_result));

#endif
