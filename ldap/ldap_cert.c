/*
 * Threads, queue and connections. A question's time is bounded from outside, too: when it is up, the loop answers and
 * shuts the socket down, so that the thread comes back from wherever libldap or TLS wait.
 */
#include "ldap/ldap_cert.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ldap.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/buf.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/base/dead.h"
#include "ldap/ldap_search.h"
#include "ldap/ldap_turn.h"

enum { WORDS = 400, STEP_MS = 5 };

struct job {
	struct job *next, *next_all, **prev_all;
	struct ldap_cert *of;
	struct ldap_cert_ask ask;
	ldap_cert_fn *fn;
	void *ctx;
	struct loop_timer *late;
	bool told; /* loop thread only */
	/* the pool's lock */
	bool queued;
	int cut;	  /* a second descriptor of its socket; -1 */
	atomic_bool over; /* its time is up */
	/* the thread's, then the loop's */
	struct ldap_search search;
	bool tcp; /* the server took the connection */
};
/* A connection that nobody uses now. */
struct kept {
	struct ldap_link *link;
	char uri[300];
	struct sockaddr_storage addr;
	int64_t until;
};
struct ldap_cert {
	struct loop *loop;
	struct ldap_cert_set set;
	char *password;
	size_t password_len;
	struct job *all; /* asked and not yet freed; loop thread only */
	size_t nall;
	pthread_t *threads;
	size_t nthreads;

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t more;
	struct job *first, **last;
	struct job **running; /* [connections] */
	size_t nqueued, nrunning, idle;
	struct kept *kept; /* [connections] */
	bool stop;
	struct dead dead;
	struct ldap_turn turn;
};

/* ---- connections ---- */

static bool same_server(const struct kept *k, const char *uri, const struct sockaddr_storage *addr)
{
	return k->link != NULL && strcmp(k->uri, uri) == 0 && memcmp(&k->addr, addr, sizeof(*addr)) == 0;
}

/* Under the lock. */
static struct ldap_link *take_kept(struct ldap_cert *c, const char *uri, const struct sockaddr_storage *addr)
{
	for (size_t i = 0; i < (size_t)c->set.connections; i++) {
		struct kept *k = &c->kept[i];

		if (same_server(k, uri, addr) && k->until > loop_now_ms()) {
			struct ldap_link *l = k->link;

			k->link = NULL;
			return l;
		}
	}
	return NULL;
}

/* The one that ends first makes room. */
static void keep(struct ldap_cert *c, const char *uri, const struct sockaddr_storage *addr, struct ldap_link *l)
{
	struct kept *to = &c->kept[0];
	struct ldap_link *old;

	pthread_mutex_lock(&c->lock);
	for (size_t i = 0; i < (size_t)c->set.connections; i++) {
		struct kept *k = &c->kept[i];

		if (to->link != NULL && (k->link == NULL || k->until < to->until))
			to = k;
	}
	old = to->link;
	to->link = l;
	snprintf(to->uri, sizeof(to->uri), "%s", uri);
	to->addr = *addr;
	to->until = loop_now_ms() + c->set.idle;
	pthread_mutex_unlock(&c->lock);
	ldap_link_free(old);
}

/* One that nobody needed in time; NULL: none. *wait_r: ms until the next one. */
static struct ldap_link *expired(struct ldap_cert *c, int64_t *wait_r)
{
	int64_t now = loop_now_ms();

	*wait_r = -1;
	for (size_t i = 0; i < (size_t)c->set.connections; i++) {
		struct kept *k = &c->kept[i];

		if (k->link != NULL && k->until <= now) {
			struct ldap_link *l = k->link;

			k->link = NULL;
			return l;
		}
		if (k->link != NULL && (*wait_r < 0 || k->until - now < *wait_r))
			*wait_r = k->until - now;
	}
	return NULL;
}

static void watch(void *ctx, int fd)
{
	struct job *j = ctx;
	int second = fcntl(fd, F_DUPFD_CLOEXEC, 0);

	pthread_mutex_lock(&j->of->lock);
	if (j->cut >= 0)
		close(j->cut);
	j->cut = second;
	j->tcp = true;
	if (j->over && second >= 0)
		shutdown(second, SHUT_RDWR);
	pthread_mutex_unlock(&j->of->lock);
}

static void unwatch(struct job *j)
{
	pthread_mutex_lock(&j->of->lock);
	if (j->cut >= 0)
		close(j->cut);
	j->cut = -1;
	pthread_mutex_unlock(&j->of->lock);
}

static enum ldap_link_result try_new(struct job *j, const struct ldap_cert_server *s,
    const struct sockaddr_storage *addr, struct ldap_link **l_r, char words[WORDS])
{
	struct ldap_cert *c = j->of;
	const struct ldap_link_to to = {c->set.ldap, s->uri, c->set.tls, c->password, c->password_len, watch, j};
	enum ldap_link_result r;

	j->tcp = false;
	*l_r = ldap_link_new(&to, addr, &r, words);
	return *l_r == NULL ? r : ldap_search_all(&j->search, *l_r, words);
}

/* Asks over a connection that is there, or a new one. */
static enum ldap_link_result try_address(
    struct job *j, const struct ldap_cert_server *s, const struct sockaddr_storage *addr, char words[WORDS])
{
	struct ldap_cert *c = j->of;
	enum ldap_link_result r = LDAP_LINK_DOWN;
	struct ldap_link *l;
	int fd;

	pthread_mutex_lock(&c->lock);
	l = take_kept(c, s->uri, addr);
	pthread_mutex_unlock(&c->lock);
	if (l != NULL && ldap_get_option(ldap_link_handle(l), LDAP_OPT_DESC, &fd) == LDAP_OPT_SUCCESS) {
		watch(j, fd);
		r = ldap_search_all(&j->search, l, words);
	}
	if (r == LDAP_LINK_DOWN && j->search.answer.n == 0 &&
	    !j->over) { /* the server may close a kept one at any time */
		ldap_link_free(l);
		r = try_new(j, s, addr, &l, words);
	}
	unwatch(j);
	if (l != NULL && r != LDAP_LINK_DOWN && r != LDAP_LINK_ERROR && !j->search.answer.more && c->set.idle > 0)
		keep(c, s->uri, addr, l);
	else
		ldap_link_free(l);
	return r;
}

/* ---- a thread's work ---- */

static bool is_dead(struct ldap_cert *c, const struct ldap_cert_server *s, size_t k, struct source_answer *a)
{
	char words[350];
	bool dead;

	pthread_mutex_lock(&c->lock);
	dead = dead_is(&c->dead, s->uri, &s->addrs[k], words, sizeof(words));
	pthread_mutex_unlock(&c->lock);
	if (dead) {
		source_answer_set(a, SOURCE_TEMP, "%.90s is %.200s", s->uri, words);
		snprintf(a->where, sizeof(a->where), "%s", s->uri);
	}
	return dead;
}

static void mark_dead(struct job *j, const struct ldap_cert_server *s, size_t k, const char *words)
{
	struct ldap_cert *c = j->of;

	pthread_mutex_lock(&c->lock);
	dead_mark(&c->dead, j->tcp ? s->uri : "", &s->addrs[k], c->set.ldap->dead_time, words);
	pthread_mutex_unlock(&c->lock);
	log_warn(NULL, "ldap", "dead server=%s why=\"%s\"", s->uri, words);
}

static void note_turn(struct ldap_cert *c, const struct sockaddr_storage *addr, enum ldap_link_result r)
{
	pthread_mutex_lock(&c->lock);
	if (r == LDAP_LINK_FOUND || r == LDAP_LINK_NOTHING)
		ldap_turn_answered(&c->turn, addr);
	else
		ldap_turn_failed(&c->turn, addr);
	pthread_mutex_unlock(&c->lock);
}

/* 0: answered. */
static int try_server(struct job *j, const struct ldap_cert_server *s)
{
	char words[WORDS] = "";
	enum ldap_link_result r = LDAP_LINK_DOWN;
	int64_t began = loop_now_ms();
	bool cut_short;

	for (size_t k = 0; k < s->naddrs && r == LDAP_LINK_DOWN; k++) {
		if (j->over || is_dead(j->of, s, k, &j->search.answer))
			continue;
		source_answer_set(&j->search.answer, SOURCE_TEMP, "%s", "");
		r = try_address(j, s, &s->addrs[k], words);
		note_turn(j->of, &s->addrs[k], r);
		if (r == LDAP_LINK_FOUND || r == LDAP_LINK_NOTHING) {
			ldap_search_settle(&j->search, s->uri, r);
			return 0;
		}
		/* that a question had little time left says nothing of the server; a step ends with that time, and
		 * may do so before anybody said that it is up */
		cut_short = (j->over || loop_now_ms() + STEP_MS >= j->search.end) &&
			    loop_now_ms() - began < j->of->set.ldap->timeout;
		if ((r == LDAP_LINK_DOWN || r == LDAP_LINK_ERROR) && !cut_short)
			mark_dead(j, s, k, words);
		j->search.answer.n = 0;
		j->search.answer.more = false;
		snprintf(j->search.answer.where, sizeof(j->search.answer.where), "%s", s->uri);
		snprintf(j->search.answer.why, sizeof(j->search.answer.why), "%.90s: %.200s", s->uri, words);
	}
	return -1;
}

static void work_on(struct job *j)
{
	int64_t began = loop_now_ms();

	source_answer_set(&j->search.answer, SOURCE_TEMP, "no server of it has an address");
	for (size_t i = 0; i < j->ask.nservers; i++)
		if (try_server(j, &j->ask.servers[i]) == 0)
			break;
	j->search.answer.took_ms = (uint32_t)(loop_now_ms() - began);
}

/* A directory of the configuration may have all threads of its own. */
static bool has_place(const struct ldap_cert *c, const struct job *j)
{
	int64_t same = 0, unknown = 0;

	if (c->set.per_server >= c->set.connections)
		return true;
	for (size_t i = 0; i < c->nrunning; i++) {
		same += ldap_turn_same(&c->running[i]->ask, &j->ask);
		unknown += !ldap_turn_is_known(&c->turn, &c->running[i]->ask);
	}
	return same < c->set.per_server &&
	       (ldap_turn_is_known(&c->turn, &j->ask) || unknown < ldap_turn_share(c->set.connections));
}

/* The first whose server has not enough to do already; under the lock. */
static struct job *take_job(struct ldap_cert *c)
{
	for (struct job **at = &c->first; *at != NULL; at = &(*at)->next) {
		struct job *j = *at;

		if (!has_place(c, j))
			continue;
		*at = j->next;
		if (c->last == &j->next)
			c->last = at;
		j->queued = false;
		c->nqueued--;
		c->running[c->nrunning++] = j;
		return j;
	}
	return NULL;
}

static void wait_for_more(struct ldap_cert *c, int64_t ms)
{
	struct timespec until;

	c->idle++;
	if (ms < 0) {
		pthread_cond_wait(&c->more, &c->lock);
	} else {
		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_sec += (time_t)(ms / 1000);
		until.tv_nsec += (long)(ms % 1000 + 1) * 1000000;
		if (until.tv_nsec >= 1000000000) {
			until.tv_sec++;
			until.tv_nsec -= 1000000000;
		}
		pthread_cond_timedwait(&c->more, &c->lock, &until);
	}
	c->idle--;
}

static void answer(void *ctx);

static void *work(void *arg)
{
	struct ldap_cert *c = arg;
	int64_t wait;

	pthread_mutex_lock(&c->lock);
	while (!c->stop) {
		struct ldap_link *old = expired(c, &wait);
		struct job *j = old != NULL ? NULL : take_job(c);

		if (old == NULL && j == NULL) {
			wait_for_more(c, wait);
			continue;
		}
		pthread_mutex_unlock(&c->lock);
		ldap_link_free(old);
		if (j != NULL)
			work_on(j);
		pthread_mutex_lock(&c->lock);
		for (size_t i = 0; i < c->nrunning && j != NULL; i++)
			if (c->running[i] == j)
				c->running[i] = c->running[--c->nrunning];
		if (j != NULL) {
			loop_post(c->loop, answer, j);
			pthread_cond_broadcast(&c->more); /* there is a place again */
		}
	}
	pthread_mutex_unlock(&c->lock);
	return NULL;
}

/* ---- the loop's side ---- */

static void job_free(struct job *j)
{
	*j->prev_all = j->next_all;
	if (j->next_all != NULL)
		j->next_all->prev_all = j->prev_all;
	j->of->nall--;
	loop_timer_free(j->late);
	ldap_search_clear(&j->search);
	free(j);
}

static void answer(void *ctx)
{
	struct job *j = ctx;

	loop_timer_off(j->late);
	if (!j->told)
		j->fn(j->ctx, &j->search.answer);
	job_free(j);
}

/* Takes it from the queue; false: a thread has it. Under the lock. */
static bool unqueue(struct ldap_cert *c, struct job *j)
{
	if (!j->queued)
		return false;
	for (struct job **at = &c->first; *at != NULL; at = &(*at)->next) {
		if (*at != j)
			continue;
		*at = j->next;
		if (c->last == &j->next)
			c->last = at;
		break;
	}
	j->queued = false;
	c->nqueued--;
	return true;
}

static void on_late(void *ctx)
{
	struct job *j = ctx;
	struct ldap_cert *c = j->of;
	struct source_answer *a = mem_new(sizeof(*a));
	bool waited;

	pthread_mutex_lock(&c->lock);
	j->over = true;
	waited = unqueue(c, j);
	if (j->cut >= 0)
		shutdown(j->cut, SHUT_RDWR);
	pthread_mutex_unlock(&c->lock);
	source_answer_set(a, SOURCE_TEMP, "%.90s: no whole answer within %u ms%s", j->ask.servers[0].uri,
	    j->ask.timeout_ms, waited ? ", spent waiting behind other questions" : "");
	snprintf(a->where, sizeof(a->where), "%s", j->ask.servers[0].uri);
	a->took_ms = j->ask.timeout_ms;
	j->told = true;
	j->fn(j->ctx, a);
	free(a);
	if (waited)
		job_free(j);
}

static void put_ports(struct ldap_cert_server *s)
{
	struct ldap_settings_server to;

	if (ldap_settings_server(s->uri, &to, NULL) != 0)
		log_panic("the URI of a directory server cannot be read");
	for (size_t k = 0; k < s->naddrs; k++) {
		struct sockaddr_storage *ss = &s->addrs[k];

		if (ss->ss_family == AF_INET6)
			((struct sockaddr_in6 *)ss)->sin6_port = htons((uint16_t)to.port);
		else
			((struct sockaddr_in *)ss)->sin_port = htons((uint16_t)to.port);
	}
}

static struct job *job_new(struct ldap_cert *c, const struct ldap_cert_ask *ask, ldap_cert_fn *fn, void *ctx)
{
	struct job *j = mem_new(sizeof(*j));

	j->of = c;
	j->ask = *ask;
	for (size_t i = 0; i < ask->nservers; i++)
		put_ports(&j->ask.servers[i]);
	j->fn = fn;
	j->ctx = ctx;
	j->cut = -1;
	ldap_search_init(&j->search, c->set.ldap, ask->filter, ask->who);
	j->search.entries = c->set.entries;
	j->search.own = c->set.own;
	j->search.max = ask->max;
	j->search.end = (ask->began != 0 ? ask->began : loop_now_ms()) + ask->timeout_ms;
	j->late = loop_timer_new(c->loop, on_late, j);
	j->next_all = c->all;
	j->prev_all = &c->all;
	if (j->next_all != NULL)
		j->next_all->prev_all = &j->next_all;
	c->all = j;
	c->nall++;
	return j;
}

/* Every address of every server is known to be dead: why, in j->search.answer. */
static bool all_dead(struct job *j)
{
	source_answer_set(&j->search.answer, SOURCE_TEMP, "%s", "");
	for (size_t i = 0; i < j->ask.nservers; i++)
		for (size_t k = 0; k < j->ask.servers[i].naddrs; k++)
			if (!is_dead(j->of, &j->ask.servers[i], k, &j->search.answer))
				return false;
	if (j->search.answer.why[0] == '\0')
		source_answer_set(&j->search.answer, SOURCE_TEMP, "no server of it has an address");
	return true;
}

/* Under the lock. */
static bool too_many_wait(const struct ldap_cert *c, const struct job *j)
{
	int64_t n = 0;

	for (const struct job *o = c->first; o != NULL; o = o->next)
		n += ldap_turn_same(&o->ask, &j->ask);
	return n >= c->set.waiting_per_server;
}

static bool refused(struct ldap_cert *c, struct job *j)
{
	bool r = false;

	if (all_dead(j))
		return true;
	if (c->nall > (size_t)c->set.waiting) {
		source_answer_set(&j->search.answer, SOURCE_TEMP, "too many questions wait for directories here");
		return true;
	}
	pthread_mutex_lock(&c->lock);
	r = too_many_wait(c, j);
	pthread_mutex_unlock(&c->lock);
	if (r)
		source_answer_set(
		    &j->search.answer, SOURCE_TEMP, "too many questions wait for %.200s", j->ask.servers[0].uri);
	return r;
}

void ldap_cert_ask(struct ldap_cert *c, const struct ldap_cert_ask *ask, ldap_cert_fn *fn, void *ctx)
{
	struct job *j = job_new(c, ask, fn, ctx);
	bool start;

	if (refused(c, j)) {
		snprintf(j->search.answer.where, sizeof(j->search.answer.where), "%s", j->ask.servers[0].uri);
		loop_soon(c->loop, answer, j);
		return;
	}
	loop_timer_set(j->late, j->search.end > loop_now_ms() ? j->search.end - loop_now_ms() : 0);
	pthread_mutex_lock(&c->lock);
	j->queued = true;
	c->nqueued++;
	*c->last = j;
	c->last = &j->next;
	start = c->idle < c->nqueued && c->nthreads < (size_t)c->set.connections;
	pthread_cond_signal(&c->more);
	pthread_mutex_unlock(&c->lock);
	if (start && pthread_create(&c->threads[c->nthreads++], NULL, work, c) != 0)
		log_fatal("a thread for directories cannot be started");
}

void ldap_cert_password(struct ldap_cert *c, const void *p, size_t n)
{
	mem_free_secret(c->password, c->password_len);
	c->password = mem_dup(p, n);
	c->password_len = n;
}

struct ldap_cert *ldap_cert_new(struct loop *l, const struct ldap_cert_set *set)
{
	struct ldap_cert *c = mem_new(sizeof(*c));
	pthread_condattr_t attr;

	c->loop = l;
	c->set = *set;
	c->password = mem_str("");
	c->threads = mem_new((size_t)set->connections * sizeof(*c->threads));
	c->running = mem_new((size_t)set->connections * sizeof(struct job *));
	c->kept = mem_new((size_t)set->connections * sizeof(*c->kept));
	c->last = &c->first;
	pthread_mutex_init(&c->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&c->more, &attr);
	pthread_condattr_destroy(&attr);
	return c;
}

void ldap_cert_free(struct ldap_cert *c)
{
	if (c == NULL)
		return;
	pthread_mutex_lock(&c->lock);
	c->stop = true;
	for (size_t i = 0; i < c->nrunning; i++) {
		c->running[i]->over = true;
		if (c->running[i]->cut >= 0)
			shutdown(c->running[i]->cut, SHUT_RDWR);
	}
	pthread_cond_broadcast(&c->more);
	pthread_mutex_unlock(&c->lock);
	for (size_t i = 0; i < c->nthreads; i++)
		pthread_join(c->threads[i], NULL);
	for (size_t i = 0; i < (size_t)c->set.connections; i++)
		ldap_link_free(c->kept[i].link);
	/* job_free unlinks through prev_all, which the analyser does not follow */
	while (c->all != NULL)
		job_free(c->all); /* NOLINT(clang-analyzer-unix.Malloc) */
	pthread_mutex_destroy(&c->lock);
	pthread_cond_destroy(&c->more);
	mem_free_secret(c->password, c->password_len);
	free(c->threads);
	free(c->running);
	free(c->kept);
	free(c);
}
