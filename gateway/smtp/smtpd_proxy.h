/*
 * The header of the PROXY protocol, version 2: what a balancer says of the client behind it, before anything else of
 * the connection. Pure, total, strict. Only TCP over IPv4 and IPv6, and LOCAL; what is in TLVs is passed over.
 */
#ifndef POSTERN_SMTP_SMTPD_PROXY_H
#define POSTERN_SMTP_SMTPD_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SMTPD_PROXY_MAX 4096	/* octets of a whole header */
#define SMTPD_PROXY_PEER_MAX 64 /* of an address text */

struct smtpd_proxy {
	bool local; /* the balancer speaks for itself (a health check) */
	char
	    peer[SMTPD_PROXY_PEER_MAX]; /* else the client, as conn_peer writes it: "192.0.2.1", "IPv6:2001:db8::1" */
	unsigned port;
	size_t used;	 /* octets of the header */
	const char *why; /* -1: what is wrong */
};

/* 1 = a header, 0 = more octets are needed (never with n >= SMTPD_PROXY_MAX), -1 = there is none or it is not
 * accepted, told as soon as it is certain. */
int smtpd_proxy_parse(const uint8_t *p, size_t n, struct smtpd_proxy *out_r) __attribute__((warn_unused_result));

#endif
