#include "gateway/proc/public_regulars.h"

#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

/* TRIES: places that a network may have. */
enum { TRIES = 4 };

struct place {
	uint64_t tag; /* 0: free */
	int64_t first, last;
};
struct public_regulars {
	uint64_t seed; /* what falls into one place is left to chance */
	struct place v[PUBLIC_REGULARS];
};

struct public_regulars *public_regulars_new(void)
{
	struct public_regulars *r = mem_new(sizeof *r);

	arc4random_buf(&r->seed, sizeof r->seed);
	return r;
}

void public_regulars_free(struct public_regulars *r)
{
	free(r);
}

/* 0: not of a network. */
static uint64_t tag_of(const struct public_regulars *r, const struct sockaddr *sa)
{
	uint64_t h = r->seed ^ 0xcbf29ce484222325u;
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	uint8_t p[7] = {0}; /* which kind, and its octets */

	if (sa->sa_family == AF_INET) {
		memcpy(&four, sa, sizeof four);
		p[0] = 4;
		memcpy(p + 1, &four.sin_addr, 3);
	} else if (sa->sa_family == AF_INET6) {
		memcpy(&six, sa, sizeof six);
		p[0] = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr) ? 4 : 6;
		memcpy(p + 1, six.sin6_addr.s6_addr + (p[0] == 4 ? 12 : 0), p[0] == 4 ? 3 : 6);
	} else {
		return 0;
	}
	for (size_t i = 0; i < sizeof p; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9u;
	h ^= h >> 32;
	return h ? h : 1;
}

static size_t at(uint64_t tag, size_t try)
{
	return (size_t)((tag >> (12 * try)) % PUBLIC_REGULARS);
}

static const struct place *find(const struct public_regulars *r, uint64_t tag)
{
	for (size_t i = 0; tag != 0 && i < TRIES; i++)
		if (r->v[at(tag, i)].tag == tag)
			return &r->v[at(tag, i)];
	return NULL;
}

static bool stays(const struct place *p, int64_t now)
{
	return p->tag != 0 && now - p->last < PUBLIC_REGULAR_KEEP_S * 1000LL;
}

static bool is_regular(const struct place *p, int64_t now)
{
	return stays(p, now) && now - p->first >= PUBLIC_REGULAR_AFTER_S * 1000LL;
}

/* A place that nobody has any more; else that of the one whose hour is not over and began last. */
static struct place *room(struct public_regulars *r, uint64_t tag, int64_t now)
{
	struct place *best = NULL;

	for (size_t i = 0; i < TRIES; i++) {
		struct place *p = &r->v[at(tag, i)];

		if (!stays(p, now))
			return p;
		if (!is_regular(p, now) && (best == NULL || p->first > best->first))
			best = p;
	}
	return best;
}

void public_regulars_seen(struct public_regulars *r, const struct sockaddr *sa, int64_t now)
{
	uint64_t tag = tag_of(r, sa);
	struct place *p = (struct place *)(uintptr_t)find(r, tag);

	if (tag == 0)
		return;
	if (p != NULL && stays(p, now)) {
		p->last = now;
		return;
	}
	if (p == NULL)
		p = room(r, tag, now);
	if (p != NULL)
		*p = (struct place){tag, now, now};
}

bool public_regulars_is(const struct public_regulars *r, const struct sockaddr *sa, int64_t now)
{
	const struct place *p = find(r, tag_of(r, sa));

	return p != NULL && is_regular(p, now);
}
