/*
 * The two texts of MTA-STS: the TXT record at _mta-sts.DOMAIN and the policy file (RFC 8461 3.1, 3.2), read with
 * bounds, and the comparison of a mail host with a policy (4.1). Role scout. Pure.
 */
#ifndef POSTERN_SCOUT_STS_POLICY_H
#define POSTERN_SCOUT_STS_POLICY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/scout/scout_proto.h"

#define STS_POLICY_OCTETS (64 * 1024) /* of a file; more is refused */
#define STS_POLICY_MX_MAX 64
#define STS_POLICY_AGE_MAX 31557600 /* seconds; RFC 8461 3.2 */
#define STS_POLICY_ID_MAX 32

struct sts_policy {
	enum scout_sts mode; /* "none" is SCOUT_STS_NONE */
	uint32_t max_age;    /* seconds */
	size_t nmx;
	char mx[STS_POLICY_MX_MAX][256]; /* lower case; "*.domain" stands for one label more */
};

/* "v=STSv1; id=...;": 0 with the id, or -1. */
int sts_policy_txt(const char *text, char id_r[STS_POLICY_ID_MAX + 1]) __attribute__((warn_unused_result));
/* 0, or -1 with *why_r: what is wrong with it, a constant. */
int sts_policy_parse(const void *p, size_t n, struct sts_policy *policy_r, const char **why_r)
    __attribute__((warn_unused_result));
/* Does the policy list this host (lower case, no dot at the end)? */
bool sts_policy_match(const struct sts_policy *p, const char *host);
/* Puts the policy as a file in out, which reads back as the same. */
int sts_policy_put(const struct sts_policy *p, struct buf *out) __attribute__((warn_unused_result));

#endif
