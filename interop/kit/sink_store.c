#include "interop/kit/sink_store.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#define STATEMENTS_MAX 1000
#define OCTETS_MAX ((size_t)1 << 30)

struct said {
	struct said *next;
	char *domain;
	struct buf der;
};

struct sink_store {
	pthread_mutex_t lock;
	pthread_cond_t changed;
	struct mail *first, **last;
	unsigned count;
	size_t octets; /* of all mails */
	struct said *answers, *got;
	size_t n_got;
};

struct sink_store *sink_store_new(void)
{
	struct sink_store *s = need(sizeof(*s));
	pthread_condattr_t a;

	s->last = &s->first;
	pthread_mutex_init(&s->lock, NULL);
	pthread_condattr_init(&a);
	pthread_condattr_setclock(&a, CLOCK_MONOTONIC);
	pthread_cond_init(&s->changed, &a);
	pthread_condattr_destroy(&a);
	return s;
}

void mail_free(struct mail *m)
{
	free(m->helo);
	free(m->from);
	free(m->parameters);
	for (size_t i = 0; i < m->n_to; i++)
		free(m->to[i]);
	free(m->to);
	buf_free(&m->data);
	buf_free(&m->transcript);
	free(m);
}

static void said_free(struct said *d)
{
	while (d) {
		struct said *next = d->next;

		free(d->domain);
		buf_free(&d->der);
		free(d);
		d = next;
	}
}

void sink_store_free(struct sink_store *s)
{
	while (s->first) {
		struct mail *next = s->first->next;

		mail_free(s->first);
		s->first = next;
	}
	said_free(s->answers);
	said_free(s->got);
	pthread_cond_destroy(&s->changed);
	pthread_mutex_destroy(&s->lock);
	free(s);
}

bool sink_store_add(struct sink_store *s, struct mail *m)
{
	size_t octets = m->data.room + m->transcript.room;

	pthread_mutex_lock(&s->lock);
	if (octets > OCTETS_MAX - s->octets) {
		pthread_mutex_unlock(&s->lock);
		mail_free(m);
		return false;
	}
	s->octets += octets;
	m->number = ++s->count;
	m->came_ms = now_ms();
	*s->last = m;
	s->last = &m->next;
	pthread_cond_broadcast(&s->changed);
	pthread_mutex_unlock(&s->lock);
	return true;
}

static bool is_to(const struct mail *m, const char *to)
{
	for (size_t i = 0; i < m->n_to; i++)
		if (!strcasecmp(m->to[i], to))
			return true;
	return false;
}

static struct timespec deadline_in(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_sec++;
		t.tv_nsec -= 1000000000;
	}
	return t;
}

const struct mail *sink_store_wait(struct sink_store *s, enum side side, const char *to, unsigned after,
    int64_t wait_ms, bool (*test)(const struct mail *, void *), void *arg)
{
	struct timespec until = deadline_in(wait_ms);
	const struct mail *found = NULL;
	unsigned seen = after;
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	for (;;) {
		for (const struct mail *m = s->first; m && !found; m = m->next) {
			if (m->number <= seen)
				continue;
			seen = m->number; /* each is tested once */
			if (m->side == side && is_to(m, to) && (!test || test(m, arg)))
				found = m;
		}
		if (found || rc == ETIMEDOUT)
			break;
		rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	}
	pthread_mutex_unlock(&s->lock);
	return found;
}

static struct said *said_find(struct said *d, const char *domain)
{
	while (d && strcasecmp(d->domain, domain) != 0)
		d = d->next;
	return d;
}

static struct said *said_make(struct said **list, const char *domain)
{
	struct said *d = said_find(*list, domain);

	if (d)
		return d;
	d = need(sizeof(*d));
	d->domain = text_copy(domain);
	d->next = *list;
	*list = d;
	return d;
}

void sink_store_statement(struct sink_store *s, const char *domain, const struct buf *der)
{
	struct said *d;

	pthread_mutex_lock(&s->lock);
	d = said_make(&s->answers, domain);
	buf_clear(&d->der);
	if (der)
		buf_add(&d->der, der->p, der->n);
	pthread_mutex_unlock(&s->lock);
}

int sink_store_answer(struct sink_store *s, const char *domain, struct buf *der)
{
	struct said *d;
	int rc = -1;

	pthread_mutex_lock(&s->lock);
	d = said_find(s->answers, domain);
	if (d && d->der.n > 0) {
		buf_add(der, d->der.p, d->der.n);
		rc = 0;
	}
	pthread_mutex_unlock(&s->lock);
	return rc;
}

void sink_store_got(struct sink_store *s, const char *domain, const struct buf *der)
{
	struct said *d;

	pthread_mutex_lock(&s->lock);
	if (said_find(s->got, domain) || s->n_got < STATEMENTS_MAX) {
		s->n_got += !said_find(s->got, domain);
		d = said_make(&s->got, domain);
		buf_clear(&d->der);
		buf_add(&d->der, der->p, der->n);
		pthread_cond_broadcast(&s->changed);
	}
	pthread_mutex_unlock(&s->lock);
}

int sink_store_wait_got(struct sink_store *s, const char *domain, int64_t wait_ms, struct buf *der)
{
	struct timespec until = deadline_in(wait_ms);
	struct said *d;
	int rc = 0;

	pthread_mutex_lock(&s->lock);
	while (!(d = said_find(s->got, domain)) && rc != ETIMEDOUT)
		rc = pthread_cond_timedwait(&s->changed, &s->lock, &until);
	if (d)
		buf_add(der, d->der.p, d->der.n);
	pthread_mutex_unlock(&s->lock);
	return d ? 0 : -1;
}
