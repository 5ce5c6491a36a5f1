/* DNS answers as scout reads them: MX, addresses, TLSA and TXT of "d.test" picked out of the input. */
#include "gateway/scout/dns_packet.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/scout/dns_answer.h"
#include "gateway/scout/dns_rdata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void records(const struct dns_packet *k, uint16_t type, size_t max)
{
	struct dns_rdata r;
	size_t octets = 0;

	if (dns_rdata_read(k, type, max, &r) < 0)
		return;
	REQUIRE(r.n <= DNS_RDATA_MAX);
	for (size_t i = 0; i < r.n; i++) {
		REQUIRE(r.v[i].n <= k->n && r.v[i].at <= k->n - r.v[i].n);
		octets += r.v[i].n;
	}
	REQUIRE(octets <= max);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct dns_answer_mx m;
	static struct scout_hosts h;
	struct dns_packet k;
	struct scout_host host = {.name = "d.test"};
	char name[DNS_NAME_MAX], txt[64];

	if (dns_packet_open(&k, data, size) < 0)
		return 0;
	if (dns_answer_mx(&k, "d.test", &m) == 0) {
		REQUIRE(m.n <= DNS_ANSWER_MX_MAX && strlen(m.name) < sizeof m.name);
		REQUIRE(!m.null_mx || m.n == 0);
		dns_answer_order(&m, &h);
		REQUIRE(h.nhosts <= SCOUT_HOSTS_MAX);
		for (size_t i = 0; i < h.nhosts; i++)
			REQUIRE(h.hosts[i].name[0]);
	}
	(void)!dns_answer_addrs(&k, DNS_TYPE_A, DNS_ANSWER_PUBLIC, &host);
	(void)!dns_answer_addrs(&k, DNS_TYPE_AAAA, DNS_ANSWER_ANY, &host);
	REQUIRE(host.naddrs <= SCOUT_ADDRS_MAX);
	dns_answer_mix(&host);
	(void)!dns_answer_alias(&k, "d.test", name);
	(void)dns_answer_is_alias(&k, "d.test");
	records(&k, DNS_TYPE_TXT, 65536);
	records(&k, 37, 100);
	records(&k, 43, 1000);
	(void)dns_rdata_unsigned_cut(&k);
	h.noctets = 0;
	(void)!dns_answer_tlsa(&k, "d.test", &h, &host);
	REQUIRE(host.ntlsa <= SCOUT_TLSA_MAX && h.noctets <= SCOUT_OCTETS_MAX);
	REQUIRE(host.ntlsa == 0 || host.tlsa_state == SCOUT_TLSA_SOME);
	if (dns_answer_txt(&k, "d.test", "v=STSv1", txt, sizeof txt) == 1)
		REQUIRE(memchr(txt, 0, sizeof txt) && strncmp(txt, "v=STSv1", 7) == 0);
	return 0;
}
