/*
 * Setting libunbound up from the settings: forwards, stubs, trust anchors, and a first use that makes it read and
 * open all it ever will. Role scout. Blocks on the trust-anchor file.
 */
#ifndef POSTERN_SCOUT_DNS_RESOLVER_H
#define POSTERN_SCOUT_DNS_RESOLVER_H

#include <unbound.h>

#include "gateway/base/loop.h"
#include "gateway/scout/dns_settings.h"

/* Names of the trust anchors, lower case, without the dot at the end: "" is the root. None: nothing is validated. */
struct dns_resolver_anchors {
	char **v; /* each to be freed, and v */
	size_t n;
};
/* ub_ctx_delete it before the loop is freed. NULL with pr, which names the setting. */
struct ub_ctx *dns_resolver_new(
    struct loop *l, const struct dns_settings *set, struct dns_resolver_anchors *anchors_r, struct problem *pr);
void dns_resolver_anchors_free(struct dns_resolver_anchors *a);

#endif
