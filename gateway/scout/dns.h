/*
 * The DNS source of next hops: libunbound (validating, RFC 4033-4035) on the loop's own event base. Role scout. Never
 * blocks after dns_new. RFC 5321 5.1 (MX and implicit MX), RFC 7505 (null MX). It says what it found; whether to send
 * there is relay's business.
 */
#ifndef POSTERN_SCOUT_DNS_H
#define POSTERN_SCOUT_DNS_H

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/scout/dns_settings.h"
#include "gateway/scout/scout_proto.h"

#define DNS_ASKS_MAX 2048 /* questions under way; more are answered TEMP */

struct dns;
struct ub_ctx;
/* Makes the resolver; reads the trust-anchor file and everything else libunbound wants from the file system: call it
 * before the sandbox. set is copied from and need not stay. NULL with pr. */
struct dns *dns_new(struct loop *l, const struct dns_settings *set, struct problem *pr);
/* Before the loop is freed. Questions under way end without an answer. NULL is allowed. */
void dns_free(struct dns *d);

/* h is valid during the call. Called exactly once for each question, from the loop, never from inside dns_mx. */
typedef void dns_done(void *ctx, const struct scout_hosts *h);
/* Where mail for domain goes: hosts in the order to try (equal preferences shuffled), each with its A and AAAA
 * addresses. NXDOMAIN: PERM 550 5.1.2; null MX: 556 5.1.10; time-out, SERVFAIL, bogus: TEMP 451 4.4.3. */
void dns_mx(struct dns *d, const char *domain, dns_done *done, void *ctx);
/* The addresses of one host that the admin named (no MX; loopback and the like are allowed). */
void dns_host(struct dns *d, const char *host, dns_done *done, void *ctx);
/* Either of them, as asked over scout_proto, with TLSA records where they are wanted (the MTA-STS policy is not this
 * module's). */
void dns_ask(struct dns *d, const struct scout_ask *ask, dns_done *done, void *ctx);

/* For look-ups of other kinds (source_dns.h). */
struct ub_ctx *dns_context(struct dns *d);
/* The trust anchor nearest above name, or at it; "" the root; NULL: none, so nothing there is ever validated. */
const char *dns_anchor(const struct dns *d, const char *name);

#define DNS_TXT_MAX 512
/* text: the record, or NULL: there is none (pr NULL), or it could not be had or believed (pr says why). As dns_done.
 */
typedef void dns_txt_done(void *ctx, const char *text, const struct problem *pr);
/* The one TXT record of prefix + domain ("_mta-sts.") that begins with the given words; prefix and begins stay. */
void dns_txt(
    struct dns *d, const char *prefix, const char *domain, const char *begins, dns_txt_done *done, void *ctx);

#endif
