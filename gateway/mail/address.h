/*
 * Mail addresses and domains (RFC 5321 4.1.2, RFC 5322 3.4.1, RFC 6531 3.3). Pure. Octets above 126 are refused but
 * by address_parse_path_utf8: a domain with U-labels is the domain of its A-labels from there on, so that one domain
 * has one spelling wherever keys, rules and next hops are looked up.
 */
#ifndef POSTERN_MAIL_ADDRESS_H
#define POSTERN_MAIL_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>

#include "gateway/base/problem.h"

#define ADDRESS_LOCAL_MAX 64
#define ADDRESS_DOMAIN_MAX 255

/* local as meant (quotes and backslashes removed), domain in lower case without trailing dot; both "" for the null
 * path <>. */
struct address {
	char local[ADDRESS_LOCAL_MAX + 1];
	char domain[ADDRESS_DOMAIN_MAX + 1]; /* "[192.0.2.1]" for a literal; "" only for <> and <postmaster> */
};

/* Parses an RFC 5321 Path at p: "<" ... ">" (a source route is refused: 553 5.1.3). *used_r = octets up to and
 * including ">". 0, or -1 with pr (501 5.1.3 / 5.1.7, 553). "<>" gives an empty address; "<postmaster>" has an empty
 * domain. */
int address_parse_path(const char *p, size_t n, struct address *a, size_t *used_r, struct problem *pr)
    __attribute__((warn_unused_result));
/* Parses exactly an addr-spec (local@domain), nothing around it. */
int address_parse(const char *p, size_t n, struct address *a, struct problem *pr) __attribute__((warn_unused_result));
/* The same of SMTPUTF8 (RFC 6531 3.3): strict UTF-8 without control characters is allowed in the local part, and
 * U-labels (RFC 5890; no mapping: what is not a lawful U-label is refused) in the domain, which becomes A-labels.
 * *utf8_r: there was an octet outside ASCII, so that SMTPUTF8 must have been said. */
int address_parse_path_utf8(const char *p, size_t n, struct address *a, size_t *used_r, bool *utf8_r,
    struct problem *pr) __attribute__((warn_unused_result));
/* As address_parse of such an address, whose domain may be of U-labels. */
int address_parse_utf8(const char *p, size_t n, struct address *a, struct problem *pr)
    __attribute__((warn_unused_result));
/* The local part has characters outside ASCII. */
bool address_is_utf8(const struct address *a);
bool address_is_null(const struct address *a);
/* "local@domain", the local part quoted again where RFC 5321 demands it. out of cap 2*64+2+1+255+1 = ADDRESS_TEXT_MAX
 * suffices. */
#define ADDRESS_TEXT_MAX 390
const char *address_text(const struct address *a, char out[ADDRESS_TEXT_MAX]);
/* Same domain (both normalised) and same local part, octet by octet / ignoring ASCII case in the local part. */
bool address_same(const struct address *a, const struct address *b);
bool address_same_nocase(const struct address *a, const struct address *b);
/* Checks and lower-cases a host or domain name (LDH labels, underscore refused, 1..63 each, <= 253). 0 / -1. */
int address_domain(const char *p, size_t n, char out[ADDRESS_DOMAIN_MAX + 1], struct problem *pr)
    __attribute__((warn_unused_result));

#endif
