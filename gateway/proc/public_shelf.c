/* The public listener's shelf, see the header. Role public. */
#include "gateway/proc/public_shelf.h"

#include <openssl/evp.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

enum { DER_MAX = 65536, SHA1 = 20, SHA1_TEXT = 28 };

struct thing {
	struct thing *next;
	uint16_t msg;
	char domain[256], id[64];
	int64_t expires;
	char sha1[SHA1_TEXT + 1]; /* base64, of a certificate */
	size_t n;
	uint8_t der[];
};
struct public_shelf {
	pthread_mutex_t lock;
	struct thing *shown;		/* under the lock */
	struct thing *next, **next_end; /* what is being told */
};

struct public_shelf *public_shelf_new(void)
{
	struct public_shelf *s = mem_new(sizeof *s);

	REQUIRE(pthread_mutex_init(&s->lock, NULL) == 0);
	s->next_end = &s->next;
	return s;
}

static void drop(struct thing *t)
{
	while (t) {
		struct thing *next = t->next;

		free(t);
		t = next;
	}
}

void public_shelf_free(struct public_shelf *s)
{
	if (!s)
		return;
	drop(s->shown);
	drop(s->next);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

static struct thing *thing_of(const struct public_item *i)
{
	struct thing *t = mem_new(sizeof *t + i->body.n);
	uint8_t hash[EVP_MAX_MD_SIZE];

	t->msg = i->msg;
	memcpy(t->domain, i->domain, sizeof t->domain);
	memcpy(t->id, i->name, sizeof t->id);
	t->expires = i->expires;
	t->n = i->body.n;
	if (t->n > 0)
		memcpy(t->der, i->body.p, t->n);
	/* RFC 4387 names a certificate by it; nothing is believed because of it */
	if (EVP_Digest(t->der, t->n, hash, NULL, EVP_sha1(), NULL) == 1)
		(void)encode_b64(hash, SHA1, t->sha1);
	return t;
}

static void show(struct public_shelf *s)
{
	struct thing *old;

	pthread_mutex_lock(&s->lock);
	old = s->shown;
	s->shown = s->next;
	pthread_mutex_unlock(&s->lock);
	drop(old);
	s->next = NULL;
	s->next_end = &s->next;
}

void public_shelf_take(struct public_shelf *s, const struct public_item *i)
{
	switch (i->msg) {
	case PUBLIC_BEGIN:
		drop(s->next);
		s->next = NULL;
		s->next_end = &s->next;
		break;
	case PUBLIC_STATEMENT:
	case PUBLIC_CERT:
		*s->next_end = thing_of(i);
		s->next_end = &(*s->next_end)->next;
		break;
	case PUBLIC_END:
		show(s);
		break;
	default:
		break;
	}
}

int public_shelf_statement(
    struct public_shelf *s, const char *domain, int64_t now, char id_r[64], int64_t *expires_r, struct buf *der_r)
{
	int found = 0;

	pthread_mutex_lock(&s->lock);
	for (struct thing *t = s->shown; t && !found; t = t->next)
		if (t->msg == PUBLIC_STATEMENT && now < t->expires && strcasecmp(t->domain, domain) == 0) {
			memcpy(id_r, t->id, sizeof t->id);
			*expires_r = t->expires;
			found = buf_add(der_r, t->der, t->n) == 0;
		}
	pthread_mutex_unlock(&s->lock);
	return found;
}

static int fits(const struct thing *t, enum public_by by, const char *value)
{
	const char *at;

	if (t->msg != PUBLIC_CERT)
		return 0;
	if (by == PUBLIC_BY_CERTHASH)
		return strcmp(t->sha1, value) == 0;
	if (by == PUBLIC_BY_URI)
		return strcasecmp(t->domain, value) == 0;
	at = strrchr(value, '@');
	return at && at != value && strcasecmp(t->domain, at + 1) == 0;
}

void public_shelf_find(struct public_shelf *s, enum public_by by, const char *value, struct public_found *f_r)
{
	f_r->n = 0;
	pthread_mutex_lock(&s->lock);
	for (struct thing *t = s->shown; t && f_r->n < PUBLIC_FOUND_MAX; t = t->next)
		if (fits(t, by, value)) {
			buf_init(&f_r->der[f_r->n], DER_MAX);
			if (buf_add(&f_r->der[f_r->n], t->der, t->n) == 0)
				f_r->n++;
			else
				buf_clear(&f_r->der[f_r->n]);
		}
	pthread_mutex_unlock(&s->lock);
}

void public_found_clear(struct public_found *f)
{
	for (size_t i = 0; i < f->n; i++)
		buf_clear(&f->der[i]);
	f->n = 0;
}
