/* Mail hosts out of DNS answers. Role scout. RFC 5321 5.1, RFC 7505. No I/O. */
#include "gateway/scout/dns_answer.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { CNAMES_MAX = 8 };

/* One step along the CNAMEs of the answer: 1 and name changed, 0 none for this name, -1 broken. */
static int step_alias(const struct dns_packet *whole, char name[DNS_NAME_MAX])
{
	struct dns_packet k = *whole;
	struct dns_record rr;
	int r;

	while ((r = dns_packet_next(&k, &rr)) == 1) {
		size_t end;

		if (rr.type != DNS_TYPE_CNAME || strcmp(rr.owner, name) != 0)
			continue;
		return dns_packet_name(&k, rr.rdata, name, &end) < 0 ? -1 : 1;
	}
	return r;
}

/* RFC 5321 5.1: an alias is processed as if its target were the initial name. */
static int follow_aliases(const struct dns_packet *k, char name[DNS_NAME_MAX])
{
	for (int i = 0; i <= CNAMES_MAX; i++) {
		int r = step_alias(k, name);

		if (r <= 0)
			return r;
		if (!name[0] || name[0] == '.')
			return -1; /* points to what is no host */
	}
	return -1;
}

static int add_mx(const struct dns_packet *k, const struct dns_record *rr, struct dns_answer_mx *m)
{
	char host[DNS_NAME_MAX];
	size_t end;

	if (rr->rdlen < 3 || dns_packet_name(k, rr->rdata + 2, host, &end) < 0 || end > rr->rdata + rr->rdlen)
		return -1;

	unsigned pref = (unsigned)k->p[rr->rdata] << 8 | k->p[rr->rdata + 1];

	/* RFC 7505 3: "." is no host; alone it says that there is no mail here */
	if (strcmp(host, ".") == 0)
		m->null_mx = true;
	else if (host[0] && m->n < DNS_ANSWER_MX_MAX) {
		REQUIRE(mem_copy_str(m->v[m->n].name, sizeof m->v[0].name, host) == 0);
		m->v[m->n++].pref = pref;
	}
	return 0;
}

int dns_answer_mx(const struct dns_packet *whole, const char *domain, struct dns_answer_mx *m_r)
{
	struct dns_packet k = *whole;
	struct dns_record rr;
	int r;

	*m_r = (struct dns_answer_mx){0};
	if (mem_copy_str(m_r->name, sizeof m_r->name, domain) < 0 || follow_aliases(whole, m_r->name) < 0)
		return -1;

	size_t seen = 0;

	while ((r = dns_packet_next(&k, &rr)) == 1) {
		if (rr.type != DNS_TYPE_MX || strcmp(rr.owner, m_r->name) != 0)
			continue;
		seen++;
		if (add_mx(&k, &rr, m_r) < 0)
			return -1;
	}
	m_r->any = seen > 0;
	m_r->null_mx = m_r->null_mx && seen == 1;
	return r;
}

static bool public4(const uint8_t *a)
{
	return a[0] != 0 && a[0] != 127 && a[0] < 224;
}

/* Mapped addresses are judged as the IPv4 address that the kernel would connect to. */
static bool public6(const struct in6_addr *a)
{
	if (IN6_IS_ADDR_V4MAPPED(a))
		return public4(a->s6_addr + 12);
	return !IN6_IS_ADDR_UNSPECIFIED(a) && !IN6_IS_ADDR_LOOPBACK(a) && !IN6_IS_ADDR_MULTICAST(a) &&
	       !IN6_IS_ADDR_LINKLOCAL(a);
}

/* A domain that points to 127.0.0.1 would have us talk to our own inside listener: such addresses are not taken. */
static void add_addr(const uint8_t *p, uint16_t type, enum dns_answer_which which, struct scout_host *h)
{
	struct sockaddr_storage *ss = &h->addrs[h->naddrs];
	struct sockaddr_in *in4 = (struct sockaddr_in *)ss;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ss;

	*ss = (struct sockaddr_storage){0};
	if (type == DNS_TYPE_A) {
		in4->sin_family = AF_INET;
		memcpy(&in4->sin_addr, p, 4);
		h->naddrs += which == DNS_ANSWER_ANY || public4(p);
		return;
	}
	in6->sin6_family = AF_INET6;
	memcpy(&in6->sin6_addr, p, 16);
	h->naddrs += which == DNS_ANSWER_ANY || public6(&in6->sin6_addr);
}

int dns_answer_addrs(const struct dns_packet *whole, uint16_t type, enum dns_answer_which which, struct scout_host *h)
{
	struct dns_packet k = *whole;
	struct dns_record rr;
	char name[DNS_NAME_MAX];
	size_t most = h->naddrs + SCOUT_ADDRS_MAX / 2; /* neither family may crowd out the other */
	int r;

	REQUIRE(type == DNS_TYPE_A || type == DNS_TYPE_AAAA);
	if (mem_copy_str(name, sizeof name, h->name) < 0 || follow_aliases(whole, name) < 0)
		return -1;
	while ((r = dns_packet_next(&k, &rr)) == 1) {
		if (rr.type != type || strcmp(rr.owner, name) != 0)
			continue;
		if (rr.rdlen != (type == DNS_TYPE_A ? 4 : 16))
			return -1;
		if (h->naddrs < most && h->naddrs < SCOUT_ADDRS_MAX)
			add_addr(k.p + rr.rdata, type, which, h);
	}
	return r;
}

int dns_answer_alias(const struct dns_packet *k, const char *name, char name_r[DNS_NAME_MAX])
{
	return mem_copy_str(name_r, DNS_NAME_MAX, name) < 0 ? -1 : follow_aliases(k, name_r);
}

bool dns_answer_is_alias(const struct dns_packet *k, const char *name)
{
	char target[DNS_NAME_MAX];

	return mem_copy_str(target, sizeof target, name) == 0 && step_alias(k, target) == 1;
}

/* RFC 6698 2.1: usage, selector, matching type, association data. */
static int add_tlsa(const uint8_t *p, size_t n, struct scout_hosts *all, struct scout_host *h)
{
	if (n < 4)
		return -1;
	h->tlsa_state = SCOUT_TLSA_SOME;
	/* more records than the room for them: those left out can only make the check fail */
	if ((p[0] != 2 && p[0] != 3) || h->ntlsa == SCOUT_TLSA_MAX)
		return 0;
	if (n - 3 > sizeof all->octets - all->noctets)
		return -1;
	h->tlsa[h->ntlsa++] = (struct scout_tlsa){.usage = p[0],
	    .selector = p[1],
	    .matching = p[2],
	    .at = (uint16_t)all->noctets,
	    .len = (uint16_t)(n - 3)};
	memcpy(all->octets + all->noctets, p + 3, n - 3);
	all->noctets += n - 3;
	return 0;
}

int dns_answer_tlsa(const struct dns_packet *whole, const char *owner, struct scout_hosts *all, struct scout_host *h)
{
	struct dns_packet k = *whole;
	struct dns_record rr;
	char name[DNS_NAME_MAX];
	int r;

	if (dns_answer_alias(whole, owner, name) < 0)
		return -1;
	while ((r = dns_packet_next(&k, &rr)) == 1) {
		if (rr.type != DNS_TYPE_TLSA || strcmp(rr.owner, name) != 0)
			continue;
		if (add_tlsa(k.p + rr.rdata, rr.rdlen, all, h) < 0)
			return -1;
	}
	return r;
}

/* RFC 1035 3.3.14: strings with a length octet each. */
static int join_txt(const uint8_t *p, size_t n, char *out, size_t cap)
{
	size_t len = 0;

	for (size_t i = 0; i < n;) {
		size_t one = p[i++];

		if (one > n - i || one > cap - 1 - len)
			return -1;
		for (size_t k = 0; k < one; k++, i++) {
			if (p[i] < 0x20 || p[i] > 0x7e)
				return -1;
			out[len++] = (char)p[i];
		}
	}
	out[len] = 0;
	return 0;
}

int dns_answer_txt(const struct dns_packet *whole, const char *owner, const char *begins, char *out, size_t cap)
{
	struct dns_packet k = *whole;
	struct dns_record rr;
	char name[DNS_NAME_MAX];
	size_t word = strlen(begins);
	int r, found = 0;

	REQUIRE(cap > 0);
	if (dns_answer_alias(whole, owner, name) < 0)
		return -1;
	while ((r = dns_packet_next(&k, &rr)) == 1) {
		const uint8_t *p = k.p + rr.rdata;

		if (rr.type != DNS_TYPE_TXT || strcmp(rr.owner, name) != 0)
			continue;
		if (rr.rdlen < word + 1 || p[0] < word || memcmp(p + 1, begins, word) != 0)
			continue;
		if (found++ || join_txt(p, rr.rdlen, out, cap) < 0)
			return -1;
	}
	return r < 0 ? -1 : found;
}

void dns_answer_order(struct dns_answer_mx *m, struct scout_hosts *h_r)
{
	/* shuffle, then a stable sort: equal preferences stay in the random order */
	for (size_t i = m->n; i > 1; i--) {
		size_t k = arc4random_uniform((uint32_t)i);
		__typeof__(m->v[0]) t = m->v[i - 1];

		m->v[i - 1] = m->v[k];
		m->v[k] = t;
	}
	for (size_t i = 1; i < m->n; i++) {
		__typeof__(m->v[0]) t = m->v[i];
		size_t k = i;

		for (; k > 0 && m->v[k - 1].pref > t.pref; k--)
			m->v[k] = m->v[k - 1];
		m->v[k] = t;
	}
	h_r->nhosts = m->n < SCOUT_HOSTS_MAX ? m->n : SCOUT_HOSTS_MAX;
	for (size_t i = 0; i < h_r->nhosts; i++) {
		h_r->hosts[i] = (struct scout_host){.pref = m->v[i].pref};
		REQUIRE(mem_copy_str(h_r->hosts[i].name, sizeof h_r->hosts[i].name, m->v[i].name) == 0);
	}
}

void dns_answer_mix(struct scout_host *h)
{
	struct sockaddr_storage in[SCOUT_ADDRS_MAX];
	size_t n = 0;

	memcpy(in, h->addrs, sizeof in);
	for (size_t a = 0, b = 0; n < h->naddrs;) {
		while (a < h->naddrs && in[a].ss_family != AF_INET6)
			a++;
		if (a < h->naddrs)
			h->addrs[n++] = in[a++];
		while (b < h->naddrs && in[b].ss_family != AF_INET)
			b++;
		if (b < h->naddrs)
			h->addrs[n++] = in[b++];
	}
}
