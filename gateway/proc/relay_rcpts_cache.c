#include "gateway/proc/relay_rcpts_cache.h"

#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"
#include "gateway/proc/relay_rcpts_hash.h"

enum { SAID_MAX = 160 };

struct entry {
	struct entry *chain;	     /* of the same hash */
	struct entry *newer, *older; /* by use, of the same kind */
	int64_t at;
	bool known;
	char *said; /* behind the key */
	char key[];
};
struct kind {
	struct entry *newest, *oldest;
	size_t n;
};
struct relay_rcpts_cache {
	const struct relay_rcpts_settings *set;
	struct entry **table;
	size_t size; /* a power of two */
	struct kind kinds[2];
};

struct relay_rcpts_cache *relay_rcpts_cache_new(const struct relay_rcpts_settings *set)
{
	struct relay_rcpts_cache *c = mem_new(sizeof(*c));

	c->set = set;
	for (c->size = 64; c->size < (size_t)set->cache_max; c->size *= 2)
		;
	c->table = mem_new(c->size * sizeof(struct entry *));
	return c;
}

static struct entry **place(struct relay_rcpts_cache *c, const char *key)
{
	struct entry **at = &c->table[relay_rcpts_hash(key, strlen(key)) & (c->size - 1)];

	while (*at != NULL && strcmp((*at)->key, key) != 0)
		at = &(*at)->chain;
	return at;
}

static void out_of_order(struct kind *k, struct entry *e)
{
	if (e->newer != NULL)
		e->newer->older = e->older;
	else
		k->newest = e->older;
	if (e->older != NULL)
		e->older->newer = e->newer;
	else
		k->oldest = e->newer;
	k->n--;
}

static void to_front(struct kind *k, struct entry *e)
{
	e->newer = NULL;
	e->older = k->newest;
	if (k->newest != NULL)
		k->newest->newer = e;
	else
		k->oldest = e;
	k->newest = e;
	k->n++;
}

static void drop(struct relay_rcpts_cache *c, struct entry **at)
{
	struct entry *e = *at;

	*at = e->chain;
	out_of_order(&c->kinds[e->known], e);
	free(e);
}

void relay_rcpts_cache_free(struct relay_rcpts_cache *c)
{
	if (c == NULL)
		return;
	for (int i = 0; i < 2; i++)
		while (c->kinds[i].oldest != NULL)
			drop(c, place(c, c->kinds[i].oldest->key));
	free(c->table);
	free(c);
}

bool relay_rcpts_cache_find(
    struct relay_rcpts_cache *c, const char *key, int64_t now, struct relay_rcpts_cached *found_r)
{
	struct entry **at = place(c, key), *e = *at;
	int64_t fresh, most;

	if (e == NULL)
		return false;
	fresh = e->known ? c->set->known_for : c->set->unknown_for;
	most = e->known && c->set->stale_for > fresh ? c->set->stale_for : fresh;
	if (now - e->at >= most) {
		drop(c, at);
		return false;
	}
	out_of_order(&c->kinds[e->known], e);
	to_front(&c->kinds[e->known], e);
	*found_r = (struct relay_rcpts_cached){
	    .known = e->known, .fresh = now - e->at < fresh, .age = now - e->at, .said = e->said};
	return true;
}

void relay_rcpts_cache_put(struct relay_rcpts_cache *c, const char *key, bool known, const char *said, int64_t now)
{
	size_t nkey = strlen(key) + 1, nsaid = strnlen(said, SAID_MAX);
	struct entry **at = place(c, key), *e;

	if (*at != NULL)
		drop(c, at);
	if (c->kinds[known].n >= (size_t)c->set->cache_max)
		drop(c, place(c, c->kinds[known].oldest->key));
	e = mem_new(sizeof(*e) + nkey + nsaid + 1);
	memcpy(e->key, key, nkey);
	e->said = e->key + nkey;
	memcpy(e->said, said, nsaid);
	e->known = known;
	e->at = now;
	at = place(c, key); /* anew: the one that was dropped may have stood before it */
	e->chain = *at;
	*at = e;
	to_front(&c->kinds[known], e);
}

size_t relay_rcpts_cache_count(const struct relay_rcpts_cache *c, bool known)
{
	return c->kinds[known].n;
}
