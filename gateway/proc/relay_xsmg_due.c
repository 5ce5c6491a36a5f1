/* Relay. A table of fixed size: a new entry takes the place of another. */
#include "gateway/proc/relay_xsmg_due.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/mem.h"

enum { PLACES = 2048, KEEP_MS = 60 * 1000, KEEP_MAX_S = 3600 };

struct relay_xsmg_dues {
	struct relay_xsmg_due places[PLACES];
	struct relay_xsmg_own *owns;
};

struct relay_xsmg_dues *relay_xsmg_dues_new(void)
{
	return mem_new(sizeof(struct relay_xsmg_dues));
}

void relay_xsmg_dues_free(struct relay_xsmg_dues *d)
{
	if (d == NULL)
		return;
	for (size_t i = 0; i < PLACES; i++)
		relay_xsmg_own_free(d->places[i].own);
	for (struct relay_xsmg_own *o = d->owns; o != NULL; o = o->next)
		o->prev = NULL; /* others have it still */
	free(d);
}

struct relay_xsmg_own *relay_xsmg_own_ref(struct relay_xsmg_own *o)
{
	if (o != NULL)
		o->refs++;
	return o;
}

void relay_xsmg_own_free(struct relay_xsmg_own *o)
{
	if (o == NULL || --o->refs > 0)
		return;
	if (o->prev != NULL) {
		*o->prev = o->next;
		if (o->next != NULL)
			o->next->prev = o->prev;
	}
	free(o);
}

static struct relay_xsmg_own *own(struct relay_xsmg_dues *d, const char *id, const struct judge_octets *der)
{
	struct relay_xsmg_own *o;

	for (o = d->owns; o != NULL; o = o->next)
		if (strcmp(o->id, id) == 0 && o->n == der->n && memcmp(o->der, der->p, der->n) == 0)
			return relay_xsmg_own_ref(o);
	o = mem_new(sizeof(*o) + der->n);
	o->refs = 1;
	snprintf(o->id, sizeof(o->id), "%s", id);
	o->n = der->n;
	memcpy(o->der, der->p, der->n);
	o->next = d->owns;
	o->prev = &d->owns;
	if (o->next != NULL)
		o->next->prev = &o->next;
	d->owns = o;
	return o;
}

struct relay_xsmg_due *relay_xsmg_due(struct relay_xsmg_dues *d, const char *ours, const char *partner)
{
	char text[2 * JUDGE_XSMG_DOMAIN];
	uint8_t name[32];
	int n = snprintf(text, sizeof(text), "%.255s %.255s", ours, partner);

	SHA256((const uint8_t *)text, (size_t)n, name);

	struct relay_xsmg_due *e = &d->places[((unsigned)name[0] << 8 | name[1]) % PLACES];

	if (memcmp(e->name, name, sizeof(name)) != 0) {
		relay_xsmg_own_free(e->own);
		memset(e, 0, sizeof(*e));
		memcpy(e->name, name, sizeof(name));
	}
	return e;
}

bool relay_xsmg_due_fresh(const struct relay_xsmg_due *e, uint64_t changes, int64_t now)
{
	return e->until > now && e->changes == changes;
}

void relay_xsmg_due_set(struct relay_xsmg_dues *d, struct relay_xsmg_due *e, const struct judge_xsmg_duty *m,
    uint64_t changes, int64_t now)
{
	relay_xsmg_own_free(e->own);
	e->own = m->put ? own(d, m->own, &m->der) : NULL;
	e->expected = m->expected;
	e->get = m->get;
	e->put = m->put;
	memcpy(e->held, m->held, sizeof(e->held));
	e->changes = changes;
	e->until = now + (m->keep_s == 0	      ? KEEP_MS
			     : m->keep_s > KEEP_MAX_S ? KEEP_MAX_S * 1000
						      : (int64_t)m->keep_s * 1000);
}
