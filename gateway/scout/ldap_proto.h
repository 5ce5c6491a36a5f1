/*
 * What relay and scout say to each other about directories: relay asks whether an address is in one, scout answers
 * once per question with the same id. Over the same channel as scout_proto.h. Encoder and decoder stand next to each
 * other in ldap_proto.c. A packet that does not decode comes from a broken process of ours: the caller ends that
 * peer.
 */
#ifndef POSTERN_SCOUT_LDAP_PROTO_H
#define POSTERN_SCOUT_LDAP_PROTO_H

#include "gateway/base/ipc.h"

enum { LDAP_PROTO_ASK = 0x0341, LDAP_PROTO_ANSWER = 0x0342 };

struct ldap_proto_ask {
	char directory[65]; /* title of a section ldap */
	char local[256], domain[256];
};
enum ldap_proto_status {
	LDAP_PROTO_FOUND,
	LDAP_PROTO_NOTHING, /* the directory answered: no such entry */
	LDAP_PROTO_TEMP,    /* no server answered */
	LDAP_PROTO_WRONG,   /* a server answered with an error that somebody must mend: base, bind, certificate */
};
struct ldap_proto_answer {
	enum ldap_proto_status status;
	char said[512]; /* who said it, and what; no control octets */
};

void ldap_proto_put_ask(struct ipc_out *o, uint32_t id, const struct ldap_proto_ask *m);
void ldap_proto_put_answer(struct ipc_out *o, uint32_t id, const struct ldap_proto_answer *m);
/* 0, or -1: wrong type, a field out of range, something missing or left over. */
int ldap_proto_get_ask(struct ipc_in *in, struct ldap_proto_ask *m_r) __attribute__((warn_unused_result));
int ldap_proto_get_answer(struct ipc_in *in, struct ldap_proto_answer *m_r) __attribute__((warn_unused_result));

#endif
