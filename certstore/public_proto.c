#include "certstore/public_proto.h"

#include <string.h>

static int has_fields(unsigned msg)
{
	return msg == PUBLIC_STATEMENT || msg == PUBLIC_CERT || msg == PUBLIC_TLS;
}

void public_proto_put(struct ipc_out *o, const struct public_item *i)
{
	ipc_out_init(o, i->msg, 0);
	if (!has_fields(i->msg))
		return;
	ipc_put_str(o, i->domain);
	ipc_put_str(o, i->name);
	ipc_put_u64(o, (uint64_t)i->expires);
	ipc_put_bytes(o, i->body.p, i->body.n);
}

int public_proto_get(struct ipc_in *in, struct public_item *i_r)
{
	memset(i_r, 0, sizeof *i_r);
	i_r->msg = in->type;
	if (in->type < PUBLIC_BEGIN || in->type > PUBLIC_END)
		in->bad = true;
	if (has_fields(in->type)) {
		ipc_get_str(in, i_r->domain, sizeof i_r->domain);
		ipc_get_str(in, i_r->name, sizeof i_r->name);
		i_r->expires = (int64_t)ipc_get_u64(in);
		i_r->body.p = ipc_get_bytes(in, &i_r->body.n);
	}
	return ipc_end(in);
}
