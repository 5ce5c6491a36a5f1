/* Limits of the public listener's connections, see the header. Role public. */
#include "gateway/proc/public_gate.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/network.h"
#include "gateway/proc/public_regulars.h"

/* START_MS: what was not started after that never will be. Clients share a bucket by chance, which a seed keeps to
 * chance. */
enum { BUCKETS = 4096, SECOND_MS = 1000, START_MS = 5000 };

struct bucket {
	unsigned open, fresh; /* connections; new ones within .second */
	int64_t second;
};
struct place {
	int fd;	      /* -1: free */
	bool started; /* fd is open, until it is left */
	bool ended;   /* counts no more */
	bool known;
	unsigned bucket;
	int64_t began;
};
struct public_gate {
	const struct public_settings *set;
	pthread_mutex_t lock; /* all that follows */
	struct bucket all, buckets[BUCKETS];
	unsigned known; /* connections of known clients */
	struct public_regulars *regulars;
	unsigned refused;
	uint64_t seed;
	size_t n;
	struct place v[];
};

struct public_gate *public_gate_new(const struct public_settings *set)
{
	size_t n = (size_t)set->connections_max + PUBLIC_GATE_ENDING;
	struct public_gate *g = mem_new(sizeof *g + n * sizeof g->v[0]);

	g->set = set;
	g->n = n;
	REQUIRE(pthread_mutex_init(&g->lock, NULL) == 0);
	arc4random_buf(&g->seed, sizeof g->seed);
	g->regulars = public_regulars_new();
	for (size_t i = 0; i < n; i++)
		g->v[i].fd = -1;
	return g;
}

void public_gate_free(struct public_gate *g)
{
	if (!g)
		return;
	pthread_mutex_destroy(&g->lock);
	public_regulars_free(g->regulars);
	free(g);
}

static unsigned bucket_of(const struct public_gate *g, const struct sockaddr *sa)
{
	uint64_t h = g->seed ^ 0xcbf29ce484222325u;
	struct sockaddr_in6 six;
	struct sockaddr_in four;
	const uint8_t *p = NULL;
	size_t n = 0;

	if (sa->sa_family == AF_INET) {
		memcpy(&four, sa, sizeof four);
		p = (const uint8_t *)&four.sin_addr;
		n = 4;
	} else if (sa->sa_family == AF_INET6) {
		bool mapped;

		memcpy(&six, sa, sizeof six);
		mapped = IN6_IS_ADDR_V4MAPPED(&six.sin6_addr);
		p = six.sin6_addr.s6_addr + (mapped ? 12 : 0);
		n = mapped ? 4 : 8;
	}
	for (size_t i = 0; i < n; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	return (unsigned)((h ^ h >> 29 ^ h >> 47) % BUCKETS);
}

/* ---- places, under the lock ---- */

static void uncount(struct public_gate *g, struct place *p)
{
	if (p->ended)
		return;
	g->buckets[p->bucket].open--;
	g->all.open--;
	g->known -= p->known;
	p->ended = true;
}

static void leave(struct public_gate *g, struct place *p)
{
	uncount(g, p);
	p->fd = -1;
}

static struct place *find(struct public_gate *g, int fd)
{
	for (size_t i = 0; i < g->n; i++)
		if (g->v[i].fd == fd)
			return &g->v[i];
	return NULL;
}

/* The other side, and the thread that serves, see its end; that thread closes it, and says so. What is on its way to
 * that thread is ended when it starts. */
static void end(struct public_gate *g, struct place *p)
{
	uncount(g, p);
	if (p->started)
		(void)shutdown(p->fd, SHUT_RDWR);
	g->refused++;
}

/* May the place of a known client be taken? */
static bool may_take_known(const struct public_gate *g, bool known)
{
	return known ? g->known == g->all.open : g->known * 100 > g->set->connections_max * g->set->known_share;
}

/* Of the client with the most connections the oldest one; for a known client one of a stranger, when there is one,
 * and for a stranger so while known ones have no more than their share. */
static struct place *worst(struct public_gate *g, bool known)
{
	bool any = may_take_known(g, known);
	struct place *w = NULL;

	for (size_t i = 0; i < g->n; i++) {
		struct place *p = &g->v[i];
		unsigned most = w ? g->buckets[w->bucket].open : 0, open;

		if (p->fd < 0 || p->ended || (p->known && !any))
			continue;
		open = g->buckets[p->bucket].open;
		if (!w || open > most || (open == most && p->began < w->began))
			w = p;
	}
	return w;
}

/* A place for a new one. NULL: the others are no worse than it. */
static struct place *place_for(struct public_gate *g, unsigned bucket, bool known)
{
	struct place *free_one = find(g, -1), *w;

	if (!free_one || g->all.open < g->set->connections_max)
		return free_one;
	w = worst(g, known);
	if (!w || (known == w->known && g->buckets[w->bucket].open < g->buckets[bucket].open))
		return NULL;
	end(g, w);
	return free_one;
}

static bool too_fast(struct bucket *b, int64_t max, int64_t now)
{
	if (now - b->second >= SECOND_MS || now < b->second) {
		b->second = now;
		b->fresh = 0;
	}
	return max > 0 && b->fresh >= max;
}

/* Of the configuration's networks, or of one that came before in calm times. */
static bool is_known(struct public_gate *g, const struct sockaddr *sa, int64_t now)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (g->set->known_share == 0)
		return false;
	if (sa->sa_family == AF_INET)
		(void)inet_ntop(
		    AF_INET, &((const struct sockaddr_in *)(const void *)sa)->sin_addr, text, sizeof text);
	else if (sa->sa_family == AF_INET6)
		(void)inet_ntop(
		    AF_INET6, &((const struct sockaddr_in6 *)(const void *)sa)->sin6_addr, text, sizeof text);
	return network_contains(g->set->known_networks.v, g->set->known_networks.n, text) ||
	       public_regulars_is(g->regulars, sa, now);
}

/* New ones a second of all clients; at least 1, and 0: as many as come. */
static int64_t rate_for(const struct public_gate *g, bool known)
{
	int64_t rate = g->set->rate, rest = rate - rate * g->set->known_share / 100;

	return known || rate == 0 ? rate : rest > 0 ? rest : 1;
}

/* In calm times strangers come to be known. */
static void note_seen(struct public_gate *g, const struct sockaddr *sa, int64_t now)
{
	if (g->set->known_share > 0 && (g->set->rate == 0 || g->all.fresh * 4 <= g->set->rate))
		public_regulars_seen(g->regulars, sa, now);
}

static bool enter(struct public_gate *g, int fd, unsigned bucket, bool known, int64_t now)
{
	struct bucket *b = &g->buckets[bucket];
	struct place *p = find(g, fd);

	if (p)
		leave(g, p); /* it was never started, and its number is another's now */
	if (b->open >= g->set->connections_per_client || too_fast(b, g->set->client_rate, now) ||
	    too_fast(&g->all, rate_for(g, known), now))
		return false;
	p = place_for(g, bucket, known);
	if (!p)
		return false;
	*p = (struct place){.fd = fd, .bucket = bucket, .began = now, .known = known};
	b->open++;
	b->fresh++;
	g->all.open++;
	g->known += known;
	g->all.fresh++;
	return true;
}

/* ---- from outside ---- */

bool public_gate_enter(struct public_gate *g, int fd, const struct sockaddr *sa, int64_t now)
{
	bool may;

	pthread_mutex_lock(&g->lock);
	may = enter(g, fd, bucket_of(g, sa), is_known(g, sa, now), now);
	if (may)
		note_seen(g, sa, now);
	g->refused += !may;
	pthread_mutex_unlock(&g->lock);
	return may;
}

void public_gate_started(struct public_gate *g, int fd)
{
	struct place *p;

	pthread_mutex_lock(&g->lock);
	p = find(g, fd);
	if (p)
		p->started = true;
	if (p && p->ended)
		(void)shutdown(fd, SHUT_RDWR);
	pthread_mutex_unlock(&g->lock);
}

void public_gate_left(struct public_gate *g, int fd)
{
	struct place *p;

	pthread_mutex_lock(&g->lock);
	p = find(g, fd);
	if (p)
		leave(g, p);
	pthread_mutex_unlock(&g->lock);
}

void public_gate_look(struct public_gate *g, int64_t now)
{
	pthread_mutex_lock(&g->lock);
	for (size_t i = 0; i < g->n; i++) {
		struct place *p = &g->v[i];

		if (p->fd < 0)
			continue;
		if (!p->started && now - p->began >= START_MS)
			leave(g, p);
		else if (!p->ended && p->started && now - p->began >= g->set->lifetime)
			end(g, p);
	}
	pthread_mutex_unlock(&g->lock);
}

unsigned public_gate_refused(struct public_gate *g)
{
	unsigned n;

	pthread_mutex_lock(&g->lock);
	n = g->refused;
	g->refused = 0;
	pthread_mutex_unlock(&g->lock);
	return n;
}
