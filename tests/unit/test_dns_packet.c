/* Reading DNS packets and picking mail hosts out of them: hand-made packets, whole, cut and with evil pointers. */
#include "gateway/scout/dns_packet.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/buf.h"
#include "gateway/scout/dns_answer.h"
#include "tests/unit/suite.h"

/* Question "d.test MX"; the name is at offset 12. */
static const uint8_t head[] = {
    0, 1, 0x81, 0x80, 0, 1, 0, 0, 0, 0, 0, 0, 1, 'd', 4, 't', 'e', 's', 't', 0, 0, 15, 0, 1};

static void begin(struct buf *b, uint8_t answers)
{
	buf_init(b, 65535);
	ck_assert_int_eq(buf_add(b, head, sizeof head), 0);
	b->p[7] = answers;
}

static void add(struct buf *b, const void *p, size_t n)
{
	ck_assert_int_eq(buf_add(b, p, n), 0);
}

static void record(struct buf *b, const void *owner, size_t on, uint16_t type, const void *rdata, size_t n)
{
	uint8_t fixed[10] = {(uint8_t)(type >> 8), (uint8_t)type, 0, 1, 0, 0, 0, 60, (uint8_t)(n >> 8), (uint8_t)n};

	add(b, owner, on);
	add(b, fixed, sizeof fixed);
	add(b, rdata, n);
}

#define OWNER "\xc0\x0c", 2 /* d.test */

START_TEST(mx_records)
{
	struct buf b;
	struct dns_packet k;
	struct dns_answer_mx m;

	begin(&b, 4);
	record(&b, OWNER, DNS_TYPE_MX, "\0\x14\2mX\xc0\x0c", 7);
	record(&b, OWNER, DNS_TYPE_MX, "\0\x0a\3mx2\xc0\x0c", 8);
	record(&b, "\1e\xc0\x0e", 4, DNS_TYPE_MX, "\0\1\3mx3\xc0\x0c", 8); /* another owner: not asked for */
	record(&b, OWNER, DNS_TYPE_A, "\1\2\3\4", 4);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_mx(&k, "d.test", &m), 0);
	ck_assert_uint_eq(m.n, 2);
	ck_assert_str_eq(m.v[0].name, "mx.d.test");
	ck_assert_uint_eq(m.v[0].pref, 20);
	ck_assert_str_eq(m.v[1].name, "mx2.d.test");
	ck_assert(m.any && !m.null_mx);
	/* cut anywhere it is broken, never read beyond */
	for (size_t n = 0; n < b.len; n++) {
		uint8_t *copy = malloc(n ? n : 1);

		memcpy(copy, b.p, n);
		ck_assert_int_eq(dns_packet_open(&k, copy, n) < 0 || dns_answer_mx(&k, "d.test", &m) < 0, 1);
		free(copy);
	}
	buf_clear(&b);
}
END_TEST

START_TEST(null_mx)
{
	struct buf b;
	struct dns_packet k;
	struct dns_answer_mx m;

	begin(&b, 1);
	record(&b, OWNER, DNS_TYPE_MX, "\0\0\0", 3);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_mx(&k, "d.test", &m), 0);
	ck_assert(m.any && m.null_mx && m.n == 0);
	/* RFC 7505 3: it stands alone; beside others it says nothing */
	b.p[7] = 2;
	record(&b, OWNER, DNS_TYPE_MX, "\0\x0a\1m\xc0\x0c", 6);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_mx(&k, "d.test", &m), 0);
	ck_assert(m.any && !m.null_mx && m.n == 1);
	buf_clear(&b);
}
END_TEST

START_TEST(aliases)
{
	struct buf b;
	struct dns_packet k;
	struct dns_answer_mx m;

	begin(&b, 2);
	record(&b, OWNER, DNS_TYPE_CNAME, "\1t\xc0\x0e", 4);
	record(&b, "\1t\xc0\x0e", 4, DNS_TYPE_MX, "\0\x0a\1m\xc0\x0c", 6);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_mx(&k, "d.test", &m), 0);
	ck_assert_str_eq(m.name, "t.test");
	ck_assert_uint_eq(m.n, 1);
	buf_clear(&b);
	/* to itself, without end */
	begin(&b, 1);
	record(&b, OWNER, DNS_TYPE_CNAME, OWNER);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_mx(&k, "d.test", &m), -1);
	buf_clear(&b);
	/* to the root */
	begin(&b, 1);
	record(&b, OWNER, DNS_TYPE_CNAME, "\0", 1);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_mx(&k, "d.test", &m), -1);
	buf_clear(&b);
}
END_TEST

START_TEST(names)
{
	static const struct {
		const char *in;
		size_t n;
		int ok;
		const char *text;
	} rows[] = {
	    {"\0", 1, 0, "."},
	    {"\1A\0", 3, 0, "a"},
	    {"\3a-b\2_c\0", 8, 0, "a-b._c"},
	    {"\3a b\0", 5, 0, ""},
	    {"\1.\0", 3, 0, ""},
	    {"\1\0\0", 3, 0, ""},
	    {"\2\xc3\xa9\0", 4, 0, ""},
	    {"\1a\xc0\x0c", 4, 0, "a.d.test"},
	    {"\1a\xc0\x18", 4, -1, NULL}, /* to itself */
	    {"\xc0\x18", 2, -1, NULL},
	    {"\xc0\x19", 2, -1, NULL}, /* forward */
	    {"\xc0\x00", 2, -1, NULL}, /* into the header */
	    {"\xc0", 1, -1, NULL},
	    {"\1a", 2, -1, NULL},
	    {"\5ab", 3, -1, NULL},
	    {"\x40", 1, -1, NULL}, /* label types that are none */
	    {"\x80", 1, -1, NULL},
	};
	struct buf b;
	struct dns_packet k;
	char text[DNS_NAME_MAX];
	size_t end;

	begin(&b, 0);
	add(&b, rows[_i].in, rows[_i].n);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_packet_name(&k, sizeof head, text, &end), rows[_i].ok);
	if (rows[_i].ok == 0) {
		ck_assert_str_eq(text, rows[_i].text);
		ck_assert_uint_eq(end, b.len);
	}
	buf_clear(&b);
}
END_TEST

/* 253 characters of text are a name, 255 are none; and pointers cannot make one longer. */
START_TEST(long_names)
{
	struct buf b;
	struct dns_packet k;
	char text[DNS_NAME_MAX];
	size_t end;

	for (int more = 0; more < 2; more++) {
		begin(&b, 0);
		for (int i = 0; i < 126; i++)
			add(&b, "\1a", 2);
		add(&b, more ? "\2ab" : "\1a", more ? 3 : 2);
		add(&b, "\0", 1);
		ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
		ck_assert_int_eq(dns_packet_name(&k, sizeof head, text, &end), more ? -1 : 0);
		if (!more)
			ck_assert_uint_eq(strlen(text), 253);
		buf_clear(&b);
	}
	/* a chain of pointers, each a step back */
	begin(&b, 0);
	add(&b, "\1a\0", 3);
	for (size_t i = 0; i < 300; i++) {
		size_t to = i ? sizeof head + 3 + (i - 1) * 2 : sizeof head;
		uint8_t p[2] = {(uint8_t)(0xc0 | to >> 8), (uint8_t)to};

		add(&b, p, 2);
	}
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_packet_name(&k, sizeof head + 3 + 100 * 2, text, &end), 0);
	ck_assert_str_eq(text, "a");
	ck_assert_int_eq(dns_packet_name(&k, sizeof head + 3 + 299 * 2, text, &end), -1);
	buf_clear(&b);
}
END_TEST

START_TEST(addresses)
{
	static const struct {
		const char *addr;
		size_t n;
		size_t public;
	} rows[] = {
	    {"\xc0\0\2\1", 4, 1},
	    {"\x0a\0\0\1", 4, 1},
	    {"\x7f\0\0\1", 4, 0},
	    {"\0\0\0\0", 4, 0},
	    {"\xe0\0\0\1", 4, 0},
	    {"\xff\xff\xff\xff", 4, 0},
	    {"\x20\1\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, 1},
	    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, 0},
	    {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, 0},
	    {"\xff\2\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, 0},
	    {"\xfe\x80\0\0\0\0\0\0\0\0\0\0\0\0\0\1", 16, 0},
	    {"\0\0\0\0\0\0\0\0\0\0\xff\xff\x7f\0\0\1", 16, 0},
	    {"\0\0\0\0\0\0\0\0\0\0\xff\xff\xc0\0\2\1", 16, 1},
	};
	struct buf b;
	struct dns_packet k;
	uint16_t type = rows[_i].n == 4 ? DNS_TYPE_A : DNS_TYPE_AAAA;
	struct scout_host h = {.name = "d.test"}, any = {.name = "d.test"};

	begin(&b, 1);
	record(&b, OWNER, type, rows[_i].addr, rows[_i].n);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_addrs(&k, type, DNS_ANSWER_PUBLIC, &h), 0);
	ck_assert_uint_eq(h.naddrs, rows[_i].public);
	ck_assert_int_eq(dns_answer_addrs(&k, type, DNS_ANSWER_ANY, &any), 0);
	ck_assert_uint_eq(any.naddrs, 1);
	buf_clear(&b);
	/* an address of the wrong size */
	begin(&b, 1);
	record(&b, OWNER, type, rows[_i].addr, rows[_i].n - 1);
	ck_assert_int_eq(dns_packet_open(&k, b.p, b.len), 0);
	ck_assert_int_eq(dns_answer_addrs(&k, type, DNS_ANSWER_ANY, &h), -1);
	buf_clear(&b);
}
END_TEST

START_TEST(headers)
{
	static const struct {
		size_t at;
		uint8_t value;
	} rows[] = {{2, 0x01} /* a question */, {2, 0x83} /* truncated */, {5, 0} /* no question */, {5, 2}};
	uint8_t p[sizeof head];
	struct dns_packet k;

	memcpy(p, head, sizeof head);
	ck_assert_int_eq(dns_packet_open(&k, p, sizeof p), 0);
	p[rows[_i].at] = rows[_i].value;
	ck_assert_int_eq(dns_packet_open(&k, p, sizeof p), -1);
}
END_TEST

START_TEST(order)
{
	struct dns_answer_mx m;
	struct scout_hosts h;
	int first = 0;

	/* 200 throws: each of two equal hosts is first sometimes; the odds against are 2^-199 */
	for (int i = 0; i < 200; i++) {
		m = (struct dns_answer_mx){.n = 4};
		memcpy(m.v[0].name, "c", 2), m.v[0].pref = 30;
		memcpy(m.v[1].name, "a", 2), m.v[1].pref = 10;
		memcpy(m.v[2].name, "b", 2), m.v[2].pref = 10;
		memcpy(m.v[3].name, "d", 2), m.v[3].pref = 20;
		dns_answer_order(&m, &h);
		ck_assert_uint_eq(h.nhosts, 4);
		ck_assert_uint_eq(h.hosts[0].pref, 10);
		ck_assert_uint_eq(h.hosts[1].pref, 10);
		ck_assert_str_eq(h.hosts[2].name, "d");
		ck_assert_str_eq(h.hosts[3].name, "c");
		first += h.hosts[0].name[0] == 'a';
	}
	ck_assert_int_gt(first, 0);
	ck_assert_int_lt(first, 200);
	/* more than are kept: the preferred ones */
	m = (struct dns_answer_mx){.n = DNS_ANSWER_MX_MAX};
	for (unsigned i = 0; i < DNS_ANSWER_MX_MAX; i++) {
		memcpy(m.v[i].name, "x", 2);
		m.v[i].pref = 100 - i;
	}
	dns_answer_order(&m, &h);
	ck_assert_uint_eq(h.nhosts, SCOUT_HOSTS_MAX);
	for (unsigned i = 0; i < SCOUT_HOSTS_MAX; i++)
		ck_assert_uint_eq(h.hosts[i].pref, 100 - DNS_ANSWER_MX_MAX + 1 + i);
}
END_TEST

START_TEST(mix)
{
	static const char *const rows[][2] = {{"444666", "646464"}, {"46", "64"}, {"4446", "6444"}, {"66", "66"},
	    {"4", "4"}, {"", ""}, {"64646464", "64646464"}};
	struct scout_host h = {.naddrs = strlen(rows[_i][0])};

	for (size_t i = 0; i < h.naddrs; i++)
		h.addrs[i].ss_family = rows[_i][0][i] == '4' ? AF_INET : AF_INET6;
	dns_answer_mix(&h);
	for (size_t i = 0; i < h.naddrs; i++)
		ck_assert_int_eq(h.addrs[i].ss_family, rows[_i][1][i] == '4' ? AF_INET : AF_INET6);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("dns_packet");
	TCase *t = tcase_create("packets");

	tcase_add_test(t, mx_records);
	tcase_add_test(t, null_mx);
	tcase_add_test(t, aliases);
	tcase_add_loop_test(t, names, 0, 17);
	tcase_add_test(t, long_names);
	tcase_add_loop_test(t, addresses, 0, 13);
	tcase_add_loop_test(t, headers, 0, 4);
	tcase_add_test(t, order);
	tcase_add_loop_test(t, mix, 0, 7);
	suite_add_tcase(s, t);
	return suite_run(s);
}
