/*
 * Reading a DNS answer packet (RFC 1035 4.1): header, then the records of the answer section, bounded. Role scout.
 * Pure.
 *
 * The packet comes from libunbound, but its octets from strangers: every offset is checked, compression pointers only
 * go backwards, names are at most 253 characters of text.
 */
#ifndef POSTERN_SCOUT_DNS_PACKET_H
#define POSTERN_SCOUT_DNS_PACKET_H

#include <stddef.h>
#include <stdint.h>

#define DNS_NAME_MAX 256 /* text of a name with its NUL */
#define DNS_FLAT_MAX 255 /* octets of a name on the wire */

enum {
	DNS_TYPE_A = 1,
	DNS_TYPE_CNAME = 5,
	DNS_TYPE_MX = 15,
	DNS_TYPE_TXT = 16,
	DNS_TYPE_AAAA = 28,
	DNS_TYPE_TLSA = 52
};
enum { DNS_RCODE_NOERROR = 0, DNS_RCODE_SERVFAIL = 2, DNS_RCODE_NXDOMAIN = 3 };

struct dns_packet {
	const uint8_t *p; /* the caller's, stays */
	size_t n;
	size_t pos;	    /* of the next record */
	unsigned left;	    /* records of the section not read yet: of answers, then of authority */
	unsigned authority; /* records of that section, while it is not begun */
	unsigned rcode;
};
struct dns_record {
	char owner[DNS_NAME_MAX]; /* as name below */
	size_t at;		  /* offset of the owner in the packet */
	uint16_t type;
	uint32_t ttl; /* s */
	size_t rdata; /* offset in the packet */
	size_t rdlen;
};

/* Reads the header and steps over the question. 0, or -1 when it is not a whole answer. */
int dns_packet_open(struct dns_packet *k, const uint8_t *p, size_t n) __attribute__((warn_unused_result));
/* The next record of class IN in the answer section: 1, 0 at its end, -1 when the packet is broken. */
int dns_packet_next(struct dns_packet *k, struct dns_record *rr_r) __attribute__((warn_unused_result));
/* At the end of the answers: from here on the records of the authority section come. */
void dns_packet_to_authority(struct dns_packet *k);
/* The name at off: lower case, no dot at the end, "." for the root, "" when a label has other octets than letters,
 * digits, '-' and '_' (nobody's mail host). *end_r: behind it. 0, or -1 when the packet is broken. */
int dns_packet_name(const struct dns_packet *k, size_t off, char name_r[DNS_NAME_MAX], size_t *end_r)
    __attribute__((warn_unused_result));
/* The name at off as on the wire, with any octets, in lower case and without compression. 0, or -1 as above. */
int dns_packet_flat(const struct dns_packet *k, size_t off, uint8_t flat_r[DNS_FLAT_MAX], size_t *n_r)
    __attribute__((warn_unused_result));

#endif
