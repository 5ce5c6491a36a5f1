#include "ldap/ldap_find.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "ldap/ldap_filter.h"
#include "ldap/ldap_link.h"

enum { WORDS = 400 };

struct job {
	struct job *next, *next_all, **prev_all;
	struct ldap_find *of;
	char *filter;
	struct ldap_find_where where;
	ldap_find_fn *fn;
	void *ctx;
	enum ldap_find_status status;
	char said[512];
};
struct worker {
	struct ldap_find *of;
	pthread_t thread;
	struct ldap_link *link;
	size_t server; /* of link */
};
struct ldap_find {
	struct loop *loop;
	const struct ldap_settings *set;
	const struct ldap_link_tls *tls;
	char *pattern, *password;
	size_t password_len;
	struct job *all; /* asked and not answered; loop thread only */
	size_t nall;
	struct worker *workers;
	size_t nworkers;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	struct job *first, **last;
	size_t idle;
	bool stop;
	int64_t dead_until[LDAP_FIND_SERVERS_MAX];
	char why[LDAP_FIND_SERVERS_MAX][WORDS]; /* it is dead */
	bool wrong[LDAP_FIND_SERVERS_MAX];
};

/* ---- a thread's work ---- */

static bool is_dead(struct ldap_find *f, size_t i, struct job *j)
{
	bool dead;

	pthread_mutex_lock(&f->lock);
	dead = f->dead_until[i] > loop_now_ms();
	if (dead) {
		snprintf(j->said, sizeof(j->said), "%.90s failed a moment ago: %s", f->set->servers.v[i], f->why[i]);
		if (f->wrong[i])
			j->status = LDAP_FIND_WRONG;
	}
	pthread_mutex_unlock(&f->lock);
	return dead;
}

static void mark_dead(struct ldap_find *f, size_t i, enum ldap_link_result r, const char *words, struct job *j)
{
	pthread_mutex_lock(&f->lock);
	f->dead_until[i] = loop_now_ms() + f->set->dead_time;
	f->wrong[i] = r == LDAP_LINK_ERROR;
	snprintf(f->why[i], sizeof(f->why[i]), "%s", words);
	pthread_mutex_unlock(&f->lock);
	snprintf(j->said, sizeof(j->said), "%.90s: %s", f->set->servers.v[i], words);
	if (r == LDAP_LINK_ERROR)
		j->status = LDAP_FIND_WRONG;
	log_warn(NULL, "ldap", "dead server=%s why=\"%s\"", f->set->servers.v[i], words);
}

/* It answers, but not this question: the next one may fare better, and so may another server. */
static void no_answer(struct ldap_find *f, size_t i, enum ldap_link_result r, const char *words, struct job *j)
{
	snprintf(j->said, sizeof(j->said), "%.90s: %s", f->set->servers.v[i], words);
	if (r == LDAP_LINK_WRONG)
		j->status = LDAP_FIND_WRONG;
}

static void drop_link(struct worker *w)
{
	ldap_link_free(w->link);
	w->link = NULL;
}

/* Another address, when the one before does not answer. */
static enum ldap_link_result open_link(struct worker *w, const struct job *j, size_t i, char words[WORDS])
{
	struct ldap_find *f = w->of;
	struct ldap_link_to to = {f->set, f->set->servers.v[i], f->tls, f->password, f->password_len, NULL, NULL};
	enum ldap_link_result r = LDAP_LINK_DOWN;

	drop_link(w);
	snprintf(words, WORDS, "its host name has no address");
	for (size_t k = 0; k < j->where.servers[i].naddrs && w->link == NULL && r == LDAP_LINK_DOWN; k++)
		w->link = ldap_link_new(&to, &j->where.servers[i].addrs[k], &r, words);
	w->server = i;
	return r;
}

static enum ldap_link_result try_server(struct worker *w, const struct job *j, size_t i, char words[WORDS])
{
	bool kept = w->link != NULL && w->server == i;
	enum ldap_link_result r = LDAP_LINK_FOUND;

	if (!kept)
		r = open_link(w, j, i, words);
	if (w->link != NULL)
		r = ldap_link_search(w->link, w->of->set, j->filter, words);
	if (r == LDAP_LINK_DOWN && kept) { /* the server may close a kept one at any time */
		r = open_link(w, j, i, words);
		if (w->link != NULL)
			r = ldap_link_search(w->link, w->of->set, j->filter, words);
	}
	if (r == LDAP_LINK_DOWN || r == LDAP_LINK_ERROR)
		drop_link(w);
	return r;
}

static void work_on(struct worker *w, struct job *j)
{
	struct ldap_find *f = w->of;
	char words[WORDS];

	j->status = LDAP_FIND_TEMP;
	for (size_t i = 0; i < f->set->servers.n && i < LDAP_FIND_SERVERS_MAX; i++) {
		enum ldap_link_result r;

		if (is_dead(f, i, j))
			continue;
		r = try_server(w, j, i, words);
		if (r == LDAP_LINK_DOWN || r == LDAP_LINK_ERROR) {
			mark_dead(f, i, r, words, j);
			continue;
		}
		if (r == LDAP_LINK_LATER || r == LDAP_LINK_WRONG) {
			no_answer(f, i, r, words, j);
			continue;
		}
		j->status = r == LDAP_LINK_FOUND ? LDAP_FIND_FOUND : LDAP_FIND_NOTHING;
		snprintf(j->said, sizeof(j->said), "%.90s %s%s", f->set->servers.v[i],
		    r == LDAP_LINK_FOUND ? "has " : "has no entry for it", words);
		return;
	}
}

static void answer(void *ctx);

static void *work(void *arg)
{
	struct worker *w = arg;
	struct ldap_find *f = w->of;

	pthread_mutex_lock(&f->lock);
	while (!f->stop) {
		struct job *j = f->first;

		if (j == NULL) {
			f->idle++;
			pthread_cond_wait(&f->more, &f->lock);
			f->idle--;
			continue;
		}
		f->first = j->next;
		if (f->first == NULL)
			f->last = &f->first;
		pthread_mutex_unlock(&f->lock);
		work_on(w, j);
		loop_post(f->loop, answer, j);
		pthread_mutex_lock(&f->lock);
	}
	pthread_mutex_unlock(&f->lock);
	drop_link(w);
	return NULL;
}

/* ---- the loop's side ---- */

static void job_free(struct job *j)
{
	*j->prev_all = j->next_all;
	if (j->next_all != NULL)
		j->next_all->prev_all = j->prev_all;
	j->of->nall--;
	free(j->filter);
	free(j);
}

static void answer(void *ctx)
{
	struct job *j = ctx;

	j->fn(j->ctx, j->status, j->said);
	job_free(j);
}

static void start_worker(struct ldap_find *f)
{
	struct worker *w = &f->workers[f->nworkers];

	w->of = f;
	if (pthread_create(&w->thread, NULL, work, w) != 0)
		log_fatal("a thread for the directory cannot be started");
	f->nworkers++;
}

static void put_ports(struct ldap_find *f, struct ldap_find_where *w)
{
	struct ldap_settings_server s;

	for (size_t i = 0; i < f->set->servers.n && i < LDAP_FIND_SERVERS_MAX; i++) {
		if (ldap_settings_server(f->set->servers.v[i], &s, NULL) != 0)
			log_panic("a server of the configuration cannot be read");
		for (size_t k = 0; k < w->servers[i].naddrs; k++) {
			struct sockaddr_storage *ss = &w->servers[i].addrs[k];

			if (ss->ss_family == AF_INET6)
				((struct sockaddr_in6 *)ss)->sin6_port = htons((uint16_t)s.port);
			else
				((struct sockaddr_in *)ss)->sin_port = htons((uint16_t)s.port);
		}
	}
}

static struct job *job_new(struct ldap_find *f, const struct ldap_find_where *w, ldap_find_fn *fn, void *ctx)
{
	struct job *j = mem_new(sizeof(*j));

	j->of = f;
	j->where = *w;
	put_ports(f, &j->where);
	j->fn = fn;
	j->ctx = ctx;
	j->next_all = f->all;
	j->prev_all = &f->all;
	if (j->next_all != NULL)
		j->next_all->prev_all = &j->next_all;
	f->all = j;
	f->nall++;
	return j;
}

void ldap_find_ask(struct ldap_find *f, const char *local, const char *domain, const struct ldap_find_where *w,
    ldap_find_fn *fn, void *ctx)
{
	struct job *j = job_new(f, w, fn, ctx);
	struct buf filter;
	bool start;

	buf_init(&filter, LDAP_FILTER_MAX);
	if (f->nall > LDAP_FIND_WAITING_MAX || ldap_filter_make(f->pattern, local, domain, &filter) != 0) {
		j->status = LDAP_FIND_TEMP;
		snprintf(j->said, sizeof(j->said), "%s",
		    f->nall > LDAP_FIND_WAITING_MAX ? "too many questions wait for the directory"
						    : "the filter would be too long");
		loop_soon(f->loop, answer, j);
		buf_clear(&filter);
		return;
	}
	j->filter = mem_str(buf_str(&filter));
	buf_clear(&filter);
	pthread_mutex_lock(&f->lock);
	*f->last = j;
	f->last = &j->next;
	start = f->idle == 0 && f->nworkers < (size_t)f->set->connections;
	pthread_cond_signal(&f->more);
	pthread_mutex_unlock(&f->lock);
	if (start)
		start_worker(f);
}

void ldap_find_password(struct ldap_find *f, const void *p, size_t n)
{
	mem_free_secret(f->password, f->password_len);
	f->password = mem_dup(p, n);
	f->password_len = n;
}

struct ldap_find *ldap_find_new(struct loop *l, const struct ldap_settings *set, struct problem *pr)
{
	const struct ldap_link_tls *tls = ldap_link_tls(set, pr);
	struct ldap_find *f;
	struct buf pattern;

	if (tls == NULL)
		return NULL;
	f = mem_new(sizeof(*f));
	f->loop = l;
	f->set = set;
	f->tls = tls;
	f->password = mem_str("");
	buf_init(&pattern, LDAP_FILTER_MAX);
	if (set->filter[0] != '\0')
		f->pattern = mem_str(set->filter);
	else if (ldap_filter_pattern(&set->attributes, &pattern) == 0)
		f->pattern = mem_str(buf_str(&pattern));
	else
		log_fatal("the attributes of an ldap section do not fit into a filter");
	buf_clear(&pattern);
	f->workers = mem_new((size_t)set->connections * sizeof(*f->workers));
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->more, NULL);
	f->last = &f->first;
	return f;
}

void ldap_find_free(struct ldap_find *f)
{
	if (f == NULL)
		return;
	pthread_mutex_lock(&f->lock);
	f->stop = true;
	pthread_cond_broadcast(&f->more);
	pthread_mutex_unlock(&f->lock);
	for (size_t i = 0; i < f->nworkers; i++)
		pthread_join(f->workers[i].thread, NULL);
	/* job_free unlinks through prev_all, which the analyser does not follow */
	while (f->all != NULL)
		job_free(f->all); /* NOLINT(clang-analyzer-unix.Malloc) */
	pthread_mutex_destroy(&f->lock);
	pthread_cond_destroy(&f->more);
	mem_free_secret(f->password, f->password_len);
	free(f->pattern);
	free(f->workers);
	free(f);
}
