#include "interop/kit/run.h"

#include <openssl/bio.h>
#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "interop/kit/result_run.h"
#include "interop/kit/second.h"
#include "interop/kit/step_end.h"
#include "interop/kit/steps.h"

/* A case that is told at the end: whether it says anything hangs on the others. */
struct kept {
	bool is;
	struct scene s;
	double seconds;
};

struct running {
	const struct run_options *o;
	const char *dir;
	atomic_size_t next;
	size_t *order; /* of the cases: those that wait long come first, so that the others go on meanwhile */
	pthread_mutex_t lock;
	json_t **results;  /* one a case */
	struct kept *kept; /* one a case */
	bool trusted;	   /* some message was marked as trusted */
	struct run_counts counts;
};

static char *random_hex(size_t octets)
{
	unsigned char r[32];
	struct buf b = {0};

	if (octets > sizeof(r) || RAND_bytes(r, (int)octets) != 1)
		die("no random numbers");
	hex_add(&b, r, octets);
	return b.p;
}

/* What the case needs and the kit, or the gateway, has not; NULL: nothing. */
static const char *missing(const struct run_options *o, const struct case_file *c)
{
	const struct kit *k = o->kit;

	for (size_t i = 0; i < c->n_needs; i++) {
		const char *n = c->needs[i];

		if ((!strcmp(n, "dns") && !*k->dns) || (!strcmp(n, "ldap") && !*k->ldap) ||
		    (!strcmp(n, "http") && !*k->http) || (!strcmp(n, "https") && !*k->https))
			return n;
		if (!strncmp(n, "setup:", 6) && !text_is_word_in(n + 6, k->setups))
			return n;
		if ((!strcmp(n, "xsmg") || !strcmp(n, "tls")) && !text_is_word_in(n, k->setups))
			return n;
	}
	return NULL;
}

static void play_end(struct play *p)
{
	for (size_t i = 0; i < p->n_seen; i++)
		free(p->seen[i].to);
	for (size_t i = 0; i < p->n_later; i++)
		free(p->later[i].to);
	play_list_free(p->to, p->n_to);
	free(p->codes);
	free(p->seen);
	free(p->later);
	buf_free(&p->sent);
	buf_free(&p->reply.text);
}

static void do_steps(struct scene *s)
{
	struct play p = {.s = s};

	for (size_t i = 0; i < s->c->n_stmts && !p.stop; i++)
		steps_do(&p, &s->c->stmts[i]);
	if (!p.stop && p.n_later > 0) {
		pause_ms(s->kit->settle_ms);
		steps_end(&p);
	}
	play_end(&p);
}

static void add_pem(X509 *x, BIO *out)
{
	if (PEM_write_bio_X509(out, x) != 1)
		die("out of memory");
}

/* The certificates of the case, each with its chain. Keys stay in the kit. */
static void keep_certificates(struct scene *s)
{
	for (size_t i = 0; i < s->c->n_stmts; i++) {
		const struct stmt *st = &s->c->stmts[i];
		const struct credential *c = !strcmp(st->verb, "cert") && st->n_words > 0
						 ? world_credential(s->world, s->c, st->words[0], 's')
						 : NULL;
		BIO *out = c ? BIO_new(BIO_s_mem()) : NULL;
		char *name, *pem;
		long n;

		if (!out)
			continue;
		add_pem(c->cert, out);
		for (int k = 0; k < sk_X509_num(c->chain); k++)
			add_pem(sk_X509_value(c->chain, k), out);
		n = BIO_get_mem_data(out, &pem);
		name = text_make("certificate-%s.pem", st->words[0]);
		scene_keep(s, name, pem, (size_t)n);
		free(name);
		BIO_free(out);
	}
}

/* Evidence, result, and a line for who watches; the scene ends. */
static void tell(struct running *r, size_t i, struct scene *s, double seconds)
{
	const struct case_file *c = &r->o->cases->cases[i];
	enum verdict v = result_of(s->findings, s->n_findings);
	json_t *result = result_case(c, s->findings, s->n_findings, seconds);
	char *text = json_dumps(result, JSON_INDENT(1));

	if (text)
		scene_keep(s, "findings.json", text, strlen(text));
	free(text);
	pthread_mutex_lock(&r->lock);
	printf("%-8s %s/%s\n", verdict_names[v], c->profile, c->id);
	for (size_t k = 0; k < s->n_findings; k++)
		if (s->findings[k].verdict != PASSED)
			printf("         line %d: %s\n", s->findings[k].line, s->findings[k].sentence);
	fflush(stdout);
	r->results[i] = result;
	r->counts.passed += v == PASSED;
	r->counts.failed += v == FAILED;
	r->counts.not_run += v == NOT_RUN;
	pthread_mutex_unlock(&r->lock);
	scene_free(s);
}

static void one_case(struct running *r, size_t i)
{
	const struct case_file *c = &r->o->cases->cases[i];
	const char *lacks = missing(r->o, c);
	int64_t began = ticks_us();
	char *evidence = text_make("%s/evidence/%s", r->dir, c->id);
	double seconds;
	struct scene s;
	bool wait;

	scene_begin(&s, r->o->kit, c, evidence);
	free(evidence);
	s.world = r->o->world;
	s.sink = r->o->sink;
	s.web = r->o->web;
	s.second = r->o->second;
	if (lacks)
		scene_found(&s, NOT_RUN, 0, "not here: %s", lacks);
	else
		do_steps(&s);
	if (!lacks)
		keep_certificates(&s);
	if (s.transcript.n > 0)
		scene_keep(&s, "smtp.txt", s.transcript.p, s.transcript.n);
	seconds = (double)(ticks_us() - began) / 1e6;
	pthread_mutex_lock(&r->lock);
	r->trusted = r->trusted || s.trusted.n > 0;
	wait = !r->trusted && s.unmarked && result_of(s.findings, s.n_findings) == PASSED;
	pthread_mutex_unlock(&r->lock);
	if (wait)
		r->kept[i] = (struct kept){true, s, seconds};
	else
		tell(r, i, &s, seconds);
}

/* Those that saw no mark where there must be none: where no message at all was marked, it may be the pattern. */
static void tell_kept(struct running *r)
{
	for (size_t i = 0; i < r->o->cases->n; i++) {
		struct kept *k = &r->kept[i];

		if (!k->is)
			continue;
		if (!r->trusted)
			scene_found(&k->s, NOT_RUN, 0,
			    "no message of this run was marked as trusted: whether mark-trusted of kit.conf fits "
			    "this "
			    "gateway was not seen (run smg1-in-sealed as well)");
		tell(r, i, &k->s, k->seconds);
	}
}

/* Milliseconds of all pauses */
static int64_t waits(const struct stmt *st, size_t n)
{
	int64_t all = 0, ms;

	for (; n > 0; st++, n--) {
		if (!strcmp(st->verb, "pause") && st->n_words > 0 && span_read(st->words[0], &ms) == 0)
			all += ms;
		all += waits(st->below, st->n_below);
	}
	return all;
}

/* Places of the cases, the longest pauses first, else as they stand */
static size_t *order_of(const struct case_list *cases)
{
	size_t *order = need((cases->n + 1) * sizeof(*order));
	int64_t *ms = need((cases->n + 1) * sizeof(*ms));

	for (size_t i = 0; i < cases->n; i++) {
		size_t k = i;

		ms[i] = waits(cases->cases[i].stmts, cases->cases[i].n_stmts);
		for (; k > 0 && ms[order[k - 1]] < ms[i]; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
	free(ms);
	return order;
}

static void *work(void *arg)
{
	struct running *r = arg;
	size_t at;

	while ((at = atomic_fetch_add(&r->next, 1)) < r->o->cases->n) {
		one_case(r, r->order[at]);
	}
	OPENSSL_thread_stop();
	return NULL;
}

static void do_all(struct running *r)
{
	size_t n = (size_t)r->o->kit->workers;
	pthread_t *threads = need(n * sizeof(*threads));
	size_t made = 0;

	while (made < n && pthread_create(&threads[made], NULL, work, r) == 0)
		made++;
	if (made == 0)
		work(r);
	for (size_t i = 0; i < made; i++)
		pthread_join(threads[i], NULL);
	free(threads);
}

static void set_time(json_t *o, const char *name, int64_t ms)
{
	struct buf b = {0};

	time_add_iso(&b, (time_t)(ms / 1000));
	json_object_set_new(o, name, json_string(b.p));
	buf_free(&b);
}

/* Everything that can be said before: what is wrong with the requirements shows before mail is sent. */
static json_t *begin(const struct run_options *o, const char *id, struct buf *why)
{
	json_t *all = result_run(o->kit, o->cases, o->plan, o->second ? second_name(o->second) : NULL, id, why);

	if (all)
		set_time(all, "began", now_ms());
	return all;
}

int run_cases(const struct run_options *o, struct run_counts *counts, char **dir, struct buf *why)
{
	struct running r = {.o = o, .lock = PTHREAD_MUTEX_INITIALIZER};
	char *id = random_hex(16);
	json_t *all = begin(o, id, why), *list = json_array();
	struct buf when = {0};
	int rc = -1;

	time_add_iso(&when, time(NULL));
	*dir = text_make("%s/runs/%s-%.8s", o->kit->dir, when.p, id);
	buf_free(&when);
	if (all && directory_make(*dir, why) == 0) {
		r.dir = *dir;
		r.results = need(o->cases->n * sizeof(*r.results));
		r.order = order_of(o->cases);
		r.kept = need((o->cases->n + 1) * sizeof(*r.kept));
		do_all(&r);
		tell_kept(&r);
		free(r.order);
		free(r.kept);
		for (size_t i = 0; i < o->cases->n; i++)
			json_array_append_new(list, r.results[i]);
		free(r.results);
		set_time(all, "ended", now_ms());
		json_object_set(all, "cases", list);
		rc = result_write(*dir, all, why);
		*counts = r.counts;
	}
	json_decref(all);
	json_decref(list);
	free(id);
	return rc;
}
