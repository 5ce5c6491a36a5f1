/* Imports of many, see the header. A job goes READING, READY, STORING, DONE; a slice of work lasts SLICE_MS and a
 * pause follows. */
#include "gateway/proc/judge_mass.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/cert.h"
#include "certstore/cert_split.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_import.h"
#include "gateway/proc/judge_world.h"

enum { SLICE_MS = 8, PAUSE_MS = 5, AT_ONCE = 64, ID = 17, WHO = 200, ROWS = 200, WORDS = 300 };

enum what { NEW, WARNED, KNOWN, REFUSED, STORED, FAILED, WHATS };
static const char *const whats[] = {"new", "warned", "known", "refused", "stored", "failed", NULL};
enum state { READING, READY, STORING, DONE, CANCELLED, BROKEN };
static const char *const states[] = {"reading", "ready", "storing", "done", "cancelled", "failed"};

struct item {
	uint8_t hash[32];
	enum what what;
	char *owner, *words, *reason; /* owner "" nobody */
	uint8_t *der;		      /* NULL once it is not needed */
	size_t der_n;
	int64_t not_after;
};
struct job {
	struct job *next;
	char id[ID], who[WHO], why[640], sha256[65];
	enum state state;
	bool pinned, force;
	int64_t at, touched; /* unix s */
	uint8_t *file;
	size_t size;
	struct cert_split split;
	struct item *items;
	size_t n, cap, count[WHATS];
	size_t next_item, todo, done; /* STORING */
};
struct judge_mass {
	struct loop *loop;
	const struct judge_world *w;
	struct store *store;
	size_t max;
	int64_t (*now)(void);
	struct loop_timer *timer;
	struct job *jobs;
	size_t njobs;
};

static int64_t clock_of(const struct judge_mass *m)
{
	return m->now ? m->now() : (int64_t)time(NULL);
}

/* ---- jobs ---- */

static void drop_file(struct job *j)
{
	cert_split_clear(&j->split);
	if (j->file)
		mem_free_secret(j->file, j->size); /* it may hold what it should not */
	j->file = NULL;
}

static void drop_ders(struct job *j)
{
	for (size_t i = 0; i < j->n; i++) {
		free(j->items[i].der);
		j->items[i].der = NULL;
	}
}

static void job_free(struct job *j)
{
	drop_file(j);
	drop_ders(j);
	for (size_t i = 0; i < j->n; i++) {
		free(j->items[i].owner);
		free(j->items[i].words);
		free(j->items[i].reason);
	}
	free(j->items);
	free(j);
}

static void end(struct job *j, enum state state, const char *why)
{
	j->state = state;
	(void)snprintf(j->why, sizeof j->why, "%s", why);
	drop_file(j);
	drop_ders(j);
}

static bool is_over(const struct job *j)
{
	return j->state == DONE || j->state == CANCELLED || j->state == BROKEN;
}

/* Those that nobody looked at for long; with full, the oldest that is over. */
static void drop_old(struct judge_mass *m, bool full)
{
	int64_t now = clock_of(m);

	for (struct job **p = &m->jobs; *p;) {
		struct job *j = *p;
		bool old = j->state != STORING && j->touched + JUDGE_MASS_KEPT_S < now;

		if (old || (full && is_over(j))) {
			full = false;
			*p = j->next;
			m->njobs--;
			job_free(j);
		} else {
			p = &j->next;
		}
	}
}

/* ---- reading ---- */

static void count(struct job *j, struct item *i, enum what what, const char *reason)
{
	i->what = what;
	j->count[what]++;
	if (reason && reason[0]) {
		free(i->reason);
		i->reason = mem_str(reason);
	}
}

static bool is_twice(const struct job *j, const uint8_t hash[32])
{
	for (size_t i = 0; i + 1 < j->n; i++)
		if (memcmp(j->items[i].hash, hash, 32) == 0)
			return true;
	return false;
}

/* 1: it is stored for that owner, 0, -1. */
static int is_stored(struct judge_mass *m, const char *owner, const char *sha256, struct problem *pr)
{
	struct store_cert *list;
	int found = 0;
	size_t n;

	if (store_certs(m->store, owner, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		found =
		    found || (strcmp(list[i].sha256, sha256) == 0 && strcmp(list[i].source, STORE_HARVESTED) != 0);
	store_certs_free(list, n);
	return found;
}

/* Whom it is for, and whether it can be taken. -1: the store cannot tell. */
static int judge_item(struct judge_mass *m, struct job *j, struct item *i, X509 *x, struct problem *pr)
{
	struct judge_import im;
	struct cert_facts f;
	struct address who;
	char owner[ADDRESS_TEXT_MAX], words[WORDS], mail[ADDRESS_TEXT_MAX + 8];
	int stored = 0;

	cert_facts(x, &f);
	judge_import_owner(&f, owner);
	i->owner = mem_str(owner);
	i->words = mem_str(cert_words(&f, words, sizeof words));
	i->not_after = f.not_after;
	(void)snprintf(mail, sizeof mail, "%s%s", strchr(owner, '@') ? "" : "x@", owner);
	if (!owner[0] || address_parse(mail, strlen(mail), &who, NULL) < 0) {
		count(j, i, REFUSED,
		    "it names no domain and no address: whose it is must be said, with an import of its own");
		return 0;
	}
	if (!strchr(owner, '@'))
		who.local[0] = '\0';
	if (judge_world_domain(m->w, who.domain) >= 0) {
		count(j, i, REFUSED, "it is of a domain of ours: its certificates come with \"postern domain\"");
		return 0;
	}
	stored = is_stored(m, owner, f.sha256, pr);
	if (stored < 0)
		return -1;
	judge_import_check(x, &who, j->pinned, clock_of(m), &im);
	if (stored || is_twice(j, i->hash))
		count(j, i, KNOWN, stored ? "" : "it is twice in the file");
	else
		count(j, i,
		    im.grade == JUDGE_IMPORT_GOOD    ? NEW
		    : im.grade == JUDGE_IMPORT_FORCE ? WARNED
						     : REFUSED,
		    im.reason);
	json_decref(im.warnings);
	return 0;
}

static struct item *item_new(struct job *j, const uint8_t *der, size_t n)
{
	struct item *i;

	if (j->n == j->cap) {
		j->cap = j->cap ? 2 * j->cap : 64;
		j->items = mem_resize(j->items, j->cap * sizeof *j->items);
	}
	i = &j->items[j->n++];
	*i = (struct item){.der = mem_new(n), .der_n = n};
	memcpy(i->der, der, n);
	if (EVP_Digest(der, n, i->hash, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
	return i;
}

/* 1 one more, 0 all are read, -1. */
static int read_one(struct judge_mass *m, struct job *j, struct problem *pr)
{
	const uint8_t *der;
	struct item *i;
	X509 *x;
	size_t n;
	int rc = cert_split_next(&j->split, &der, &n, pr);

	if (rc <= 0)
		return rc;
	if (j->n >= m->max)
		return problem_perm(
		    pr, "there are more than %zu certificates in this file (trust, import-max): split it", m->max);
	i = item_new(j, der, n);
	x = cert_parse(der, n, pr);
	if (!x) {
		i->owner = mem_str("");
		i->words = mem_str("a certificate that cannot be read");
		count(j, i, REFUSED, pr->text);
		*pr = (struct problem){0};
		return 1;
	}
	rc = judge_item(m, j, i, x, pr);
	X509_free(x);
	return rc < 0 ? -1 : 1;
}

static void read_slice(struct judge_mass *m, struct job *j, int64_t until)
{
	struct problem pr = {0};
	int rc = 1;

	while (rc > 0 && loop_now_ms() < until)
		rc = read_one(m, j, &pr);
	if (rc < 0) {
		end(j, BROKEN, pr.text);
	} else if (rc == 0) {
		drop_file(j);
		j->state = READY;
	}
}

/* ---- storing ---- */

static bool is_chosen(const struct job *j, const struct item *i)
{
	return i->what == NEW || (i->what == WARNED && j->force);
}

static int store_one(struct judge_mass *m, const struct job *j, struct item *i, struct problem *pr)
{
	struct store_cert sc = {
	    .owner = i->owner, .pinned = j->pinned, .added = clock_of(m), .not_after = i->not_after};

	encode_hex(i->hash, 32, sc.sha256);
	sc.source = (char *)(uintptr_t)(j->pinned ? "pinned" : "admin");
	sc.der = i->der;
	sc.der_len = i->der_n;
	return store_cert_add(m->store, &sc, j->who, pr);
}

static void stored(struct job *j, struct item *i)
{
	j->count[i->what]--;
	j->done++;
	count(j, i, STORED, "");
	free(i->der);
	i->der = NULL;
}

static int audit(struct judge_mass *m, const struct job *j, const char *what, struct problem *pr)
{
	char detail[400];

	(void)snprintf(detail, sizeof detail,
	    "import %s: file of %zu octets, SHA-256 %s: %zu certificates, %zu to store, %zu stored, %zu known, %zu "
	    "refused%s",
	    j->id, j->size, j->sha256, j->n, j->todo, j->done, j->count[KNOWN], j->count[REFUSED],
	    j->pinned ? ", pinned" : "");
	return store_audit_add(m->store, j->who, what, "*", detail, pr);
}

/* A slice is one transaction: all of it, or none. */
static void store_slice(struct judge_mass *m, struct job *j, int64_t until)
{
	struct problem pr = {0};
	size_t from = j->next_item, to = from, n = 0;
	int rc = store_begin(m->store, &pr);

	while (rc == 0 && to < j->n && n < AT_ONCE && loop_now_ms() < until) {
		if (is_chosen(j, &j->items[to])) {
			rc = store_one(m, j, &j->items[to], &pr);
			n++;
		}
		to++;
	}
	if (rc == 0 && to == j->n) {
		j->done += n; /* for the row */
		rc = audit(m, j, "import.end", &pr);
		j->done -= n;
	}
	rc = store_end(m->store, rc, &pr);
	if (rc < 0) {
		char why[640];

		(void)snprintf(why, sizeof why, "%zu are stored, then the store failed: %.500s", j->done, pr.text);
		log_error(NULL, "judge", "alarm=import why=\"%s\"", why);
		end(j, BROKEN, why);
		return;
	}
	for (size_t i = from; i < to; i++)
		if (is_chosen(j, &j->items[i]))
			stored(j, &j->items[i]);
	j->next_item = to;
	if (to == j->n)
		end(j, DONE, "");
}

/* ---- the loop ---- */

static void work(void *ctx)
{
	struct judge_mass *m = ctx;
	int64_t until = loop_now_ms() + SLICE_MS;
	struct job *j = m->jobs;

	while (j && j->state != READING && j->state != STORING)
		j = j->next;
	if (!j)
		return;
	if (j->state == READING)
		read_slice(m, j, until);
	else
		store_slice(m, j, until);
	loop_timer_set(m->timer, PAUSE_MS);
}

struct judge_mass *judge_mass_new(
    struct loop *l, const struct judge_world *w, struct store *s, size_t max, int64_t (*now)(void))
{
	struct judge_mass *m = mem_new(sizeof *m);

	*m = (struct judge_mass){.loop = l, .w = w, .store = s, .max = max, .now = now};
	m->timer = loop_timer_new(l, work, m);
	return m;
}

void judge_mass_free(struct judge_mass *m)
{
	if (!m)
		return;
	while (m->jobs) {
		struct job *j = m->jobs;

		m->jobs = j->next;
		job_free(j);
	}
	loop_timer_free(m->timer);
	free(m);
}

/* ---- verbs ---- */

static int mass_of(struct judge_call *c, struct judge_mass **m_r)
{
	*m_r = c->ja->mass;
	return *m_r ? 0 : judge_call_fail(c, "unavailable", "many certificates cannot be imported here");
}

static json_t *told(const struct judge_mass *m, const struct job *j)
{
	json_t *o = judge_call_object(), *n = judge_call_object();
	size_t of = j->state == READING ? j->size : j->todo, at = j->state == READING ? 0 : j->done;

	if (j->state == READING && j->split.pem)
		at = j->size - (size_t)BIO_ctrl_pending(j->split.pem);
	else if (j->state == READING && j->split.p)
		at = (size_t)(j->split.p - j->file);
	judge_call_set(o, "id", judge_call_text(j->id));
	judge_call_set(o, "state", judge_call_text(states[j->state]));
	judge_call_set(o, "why", judge_call_text(j->why));
	judge_call_set(o, "who", judge_call_text(j->who));
	judge_call_set(o, "at", judge_call_time(j->at));
	judge_call_set(o, "octets", json_integer((json_int_t)j->size));
	judge_call_set(o, "sha256", judge_call_text(j->sha256));
	judge_call_set(o, "pinned", json_boolean(j->pinned));
	judge_call_set(o, "certificates", json_integer((json_int_t)j->n));
	judge_call_set(o, "max", json_integer((json_int_t)m->max));
	for (int i = 0; i < WHATS; i++)
		judge_call_set(n, whats[i], json_integer((json_int_t)j->count[i]));
	judge_call_set(o, "counts", n);
	judge_call_set(o, "done", json_integer((json_int_t)at));
	judge_call_set(o, "of", json_integer((json_int_t)of));
	return o;
}

static json_t *row(const struct job *j, size_t i)
{
	const struct item *it = &j->items[i];
	json_t *o = judge_call_object();
	char hex[65];

	encode_hex(it->hash, 32, hex);
	judge_call_set(o, "number", json_integer((json_int_t)i + 1));
	judge_call_set(o, "owner", judge_call_text(it->owner));
	judge_call_set(o, "certificate", judge_call_text(it->words));
	judge_call_set(o, "sha256", judge_call_text(hex));
	judge_call_set(o, "not_after", judge_call_time(it->not_after));
	judge_call_set(o, "state", judge_call_text(whats[it->what]));
	judge_call_set(o, "reason", judge_call_text(it->reason ? it->reason : ""));
	return o;
}

static void hash_of(const void *p, size_t n, char out[65])
{
	uint8_t h[32];

	if (EVP_Digest(p, n, h, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
	encode_hex(h, 32, out);
}

static int room(struct judge_call *c, struct judge_mass *m)
{
	drop_old(m, m->njobs >= JUDGE_MASS_JOBS);
	if (m->njobs < JUDGE_MASS_JOBS)
		return 0;
	return judge_call_fail(
	    c, "refused", "%d imports are under way already: confirm or cancel one of them first", JUDGE_MASS_JOBS);
}

int judge_mass_begin(struct judge_call *c)
{
	struct judge_mass *m;
	uint8_t *p, id[8];
	struct job *j;
	bool pinned;
	size_t n;

	if (mass_of(c, &m) < 0 || judge_call_bool(c, "pinned", false, &pinned) < 0 || room(c, m) < 0 ||
	    judge_call_octets(c, "content", JUDGE_MUST, JUDGE_MASS_OCTETS, &p, &n) < 0)
		return -1;
	if (RAND_bytes(id, sizeof id) != 1)
		log_fatal("no random octets");
	j = mem_new(sizeof *j);
	*j = (struct job){.state = READING, .pinned = pinned, .file = p, .size = n, .at = c->now, .touched = c->now};
	encode_hex(id, sizeof id, j->id);
	(void)snprintf(j->who, sizeof j->who, "%.190s", c->who);
	hash_of(p, n, j->sha256);
	if (cert_split_begin(&j->split, p, n, c->pr) < 0) {
		c->code = "refused";
		job_free(j);
		return -1;
	}
	j->next = m->jobs;
	m->jobs = j;
	m->njobs++;
	loop_timer_set(m->timer, 0);
	judge_call_set(c->data, "import", told(m, j));
	return 0;
}

int judge_mass_list(struct judge_call *c)
{
	json_t *a = judge_call_array();
	struct judge_mass *m;

	judge_call_set(c->data, "imports", a);
	if (mass_of(c, &m) < 0)
		return -1;
	drop_old(m, false);
	for (const struct job *j = m->jobs; j; j = j->next)
		judge_call_add(a, told(m, j));
	return 0;
}

/* NULL, and said, when there is none. */
static struct job *find(struct judge_call *c, struct judge_mass **m_r)
{
	const char *id;

	if (mass_of(c, m_r) < 0 || judge_call_str(c, "id", JUDGE_MUST, 40, &id) < 0)
		return NULL;
	for (struct job *j = *m_r ? (*m_r)->jobs : NULL; j; j = j->next)
		if (strcmp(j->id, id) == 0) {
			j->touched = c->now;
			return j;
		}
	(void)judge_call_fail(c, "not-found",
	    "there is no import %.40s: it was cancelled, nobody looked at it for a day, or the judge was started "
	    "again "
	    "meanwhile, which interrupts it. What it stored until then is stored, and the same file can be imported "
	    "again",
	    id);
	return NULL;
}

static int read_only(struct judge_call *c, int *only_r)
{
	const char *word;

	*only_r = WHATS;
	if (judge_call_str(c, "only", JUDGE_MAY, 20, &word) < 0)
		return -1;
	for (int i = 0; word && word[0] && i < WHATS; i++)
		if (strcmp(whats[i], word) == 0)
			*only_r = i;
	if (word && word[0] && *only_r == WHATS)
		return judge_call_fail(c, "usage", "\"only\" is new, warned, known, refused, stored or failed");
	return 0;
}

int judge_mass_show(struct judge_call *c)
{
	json_t *a = judge_call_array();
	struct judge_mass *m;
	int64_t after, max;
	struct job *j;
	size_t i;
	int only;

	judge_call_set(c->data, "rows", a);
	j = find(c, &m);
	if (!j || read_only(c, &only) < 0 || judge_call_int(c, "after", 0, INT32_MAX, 0, &after) < 0 ||
	    judge_call_int(c, "max", 1, ROWS, 100, &max) < 0)
		return -1;
	for (i = (size_t)after; i < j->n && json_array_size(a) < (size_t)max; i++)
		if (only == WHATS || (int)j->items[i].what == only)
			judge_call_add(a, row(j, i));
	while (i < j->n && only != WHATS && (int)j->items[i].what != only)
		i++;
	judge_call_set(c->data, "more", json_boolean(i < j->n));
	judge_call_set(c->data, "next", json_integer(i < j->n ? (json_int_t)i : 0));
	judge_call_set(c->data, "import", told(m, j));
	return 0;
}

int judge_mass_confirm(struct judge_call *c)
{
	struct judge_mass *m;
	struct job *j;
	bool force;

	j = find(c, &m);
	if (!j || judge_call_bool(c, "force", false, &force) < 0)
		return -1;
	if (j->state != READY)
		return judge_call_fail(
		    c, "refused", "the import %s is %s: nothing waits for your word", j->id, states[j->state]);
	if (j->count[NEW] + (force ? j->count[WARNED] : 0) == 0)
		return judge_call_fail(c, "refused", "no certificate of the import %s can be stored%s", j->id,
		    j->count[WARNED] ? " unless those that are warned of are taken, too (force)" : "");
	if (c->trial)
		return 0;
	j->force = force;
	j->todo = j->count[NEW] + (force ? j->count[WARNED] : 0);
	(void)snprintf(j->who, sizeof j->who, "%.190s", c->who);
	if (audit(m, j, "import.begin", c->pr) < 0)
		return -1;
	j->state = STORING;
	loop_timer_set(m->timer, 0);
	judge_call_set(c->data, "import", told(m, j));
	return 0;
}

int judge_mass_cancel(struct judge_call *c)
{
	struct judge_mass *m;
	struct job *j;
	char why[200];

	j = find(c, &m);
	if (!j)
		return -1;
	if (j->state == STORING) {
		(void)snprintf(why, sizeof why, "it was cancelled by %.60s: %zu of %zu were stored, and stay", c->who,
		    j->done, j->todo);
		if (audit(m, j, "import.cancel", c->pr) < 0)
			return -1;
		end(j, CANCELLED, why);
	} else if (!is_over(j)) {
		end(j, CANCELLED, "it was cancelled before anything was stored");
	}
	judge_call_set(c->data, "import", told(m, j));
	return 0;
}
