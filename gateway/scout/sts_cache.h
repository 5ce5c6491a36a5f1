/*
 * The policies that scout remembers: by domain, bounded, and kept in a file over a restart. What has ended and what
 * protects nothing (modes testing and none) goes first, least recently used before others. A policy with mode enforce
 * that has not ended never goes for another domain's: else whoever gets mail sent to many domains of his own could
 * take away the protection of others; and the names below one organisational domain (its last two labels) have at
 * most an eighth of the room, so that new partners find some. Role scout. Blocks on the file alone. RFC 8461 3.2
 * (max_age), 5.1, 10.2.
 */
#ifndef POSTERN_SCOUT_STS_CACHE_H
#define POSTERN_SCOUT_STS_CACHE_H

#include "gateway/scout/sts_policy.h"

#define STS_CACHE_OCTETS 840 /* a policy may have on average */

/* What is known of a domain. */
struct sts_known {
	char id[STS_POLICY_ID_MAX + 1];
	int64_t fetched; /* unix seconds */
	struct sts_policy policy;
};
struct sts_cache;
/* At most `max` policies. max_age: seconds; a longer one of a policy counts as this. */
struct sts_cache *sts_cache_new(size_t max, int64_t max_age);
void sts_cache_free(struct sts_cache *c);
/* Remembers (over what was known). now: unix seconds. False: there is no room, and what was known of it stays. */
bool sts_cache_put(struct sts_cache *c, const char *domain, const struct sts_known *k, int64_t now);
/* True with k_r filled, whatever its age. */
bool sts_cache_get(struct sts_cache *c, const char *domain, struct sts_known *k_r);
size_t sts_cache_count(const struct sts_cache *c);

/* Writes everything to fd, in place of what it holds. 0, or -1 with pr. */
int sts_cache_write(const struct sts_cache *c, int fd, struct problem *pr) __attribute__((warn_unused_result));
/* Reads what sts_cache_write wrote; an empty file is empty. 0, or -1 with pr: not whole, then nothing is taken. */
int sts_cache_read(struct sts_cache *c, int fd, int64_t now, struct problem *pr) __attribute__((warn_unused_result));

#endif
