/*
 * PROXY protocol, version 2 (the specification of HAProxy, section 2.2). Pure; relay. Its word replaces the address
 * that decides who may send here, so nothing is guessed: an unknown family or command is refused, where the
 * specification would let the balancer's own address stand for the client's.
 */
#include "gateway/smtp/smtpd_proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

static const uint8_t signature[12] = {0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a};

enum { HEAD = 16, V2_LOCAL = 0x20, V2_PROXY = 0x21, TCP4 = 0x11, TCP6 = 0x21, ADDR4 = 12, ADDR6 = 36, TLV_HEAD = 3 };

static int wrong(struct smtpd_proxy *out, const char *why)
{
	out->why = why;
	return -1;
}

static unsigned be16(const uint8_t *p)
{
	return (unsigned)p[0] << 8 | p[1];
}

static void text4(const uint8_t *addr, char *out)
{
	char text[INET_ADDRSTRLEN] = "";

	inet_ntop(AF_INET, addr, text, sizeof text);
	snprintf(out, SMTPD_PROXY_PEER_MAX, "%s", text);
}

/* As conn_peer: an IPv4-mapped address is the IPv4 address. */
static void text6(const uint8_t *addr, char *out)
{
	struct in6_addr in6;
	char text[INET6_ADDRSTRLEN] = "";

	memcpy(&in6, addr, sizeof in6);
	if (IN6_IS_ADDR_V4MAPPED(&in6)) {
		text4(addr + 12, out);
		return;
	}
	inet_ntop(AF_INET6, addr, text, sizeof text);
	snprintf(out, SMTPD_PROXY_PEER_MAX, "IPv6:%s", text);
}

/* The rest must be whole TLVs. */
static bool tlvs(const uint8_t *p, size_t n)
{
	while (n > 0) {
		size_t len = n >= TLV_HEAD ? TLV_HEAD + be16(p + 1) : 0;

		if (len == 0 || len > n)
			return false;
		p += len;
		n -= len;
	}
	return true;
}

static int addresses(const uint8_t *p, size_t n, unsigned family, struct smtpd_proxy *out)
{
	size_t len = family == TCP4 ? ADDR4 : ADDR6;

	if (n < len)
		return wrong(out, "the PROXY header is too short for its addresses");
	if (!tlvs(p + len, n - len))
		return wrong(out, "the PROXY header has damaged additions");
	if (family == TCP4)
		text4(p, out->peer);
	else
		text6(p, out->peer);
	out->port = be16(p + len - 4);
	return 1;
}

static int whole(const uint8_t *p, size_t n, struct smtpd_proxy *out)
{
	out->used = n;
	if (p[12] == V2_LOCAL) { /* what it says of addresses is to be ignored */
		out->local = true;
		return 1;
	}
	return addresses(p + HEAD, n - HEAD, p[13], out);
}

int smtpd_proxy_parse(const uint8_t *p, size_t n, struct smtpd_proxy *out)
{
	size_t k = n < sizeof signature ? n : sizeof signature, all;

	*out = (struct smtpd_proxy){0};
	if (k > 0 && memcmp(p, signature, k) != 0)
		return wrong(out, "a PROXY header, version 2, must come first");
	if (n > 12 && p[12] != V2_LOCAL && p[12] != V2_PROXY)
		return wrong(out, "the PROXY header is not of version 2, or has an unknown command");
	if (n > 13 && p[12] == V2_PROXY && p[13] != TCP4 && p[13] != TCP6)
		return wrong(out, "the PROXY header is not about TCP over IPv4 or IPv6");
	if (n < HEAD)
		return 0;
	all = HEAD + (size_t)be16(p + 14);
	if (all > SMTPD_PROXY_MAX)
		return wrong(out, "the PROXY header is too long");
	return n < all ? 0 : whole(p, all, out);
}
