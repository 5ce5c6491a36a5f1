#include "gateway/scout/ldap_proto.h"

void ldap_proto_put_ask(struct ipc_out *o, uint32_t id, const struct ldap_proto_ask *m)
{
	ipc_out_init(o, LDAP_PROTO_ASK, id);
	ipc_put_str(o, m->directory);
	ipc_put_str(o, m->local);
	ipc_put_str(o, m->domain);
}

int ldap_proto_get_ask(struct ipc_in *in, struct ldap_proto_ask *m)
{
	*m = (struct ldap_proto_ask){0};
	ipc_get_str(in, m->directory, sizeof(m->directory));
	ipc_get_str(in, m->local, sizeof(m->local));
	ipc_get_str(in, m->domain, sizeof(m->domain));
	if (ipc_end(in) != 0 || in->type != LDAP_PROTO_ASK || m->local[0] == '\0' || m->domain[0] == '\0')
		return -1;
	return 0;
}

void ldap_proto_put_answer(struct ipc_out *o, uint32_t id, const struct ldap_proto_answer *m)
{
	ipc_out_init(o, LDAP_PROTO_ANSWER, id);
	ipc_put_u8(o, (uint8_t)m->status);
	ipc_put_str(o, m->said);
}

int ldap_proto_get_answer(struct ipc_in *in, struct ldap_proto_answer *m)
{
	unsigned status = ipc_get_u8(in);

	*m = (struct ldap_proto_answer){0};
	ipc_get_str(in, m->said, sizeof(m->said));
	if (ipc_end(in) != 0 || in->type != LDAP_PROTO_ANSWER || status > LDAP_PROTO_WRONG)
		return -1;
	m->status = (enum ldap_proto_status)status;
	/* a directory's words go into the log and to the admin's terminal */
	for (char *p = m->said; *p != '\0'; p++)
		if ((unsigned char)*p < 0x20 || *p == 0x7f)
			*p = '?';
	return 0;
}
