/*
 * What relay and scout say to each other: relay asks where mail for a domain (or a configured host) goes, scout
 * answers once per question with the same id. Encoder and decoder stand next to each other in scout_proto.c. Roles
 * relay, scout.
 *
 * A packet that does not decode comes from a broken process of ours: the caller ends that peer.
 */
#ifndef POSTERN_SCOUT_SCOUT_PROTO_H
#define POSTERN_SCOUT_SCOUT_PROTO_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/ipc.h"
#include "gateway/base/problem.h"

#define SCOUT_HOSTS_MAX 16 /* hosts of one domain that are kept, the preferred ones first */
#define SCOUT_ADDRS_MAX 8  /* addresses of one host */

/* Packet types. */
enum { SCOUT_PROTO_ASK = 0x0301, SCOUT_PROTO_HOSTS = 0x0302 };

enum scout_kind {
	SCOUT_KIND_MX,	 /* a mail domain: MX, else its own addresses (RFC 5321 5.1) */
	SCOUT_KIND_HOST, /* a host the admin named: its addresses alone, no MX */
};
struct scout_ask {
	enum scout_kind kind;
	char name[256];
};

struct scout_host {
	char name[256]; /* lower case, no dot at the end */
	unsigned pref;
	struct sockaddr_storage addrs[SCOUT_ADDRS_MAX]; /* port 0: the asker puts it in */
	size_t naddrs;
};

enum scout_status {
	SCOUT_OK,      /* hosts, at least one, each with at least one address, in the order to try */
	SCOUT_NULL_MX, /* the domain says that it takes no mail (RFC 7505); problem is PERM 556 5.1.10 */
	SCOUT_PERM,    /* no such domain, or nothing there that could take mail; problem says which */
	SCOUT_TEMP,    /* no answer now, or one that cannot be believed; problem says why */
};
struct scout_hosts {
	enum scout_status status;
	struct problem problem; /* set unless SCOUT_OK */
	bool secure;		/* the MX answer (for HOST: the addresses) was validated by DNSSEC */
	struct scout_host hosts[SCOUT_HOSTS_MAX];
	size_t nhosts;
};

/* Begins o (ipc_out_init) and puts the fields. Names longer than 255 octets are a bug of the caller. */
void scout_proto_put_ask(struct ipc_out *o, uint32_t id, const struct scout_ask *a);
void scout_proto_put_hosts(struct ipc_out *o, uint32_t id, const struct scout_hosts *h);
/* 0, or -1: wrong type, a field out of range, something missing or left over. *_r is then without meaning. */
int scout_proto_get_ask(struct ipc_in *in, struct scout_ask *a_r) __attribute__((warn_unused_result));
int scout_proto_get_hosts(struct ipc_in *in, struct scout_hosts *h_r) __attribute__((warn_unused_result));

#endif
