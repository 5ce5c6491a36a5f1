/*
 * parent <-> child: what a child needs to start, who its peers are, and what the parent is asked to do. Encoder and
 * decoder side by side in control_proto.c. Order at start: START, then any of PEER, LISTEN, KEYFILE, MASTER,
 * RCPT_MAP, LDAP_PASSWORD, CERT_LDAP_PASSWORD, PERMIT_KEY, then GO; the child sets up, enters its sandbox and answers
 * READY.
 */
#ifndef POSTERN_PROC_CONTROL_PROTO_H
#define POSTERN_PROC_CONTROL_PROTO_H

#include "gateway/base/ipc.h"

enum control_role {
	ROLE_PARENT,
	ROLE_KEEPER,
	ROLE_JUDGE,
	ROLE_SCOUT,
	ROLE_SEALER,
	ROLE_RELAY,
	ROLE_ADMIN,
	ROLE_PUBLIC, /* only when the section public says where it listens */
	ROLE_WEB,    /* only when the section web says where it listens */
	ROLE_OPENER, /* only when the judge asks for one, for one file */
	ROLE_COUNT
};
const char *control_role_word(enum control_role r);

enum control_msg {
	CONTROL_START = 100, /* struct control_start + descriptor of the configuration text */
	CONTROL_PEER,	     /* struct control_peer + descriptor: a channel to that process; replaces an older one */
	CONTROL_LISTEN,	     /* struct control_peer {index of the listener} + descriptor; admin: the control socket */
	CONTROL_KEYFILE,     /* to keeper: struct control_file */
	CONTROL_MASTER,	     /* to keeper: struct control_file: the master file */
	CONTROL_PASSPHRASE,  /* to keeper: struct control_file: the passphrase */
	CONTROL_GO,	     /* nothing */
	CONTROL_READY,	     /* from child: nothing */
	CONTROL_STATE,	     /* keeper -> parent -> relay, admin: struct control_state */
	CONTROL_STOP,	     /* to child: finish and exit 0 */
	CONTROL_KEYFILE_PUT, /* keeper -> parent: struct control_file: make durable; answered by KEYFILE_ACK with the
				same id */
	CONTROL_KEYFILE_ACK, /* struct control_ack */
	CONTROL_STATUS,	     /* admin -> parent: nothing; answered by STATUS_REPLY */
	CONTROL_STATUS_REPLY,	/* struct control_file: JSON; to the judge without being asked, whenever it changed */
	CONTROL_KEYFILES,	/* admin -> parent: nothing: all key files for a backup */
	CONTROL_KEYFILES_REPLY, /* struct control_file, one packet a file; the last has an empty name */
	CONTROL_RCPT_MAP, /* to relay: struct control_peer {index of a domain} + descriptor: its recipient-map */
	CONTROL_PING,	  /* to keeper: nothing; its service answers, and it says PONG with the same id */
	CONTROL_PONG,
	CONTROL_LDAP_PASSWORD,	    /* to scout: struct control_file: title of a section ldap, its bind password */
	CONTROL_CERT_LDAP_PASSWORD, /* the same of a section certificate-directory */
	CONTROL_PERMIT_KEY,	    /* to judge and relay: struct control_file: the key of permits (permit.h) */
	CONTROL_OPENER,		    /* judge -> parent: nothing: start an opener, which is then its peer */
	CONTROL_KEYFILE_DROP, /* keeper -> parent: struct control_file without octets: remove durably; answered by
				 KEYFILE_ACK with the same id */
};

struct control_start {
	uint8_t role;
	uint32_t index;
	uint32_t uid, gid; /* 0: stay */
	char file[256];	   /* name of the configuration file, for messages */
	int fd;
};
struct control_peer {
	uint8_t role;
	uint32_t index;
	int fd;
};
#define CONTROL_FILE_MAX 65536
struct control_file {
	char name[128];
	const uint8_t *p; /* in the packet */
	size_t n;
};
struct control_state {
	uint8_t state; /* enum keys_state */
	uint32_t keys;
};
struct control_ack {
	bool ok;
	char text[640];
};

void control_start_put(struct ipc_out *o, const struct control_start *m);
int control_start_get(struct ipc_in *in, struct control_start *m_r) __attribute__((warn_unused_result));
void control_peer_put(struct ipc_out *o, const struct control_peer *m);
int control_peer_get(struct ipc_in *in, struct control_peer *m_r) __attribute__((warn_unused_result));
void control_file_put(struct ipc_out *o, const struct control_file *m);
int control_file_get(struct ipc_in *in, struct control_file *m_r) __attribute__((warn_unused_result));
void control_state_put(struct ipc_out *o, const struct control_state *m);
int control_state_get(struct ipc_in *in, struct control_state *m_r) __attribute__((warn_unused_result));
void control_ack_put(struct ipc_out *o, const struct control_ack *m);
int control_ack_get(struct ipc_in *in, struct control_ack *m_r) __attribute__((warn_unused_result));

#endif
