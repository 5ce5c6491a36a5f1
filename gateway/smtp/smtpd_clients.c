/*
 * Clients and their rates: a hash table with a list of those without a session, the longest idle first. Pure; relay.
 * A rate is two counters, this minute's and the last one's, so that a client costs the same however much it does. The
 * hash has a secret, so that nobody can choose addresses that meet in one chain.
 */
#include "gateway/smtp/smtpd_clients.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { MINUTE_MS = 60000 };

struct counter {
	int64_t minute; /* its number */
	uint32_t now, before;
};
struct smtpd_client {
	struct smtpd_client *next; /* in the chain */
	struct smtpd_client *older, *newer;
	char key[SMTPD_CLIENT_KEY];
	size_t sessions;
	struct counter rates[SMTPD_RATES];
};
struct smtpd_clients {
	struct smtpd_client **chains;
	size_t nchains; /* a power of two */
	size_t n, max;
	uint64_t secret;
	struct smtpd_client *oldest, *newest; /* without a session */
};

struct smtpd_clients *smtpd_clients_new(size_t max)
{
	struct smtpd_clients *t = mem_new(sizeof *t);

	REQUIRE(max > 0);
	t->max = max;
	for (t->nchains = 64; t->nchains < max; t->nchains *= 2)
		;
	t->chains = mem_new(t->nchains * sizeof(struct smtpd_client *));
	REQUIRE(getrandom(&t->secret, sizeof t->secret, 0) == (ssize_t)sizeof t->secret);
	return t;
}

void smtpd_clients_free(struct smtpd_clients *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->nchains; i++)
		for (struct smtpd_client *c = t->chains[i], *next; c; c = next) {
			next = c->next;
			free(c);
		}
	free(t->chains);
	free(t);
}

const char *smtpd_clients_key(const char *client, char out[SMTPD_CLIENT_KEY])
{
	static const char tag[] = "IPv6:";
	unsigned char addr[16];
	char text[INET6_ADDRSTRLEN];

	if (strncmp(client, tag, sizeof tag - 1) == 0 && inet_pton(AF_INET6, client + sizeof tag - 1, addr) == 1) {
		memset(addr + 8, 0, 8);
		inet_ntop(AF_INET6, addr, text, sizeof text);
		snprintf(out, SMTPD_CLIENT_KEY, "%s%s/64", tag, text);
	} else {
		snprintf(out, SMTPD_CLIENT_KEY, "%s", client);
	}
	return out;
}

static struct smtpd_client **chain(struct smtpd_clients *t, const char *key)
{
	uint64_t h = t->secret;

	for (; *key; key++) {
		h ^= (uint8_t)*key;
		h *= UINT64_C(0x100000001b3);
		h ^= h >> 29;
	}
	return &t->chains[h & (t->nchains - 1)];
}

static void unlink_idle(struct smtpd_clients *t, struct smtpd_client *c)
{
	*(c->older ? &c->older->newer : &t->oldest) = c->newer;
	*(c->newer ? &c->newer->older : &t->newest) = c->older;
	c->older = c->newer = NULL;
}

static void link_idle(struct smtpd_clients *t, struct smtpd_client *c)
{
	c->older = t->newest;
	c->newer = NULL;
	*(t->newest ? &t->newest->newer : &t->oldest) = c;
	t->newest = c;
}

static void forget_oldest(struct smtpd_clients *t)
{
	struct smtpd_client *c = t->oldest, **at = chain(t, c->key);

	unlink_idle(t, c);
	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	free(c);
	t->n--;
}

struct smtpd_client *smtpd_clients_enter(struct smtpd_clients *t, const char *client)
{
	char key[SMTPD_CLIENT_KEY];
	struct smtpd_client *c, **head;

	head = chain(t, smtpd_clients_key(client, key));
	for (c = *head; c && strcmp(c->key, key) != 0; c = c->next)
		;
	if (c) {
		if (c->sessions++ == 0)
			unlink_idle(t, c);
		return c;
	}
	if (t->n == t->max && !t->oldest)
		return NULL;
	if (t->n == t->max)
		forget_oldest(t);
	c = mem_new(sizeof *c);
	memcpy(c->key, key, sizeof c->key);
	c->sessions = 1;
	c->next = *head;
	*head = c;
	t->n++;
	return c;
}

void smtpd_clients_leave(struct smtpd_clients *t, struct smtpd_client *c)
{
	REQUIRE(c->sessions > 0);
	if (--c->sessions == 0)
		link_idle(t, c);
}

size_t smtpd_clients_known(const struct smtpd_clients *t)
{
	return t->n;
}

size_t smtpd_client_sessions(const struct smtpd_client *c)
{
	return c->sessions;
}

static struct counter *turn(struct smtpd_client *c, enum smtpd_rate r, int64_t now)
{
	struct counter *k = &c->rates[r];
	int64_t minute = now / MINUTE_MS;

	if (minute != k->minute) {
		k->before = minute == k->minute + 1 ? k->now : 0;
		k->now = 0;
		k->minute = minute;
	}
	return k;
}

int64_t smtpd_client_rate(struct smtpd_client *c, enum smtpd_rate r, int64_t now)
{
	const struct counter *k = turn(c, r, now);

	/* rounded up: nobody gets one more because a minute has just begun */
	return (int64_t)k->now + ((int64_t)k->before * (MINUTE_MS - now % MINUTE_MS) + MINUTE_MS - 1) / MINUTE_MS;
}

void smtpd_client_count(struct smtpd_client *c, enum smtpd_rate r, int64_t now)
{
	struct counter *k = turn(c, r, now);

	if (k->now < UINT32_MAX)
		k->now++;
}
