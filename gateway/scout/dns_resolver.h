/*
 * Setting libunbound up from the settings: forwards, stubs, trust anchors, and a first use that makes it read and
 * open all it ever will. Role scout. Blocks on the trust-anchor file.
 */
#ifndef POSTERN_SCOUT_DNS_RESOLVER_H
#define POSTERN_SCOUT_DNS_RESOLVER_H

#include <unbound.h>

#include "gateway/base/loop.h"
#include "gateway/scout/dns_settings.h"

/* ub_ctx_delete it before the loop is freed. NULL with pr, which names the setting. */
struct ub_ctx *dns_resolver_new(struct loop *l, const struct dns_settings *set, struct problem *pr);

#endif
