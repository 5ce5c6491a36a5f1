/*
 * The policies that scout remembers: by domain, least recently used first out, and kept in a file over a restart.
 * Role scout. Blocks on the file alone. RFC 8461 3.2 (max_age), 5.1.
 */
#ifndef POSTERN_SCOUT_STS_CACHE_H
#define POSTERN_SCOUT_STS_CACHE_H

#include "gateway/scout/sts_policy.h"

#define STS_CACHE_DOMAINS 20000
#define STS_CACHE_OCTETS (16u * 1024 * 1024)

/* What is known of a domain. */
struct sts_known {
	char id[STS_POLICY_ID_MAX + 1];
	int64_t fetched; /* unix seconds */
	struct sts_policy policy;
};
struct sts_cache;
struct sts_cache *sts_cache_new(void);
void sts_cache_free(struct sts_cache *c);
/* Remembers (over what was known). */
void sts_cache_put(struct sts_cache *c, const char *domain, const struct sts_known *k);
/* True with k_r filled, whatever its age. */
bool sts_cache_get(struct sts_cache *c, const char *domain, struct sts_known *k_r);
size_t sts_cache_count(const struct sts_cache *c);

/* Writes everything to fd, in place of what it holds. 0, or -1 with pr. */
int sts_cache_write(const struct sts_cache *c, int fd, struct problem *pr) __attribute__((warn_unused_result));
/* Reads what sts_cache_write wrote; an empty file is empty. 0, or -1 with pr: not whole, then nothing is taken. */
int sts_cache_read(struct sts_cache *c, int fd, struct problem *pr) __attribute__((warn_unused_result));

#endif
