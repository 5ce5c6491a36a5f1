/* Records picked out of answers made by hand: aliases, limits, TTLs, and what proves that a zone is not signed. */
#include "gateway/scout/dns_rdata.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tests/unit/suite.h"

/* A packet under construction. */
static struct {
	uint8_t p[65536];
	size_t n;
} m;

static void u16(unsigned v)
{
	m.p[m.n++] = (uint8_t)(v >> 8);
	m.p[m.n++] = (uint8_t)v;
}

static void name(const char *s)
{
	while (*s) {
		size_t n = strcspn(s, ".");

		m.p[m.n++] = (uint8_t)n;
		memcpy(m.p + m.n, s, n);
		m.n += n;
		s += n + (s[n] == '.');
	}
	m.p[m.n++] = 0;
}

static void begin(const char *q, unsigned type)
{
	memset(&m, 0, 12);
	m.n = 0;
	u16(0), u16(0x8180), u16(1), u16(0), u16(0), u16(0);
	name(q);
	u16(type), u16(1);
}

enum { ANSWER = 6, AUTHORITY = 8 };

static size_t rr_begin(int section, const char *owner, unsigned type, unsigned ttl)
{
	m.p[section + 1]++;
	if (m.p[section + 1] == 0)
		m.p[section]++;
	name(owner);
	u16(type), u16(1), u16(ttl >> 16), u16(ttl), u16(0);
	return m.n;
}

static void rr_end(size_t at)
{
	m.p[at - 2] = (uint8_t)((m.n - at) >> 8);
	m.p[at - 1] = (uint8_t)(m.n - at);
}

static void rr(int section, const char *owner, unsigned type, unsigned ttl, const void *p, size_t n)
{
	size_t at = rr_begin(section, owner, type, ttl);

	if (n > 0)
		memcpy(m.p + m.n, p, n);
	m.n += n;
	rr_end(at);
}

static void cname(const char *owner, const char *to, unsigned ttl)
{
	size_t at = rr_begin(ANSWER, owner, 5, ttl);

	name(to);
	rr_end(at);
}

static void soa(unsigned ttl, unsigned minimum)
{
	size_t at = rr_begin(AUTHORITY, "test", 6, ttl);

	name("ns.test");
	name("h.test");
	for (int i = 0; i < 4; i++)
		u16(0), u16(i);
	u16(minimum >> 16), u16(minimum);
	rr_end(at);
}

static struct dns_rdata r;

static int read_it(unsigned type, size_t max)
{
	struct dns_packet k;

	ck_assert_int_eq(dns_packet_open(&k, m.p, m.n), 0);
	return dns_rdata_read(&k, (uint16_t)type, max, &r);
}

START_TEST(behind_aliases)
{
	begin("A.test", 37);
	rr(ANSWER, "c.test", 37, 300, "cc", 2);
	cname("b.test", "C.test", 200);
	cname("a.test", "b.test", 100);
	rr(ANSWER, "a.test", 37, 50, "no", 2); /* beside an alias: not at its end */
	rr(ANSWER, "x.test", 37, 10, "no", 2);
	rr(ANSWER, "c.test", 38, 10, "no", 2);
	rr(ANSWER, "C.TEST", 37, 400, "dddd", 4);
	ck_assert_int_eq(read_it(37, 100), 0);
	ck_assert(r.n == 2 && !r.more && r.ttl == 100);
	ck_assert(r.v[0].n == 2 && memcmp(m.p + r.v[0].at, "cc", 2) == 0);
	ck_assert(r.v[1].n == 4 && memcmp(m.p + r.v[1].at, "dddd", 4) == 0);
}
END_TEST

START_TEST(aliases_end)
{
	char a[32], b[32];

	for (int n = 8; n <= 9; n++) {
		begin("a0.test", 37);
		for (int i = 0; i < n; i++) {
			snprintf(a, sizeof a, "a%d.test", i);
			snprintf(b, sizeof b, "a%d.test", i + 1);
			cname(a, b, 60);
		}
		snprintf(a, sizeof a, "a%d.test", n);
		rr(ANSWER, a, 37, 60, "x", 1);
		ck_assert_int_eq(read_it(37, 100), n == 8 ? 0 : -1);
	}
	begin("a.test", 37);
	cname("a.test", "a.test", 60);
	ck_assert_int_eq(read_it(37, 100), -1);
}
END_TEST

START_TEST(limits)
{
	begin("a.test", 37);
	for (int i = 0; i < 70; i++)
		rr(ANSWER, "a.test", 37, 60, "0123456789", 10);
	ck_assert_int_eq(read_it(37, 65536), 0);
	ck_assert(r.n == DNS_RDATA_MAX && r.more);
	ck_assert_int_eq(read_it(37, 35), 0);
	ck_assert(r.n == 3 && r.more);
	ck_assert_int_eq(read_it(37, 9), 0);
	ck_assert(r.n == 0 && r.more);
	begin("a.test", 37);
	rr(ANSWER, "a.test", 37, 0x80000000u, "", 0); /* RFC 2181 8 */
	ck_assert_int_eq(read_it(37, 9), 0);
	ck_assert(r.n == 1 && !r.more && r.ttl == 0 && r.v[0].n == 0);
}
END_TEST

START_TEST(nothing)
{
	begin("a.test", 37);
	soa(100, 60);
	ck_assert_int_eq(read_it(37, 9), 0);
	ck_assert(r.n == 0 && r.ttl == 60);
	begin("a.test", 37);
	cname("a.test", "b.test", 20);
	soa(30, 60);
	ck_assert_int_eq(read_it(37, 9), 0);
	ck_assert(r.n == 0 && r.ttl == 20);
	begin("a.test", 37);
	ck_assert_int_eq(read_it(37, 9), 0);
	ck_assert(r.n == 0 && r.ttl == 0);
}
END_TEST

START_TEST(broken)
{
	struct dns_packet k;

	begin("a.test", 37);
	cname("a.test", "b.test", 20);
	rr(ANSWER, "b.test", 37, 60, "abc", 3);
	soa(60, 60);
	for (size_t n = 12; n < m.n; n++) {
		if (dns_packet_open(&k, m.p, n) < 0)
			continue;
		if (dns_rdata_read(&k, 37, 100, &r) == 0)
			ck_assert(r.n == 1); /* the authority section is not needed then */
	}
}
END_TEST

/* Bitmaps of one window. */
static size_t bitmap(uint8_t *p, unsigned a, unsigned b)
{
	memset(p, 0, 8);
	p[1] = 6;
	p[2 + a / 8] |= (uint8_t)(0x80 >> a % 8);
	if (b)
		p[2 + b / 8] |= (uint8_t)(0x80 >> b % 8);
	return 8;
}

enum { NS = 2, SOA = 6, TXT = 16, DS = 43 };
static const struct {
	const char *owner; /* of NSEC; NULL: NSEC3 */
	unsigned a, b;
	int times;
	bool cut;
} proofs[] = {
    {"d.test", NS, 0, 1, true},
    {"D.Test", NS, 0, 1, true},
    {"d.test", NS, DS, 1, false},
    {"d.test", NS, SOA, 1, false},
    {"d.test", TXT, 0, 1, false},
    {"c.test", NS, 0, 1, false}, /* of another name */
    {NULL, NS, 0, 1, true},
    {NULL, NS, 0, 2, false}, /* of which name? */
    {NULL, TXT, 0, 1, false},
    {NULL, NS, SOA, 1, false},
};

START_TEST(unsigned_cut)
{
	uint8_t b[64] = {1, 0, 0, 1, 2, 0xaa, 0xbb, 4, 'h', 'a', 's', 'h'};
	struct dns_packet k;
	size_t n, at;

	begin("d.test", DS);
	soa(60, 60);
	for (int i = 0; i < proofs[_i].times; i++) {
		if (!proofs[_i].owner) {
			n = 12 + bitmap(b + 12, proofs[_i].a, proofs[_i].b);
			rr(AUTHORITY, "abcd.test", 50, 60, b, n);
			continue;
		}
		at = rr_begin(AUTHORITY, proofs[_i].owner, 47, 60);
		name("e.test");
		m.n += bitmap(m.p + m.n, proofs[_i].a, proofs[_i].b);
		rr_end(at);
	}
	ck_assert_int_eq(dns_packet_open(&k, m.p, m.n), 0);
	ck_assert_int_eq(dns_rdata_unsigned_cut(&k), proofs[_i].cut);
	for (n = 12; n < m.n; n++)
		if (dns_packet_open(&k, m.p, n) == 0)
			(void)dns_rdata_unsigned_cut(&k);
}
END_TEST

START_TEST(types)
{
	static const uint16_t no[] = {0, 2, 5, 6, 12, 15, 128, 252, 255},
			      yes[] = {1, 16, 28, 33, 37, 43, 52, 53, 256, 65535};

	for (size_t i = 0; i < sizeof no / sizeof no[0]; i++)
		ck_assert(!dns_rdata_plain(no[i]));
	for (size_t i = 0; i < sizeof yes / sizeof yes[0]; i++)
		ck_assert(dns_rdata_plain(yes[i]));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dns_rdata");
	TCase *c = tcase_create("packets");

	tcase_add_test(c, behind_aliases);
	tcase_add_test(c, aliases_end);
	tcase_add_test(c, limits);
	tcase_add_test(c, nothing);
	tcase_add_test(c, broken);
	tcase_add_loop_test(c, unsigned_cut, 0, (int)(sizeof proofs / sizeof proofs[0]));
	tcase_add_test(c, types);
	suite_add_tcase(s, c);
	return suite_run(s);
}
