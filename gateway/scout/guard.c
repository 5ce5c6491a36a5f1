/* RFC 6890, RFC 4291, RFC 6052, RFC 3056. Role scout. */
#include "gateway/scout/guard.h"

#include <arpa/inet.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

static const struct {
	uint8_t net[4];
	unsigned bits;
} not4[] = {
    {{0, 0, 0, 0}, 8},
    {{10, 0, 0, 0}, 8},
    {{100, 64, 0, 0}, 10},
    {{127, 0, 0, 0}, 8},
    {{169, 254, 0, 0}, 16},
    {{172, 16, 0, 0}, 12},
    {{192, 0, 0, 0}, 24},
    {{192, 0, 2, 0}, 24},
    {{192, 88, 99, 0}, 24},
    {{192, 168, 0, 0}, 16},
    {{198, 18, 0, 0}, 15},
    {{198, 51, 100, 0}, 24},
    {{203, 0, 113, 0}, 24},
    {{224, 0, 0, 0}, 3},
};

static uint32_t u32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static bool public4(const uint8_t *a)
{
	for (size_t i = 0; i < sizeof not4 / sizeof not4[0]; i++) {
		unsigned shift = 32 - not4[i].bits;

		if (u32(a) >> shift == u32(not4[i].net) >> shift)
			return false;
	}
	return true;
}

static bool public6(const uint8_t *a)
{
	static const uint8_t nat64[12] = {0, 0x64, 0xff, 0x9b};
	static const uint8_t doc[4] = {0x20, 0x01, 0x0d, 0xb8};

	if (memcmp(a, nat64, sizeof nat64) == 0)
		return public4(a + 12);
	if (a[0] == 0x20 && a[1] == 0x02) /* 6to4 */
		return public4(a + 2);
	if (memcmp(a, doc, sizeof doc) == 0)
		return false;
	/* 2001::/23: Teredo and other special ones */
	if (a[0] == 0x20 && a[1] == 0x01 && a[2] < 2)
		return false;
	/* of the rest, global unicast alone is given out: 2000::/3 (mapped addresses are not in it) */
	return (a[0] & 0xe0) == 0x20;
}

bool guard_public(const struct sockaddr_storage *ss)
{
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)ss;
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

	if (ss->ss_family == AF_INET)
		return public4((const uint8_t *)&in4->sin_addr);
	return ss->ss_family == AF_INET6 && public6(in6->sin6_addr.s6_addr);
}
