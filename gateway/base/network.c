#include "gateway/base/network.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct raw {
	uint8_t p[16];
	unsigned bits; /* of the address */
};

static bool parse(const char *s, size_t n, struct raw *r)
{
	char text[64];
	static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

	if (n >= sizeof(text))
		return false;
	memcpy(text, s, n);
	text[n] = '\0';
	if (inet_pton(AF_INET, text, r->p) == 1) {
		r->bits = 32;
		return true;
	}
	if (inet_pton(AF_INET6, text, r->p) != 1)
		return false;
	r->bits = 128;
	if (memcmp(r->p, mapped, sizeof(mapped)) == 0) {
		memmove(r->p, r->p + 12, 4);
		r->bits = 32;
	}
	return true;
}

static bool within(const struct raw *a, const struct raw *net, unsigned bits)
{
	if (a->bits != net->bits || bits > a->bits)
		return false;
	if (memcmp(a->p, net->p, bits / 8) != 0)
		return false;
	unsigned rest = bits % 8;
	return rest == 0 || ((a->p[bits / 8] ^ net->p[bits / 8]) & (uint8_t)(0xff << (8 - rest))) == 0;
}

/* An address, perhaps with "/" and the length of a prefix. An IPv4-mapped address is an IPv4 one,
 * and so is what its prefix counts. */
static bool parse_net(const char *s, struct raw *net_r, unsigned *bits_r)
{
	const char *slash = strchr(s, '/');
	size_t n = slash == NULL ? strlen(s) : (size_t)(slash - s);
	unsigned long bits;
	char *end;

	if (!parse(s, n, net_r))
		return false;
	*bits_r = net_r->bits;
	if (slash == NULL)
		return true;
	if (!isdigit((unsigned char)slash[1])) /* strtoul would take a blank or a sign */
		return false;
	bits = strtoul(slash + 1, &end, 10);
	if (*end != '\0' || bits > net_r->bits)
		return false;
	*bits_r = (unsigned)bits;
	return true;
}

bool network_ok(const char *net)
{
	struct raw a;
	unsigned bits;

	return parse_net(net, &a, &bits);
}

bool network_contains(char *const *list, size_t n, const char *addr)
{
	struct raw a, net;
	unsigned bits;

	if (!parse(addr, strlen(addr), &a))
		return false;
	for (size_t i = 0; i < n; i++)
		if (parse_net(list[i], &net, &bits) && within(&a, &net, bits))
			return true;
	return false;
}
