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
/* The name behind the aliases of the answer, which may be name itself. 0, or -1 as above. */
int dns_answer_alias(const struct dns_packet *k, const char *name, char name_r[DNS_NAME_MAX])
    __attribute__((warn_unused_result));
/* Does the answer hold a CNAME of exactly this name? */
bool dns_answer_is_alias(const struct dns_packet *k, const char *name);
/* TLSA records of owner, aliases followed: sets host->tlsa_state to SCOUT_TLSA_SOME when there are any, and keeps
 * those of usage 2 and 3 (RFC 7672 3.1: the others are of no use for mail). 0, or -1: broken, or more than there is
 * room for in all->octets. */
int dns_answer_tlsa(const struct dns_packet *k, const char *owner, struct scout_hosts *all, struct scout_host *host)
    __attribute__((warn_unused_result));
/* The TXT record of name that begins with the given words, its strings put together (RFC 7208 3.3): 1, 0 there is
 * none, -1 broken, more than one, or longer than cap - 1. Octets outside printable ASCII count as broken. */
int dns_answer_txt(const struct dns_packet *k, const char *name, const char *begins, char *out, size_t cap)
    __attribute__((warn_unused_result));
/* Sorts by preference, equal ones shuffled (RFC 5321 5.1), and copies the first ones. */
void dns_answer_order(struct dns_answer_mx *m, struct scout_hosts *h_r);
/* IPv6 and IPv4 in turns: a host whose one family is dead is reached with the second try. */
void dns_answer_mix(struct scout_host *h);

#endif
