/*
 * What an answer packet says about one name and type: its records behind aliases, how long that counts, and whether a
 * negative answer for DS is that of an unsigned delegation. Role scout. Pure. RFC 1034 3.6.2, RFC 2308, RFC 4035 5.2.
 */
#ifndef POSTERN_SCOUT_DNS_RDATA_H
#define POSTERN_SCOUT_DNS_RDATA_H

#include <stdbool.h>

#include "gateway/scout/dns_packet.h"

#define DNS_RDATA_MAX 64

struct dns_rdata {
	struct {
		size_t at, n; /* in the packet */
	} v[DNS_RDATA_MAX];
	size_t n;
	bool more;    /* there were others: beyond DNS_RDATA_MAX or max octets */
	uint32_t ttl; /* s: least of records and aliases; with none: of the negative answer, 0 when it has no SOA */
};

/* The records of the type at the end of the aliases of the packet's own question; at most max octets of them. 0, or
 * -1: the packet is broken, or more than 8 aliases follow each other. Names inside are as they stand: not for types
 * of RFC 1035 whose names may be compressed (dns_rdata_plain). */
int dns_rdata_read(const struct dns_packet *k, uint16_t type, size_t max, struct dns_rdata *r_r)
    __attribute__((warn_unused_result));
/* Can records of this type be taken as they stand? */
bool dns_rdata_plain(uint16_t type);
/* Of a validated answer "no DS here": does it say that another zone begins here, which therefore is not signed? */
bool dns_rdata_unsigned_cut(const struct dns_packet *k);

#endif
