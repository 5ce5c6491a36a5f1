/*
 * What a record points at and cannot be fetched is a partner that has something and cannot be served now: never "no
 * certificate" (P1). A record that is malformed, or of a kind that has no use here, is passed over.
 */
#include "certstore/find_dns.h"

#include <stdio.h>
#include <string.h>

#include "certstore/cert_record.h"
#include "certstore/smg_record.h"
#include "certstore/smimea_record.h"

enum { URLS_MAX = 4 };

static const struct source_answer *ask_dns(struct find_work *w, struct find_step *s, const char *name, unsigned type)
{
	struct source_ask a;

	find_work_fill(w, &a, SOURCE_DNS, w->q->listed ? SOURCE_BY_ADMIN : SOURCE_BY_STRANGER);
	(void)snprintf(a.name, sizeof a.name, "%s", name);
	a.type = (uint16_t)type;
	return find_work_ask(w, s, &a, false);
}

/* What a URL that DNS named has. NULL: not there (the step says why). */
static const struct source_answer *ask_url(struct find_work *w, struct find_step *s, const char *url)
{
	struct source_ask a;
	const struct source_answer *r;

	find_work_fill(w, &a, SOURCE_HTTP, SOURCE_BY_STRANGER);
	(void)snprintf(a.name, sizeof a.name, "%s", url);
	r = find_work_ask(w, s, &a, true);
	if (!r || r->status == SOURCE_TEMP)
		return NULL;
	if (r->status == SOURCE_FOUND && r->n == 1 && !r->more)
		return r;
	find_work_failed(s, "%s: %.160s, which DNS names, %s%.120s", s->place, url,
	    r->status == SOURCE_FOUND ? "has more than is read" : "is not there: ", r->why);
	return NULL;
}

/* ---- CERT ---- */

static void follow(struct find_work *w, struct find_step *s, const struct cert_record *c)
{
	const struct source_answer *r = ask_url(w, s, c->url);

	if (!r)
		return;
	if (!cert_record_hash_fits(c, r->items[0].p, r->items[0].n))
		find_work_failed(s,
		    "%s: what %.160s has is not what the CERT record of %.100s announces (another hash)", s->place,
		    c->url, s->owner);
	else
		find_work_take(w, s, r->items[0].p, r->items[0].n, NULL);
}

static void take_records(struct find_work *w, struct find_step *s, const struct source_answer *r)
{
	size_t urls = 0;

	for (size_t i = 0; i < r->n; i++) {
		struct cert_record c;
		const char *why;

		if (cert_record_read(r->items[i].p, r->items[i].n, &c, &why) < 0)
			find_work_passed(w, s, "%s", why);
		else if (c.kind == CERT_RECORD_OTHER)
			find_work_passed(w, s, "a CERT record with something else than X.509: %s", why);
		else if (c.kind == CERT_RECORD_DER)
			find_work_take(w, s, c.der, c.nder, NULL);
		else if (urls++ < URLS_MAX)
			follow(w, s, &c);
		else
			find_work_passed(w, s, "more than %d CERT records with a URL", URLS_MAX);
	}
}

static void cert_at(struct find_work *w, bool address, const char *name)
{
	struct find_step *s = find_work_step(w, FIND_CERT, address, "dns CERT");
	const struct source_answer *r = ask_dns(w, s, name, CERT_RECORD_TYPE);

	if (r && r->status == SOURCE_FOUND)
		take_records(w, s, r);
}

void find_dns_cert(struct find_work *w)
{
	char name[CERT_RECORD_NAME_MAX + 1];

	if (cert_record_owner(w->q->who, name) == 0 && find_work_may_tell(w, true, "dns CERT", name))
		cert_at(w, true, name);
	cert_at(w, false, w->q->who->domain);
}

/* ---- SMIMEA ---- */

static void hint(struct find_work *w, const struct trust_dane *d)
{
	struct trust_dane *copy = w->nhints < FIND_HINTS_MAX ? arena_alloc(w->mem, sizeof *copy) : NULL;

	if (!copy)
		return;
	*copy = *d;
	w->hints[w->nhints++] = copy;
}

static void smimea_records(struct find_work *w, struct find_step *s, const struct source_answer *r)
{
	for (size_t i = 0; i < r->n; i++) {
		struct trust_dane d;
		const char *why;

		if (smimea_record_read(r->items[i].p, r->items[i].n, &d, &why) < 0)
			find_work_passed(w, s, "%s", why);
		else if (smimea_record_is_cert(&d))
			find_work_take(w, s, d.data, d.n, &d);
		else
			hint(w, &d);
	}
}

void find_dns_smimea(struct find_work *w)
{
	char name[SMIMEA_RECORD_NAME_MAX];
	const struct source_answer *r;
	struct find_step *s;

	if (smimea_record_owner(w->q->who, name) < 0 || !find_work_may_tell(w, true, "dns SMIMEA", name))
		return;
	s = find_work_step(w, FIND_SMIMEA, true, "dns SMIMEA");
	r = ask_dns(w, s, name, SMIMEA_RECORD_TYPE);
	if (!r || r->status != SOURCE_FOUND)
		return;
	if (r->dnssec == SOURCE_SECURE)
		smimea_records(w, s, r);
	else
		find_work_passed(w, s, "SMIMEA records count in a signed zone alone, and this one is not signed");
}

/* ---- TXT of _smg ---- */

/* The one record. 1; 0 there is none; -1 several, or malformed: the step says so. */
static int smg_of(struct find_step *s, const char *name, const struct source_answer *r, struct smg_record *rec)
{
	struct smg_record one;
	const char *why = "";
	int found = 0;

	for (size_t i = 0; i < r->n; i++) {
		int k = smg_record_read(r->items[i].p, r->items[i].n, &one, &why);

		if (k < 0)
			find_work_failed(s, "dns TXT %.200s: %s", name, why);
		if (k < 0)
			return -1;
		if (k > 0 && found++ == 0)
			*rec = one;
	}
	if (found > 1)
		find_work_failed(s, "dns TXT %.200s: there are %d records where there must be one", name, found);
	return found > 1 ? -1 : found;
}

static void take_statement(struct find_work *w, struct find_step *s, const struct source_answer *r)
{
	struct find_octets o = {r->items[0].p, r->items[0].n};
	struct find_statement st = {.answer = FIND_STATEMENT_NONE};

	w->q->statement(w->q->ctx, &o, r->where, &st);
	switch (st.answer) {
	case FIND_STATEMENT_PENDING:
		s->answer = FIND_STEP_PENDING;
		break;
	case FIND_STATEMENT_TRUSTED:
		s->source = FIND_BY_STATEMENT;
		for (size_t i = 0; i < st.n; i++)
			find_work_take(w, s, st.certs[i].p, st.certs[i].n, NULL);
		for (size_t i = 0; i < st.nissuers; i++)
			find_work_issuer(w, s, st.issuers[i].p, st.issuers[i].n);
		if (st.n == 0)
			find_work_passed(w, s, "%.300s", st.why);
		break;
	case FIND_STATEMENT_NONE:
		find_work_passed(w, s, "%.300s", st.why);
		break;
	case FIND_STATEMENT_UNSURE:
		find_work_failed(s, "the statement of %.150s: %.240s", s->owner, st.why);
		break;
	}
}

void find_dns_smg(struct find_work *w)
{
	struct find_step *s;
	char name[ADDRESS_DOMAIN_MAX + 6];
	const struct source_answer *r;
	struct smg_record rec;

	if (!w->q->statement)
		return;
	s = find_work_step(w, FIND_SMG, false, "dns TXT");
	(void)snprintf(name, sizeof name, "_smg.%s", w->q->who->domain);
	r = ask_dns(w, s, name, SMG_RECORD_TYPE);
	if (!r || r->status != SOURCE_FOUND || smg_of(s, name, r, &rec) <= 0)
		return;
	r = ask_url(w, s, rec.url);
	if (r)
		take_statement(w, s, r);
}

/* ---- SRV ---- */

/* The same for one recipient each time it is worked out, another for the next. */
static uint64_t seed_of(const struct find_work *w)
{
	uint64_t h = 1469598103934665603u;

	for (const char *p = w->address; *p; p++)
		h = (h ^ (unsigned char)*p) * 1099511628211u;
	return h;
}

size_t find_dns_servers(
    struct find_work *w, struct find_step *s, const char *service, struct srv_record v[FIND_SERVERS_MAX])
{
	struct srv_record all[SOURCE_ITEMS_MAX];
	char name[ADDRESS_DOMAIN_MAX + 40];
	const struct source_answer *r;
	size_t n = 0, broken = 0;

	(void)snprintf(name, sizeof name, "%s.%s", service, w->q->who->domain);
	r = ask_dns(w, s, name, SRV_RECORD_TYPE);
	if (!r || r->status != SOURCE_FOUND)
		return 0;
	for (size_t i = 0; i < r->n && n < SOURCE_ITEMS_MAX; i++) {
		const char *why;

		if (srv_record_read(r->items[i].p, r->items[i].n, &all[n], &why) < 0) {
			find_work_passed(w, s, "%s", why);
			broken++;
		} else if (all[n].host[0]) {
			n++;
		}
	}
	if (n == 0 && broken > 0) /* there are servers, and nobody can tell which */
		find_work_failed(s, "%.60s %.200s: none of its records can be read", s->place, name);
	srv_record_sort(all, n, (enum srv_record_order)w->q->options->srv, seed_of(w));
	if (n > FIND_SERVERS_MAX)
		n = FIND_SERVERS_MAX;
	memcpy(v, all, n * sizeof *v);
	return n;
}
