/* Steps and what they found. */
#include "certstore/find_work.h"

#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/cert_read.h"
#include "certstore/find_memo.h"
#include "certstore/trace.h"
#include "gateway/base/mem.h"

struct find_step *find_work_step(struct find_work *w, enum find_tier t, bool address, const char *place)
{
	struct find_step *s;

	if (w->nsteps == FIND_STEPS_MAX) {
		s = w->steps[FIND_STEPS_MAX - 1];
		find_work_failed(s, "more than %d places would have to be asked", FIND_STEPS_MAX);
		return s;
	}
	s = mem_new(sizeof *s);
	s->tier = t;
	s->source = FIND_IN_NETWORK;
	s->address = address;
	s->place = place;
	s->owner = address ? w->address : w->q->who->domain;
	w->steps[w->nsteps++] = s;
	return s;
}

void find_work_fill(const struct find_work *w, struct source_ask *a, enum source_kind kind, enum source_chosen chosen)
{
	memset(a, 0, sizeof *a);
	a->kind = kind;
	a->chosen = chosen;
	a->max = w->q->limits->octets_max;
	a->timeout_ms = w->q->limits->timeout_ms;
}

void find_work_failed(struct find_step *s, const char *fmt, ...)
{
	va_list ap;

	if (s->answer == FIND_STEP_PENDING)
		return;
	s->answer = FIND_STEP_TEMP;
	s->hard = true;
	va_start(ap, fmt);
	(void)vsnprintf(s->why, sizeof s->why, fmt, ap);
	va_end(ap);
}

void find_work_passed(struct find_work *w, struct find_step *s, const char *fmt, ...)
{
	struct trace_step *t = trace_add(w->q->run ? w->q->run->trace : NULL, s->place, "%s", s->owner);
	char text[400];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	if (t)
		(void)snprintf(t->answer, sizeof t->answer, "passed over: %s", text);
	if (s->answer == FIND_STEP_NONE)
		(void)snprintf(s->why, sizeof s->why, "%s", text);
}

/* A URL says itself what it is, and often stands in the reason already. */
static void say_failed(struct find_step *s, const struct source_ask *a, const struct source_answer *r)
{
	const char *name = a->kind == SOURCE_LDAP && a->directory[0] ? a->directory : a->name;
	const char *bogus = r->dnssec == SOURCE_BOGUS ? "its DNSSEC signatures are wrong (bogus): " : "";
	size_t n = strlen(name);

	if (strstr(name, "://") && strncmp(r->why, name, n) == 0)
		(void)snprintf(s->why, sizeof s->why, "%.300s", r->why);
	else if (strstr(name, "://"))
		(void)snprintf(s->why, sizeof s->why, "%.120s: %s%.200s", name, bogus, r->why);
	else
		(void)snprintf(s->why, sizeof s->why, "%.60s %.120s: %s%.200s", s->place, name, bogus, r->why);
}

const struct source_answer *find_work_ask(
    struct find_work *w, struct find_step *s, const struct source_ask *a, bool hard)
{
	const struct source_answer *r = source_get(w->q->run, s->place, a);

	if (!r) {
		s->answer = FIND_STEP_PENDING;
		return NULL;
	}
	s->cut = s->cut || r->more;
	if (r->status != SOURCE_TEMP)
		return r;
	if (s->answer == FIND_STEP_PENDING)
		return r;
	s->answer = FIND_STEP_TEMP;
	s->hard = s->hard || hard || r->dnssec >= SOURCE_BOGUS;
	say_failed(s, a, r);
	return r;
}

static bool is_known(const struct find_step *s, const void *p, size_t n)
{
	for (size_t i = 0; i < s->n; i++)
		if (s->v[i].n == n && memcmp(s->v[i].p, p, n) == 0)
			return true;
	return false;
}

static void keep(struct find_work *w, struct find_step *s, const void *p, size_t n, const struct trust_dane *dane)
{
	char *copy;

	if (is_known(s, p, n))
		return;
	copy = s->n < FIND_CERTS_MAX ? arena_dup(w->mem, p, n) : NULL;
	if (!copy) {
		s->cut = true;
		find_work_passed(w, s, "more certificates than are looked at");
		return;
	}
	if (dane) {
		s->dane[s->n] = arena_alloc(w->mem, sizeof *dane);
		if (!s->dane[s->n])
			return;
		*s->dane[s->n] = *dane;
	}
	s->v[s->n++] = (struct find_octets){(const uint8_t *)copy, n};
	if (s->answer == FIND_STEP_NONE)
		s->answer = FIND_STEP_FOUND;
}

static void keep_issuer(struct find_work *w, struct find_step *s, const void *p, size_t n)
{
	char *copy = s->nissuers < FIND_ISSUERS_MAX ? arena_dup(w->mem, p, n) : NULL;

	if (copy)
		s->issuers[s->nissuers++] = (struct find_octets){(const uint8_t *)copy, n};
}

void find_work_issuer(struct find_work *w, struct find_step *s, const void *p, size_t n)
{
	keep_issuer(w, s, p, n);
}

/* What it was made of, when that was this one alone. */
struct origin {
	const void *p;
	size_t n;
	const uint8_t *key;
};

static void take_one(
    struct find_work *w, struct find_step *s, X509 *x, const struct trust_dane *dane, const struct origin *from)
{
	unsigned char *der = NULL;
	int n = i2d_X509(x, &der);
	bool ca = X509_check_ca(x) > 0;

	if (n <= 0)
		return;
	if (from && (size_t)n == from->n && memcmp(der, from->p, from->n) == 0)
		find_memo_put(w->q->memo, from->key, ca ? FIND_MEMO_CA : FIND_MEMO_LEAF);
	if (ca)
		keep_issuer(w, s, der, (size_t)n);
	keep(w, s, der, (size_t)n, dane);
	OPENSSL_free(der);
}

/* Known from before: then it is not taken apart. */
static bool take_known(struct find_work *w, struct find_step *s, const void *p, size_t n,
    const struct trust_dane *dane, enum find_memo_kind kind)
{
	if (kind == FIND_MEMO_UNKNOWN)
		return false;
	if (kind == FIND_MEMO_CA)
		keep_issuer(w, s, p, n);
	keep(w, s, p, n, dane);
	return true;
}

void find_work_take(struct find_work *w, struct find_step *s, const void *p, size_t n, const struct trust_dane *dane)
{
	X509 *list[FIND_CERTS_MAX];
	struct problem pr = {0};
	uint8_t key[32];
	const struct origin from = {p, n, key};
	int k;

	if (take_known(w, s, p, n, dane, find_memo_get(w->q->memo, p, n, key)))
		return;
	if (w->read >= FIND_READ_MAX) {
		s->cut = true;
		find_work_passed(w, s, "more certificates than are read for one recipient");
		return;
	}
	k = cert_read_any(p, n, list, FIND_CERTS_MAX, &pr);
	w->read += k > 0 ? (unsigned)k : 1;
	if (k < 0) {
		if (n > 0 && n <= CERT_DER_MAX) {
			keep(w, s, p, n, dane);
			find_memo_put(w->q->memo, key, FIND_MEMO_JUNK);
		} else {
			find_work_passed(w, s, "%.300s", pr.text);
		}
		s->cut = s->cut || n > CERT_DER_MAX;
		return;
	}
	for (int i = 0; i < k; i++)
		take_one(w, s, list[i], dane, k == 1 ? &from : NULL);
	cert_list_free(list, (size_t)k);
}

bool find_work_answered(const struct find_work *w, size_t first)
{
	for (size_t i = first; i < w->nsteps; i++)
		if (w->steps[i]->answer == FIND_STEP_TEMP)
			return false;
	return true;
}

void find_work_forget(struct find_work *w, size_t from, size_t to)
{
	for (size_t i = from; i < to; i++)
		if (w->steps[i]->answer == FIND_STEP_TEMP)
			w->steps[i]->answer = FIND_STEP_NONE;
}

bool find_work_may_tell(struct find_work *w, bool dns, const char *place, const char *query)
{
	const struct find_options *o = w->q->options;
	struct trace_step *t;

	if (!w->q->who->local[0])
		return false;
	if (o->by_address == FIND_ADDRESS_ALWAYS || (o->by_address == FIND_ADDRESS_LISTED && (!dns || w->q->listed)))
		return true;
	t = trace_add(w->q->run->trace, place, "%s", query);
	w->untold = true;
	if (t)
		(void)snprintf(t->answer, sizeof t->answer, "not asked: by-address = %s, and the partner is %slisted",
		    o->by_address == FIND_ADDRESS_NEVER ? "never" : "listed", w->q->listed ? "" : "not ");
	return false;
}
