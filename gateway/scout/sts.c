/*
 * One state for each domain that is being asked about: TXT, address of the policy host, fetch. Role scout. RFC
 * 8461 3.1, 3.3, 5.1, 10.2. Whoever asks meanwhile waits with the first; nobody waits longer than the time-out.
 */
#include "gateway/scout/sts.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/scout/guard.h"
#include "gateway/scout/https_get.h"
#include "gateway/scout/sts_cache.h"

enum { FAILED_MAX = 1024, WRITE_MS = 2000, REFRESH_S = 24 * 3600, ALARM_MS = 3600 * 1000 };

struct waiter {
	struct waiter *next;
	sts_done *done;
	void *ctx;
};
/* A domain under way. */
struct flight {
	struct flight *next, **prev;
	struct sts *s;
	char domain[256];
	char id[STS_POLICY_ID_MAX + 1];
	struct waiter *first, **last;
	struct loop_timer *late;
};
/* A domain whose policy could not be fetched lately. */
struct failure {
	char domain[256], id[STS_POLICY_ID_MAX + 1];
	int64_t until; /* loop time */
};
struct sts {
	struct loop *loop;
	struct dns *dns;
	const struct sts_settings *set;
	struct https_get *https;
	struct sts_cache *cache;
	int file;
	struct loop_timer *write;
	struct flight *flights;
	struct failure failures[FAILED_MAX];
	size_t next_failure;
	int64_t alarmed; /* that there is no room for more policies */
};

static int64_t now_s(void)
{
	return (int64_t)time(NULL);
}

/* ---- what is known ---- */

/* How long a policy is believed, in seconds. */
static int64_t age_of(const struct sts *s, const struct sts_policy *p)
{
	return p->max_age < s->set->max_age / 1000 ? p->max_age : s->set->max_age / 1000;
}

static bool fresh(const struct sts *s, const struct sts_known *k)
{
	int64_t now = now_s();

	/* a time in the future: the clock was set back; better one fetch more */
	return k->fetched <= now && now - k->fetched < age_of(s, &k->policy);
}

/* RFC 8461 3.3: fetched again now and then, long before it ends. */
static bool due(const struct sts *s, const struct sts_known *k)
{
	int64_t half = age_of(s, &k->policy) / 2;

	return now_s() - k->fetched > (half < REFRESH_S ? half : REFRESH_S);
}

static void write_file(void *ctx)
{
	struct sts *s = ctx;
	struct problem pr;

	if (sts_cache_write(s->cache, s->file, &pr) < 0)
		log_error(NULL, "scout", "alarm=mta-sts why=\"%s\"", pr.text);
}

static struct failure *failure_of(struct sts *s, const struct flight *f)
{
	for (size_t i = 0; i < FAILED_MAX; i++) {
		struct failure *x = &s->failures[i];

		if (x->until > loop_now_ms() && strcmp(x->domain, f->domain) == 0 && strcmp(x->id, f->id) == 0)
			return x;
	}
	return NULL;
}

/* ---- the end of a flight ---- */

static void flight_free(struct flight *f)
{
	while (f->first) {
		struct waiter *w = f->first;

		f->first = w->next;
		free(w);
	}
	*f->prev = f->next;
	if (f->next)
		f->next->prev = f->prev;
	loop_timer_free(f->late);
	free(f);
}

static void tell_policy(struct flight *f, const struct sts_policy *p, bool unknown)
{
	while (f->first) {
		struct waiter *w = f->first;

		f->first = w->next;
		if (!f->first)
			f->last = &f->first;
		w->done(w->ctx, p, unknown);
		free(w);
	}
}

enum without { NO_POLICY, CANNOT_TELL };

/* What is remembered holds; where nothing is, `without`. */
static void tell(struct flight *f, enum without without)
{
	struct sts_known *k = mem_new(sizeof *k);
	bool known = sts_cache_get(f->s->cache, f->domain, k) && fresh(f->s, k);

	tell_policy(f, known ? &k->policy : NULL, !known && without == CANNOT_TELL);
	free(k);
}

static void land(struct flight *f, enum without without)
{
	tell(f, without);
	flight_free(f);
}

/* Nobody waits any longer; the flight goes on. */
static void on_late(void *ctx)
{
	tell(ctx, CANNOT_TELL);
}

static void failed(struct flight *f, const char *why)
{
	struct sts *s = f->s;
	struct failure *x = &s->failures[s->next_failure++ % FAILED_MAX];

	log_warn(NULL, "scout", "mta-sts domain=%s id=%s result=no-policy why=\"%s\"", f->domain, f->id, why);
	memcpy(x->domain, f->domain, sizeof x->domain);
	memcpy(x->id, f->id, sizeof x->id);
	x->until = loop_now_ms() + s->set->retry;
	land(f, CANNOT_TELL);
}

/* ---- fetching ---- */

static void no_room(struct sts *s, const char *domain)
{
	int64_t now = loop_now_ms();

	if (s->alarmed && now - s->alarmed < ALARM_MS)
		return;
	s->alarmed = now;
	log_error(NULL, "scout",
	    "alarm=mta-sts domain=%s why=\"up to %lld MTA-STS policies are remembered, an eighth of that for the "
	    "names "
	    "below one domain, and there is no room among those with mode enforce that have not ended: that of this "
	    "domain holds for the mail that asked for it now, and is forgotten then; raise "
	    "policies-max in section mta-sts\"",
	    domain, (long long)s->set->policies_max);
}

static void policy_came(void *ctx, const uint8_t *p, size_t n, const char *why)
{
	struct flight *f = ctx;
	struct sts *s = f->s;
	struct sts_known *k = mem_new(sizeof *k);

	if (!p || sts_policy_parse(p, n, &k->policy, &why) < 0) {
		free(k);
		failed(f, why);
		return;
	}
	memcpy(k->id, f->id, sizeof k->id);
	k->fetched = now_s();
	log_info(NULL, "scout", "mta-sts domain=%s id=%s result=policy mode=%s max-age=%u mx=%zu", f->domain, f->id,
	    k->policy.mode == SCOUT_STS_ENFORCE	  ? "enforce"
	    : k->policy.mode == SCOUT_STS_TESTING ? "testing"
						  : "none",
	    k->policy.max_age, k->policy.nmx);
	if (sts_cache_put(s->cache, f->domain, k, k->fetched)) {
		if (s->file >= 0)
			loop_timer_set(s->write, WRITE_MS);
	} else if (k->policy.mode == SCOUT_STS_ENFORCE) {
		no_room(s, f->domain);
	}
	if (fresh(s, k))
		tell_policy(f, &k->policy, false);
	free(k);
	land(f, NO_POLICY);
}

static void addresses_came(void *ctx, const struct scout_hosts *h)
{
	struct flight *f = ctx;
	struct sts *s = f->s;
	struct sockaddr_storage v[SCOUT_ADDRS_MAX];
	char host[300];
	size_t n = 0;

	if (h->status != SCOUT_OK || !s->https) {
		failed(f, s->https ? h->problem.text : "tls-ca-file could not be read when the gateway started");
		return;
	}
	for (size_t i = 0; i < h->hosts[0].naddrs; i++) {
		if (s->set->local_addresses || guard_public(&h->hosts[0].addrs[i]))
			v[n++] = h->hosts[0].addrs[i];
	}
	if (n == 0) {
		failed(f, "its policy host has private or reserved addresses alone");
		return;
	}
	snprintf(host, sizeof host, "mta-sts.%s", f->domain);

	struct https_get_request rq = {.host = host,
	    .port = (unsigned)s->set->port,
	    .path = "/.well-known/mta-sts.txt",
	    .addrs = v,
	    .naddrs = n,
	    .type = "text/plain",
	    .max = STS_POLICY_OCTETS,
	    .timeout = s->set->timeout};

	https_get_start(s->https, &rq, policy_came, f);
}

static void fetch(struct flight *f)
{
	char host[300];

	snprintf(host, sizeof host, "mta-sts.%s", f->domain);
	dns_host(f->s->dns, host, addresses_came, f);
}

/* ---- the TXT record ---- */

static void txt_came(void *ctx, const char *text, const struct problem *pr)
{
	struct flight *f = ctx;
	struct sts *s = f->s;
	struct sts_known *k;
	bool known, good, old;

	if (!text || sts_policy_txt(text, f->id) < 0) {
		land(f, pr ? CANNOT_TELL : NO_POLICY);
		return;
	}
	k = mem_new(sizeof *k);
	known = sts_cache_get(s->cache, f->domain, k);
	good = known && fresh(s, k) && strcmp(k->id, f->id) == 0;
	old = good && due(s, k);
	free(k);
	if ((good && !old) || failure_of(s, f)) {
		land(f, CANNOT_TELL);
		return;
	}
	if (good)
		tell(f, CANNOT_TELL); /* it still holds: nobody waits for the new one */
	fetch(f);
}

static struct flight *flight_of(struct sts *s, const char *domain)
{
	for (struct flight *f = s->flights; f; f = f->next) {
		if (strcmp(f->domain, domain) == 0)
			return f;
	}
	return NULL;
}

static struct flight *take_off(struct sts *s, const char *domain)
{
	struct flight *f = mem_new(sizeof *f);

	f->s = s;
	/* longer than any name: the look-up finds nothing */
	snprintf(f->domain, sizeof f->domain, "%s", domain);
	f->last = &f->first;
	f->next = s->flights;
	f->prev = &s->flights;
	if (f->next)
		f->next->prev = &f->next;
	s->flights = f;
	f->late = loop_timer_new(s->loop, on_late, f);
	dns_txt(s->dns, "_mta-sts.", f->domain, "v=STSv1", txt_came, f);
	return f;
}

void sts_ask(struct sts *s, const char *domain, sts_done *done, void *ctx)
{
	struct flight *f = flight_of(s, domain);
	struct waiter *w = mem_new(sizeof *w);

	if (!f)
		f = take_off(s, domain);
	if (!f->first)
		loop_timer_set(f->late, s->set->timeout);
	w->done = done;
	w->ctx = ctx;
	*f->last = w;
	f->last = &w->next;
}

struct sts *sts_new(struct loop *l, struct dns *d, const struct sts_settings *set, const char *ca_file, int file)
{
	struct sts *s = mem_new(sizeof *s);
	struct problem pr;

	s->loop = l;
	s->dns = d;
	s->set = set;
	s->file = file;
	s->cache = sts_cache_new((size_t)set->policies_max, set->max_age / 1000);
	s->write = loop_timer_new(l, write_file, s);
	s->https = https_get_new(l, ca_file, &pr);
	if (!s->https)
		log_error(
		    NULL, "scout", "alarm=mta-sts why=\"tls-ca-file: %s; no MTA-STS policy is fetched\"", pr.text);
	if (file >= 0 && sts_cache_read(s->cache, file, now_s(), &pr) < 0)
		log_warn(NULL, "scout", "mta-sts why=\"%s\"", pr.text);
	return s;
}

void sts_free(struct sts *s)
{
	if (!s)
		return;
	https_get_free(s->https);
	for (struct flight *f = s->flights, *next; f; f = next) {
		next = f->next;
		flight_free(f);
	}
	loop_timer_free(s->write);
	sts_cache_free(s->cache);
	if (s->file >= 0)
		close(s->file);
	free(s);
}
