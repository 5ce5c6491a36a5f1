/*
 * Group keys, see the header. relay. Stored form: length of the group key as the keeper wrapped it (1 octet), that
 * key, the data key wrapped under it by AES-256 key wrap (RFC 3394, 40 octets).
 */
#include "gateway/keys/datakeys.h"

#include <openssl/err.h>
#include <openssl/rand.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/loop.h"
#include "gateway/base/mem.h"

enum {
	INNER = KEYS_DATA_KEY + 8,
	SLOW_MS = 1000, /* a keeper that let us wait so long in vain ... */
	REST_MS = 5000, /* ... is not waited for again before this */
};

_Static_assert(KEYS_WRAPPED_MAX <= UINT8_MAX, "the length of a wrapped group key is one octet");

struct group {
	uint8_t key[KEYS_DATA_KEY];
	uint8_t wrapped[KEYS_WRAPPED_MAX]; /* as the keeper gave it */
	size_t len;			   /* 0: an empty place */
	time_t since;			   /* when it was made, or had unwrapped */
};

struct datakeys {
	struct keys_client *k;
	time_t (*clock)(void);
	EVP_CIPHER *cipher;
	EVP_CIPHER_CTX *ctx;
	struct group now; /* new data keys go under this one */
	time_t until;
	unsigned left;			    /* uses */
	struct group known[DATAKEYS_KNOWN]; /* others, of earlier */
	size_t next;			    /* the place of `known` that the next one takes */
	int64_t rest;			    /* the keeper is not asked before, and why */
	struct problem why;
};

static time_t now_s(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

struct datakeys *datakeys_new(struct keys_client *k)
{
	struct datakeys *d = mem_new(sizeof(*d));

	d->clock = now_s;
	d->k = k;
	d->cipher = EVP_CIPHER_fetch(NULL, "AES-256-WRAP", NULL);
	if (d->cipher == NULL)
		log_fatal("OpenSSL has no AES-256-WRAP: check its configuration file and the default provider");
	d->ctx = EVP_CIPHER_CTX_new();
	if (d->ctx == NULL)
		log_fatal("out of memory: cipher context");
	EVP_CIPHER_CTX_set_flags(d->ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
	return d;
}

void datakeys_free(struct datakeys *d)
{
	if (d == NULL)
		return;
	EVP_CIPHER_CTX_free(d->ctx);
	EVP_CIPHER_free(d->cipher);
	mem_free_secret(d, sizeof(*d));
}

void datakeys_set_clock(struct datakeys *d, time_t (*clock)(void))
{
	d->clock = clock;
}

static size_t forget_if_old(const struct datakeys *d, struct group *g)
{
	if (g->len > 0 && d->clock() - g->since >= DATAKEYS_KEEP_SECONDS)
		mem_wipe(g, sizeof(*g));
	return g->len > 0;
}

size_t datakeys_forget_old(struct datakeys *d)
{
	size_t left = forget_if_old(d, &d->now);

	if (left == 0)
		d->left = 0;
	for (size_t i = 0; i < DATAKEYS_KNOWN; i++)
		left += forget_if_old(d, &d->known[i]);
	return left;
}

/* 0, or -1 with pr: the keeper hangs, and the loop of the relay cannot wait for it with every message. */
static int may_ask(const struct datakeys *d, struct problem *pr)
{
	if (loop_now_ms() >= d->rest)
		return 0;
	if (pr != NULL)
		*pr = d->why;
	return -1;
}

static int asked(struct datakeys *d, int64_t since, int r, struct problem *pr, const struct problem *why)
{
	if (r == 0)
		return 0;
	if (pr != NULL)
		*pr = *why;
	if (why->cls == PROBLEM_TEMP && loop_now_ms() - since >= SLOW_MS) {
		d->why = *why;
		d->rest = loop_now_ms() + REST_MS;
	}
	return -1;
}

static void remember(struct datakeys *d, const struct group *g)
{
	d->known[d->next] = *g;
	d->next = (d->next + 1) % DATAKEYS_KNOWN;
}

/* -1 with pr: then the old one, if any, is no longer used either. */
static int renew(struct datakeys *d, struct problem *pr)
{
	struct group g = {0};
	int64_t since = loop_now_ms();
	struct problem why = {0};
	struct buf w;
	int r;

	if (d->left > 0 && d->clock() < d->until)
		return 0;
	d->left = 0;
	if (may_ask(d, pr) < 0)
		return -1;
	if (RAND_priv_bytes(g.key, sizeof(g.key)) != 1)
		log_fatal("libcrypto has no random numbers");
	buf_init(&w, KEYS_WRAPPED_MAX);
	r = asked(d, since, keys_wrap(d->k, g.key, &w, &why), pr, &why);
	if (r == 0) {
		if (d->now.len > 0)
			remember(d, &d->now);
		memcpy(g.wrapped, w.p, w.len);
		g.len = w.len;
		g.since = d->clock();
		d->now = g;
		d->left = DATAKEYS_USES;
		d->until = d->clock() + DATAKEYS_SECONDS;
	}
	buf_clear(&w);
	mem_wipe(&g, sizeof(g));
	return r;
}

/* AES key wrap or unwrap; the number of octets in out, -1 when the check value is wrong. */
static int aes_wrap(
    const struct datakeys *d, const struct group *g, int wrap, const uint8_t *in, int n, uint8_t out[INNER + 8])
{
	int len = 0, rest = 0, ok;

	if (EVP_CipherInit_ex2(d->ctx, d->cipher, g->key, NULL, wrap, NULL) != 1)
		log_fatal("AES-256-WRAP could not be started");
	ok = EVP_CipherUpdate(d->ctx, out, &len, in, n) == 1 && EVP_CipherFinal_ex(d->ctx, out + len, &rest) == 1;
	if (!ok)
		ERR_clear_error(); /* a damaged key is no error of the next TLS session */
	return ok ? len + rest : -1;
}

int datakeys_wrap(struct datakeys *d, const uint8_t key[KEYS_DATA_KEY], struct buf *wrapped_r, struct problem *pr)
{
	uint8_t inner[INNER + 8];

	datakeys_forget_old(d);
	if (renew(d, pr) < 0)
		return -1;
	if (aes_wrap(d, &d->now, 1, key, KEYS_DATA_KEY, inner) != INNER)
		log_fatal("AES-256-WRAP failed");
	if (buf_addc(wrapped_r, (uint8_t)d->now.len) < 0 || buf_add(wrapped_r, d->now.wrapped, d->now.len) < 0 ||
	    buf_add(wrapped_r, inner, INNER) < 0)
		return problem_temp(pr, "a wrapped data key has more octets than fit");
	d->left--;
	return 0;
}

static bool is(const struct group *g, const uint8_t *wrapped, size_t n)
{
	return g->len == n && memcmp(g->wrapped, wrapped, n) == 0;
}

/* n > 0. */
static const struct group *find(const struct datakeys *d, const uint8_t *wrapped, size_t n)
{
	if (is(&d->now, wrapped, n))
		return &d->now;
	for (size_t i = 0; i < DATAKEYS_KNOWN; i++)
		if (is(&d->known[i], wrapped, n))
			return &d->known[i];
	return NULL;
}

/* A group key of an earlier time, or of the process before. NULL with pr. */
static const struct group *ask(struct datakeys *d, const uint8_t *wrapped, size_t n, struct problem *pr)
{
	struct group g = {.len = n, .since = d->clock()};
	int64_t since = loop_now_ms();
	struct problem why = {0};

	if (may_ask(d, pr) < 0 || asked(d, since, keys_unwrap(d->k, wrapped, n, g.key, &why), pr, &why) < 0)
		return NULL;
	memcpy(g.wrapped, wrapped, n);
	remember(d, &g);
	mem_wipe(&g, sizeof(g));
	return find(d, wrapped, n);
}

int datakeys_unwrap(
    struct datakeys *d, const void *wrapped, size_t n, uint8_t key_r[KEYS_DATA_KEY], struct problem *pr)
{
	const uint8_t *p = wrapped;
	uint8_t out[INNER + 8];
	const struct group *g;
	size_t outer;
	int r;

	if (n < 1 + 1 + INNER || p[0] > KEYS_WRAPPED_MAX || n != 1 + (size_t)p[0] + INNER)
		return problem_perm(
		    pr, "A wrapped data key of the queue is damaged, or of another version (%zu octets)", n);
	outer = p[0];
	datakeys_forget_old(d);
	g = find(d, p + 1, outer);
	if (g == NULL)
		g = ask(d, p + 1, outer, pr);
	if (g == NULL)
		return -1;
	r = aes_wrap(d, g, 0, p + 1 + outer, INNER, out);
	if (r == KEYS_DATA_KEY)
		memcpy(key_r, out, KEYS_DATA_KEY);
	mem_wipe(out, sizeof(out));
	return r == KEYS_DATA_KEY ? 0 : problem_perm(pr, "A wrapped data key of the queue is damaged");
}
