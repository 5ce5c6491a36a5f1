#include "gateway/proc/network.h"

#include <arpa/inet.h>
#include <stdint.h>
#include <stdio.h>
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

bool network_contains(char *const *list, size_t n, const char *addr)
{
	struct raw a, net;

	if (!parse(addr, strlen(addr), &a))
		return false;
	for (size_t i = 0; i < n; i++) {
		const char *slash = strchr(list[i], '/');
		unsigned bits;

		if (!parse(list[i], slash == NULL ? strlen(list[i]) : (size_t)(slash - list[i]), &net))
			continue;
		bits = net.bits;
		if (slash != NULL && sscanf(slash + 1, "%u", &bits) != 1)
			continue;
		if (within(&a, &net, bits))
			return true;
	}
	return false;
}
