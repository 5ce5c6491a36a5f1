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

#define SCOUT_HOSTS_MAX 16	     /* hosts of one domain that are kept, the preferred ones first */
#define SCOUT_ADDRS_MAX 8	     /* addresses of one host */
#define SCOUT_TLSA_MAX 16	     /* TLSA records of one host that are kept */
#define SCOUT_OCTETS_MAX (16 * 1024) /* association data of all of them */

/* Packet types. */
enum { SCOUT_PROTO_ASK = 0x0301, SCOUT_PROTO_HOSTS = 0x0302 };

enum scout_kind {
	SCOUT_KIND_MX,	 /* a mail domain: MX, else its own addresses (RFC 5321 5.1) */
	SCOUT_KIND_HOST, /* a host the admin named: its addresses alone, no MX */
};
struct scout_ask {
	enum scout_kind kind;
	char name[256];
	unsigned tlsa_port; /* TLSA records of the hosts for this port are wanted too (RFC 7672); 0: no */
	bool sts;	    /* MX: the domain's MTA-STS policy is wanted too (RFC 8461) */
};

/* What DNS says about TLSA records of a host (RFC 7672 2.1). */
enum scout_tlsa_state {
	SCOUT_TLSA_NONE, /* there are none, or nothing that DNSSEC vouches for */
	SCOUT_TLSA_SOME, /* validated: TLS is a must; those with usage 2 or 3 are in tlsa, maybe none */
	SCOUT_TLSA_TEMP, /* bogus, or no answer although the zone is signed: the host must not be used */
};
struct scout_tlsa {
	uint8_t usage, selector, matching;
	uint16_t at, len; /* association data in scout_hosts.octets */
};
struct scout_host {
	char name[256]; /* lower case, no dot at the end */
	unsigned pref;
	struct sockaddr_storage addrs[SCOUT_ADDRS_MAX]; /* port 0: the asker puts it in */
	size_t naddrs;
	enum scout_tlsa_state tlsa_state;
	char tlsa_base[256]; /* SCOUT_TLSA_SOME: the TLSA base domain (RFC 7672 2.2.2) */
	struct scout_tlsa tlsa[SCOUT_TLSA_MAX];
	size_t ntlsa;
	bool sts_match; /* the policy lists it (RFC 8461 4.1) */
};

enum scout_status {
	SCOUT_OK,      /* hosts, at least one, each with at least one address, in the order to try */
	SCOUT_NULL_MX, /* the domain says that it takes no mail (RFC 7505); problem is PERM 556 5.1.10 */
	SCOUT_PERM,    /* no such domain, or nothing there that could take mail; problem says which */
	SCOUT_TEMP,    /* no answer now, or one that cannot be believed; problem says why */
};
enum scout_sts {
	SCOUT_STS_NONE, /* there is none, and that is sure; or it was not asked for */
	SCOUT_STS_TESTING,
	SCOUT_STS_ENFORCE,
	SCOUT_STS_UNKNOWN, /* none is remembered, and whether there is one cannot be told now; to mail that demands
			      nothing it is none (RFC 8461 5.1) */
};
struct scout_hosts {
	enum scout_status status;
	struct problem problem; /* set unless SCOUT_OK */
	bool secure;		/* the MX answer (for HOST: the addresses) was validated by DNSSEC */
	char domain[256];	/* secure: the domain behind its aliases (RFC 7672 2.2.3); else "" */
	enum scout_sts sts;	/* mode of the domain's MTA-STS policy */
	struct scout_host hosts[SCOUT_HOSTS_MAX];
	size_t nhosts;
	uint8_t octets[SCOUT_OCTETS_MAX];
	size_t noctets;
};

/* Begins o (ipc_out_init) and puts the fields. Names longer than 255 octets are a bug of the caller. */
void scout_proto_put_ask(struct ipc_out *o, uint32_t id, const struct scout_ask *a);
void scout_proto_put_hosts(struct ipc_out *o, uint32_t id, const struct scout_hosts *h);
/* 0, or -1: wrong type, a field out of range, something missing or left over. *_r is then without meaning. */
int scout_proto_get_ask(struct ipc_in *in, struct scout_ask *a_r) __attribute__((warn_unused_result));
int scout_proto_get_hosts(struct ipc_in *in, struct scout_hosts *h_r) __attribute__((warn_unused_result));

#endif
