/*
 * Who waits, see the header. Of pairs and of clients one that keeps nobody waiting makes room. Users have places
 * that nobody can push them out of: a place is shared by those whom a secret hash puts there, who then wait sooner.
 */
#include "gateway/proc/sign_in_wait.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "certstore/store_session.h"
#include "certstore/store_user.h"
#include "gateway/base/log.h"

enum {
	SLOTS = 1024,
	PLACES = 4096,
	KEY_MAX = STORE_USER_NAME_MAX + STORE_ADDRESS_MAX + 8,
	WAIT = 30, /* s, after the first failure too many; doubled with each further one */
	WAIT_MOST = 900,
	FORGET = 3600,	    /* s without a failure */
	KNOWN = 30 * 86400, /* s since the last success */
	SECRET = 32,
};

enum who { PAIR, CLIENT, USER, WHOS };
static const unsigned allowed[WHOS] = {5, 20, 50};

struct tally {
	unsigned failures;
	int64_t last, until;
};
static struct slot {
	char key[KEY_MAX];
	struct tally t;
} slots[USER][SLOTS];
static struct tally users[PLACES];
static struct slot known[SLOTS]; /* last: when this user was last right there */

static struct tally *fresh(struct tally *t, int64_t now)
{
	if (t->last > now) { /* the clock was put back: nobody waits longer for it */
		t->until -= t->last - now;
		t->last = now;
	}
	if (now - t->last > FORGET && now >= t->until)
		*t = (struct tally){.failures = 0};
	return t;
}

/* ---- users ---- */

static uint8_t secret[SECRET];
static bool made;

static struct tally *user_of(const char *user, int64_t now)
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	unsigned n = 0;

	if (!made && RAND_bytes(secret, sizeof secret) != 1)
		log_fatal("no random numbers");
	made = true;
	if (!HMAC(EVP_sha256(), secret, sizeof secret, (const uint8_t *)user, strlen(user), mac, &n) || n < 2)
		log_fatal("no HMAC");
	return fresh(&users[(mac[0] << 8 | mac[1]) % PLACES], now);
}

/* ---- clients, and users there ---- */

/* An IPv4 address or an IPv6 network of 64 bits; whoever is on this machine has all of loopback, and so have all that
 * come through a proxy or ssh: false. */
static bool client_of(const char *from, char out[STORE_ADDRESS_MAX + 1])
{
	struct in6_addr a;
	bool six = inet_pton(AF_INET6, from, &a) == 1, mapped = six && IN6_IS_ADDR_V4MAPPED(&a);
	bool here = six ? IN6_IS_ADDR_LOOPBACK(&a) || (mapped && a.s6_addr[12] == IN_LOOPBACKNET)
			: strncmp(from, "127.", 4) == 0;

	(void)snprintf(out, STORE_ADDRESS_MAX + 1, "%.*s", STORE_ADDRESS_MAX, here ? "loopback" : from);
	if (!six || mapped || here)
		return !here;
	memset(a.s6_addr + 8, 0, 8);
	(void)inet_ntop(AF_INET6, &a, out, STORE_ADDRESS_MAX + 1);
	return true;
}

/* One that keeps nobody waiting goes before one that does; then the one that failed longest ago. */
static bool goes_first(const struct slot *a, const struct slot *b, int64_t now)
{
	bool aw = now < a->t.until, bw = now < b->t.until;

	return aw != bw ? bw : a->t.last < b->t.last;
}

/* The slot of key; where there is none, the one that may go. */
static struct slot *slot_of(struct slot *list, const char *key, int64_t now)
{
	struct slot *old = &list[0];

	for (size_t i = 0; i < SLOTS; i++) {
		struct slot *s = &list[i];

		if (s->key[0] && fresh(&s->t, now)->failures == 0)
			s->key[0] = '\0';
		if (strcmp(s->key, key) == 0)
			return s;
		if (goes_first(s, old, now))
			old = s;
	}
	return old;
}

/* NULL: it does not count, or nothing is known of it, and it is not to be made. */
static struct tally *tally_of(enum who w, const char *user, const char *from, int64_t now, bool make)
{
	char client[STORE_ADDRESS_MAX + 1], key[KEY_MAX];
	struct slot *s;

	if (w == USER)
		return user_of(user, now);
	if (!client_of(from, client) && w == CLIENT)
		return NULL;
	(void)snprintf(key, sizeof key, "%s %.40s", client, w == PAIR ? user : "");
	s = slot_of(slots[w], key, now);
	if (strcmp(s->key, key) == 0)
		return &s->t;
	if (!make)
		return NULL;
	*s = (struct slot){.key = ""};
	memcpy(s->key, key, sizeof key);
	return &s->t;
}

/* ---- users where they were right before ---- */

static void pair_key(const char *user, const char *from, char key[KEY_MAX])
{
	char client[STORE_ADDRESS_MAX + 1];

	(void)client_of(from, client);
	(void)snprintf(key, KEY_MAX, "%s %.40s", client, user);
}

/* The place of the pair, or the one that was right longest ago: nobody gets in who is not right himself. */
static struct slot *known_of(const char *key)
{
	struct slot *old = &known[0];

	for (size_t i = 0; i < SLOTS; i++) {
		if (strcmp(known[i].key, key) == 0)
			return &known[i];
		if (known[i].t.last < old->t.last)
			old = &known[i];
	}
	return old;
}

static bool is_known(const char *user, const char *from, int64_t now)
{
	char key[KEY_MAX];
	const struct slot *s;

	pair_key(user, from, key);
	s = known_of(key);
	return strcmp(s->key, key) == 0 && now - s->t.last < KNOWN;
}

/* ---- the whole ---- */

int64_t sign_in_wait(const char *user, const char *from, int64_t now)
{
	int64_t most = 0;

	for (int w = 0; w < WHOS; w++) {
		const struct tally *t = tally_of((enum who)w, user, from, now, false);

		if (w == USER && is_known(user, from, now))
			continue; /* what others guessed elsewhere; there he waits for what is guessed there */
		if (t && t->until - now > most)
			most = t->until - now;
	}
	return most;
}

void sign_in_wait_failed(const char *user, const char *from, int64_t now)
{
	for (int w = 0; w < WHOS; w++) {
		struct tally *t = tally_of((enum who)w, user, from, now, true);
		unsigned over;

		if (!t)
			continue;
		t->last = now;
		if (++t->failures < allowed[w])
			continue;
		over = t->failures - allowed[w];
		t->until = now + (over > 4 ? WAIT_MOST : (int64_t)WAIT << over);
	}
}

void sign_in_wait_passed(const char *user, const char *from, int64_t now)
{
	struct tally *t = tally_of(PAIR, user, from, now, false);
	char key[KEY_MAX];
	struct slot *s;

	if (t)
		*t = (struct tally){.failures = 0};
	pair_key(user, from, key);
	s = known_of(key);
	memcpy(s->key, key, sizeof key);
	s->t.last = now;
}

void sign_in_wait_forget(void)
{
	memset(slots, 0, sizeof slots);
	memset(users, 0, sizeof users);
	memset(known, 0, sizeof known);
	memset(secret, 0, sizeof secret);
	made = true;
}
