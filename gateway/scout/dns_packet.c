/* One DNS answer, read with bounds. Role scout. RFC 1035 4.1. No I/O. The additional section is not looked at. */
#include "gateway/scout/dns_packet.h"

#include <string.h>

#include "gateway/base/log.h"

enum {
	HEADER = 12,
	WIRE_NAME_MAX = 255, /* RFC 1035 2.3.4 */
	JUMPS_MAX = 128,     /* more pointers than a name of 255 octets has labels */
	CLASS_IN = 1,
};

static unsigned u16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

/* Lower-cases; 0 for an octet that no host name has. */
static char plain(uint8_t c)
{
	if (c >= 'A' && c <= 'Z')
		return (char)(c - 'A' + 'a');
	if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_')
		return (char)c;
	return 0;
}

struct name {
	char *text;    /* or */
	uint8_t *flat; /* lengths and labels */
	size_t n;      /* of text; a wire name of 255 octets has at most 253 + a dot */
	size_t wire;   /* octets of the uncompressed form so far */
	int odd;
};

static int add_label(struct name *m, const uint8_t *label, size_t len)
{
	uint8_t *flat = m->flat ? m->flat + m->wire : NULL;

	m->wire += len + 1;
	if (m->wire + 1 > WIRE_NAME_MAX)
		return -1;
	if (flat) {
		*flat++ = (uint8_t)len;
		for (size_t i = 0; i < len; i++)
			*flat++ = label[i] >= 'A' && label[i] <= 'Z' ? (uint8_t)(label[i] - 'A' + 'a') : label[i];
		return 0;
	}
	for (size_t i = 0; i < len; i++) {
		char c = plain(label[i]);

		m->odd |= !c;
		m->text[m->n++] = c;
	}
	m->text[m->n++] = '.';
	return 0;
}

static void end_name(struct name *m)
{
	if (m->odd)
		m->n = 0;
	else if (m->n == 0)
		m->text[m->n++] = '.';
	else
		m->n--;
	m->text[m->n] = 0;
}

/*
 * A pointer must lead before the place where the name (or its last jump) began: so every jump goes backwards and the
 * walk ends. *end_r is behind the first pointer.
 */
static int walk(const struct dns_packet *k, size_t off, struct name *m, size_t *end_r)
{
	size_t floor = off;

	*end_r = 0;
	for (int jumps = 0;;) {
		if (off >= k->n)
			return -1;

		uint8_t c = k->p[off];

		if (c == 0)
			break;
		if (c >= 0xc0) {
			if (off + 2 > k->n || ++jumps > JUMPS_MAX)
				return -1;
			if (!*end_r)
				*end_r = off + 2;
			off = u16(k->p + off) & 0x3fff;
			if (off >= floor || off < HEADER)
				return -1;
			floor = off;
			continue;
		}
		/* 01 and 10 are not label types (RFC 6891 5) */
		if (c > 63 || off + 1 + c > k->n || add_label(m, k->p + off + 1, c) < 0)
			return -1;
		off += 1 + (size_t)c;
	}
	if (!*end_r)
		*end_r = off + 1;
	return 0;
}

int dns_packet_name(const struct dns_packet *k, size_t off, char name_r[DNS_NAME_MAX], size_t *end_r)
{
	struct name m = {.text = name_r};

	if (walk(k, off, &m, end_r) < 0)
		return -1;
	end_name(&m);
	return 0;
}

int dns_packet_flat(const struct dns_packet *k, size_t off, uint8_t flat_r[DNS_FLAT_MAX], size_t *n_r)
{
	struct name m = {.flat = flat_r};
	size_t end;

	if (walk(k, off, &m, &end) < 0)
		return -1;
	flat_r[m.wire] = 0;
	*n_r = m.wire + 1;
	return 0;
}

int dns_packet_open(struct dns_packet *k, const uint8_t *p, size_t n)
{
	char name[DNS_NAME_MAX];

	*k = (struct dns_packet){.p = p, .n = n};
	/* QR set, not truncated; one question as we asked it */
	if (n < HEADER || !(p[2] & 0x80) || (p[2] & 0x02) || u16(p + 4) != 1)
		return -1;
	k->rcode = p[3] & 15;
	k->left = u16(p + 6);
	k->authority = u16(p + 8);
	if (dns_packet_name(k, HEADER, name, &k->pos) < 0 || k->n - k->pos < 4)
		return -1;
	k->pos += 4;
	return 0;
}

static int read_record(struct dns_packet *k, struct dns_record *rr_r, unsigned *class_r)
{
	size_t at;

	if (dns_packet_name(k, k->pos, rr_r->owner, &at) < 0 || k->n - at < 10)
		return -1;
	rr_r->at = k->pos;
	rr_r->ttl = u16(k->p + at + 4) << 16 | u16(k->p + at + 6);
	/* RFC 2181 8 */
	if (rr_r->ttl > INT32_MAX)
		rr_r->ttl = 0;
	rr_r->type = (uint16_t)u16(k->p + at);
	*class_r = u16(k->p + at + 2);
	rr_r->rdlen = u16(k->p + at + 8);
	rr_r->rdata = at + 10;
	if (k->n - rr_r->rdata < rr_r->rdlen)
		return -1;
	k->pos = rr_r->rdata + rr_r->rdlen;
	return 0;
}

int dns_packet_next(struct dns_packet *k, struct dns_record *rr_r)
{
	unsigned class = 0;

	REQUIRE(k->pos <= k->n);
	while (k->left > 0) {
		k->left--;
		if (read_record(k, rr_r, &class) < 0)
			return -1;
		if (class == CLASS_IN)
			return 1;
	}
	return 0;
}

void dns_packet_to_authority(struct dns_packet *k)
{
	REQUIRE(k->left == 0);
	k->left = k->authority;
	k->authority = 0;
}
