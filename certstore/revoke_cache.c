/* Lists and answers on revocation, kept. Judge; one thread; fixed places. */
#include "certstore/revoke_cache.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

enum { WAYS = 4 };

struct revoke_cache {
	struct revoke_list lists[REVOKE_CACHE_LISTS];
	size_t octets;
	uint64_t clock;
	struct revoke_reply *replies;
};

struct revoke_cache *revoke_cache_new(void)
{
	struct revoke_cache *c = mem_new(sizeof *c);

	c->replies = mem_new(REVOKE_CACHE_ANSWERS * sizeof *c->replies);
	return c;
}

static void drop(struct revoke_cache *c, struct revoke_list *l)
{
	c->octets -= l->octets;
	X509_CRL_free(l->crl);
	free(l->url);
	memset(l, 0, sizeof *l);
}

void revoke_cache_free(struct revoke_cache *c)
{
	if (!c)
		return;
	for (size_t i = 0; i < REVOKE_CACHE_LISTS; i++)
		drop(c, &c->lists[i]);
	free(c->replies);
	free(c);
}

const struct revoke_list *revoke_cache_list(struct revoke_cache *c, const char *url)
{
	for (size_t i = 0; i < REVOKE_CACHE_LISTS; i++)
		if (c->lists[i].url && strcmp(c->lists[i].url, url) == 0) {
			c->lists[i].used = ++c->clock;
			return &c->lists[i];
		}
	return NULL;
}

const struct revoke_list *revoke_cache_of(const struct revoke_cache *c, const X509_CRL *crl)
{
	for (size_t i = 0; crl && i < REVOKE_CACHE_LISTS; i++)
		if (c->lists[i].crl == crl)
			return &c->lists[i];
	return NULL;
}

/* The one with this URL, else an empty place, else the longest unused. */
static struct revoke_list *place_for(struct revoke_cache *c, const char *url)
{
	struct revoke_list *best = &c->lists[0];

	for (size_t i = 0; i < REVOKE_CACHE_LISTS; i++) {
		struct revoke_list *l = &c->lists[i];

		if (l->url && strcmp(l->url, url) == 0)
			return l;
		if (best->url && (!l->url || l->used < best->used))
			best = l;
	}
	return best;
}

static void make_room(struct revoke_cache *c, size_t octets)
{
	while (c->octets > 0 && c->octets + octets > REVOKE_CACHE_OCTETS) {
		struct revoke_list *oldest = NULL;

		for (size_t i = 0; i < REVOKE_CACHE_LISTS; i++)
			if (c->lists[i].octets > 0 && (!oldest || c->lists[i].used < oldest->used))
				oldest = &c->lists[i];
		if (!oldest)
			return;
		drop(c, oldest);
	}
}

/* Until when it is of use, about. */
static int64_t worth(const struct revoke_reply *r)
{
	return r->until > r->nonce_at ? r->until : r->nonce_at;
}

const struct revoke_list *revoke_cache_put(struct revoke_cache *c, const struct revoke_list *l)
{
	struct revoke_list fresh = *l, *place = place_for(c, l->url);

	fresh.url = mem_str(l->url);
	drop(c, place);
	make_room(c, fresh.octets);
	*place = fresh;
	place->used = ++c->clock;
	c->octets += fresh.octets;
	return place;
}

/* Four places for each key, the one of least use gives way: two certificates of one path whose keys met in one place
 * would take each other's number away for ever, and no answer would ever fit its question. */
struct revoke_reply *revoke_cache_reply(struct revoke_cache *c, const uint8_t key[32])
{
	struct revoke_reply *set = &c->replies[((size_t)key[0] << 8 | key[1]) % (REVOKE_CACHE_ANSWERS / WAYS) * WAYS];
	struct revoke_reply *best = set;

	for (size_t i = 0; i < WAYS; i++) {
		if (memcmp(set[i].key, key, sizeof set[i].key) == 0)
			return &set[i];
		if (worth(&set[i]) < worth(best))
			best = &set[i];
	}
	memset(best, 0, sizeof *best);
	memcpy(best->key, key, sizeof best->key);
	return best;
}
