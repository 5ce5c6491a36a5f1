/* Records of one name and type in an answer. Role scout. No I/O. */
#include "gateway/scout/dns_rdata.h"

#include <string.h>

enum {
	HEADER = 12,
	ALIASES_MAX = 8,
	TYPE_NS = 2,
	TYPE_SOA = 6,
	TYPE_DS = 43,
	TYPE_NSEC = 47,
	TYPE_NSEC3 = 50,
};

/* A name to look for: where it stands in the packet. */
struct flat {
	uint8_t p[DNS_FLAT_MAX];
	size_t n;
};

static int flat_at(const struct dns_packet *k, size_t off, struct flat *f_r)
{
	return dns_packet_flat(k, off, f_r->p, &f_r->n);
}

static bool same(const struct flat *a, const struct flat *b)
{
	return a->n == b->n && memcmp(a->p, b->p, a->n) == 0;
}

static void least(struct dns_rdata *r, uint32_t ttl)
{
	if (ttl < r->ttl)
		r->ttl = ttl;
}

/* 1 and the name it is an alias of; 0 it is none; -1. */
static int alias_of(struct dns_packet k, const struct flat *name, struct flat *to_r, struct dns_rdata *r)
{
	struct dns_record rr;
	struct flat owner;
	int got;

	while ((got = dns_packet_next(&k, &rr)) == 1) {
		if (rr.type != DNS_TYPE_CNAME)
			continue;
		if (flat_at(&k, rr.at, &owner) < 0)
			return -1;
		if (!same(&owner, name))
			continue;
		least(r, rr.ttl);
		return flat_at(&k, rr.rdata, to_r) < 0 ? -1 : 1;
	}
	return got;
}

static int collect(struct dns_packet k, const struct flat *name, uint16_t type, size_t max, struct dns_rdata *r)
{
	struct dns_record rr;
	struct flat owner;
	size_t octets = 0;
	int got;

	while ((got = dns_packet_next(&k, &rr)) == 1) {
		if (rr.type != type)
			continue;
		if (flat_at(&k, rr.at, &owner) < 0)
			return -1;
		if (!same(&owner, name))
			continue;
		least(r, rr.ttl);
		if (r->n == DNS_RDATA_MAX || rr.rdlen > max - octets) {
			r->more = true;
			continue;
		}
		r->v[r->n].at = rr.rdata;
		r->v[r->n++].n = rr.rdlen;
		octets += rr.rdlen;
	}
	return got;
}

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int to_authority(struct dns_packet *k)
{
	struct dns_record rr;
	int got;

	while ((got = dns_packet_next(k, &rr)) == 1)
		;
	if (got == 0)
		dns_packet_to_authority(k);
	return got;
}

/* RFC 2308 5: the lesser of the SOA's own TTL and its last field. */
static int negative_ttl(struct dns_packet k, struct dns_rdata *r)
{
	struct dns_record rr;
	int got;

	if (to_authority(&k) < 0)
		return -1;
	while ((got = dns_packet_next(&k, &rr)) == 1) {
		if (rr.type != TYPE_SOA || rr.rdlen < 22)
			continue;
		least(r, rr.ttl);
		least(r, u32(k.p + rr.rdata + rr.rdlen - 4));
		return 0;
	}
	r->ttl = 0;
	return got;
}

int dns_rdata_read(const struct dns_packet *k, uint16_t type, size_t max, struct dns_rdata *r_r)
{
	struct flat name, next;
	int got = 1;

	memset(r_r, 0, sizeof *r_r);
	r_r->ttl = UINT32_MAX;
	if (flat_at(k, HEADER, &name) < 0)
		return -1;
	for (int i = 0; got == 1; i++) {
		got = alias_of(*k, &name, &next, r_r);
		if (got < 0 || (got == 1 && i == ALIASES_MAX))
			return -1;
		if (got == 1)
			name = next;
	}
	if (collect(*k, &name, type, max, r_r) < 0)
		return -1;
	return r_r->n == 0 && !r_r->more ? negative_ttl(*k, r_r) : 0;
}

bool dns_rdata_plain(uint16_t type)
{
	/* NS MD MF CNAME SOA MB MG MR PTR MINFO MX (RFC 3597 4); 128 and up are questions, not records */
	static const uint16_t compressed[] = {2, 3, 4, 5, 6, 7, 8, 9, 12, 14, 15};

	for (size_t i = 0; i < sizeof compressed / sizeof compressed[0]; i++)
		if (compressed[i] == type)
			return false;
	return type != 0 && (type < 128 || type > 255);
}

/* Is the type in the bitmaps (RFC 4034 4.1.2)? */
static bool has_type(const uint8_t *p, size_t n, unsigned type)
{
	while (n >= 2) {
		unsigned window = p[0], len = p[1];

		if (len > n - 2)
			return false;
		if (window == type / 256 && len > type % 256 / 8)
			return p[2 + type % 256 / 8] & (0x80 >> type % 8);
		p += 2 + len;
		n -= 2 + len;
	}
	return false;
}

/* Where the bitmaps begin; 0: broken. */
static size_t bitmaps(const struct dns_packet *k, const struct dns_record *rr)
{
	const uint8_t *p = k->p + rr->rdata;
	struct flat next;
	size_t salt;

	if (rr->type == TYPE_NSEC)
		return flat_at(k, rr->rdata, &next) < 0 || next.n > rr->rdlen ? 0 : next.n;
	if (rr->rdlen < 6)
		return 0;
	salt = p[4];
	if (rr->rdlen < 6 + salt || rr->rdlen < 6 + salt + p[5 + salt])
		return 0;
	return 6 + salt + p[5 + salt];
}

/*
 * One NSEC of this very name, or the only NSEC3, with NS and without SOA: a delegation seen from above. The answer is
 * validated, so whoever wrote it signs the zone above.
 */
bool dns_rdata_unsigned_cut(const struct dns_packet *k)
{
	struct dns_packet a = *k;
	struct dns_record rr;
	struct flat name, owner;
	unsigned nsec3 = 0;
	bool cut = false;

	if (flat_at(k, HEADER, &name) < 0 || to_authority(&a) < 0)
		return false;
	while (dns_packet_next(&a, &rr) == 1) {
		size_t at;

		if (rr.type != TYPE_NSEC && rr.type != TYPE_NSEC3)
			continue;
		at = bitmaps(&a, &rr);
		if (at == 0 || flat_at(&a, rr.at, &owner) < 0)
			return false;
		if (rr.type == TYPE_NSEC && !same(&owner, &name))
			continue;
		nsec3 += rr.type == TYPE_NSEC3;

		const uint8_t *p = a.p + rr.rdata + at;
		size_t n = rr.rdlen - at;

		cut = has_type(p, n, TYPE_NS) && !has_type(p, n, TYPE_SOA) && !has_type(p, n, TYPE_DS);
	}
	return cut && nsec3 <= 1;
}
