/* PROXY headers: the answer does not change with more octets, an address is an address, nothing is read past n. */
#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/smtp/smtpd_proxy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int at(const uint8_t *data, size_t n, struct smtpd_proxy *out)
{
	uint8_t *p = malloc(n + 1);
	int r;

	memcpy(p, data, n);
	p = realloc(p, n ? n : 1); /* its own block: reading past the end is seen */
	r = smtpd_proxy_parse(p, n, out);
	free(p);
	return r;
}

static void check_peer(const struct smtpd_proxy *got)
{
	unsigned char addr[16];
	bool six = strncmp(got->peer, "IPv6:", 5) == 0;

	if (got->local)
		REQUIRE(got->peer[0] == 0);
	else
		REQUIRE(inet_pton(six ? AF_INET6 : AF_INET, got->peer + (six ? 5 : 0), addr) == 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct smtpd_proxy whole, part;
	int r = at(data, size, &whole);

	REQUIRE(r != 0 || size < SMTPD_PROXY_MAX);
	if (r == 1) {
		REQUIRE(whole.used >= 16 && whole.used <= size);
		REQUIRE(at(data, whole.used, &part) == 1 && strcmp(part.peer, whole.peer) == 0);
		REQUIRE(at(data, whole.used - 1, &part) == 0);
		check_peer(&whole);
	}
	if (r == -1)
		REQUIRE(whole.why != NULL);
	if (r == 0 && size > 0)
		REQUIRE(at(data, size / 2, &part) == 0);
	return 0;
}
