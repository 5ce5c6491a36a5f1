/*
 * MTA-STS policies of domains (RFC 8461 3): looked up, fetched, remembered. Role scout. Never blocks. What a policy
 * means for a host is the asker's business.
 *
 * A policy that was fetched once holds for its max_age, whatever becomes of the domain's TXT record or HTTPS server
 * meanwhile: who can take them away must not thereby take the protection away.
 */
#ifndef POSTERN_SCOUT_STS_H
#define POSTERN_SCOUT_STS_H

#include "gateway/base/loop.h"
#include "gateway/scout/dns.h"
#include "gateway/scout/sts_policy.h"
#include "gateway/scout/sts_settings.h"

struct sts;
/* set stays. ca_file: CAs of the HTTPS servers; when it cannot be read, no policy is fetched (an alarm in the log),
 * and what is known holds. file: a descriptor where the policies are kept over a restart, -1 none; it is owned. Reads
 * both: before the sandbox. */
struct sts *sts_new(struct loop *l, struct dns *d, const struct sts_settings *set, const char *ca_file, int file);
/* Before dns and loop are freed. Questions under way end without an answer. NULL is allowed. */
void sts_free(struct sts *s);

/* p: valid during the call, NULL: none is known. unknown (p NULL): it may have one, but its TXT record or its policy
 * file cannot be had now; else it surely has none. */
typedef void sts_done(void *ctx, const struct sts_policy *p, bool unknown);
/* The policy of a mail domain (A-labels). done is called once, from the loop, never from inside; not later than
 * settings.timeout. */
void sts_ask(struct sts *s, const char *domain, sts_done *done, void *ctx);

#endif
