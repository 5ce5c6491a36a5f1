/*
 * TLSA records of the hosts of a question: which names are asked (RFC 7672 2.1.3, 2.2.2), and what the answers mean.
 * Role scout. Nothing that DNSSEC does not vouch for is taken; nothing that it should vouch for and does not lets a
 * host be used.
 */
#ifndef POSTERN_SCOUT_DNS_TLSA_H
#define POSTERN_SCOUT_DNS_TLSA_H

#include "gateway/scout/dns_state.h"

/* Addresses and order of the hosts stand: looks up what is wanted of TLSA, then finishes the question. */
void dns_tlsa_begin(struct dns_question *q);
/* An answer of type CNAME or TLSA; p NULL: none that can be believed. secure: validated. */
void dns_tlsa_came(struct dns_lookup *k, const struct dns_packet *p, bool secure);
/* Time is over: hosts whose answers are missing are not to be used. */
void dns_tlsa_late(struct dns_question *q);
/* The name that a look-up of type TLSA asks for. */
void dns_tlsa_name(const struct dns_lookup *k, char *out, size_t cap);

#endif
