/*
 * What a DNS answer says about mail hosts: MX records and addresses picked out of a packet, hosts put in order. Role
 * scout. Pure but for the randomness of the order. RFC 5321 5.1, RFC 7505, RFC 2181 10.1.
 */
#ifndef POSTERN_SCOUT_DNS_ANSWER_H
#define POSTERN_SCOUT_DNS_ANSWER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/scout/dns_packet.h"
#include "gateway/scout/scout_proto.h"

#define DNS_ANSWER_MX_MAX 64 /* MX records looked at; the rest of a larger set is left out */

struct dns_answer_mx {
	char name[DNS_NAME_MAX]; /* the domain behind its CNAMEs */
	bool null_mx;
	bool any; /* there were MX records, usable or not */
	struct {
		char name[DNS_NAME_MAX];
		unsigned pref;
	} v[DNS_ANSWER_MX_MAX];
	size_t n;
};

/* Each: 0, or -1 when the packet is broken or its CNAMEs do not end (more than 8). domain in lower case. */
int dns_answer_mx(const struct dns_packet *k, const char *domain, struct dns_answer_mx *m_r)
    __attribute__((warn_unused_result));
/* Adds addresses of type A or AAAA of h->name to h, as far as there is room. */
enum dns_answer_which { DNS_ANSWER_PUBLIC, DNS_ANSWER_ANY };
int dns_answer_addrs(const struct dns_packet *k, uint16_t type, enum dns_answer_which which, struct scout_host *h)
    __attribute__((warn_unused_result));
/* Sorts by preference, equal ones shuffled (RFC 5321 5.1), and copies the first ones. */
void dns_answer_order(struct dns_answer_mx *m, struct scout_hosts *h_r);
/* IPv6 and IPv4 in turns: a host whose one family is dead is reached with the second try. */
void dns_answer_mix(struct scout_host *h);

#endif
