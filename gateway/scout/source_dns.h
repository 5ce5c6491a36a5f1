/*
 * The DNS source: the records of one name and type (certstore/source.h, SOURCE_DNS) through the resolver of dns.h.
 * Role scout; octets in, octets out. RFC 1034, RFC 2308, RFC 4033-4035. Never blocks.
 *
 * The name is taken as it is, its labels parted at the dots; any other octet may stand in a label. Aliases are
 * followed. FOUND: RDATA of each record, at most SOURCE_ITEMS_MAX and ask.max octets (`more` says that there were
 * others), dnssec SECURE or UNSIGNED. NONE: no such name, or none of this type. Everything else is TEMP:
 *  - BOGUS: validation failed; an alarm stands in the log.
 *  - SIGNED_SILENT: no answer, or an error, of a zone that is signed as far as can be known: there is a trust anchor
 *    for it, or its parent says so (DS, validated), or the parent does not answer either.
 *  - UNSIGNED: the same of a zone that is surely not signed.
 *  - UNKNOWN: it was not asked at all, with the reason.
 */
#ifndef POSTERN_SCOUT_SOURCE_DNS_H
#define POSTERN_SCOUT_SOURCE_DNS_H

#include "gateway/scout/dns.h"
#include "gateway/scout/source_done.h"

#define SOURCE_DNS_ASKS_MAX 8192 /* questions under way; more are answered TEMP */

struct source_dns;
/* d stays. Never NULL. */
struct source_dns *source_dns_new(struct loop *l, struct dns *d);
/* Before dns_free. Questions under way end without an answer. NULL is allowed. */
void source_dns_free(struct source_dns *s);
/* source_done.h */
void source_dns_ask(struct source_dns *s, const struct source_ask *ask, source_done *done, void *ctx);

#endif
