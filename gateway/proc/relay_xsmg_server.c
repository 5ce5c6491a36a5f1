/*
 * XSMG in sessions from outside. Relay. Nothing of what is answered tells what is known of the domain of a PUT, or
 * made of it. How much anybody can have us do is bounded by the client, by the client and domain, and for what is
 * handed to the judge by all clients together.
 */
#include "gateway/proc/relay_xsmg_server.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/judge_xsmg_proto.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/relay_ask.h"
#include "gateway/proc/relay_xsmg.h"
#include "gateway/smtp/smtpd_clients.h"
#include "gateway/smtp/smtpd_settings.h"
#include "gateway/xsmg/xsmg_verb.h"

enum { GIVEN = 16, GIVEN_MS = 10 * 1000, FOUND_MEMORY = 128 * 1024, EVERYBODY = 4, SHARES = 4 };

/* What the judge answered for one of our domains. */
struct given {
	char domain[JUDGE_XSMG_DOMAIN], id[JUDGE_XSMG_ID + 1];
	int64_t until;
	uint64_t changes;
	struct buf lines; /* the reply with the statement */
};
struct relay_xsmg_given {
	struct relay *r;
	const struct smtpd_settings *set;
	struct given v[GIVEN];
	struct smtpd_clients *pairs; /* a client and a domain */
	struct smtpd_clients *all;   /* one */
	struct smtpd_client *everybody;
	int64_t puts;		 /* under way */
	struct command *putting; /* those */
};
struct command {
	struct command *next; /* of the putting ones */
	char client[SMTPD_CLIENT_KEY];
	struct relay *r;
	struct smtpd *s;
	struct xsmg_verb v;
	struct xsmg_verb_body body; /* PUT */
	bool putting;
};

struct relay_xsmg_given *relay_xsmg_given_new(struct relay *r)
{
	struct relay_xsmg_given *g = mem_new(sizeof(*g));

	g->r = r;
	g->set = conf_section(r->conf, "smtp-server");
	for (size_t i = 0; i < GIVEN; i++)
		buf_init(&g->v[i].lines, XSMG_VERB_REPLY_MAX);
	g->pairs = smtpd_clients_new((size_t)g->set->clients_max);
	g->all = smtpd_clients_new(EVERYBODY);
	g->everybody = smtpd_clients_enter(g->all, "everybody");
	return g;
}

void relay_xsmg_given_free(struct relay_xsmg_given *g)
{
	if (g == NULL)
		return;
	for (size_t i = 0; i < GIVEN; i++)
		buf_clear_public(&g->v[i].lines);
	smtpd_clients_free(g->pairs);
	smtpd_clients_free(g->all);
	free(g);
}

static struct relay_xsmg_given *given_of(const struct command *c)
{
	return relay_xsmg_given_of(c->r->xsmg);
}

static void answer(struct command *c, const char *words, const struct problem *pr, const void *lines, size_t n)
{
	log_info(smtpd_id(c->s), "relay", "xsmg-%s client=%s domain=%s answer=\"%s\"",
	    c->v.kind == XSMG_VERB_GET ? "asked" : "put", smtpd_client(c->s), c->v.domain, pr ? pr->text : words);
	smtpd_xsmg_done(c->s, pr, lines, n);
}

static void refuse(struct command *c, enum xsmg_verb_no no)
{
	struct problem pr;

	(void)!xsmg_verb_refuse(no, &pr);
	answer(c, "", &pr, NULL, 0);
}

/* ---- limits ---- */

static bool over(struct smtpd_client *c, int64_t max)
{
	int64_t now = loop_now_ms();

	if (max == 0)
		return false;
	if (smtpd_client_rate(c, SMTPD_RATE_XSMG, now) >= max)
		return true;
	smtpd_client_count(c, SMTPD_RATE_XSMG, now);
	return false;
}

/* Of this client with this domain. */
static bool pair_over(const struct command *c)
{
	struct relay_xsmg_given *g = given_of(c);
	char client[SMTPD_CLIENT_KEY], text[SMTPD_CLIENT_KEY + JUDGE_XSMG_DOMAIN + 1], key[33];
	uint8_t hash[32];
	struct smtpd_client *pair;
	bool is;

	if (!smtpd_limited(c->s))
		return false;
	snprintf(text, sizeof(text), "%s %s", smtpd_clients_key(smtpd_client(c->s), client), c->v.domain);
	SHA256((const uint8_t *)text, strlen(text), hash);
	encode_hex(hash, 16, key);
	pair = smtpd_clients_enter(g->pairs, key);
	REQUIRE(pair != NULL); /* it is left at once */
	is = over(pair, g->set->client_xsmg_domain_rate);
	smtpd_clients_leave(g->pairs, pair);
	return is;
}

/* ---- GET ---- */

static struct given *find_given(struct relay_xsmg_given *g, const char *domain)
{
	for (size_t i = 0; i < GIVEN; i++)
		if (strcmp(g->v[i].domain, domain) == 0)
			return &g->v[i];
	return NULL;
}

static struct given *place_for(struct relay_xsmg_given *g, const char *domain)
{
	struct given *v = find_given(g, domain);

	for (size_t i = 0; v == NULL && i < GIVEN; i++)
		if (g->v[i].domain[0] == '\0')
			v = &g->v[i];
	return v != NULL ? v : &g->v[arc4random_uniform(GIVEN)];
}

static bool fresh(const struct relay_xsmg_given *g, const struct given *v)
{
	return v != NULL && v->until > loop_now_ms() && v->changes == relay_ask_changes(g->r->ask);
}

static void say_current(struct command *c, const char *id)
{
	struct buf b;

	buf_init(&b, XSMG_VERB_LINE_MAX);
	REQUIRE(xsmg_verb_current(id, &b) == 0);
	answer(c, "current", NULL, b.p, b.len);
	buf_clear_public(&b);
}

static void say_given(struct command *c, const struct given *v)
{
	if (strcmp(c->v.id, v->id) == 0)
		say_current(c, v->id);
	else
		answer(c, "statement", NULL, v->lines.p, v->lines.len);
}

static void keep(struct command *c, const struct judge_statement_found *f)
{
	struct relay_xsmg_given *g = given_of(c);
	struct given *v = place_for(g, c->v.domain);

	buf_reset(&v->lines);
	REQUIRE(xsmg_verb_statement(f->id, f->der.p, f->der.n, &v->lines) == 0);
	memcpy(v->domain, c->v.domain, sizeof(v->domain));
	memcpy(v->id, f->id, sizeof(v->id));
	v->until = loop_now_ms() + GIVEN_MS;
	v->changes = relay_ask_changes(c->r->ask);
	say_given(c, v);
}

static void on_found(void *ctx, struct ipc_in *in, const struct problem *pr)
{
	struct command *c = ctx;
	struct judge_statement_found f;
	struct arena *a;

	(void)pr;
	if (in == NULL) {
		refuse(c, XSMG_VERB_NOT_NOW);
		return;
	}
	a = arena_new(FOUND_MEMORY);
	if (judge_statement_found_get(in, a, &f) != 0)
		log_fatal("the judge sent a statement that cannot be read");
	if (f.status == JUDGE_STATEMENT_NEWER)
		keep(c, &f);
	else if (f.status == JUDGE_STATEMENT_CURRENT)
		say_current(c, f.id);
	else
		refuse(c, f.status == JUDGE_STATEMENT_NOT_OURS ? XSMG_VERB_NOT_OURS : XSMG_VERB_NOT_NOW);
	arena_free(a);
}

static void get(struct command *c)
{
	const struct given *v = find_given(given_of(c), c->v.domain);
	struct judge_statement_get q = {0};
	struct ipc_out o;
	uint32_t id;

	if (conf_domain_find(c->r->conf, c->v.domain) == NULL) {
		refuse(c, XSMG_VERB_NOT_OURS);
		return;
	}
	if (fresh(given_of(c), v)) {
		say_given(c, v);
		return;
	}
	memcpy(q.domain, c->v.domain, sizeof(q.domain)); /* no id: the statement serves the next who ask, too */
	id = relay_ask_begin(c->r->ask, JUDGE_STATEMENT_GET, JUDGE_STATEMENT_FOUND, on_found, c, &o);
	if (id == 0)
		return; /* told */
	judge_statement_get_put(&o, &q);
	relay_ask_send(c->r->ask, &o, id);
}

/* ---- PUT ---- */

/* One client has a quarter of the places at most. */
static bool has_its_share(struct command *c)
{
	const struct relay_xsmg_given *g = given_of(c);
	int64_t share = g->set->xsmg_puts / SHARES, n = 0;

	(void)smtpd_clients_key(smtpd_client(c->s), c->client);
	if (!smtpd_limited(c->s))
		return false;
	for (const struct command *o = g->putting; o != NULL; o = o->next)
		n += strcmp(o->client, c->client) == 0;
	return n >= (share > 0 ? share : 1);
}

static void put(struct command *c)
{
	struct relay_xsmg_given *g = given_of(c);

	if (g->puts >= g->set->xsmg_puts || has_its_share(c) || over(g->everybody, g->set->xsmg_put_rate)) {
		refuse(c, XSMG_VERB_NOT_NOW);
		return;
	}
	g->puts++;
	c->putting = true;
	c->next = g->putting;
	g->putting = c;
	xsmg_verb_body_init(&c->body, c->v.octets);
	smtpd_xsmg_send(c->s, XSMG_VERB_SEND, sizeof(XSMG_VERB_SEND) - 1);
}

int relay_xsmg_server_line(void *app, struct smtpd *s, const char *p, size_t n, struct problem *pr)
{
	struct command *c = smtpd_xsmg_of(s);

	(void)app;
	return xsmg_verb_body_line(&c->body, p ? p : "?", p ? n : 1, pr);
}

/* False: the judge is away. What is said of our own domains is said in no PUT. */
static bool hand_over(struct command *c, const struct buf *der)
{
	struct judge_statement_came m = {.how = JUDGE_STATEMENT_HINT, .der = {der->p, der->len}};
	struct ipc_out o;

	if (conf_domain_find(c->r->conf, c->v.domain) != NULL)
		return true;
	memcpy(m.domain, c->v.domain, sizeof(m.domain));
	snprintf(m.remote, sizeof(m.remote), "%s", smtpd_client(c->s));
	ipc_out_init(&o, JUDGE_STATEMENT_CAME, 0);
	judge_statement_came_put(&o, &m);
	return relay_ask_tell(c->r->ask, &o);
}

void relay_xsmg_server_end(void *app, struct smtpd *s)
{
	struct command *c = smtpd_xsmg_of(s);
	struct problem pr = {0};
	struct buf der;

	(void)app;
	buf_init(&der, STATEMENT_MAX);
	if (xsmg_verb_body_end(&c->body, &der, &pr) < 0)
		answer(c, "", &pr, NULL, 0);
	else if (!hand_over(c, &der))
		refuse(c, XSMG_VERB_NOT_NOW);
	else
		answer(c, "received", NULL, XSMG_VERB_RECEIVED, sizeof(XSMG_VERB_RECEIVED) - 1);
	buf_clear_public(&der);
}

static void put_ends(struct command *c)
{
	struct relay_xsmg_given *g = given_of(c);
	struct command **p = &g->putting;

	while (*p != c)
		p = &(*p)->next;
	*p = c->next;
	g->puts--;
}

/* ---- both ---- */

void relay_xsmg_server(void *app, struct smtpd *s, const char *arg, size_t n)
{
	struct command *c = mem_new(sizeof(*c));
	struct problem pr = {0};

	c->r = app;
	c->s = s;
	smtpd_set_xsmg(s, c);
	if (xsmg_verb_read(arg, n, &c->v, &pr) < 0)
		answer(c, "", &pr, NULL, 0);
	else if (pair_over(c))
		refuse(c, XSMG_VERB_RATE);
	else if (c->v.kind == XSMG_VERB_GET)
		get(c);
	else
		put(c);
}

void relay_xsmg_server_over(void *app, struct smtpd *s)
{
	struct command *c = smtpd_xsmg_of(s);

	(void)app;
	smtpd_set_xsmg(s, NULL);
	relay_ask_cancel(c->r->ask, c);
	if (c->putting)
		put_ends(c);
	xsmg_verb_body_clear(&c->body);
	free(c);
}
