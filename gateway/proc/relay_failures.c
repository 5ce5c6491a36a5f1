#include "gateway/proc/relay_failures.h"

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

enum { PLACES = 8192, ROW = 8, HOUR_MS = 3600 * 1000 };

struct place {
	uint8_t key[32];
	int64_t since; /* begin of the hour counted, 0 = free */
	int64_t count;
};
struct relay_failures {
	int64_t max;
	bool any;
	struct place v[PLACES];
};

struct relay_failures *relay_failures_new(int64_t max)
{
	struct relay_failures *f = mem_new(sizeof(*f));

	f->max = max;
	return f;
}

void relay_failures_free(struct relay_failures *f)
{
	free(f);
}

static size_t row_of(const uint8_t key[32])
{
	return (((unsigned)key[0] << 8 | key[1]) % (PLACES / ROW)) * ROW;
}

static const struct place *find(const struct relay_failures *f, const uint8_t key[32], int64_t now)
{
	const struct place *row = &f->v[row_of(key)];

	for (size_t i = 0; i < ROW; i++)
		if (row[i].since != 0 && now - row[i].since < HOUR_MS && memcmp(row[i].key, key, 32) == 0)
			return &row[i];
	return NULL;
}

void relay_failures_key_count(struct relay_failures *f, const uint8_t key[32], int64_t now)
{
	struct place *p = (struct place *)find(f, key, now), *row = &f->v[row_of(key)];

	f->any = true;
	if (p == NULL) {
		p = row;
		for (size_t i = 1; i < ROW; i++)
			if (row[i].since < p->since)
				p = &row[i];
		memcpy(p->key, key, 32);
		p->since = now;
		p->count = 0;
	}
	p->count++;
}

bool relay_failures_none(const struct relay_failures *f)
{
	return !f->any;
}

static void client_key(const struct relay_facts *m, uint8_t key[32])
{
	SHA256((const uint8_t *)m->client, strlen(m->client), key);
}

bool relay_failures_key_over(const struct relay_failures *f, const uint8_t key[32], int64_t now)
{
	const struct place *p = find(f, key, now);

	return p != NULL && p->count >= f->max;
}

bool relay_failures_over(const struct relay_failures *f, const struct relay_facts *m, int64_t now)
{
	uint8_t key[32];

	client_key(m, key);
	return relay_failures_key_over(f, key, now) ||
	       (m->have_key_hash && relay_failures_key_over(f, m->key_hash, now));
}

void relay_failures_count(struct relay_failures *f, const struct relay_facts *m, int64_t now)
{
	uint8_t key[32];

	client_key(m, key);
	relay_failures_key_count(f, key, now);
	if (m->have_key_hash)
		relay_failures_key_count(f, m->key_hash, now);
}
