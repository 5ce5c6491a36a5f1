/* domain.records, see the header. Role judge. */
#include "gateway/proc/judge_admin_records.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert_record.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/proc/judge_admin.h"
#include "gateway/proc/judge_cache.h"
#include "gateway/proc/judge_xsmg_draft.h"
#include "gateway/proc/judge_xsmg_own.h"
#include "gateway/xsmg/statement.h"

enum { OWNER_MAX = 320, TXT_MAX = 255, KEYS_MAX = 2, SMTP_PORT = 25 };

struct records {
	struct judge_call *c;
	const char *domain;
	json_t *list;
	const struct store_identity *ids;
	size_t n;
};

static void add(struct records *r, const char *owner, const char *type, const char *data, const char *note)
{
	json_t *o = judge_call_object();

	judge_call_set(o, "owner", judge_call_text(owner));
	judge_call_set(o, "type", judge_call_text(type));
	judge_call_set(o, "data", judge_call_text(data));
	judge_call_set(o, "note", judge_call_text(note));
	judge_call_add(r->list, o);
}

static void sha256(const void *p, size_t n, uint8_t hash[32])
{
	if (EVP_Digest(p, n, hash, NULL, EVP_sha256(), NULL) != 1)
		log_fatal("no SHA-256");
}

/* Of the mail uses and the statement key: not retired, certified, not run out. */
static bool is_listed(const struct records *r, const struct store_identity *i, enum store_use use)
{
	struct judge_cert *k;
	bool good;

	if (!i->active || i->use != use || !i->cert || i->from == STORE_FROM_NEVER ||
	    strcmp(i->domain, r->domain) != 0)
		return false;
	k = judge_cache_cert(r->c->ja->world->cache, i->cert, i->cert_len, NULL);
	good = k && r->c->now < k->f.not_after && (i->until == 0 || r->c->now < i->until);
	judge_cert_drop(k);
	return good;
}

/* ---- _smg ---- */

static size_t add_key(char *txt, size_t at, const struct store_identity *i)
{
	char text[48];
	uint8_t hash[32];
	int n;

	sha256(i->spki, i->spki_len, hash);
	encode_b64url(hash, sizeof hash, text);
	n = snprintf(txt + at, TXT_MAX + 1 - at, "; key=sha256/%s", text);
	if (n > 0 && at + (size_t)n <= TXT_MAX)
		return at + (size_t)n;
	txt[at] = '\0';
	return at;
}

static void smg(struct records *r, const char *url)
{
	const struct store_identity *now =
	    judge_xsmg_draft_present(r->c->ja->world->cache, r->ids, r->n, r->domain, STORE_STATEMENT, r->c->now);
	char owner[OWNER_MAX], txt[TXT_MAX + 1], data[TXT_MAX + 3];
	int n = snprintf(txt, sizeof txt, "v=smg1; url=%s", url);
	size_t at = (size_t)n, keys = 1;

	if (!url[0] || n < 0 || at > TXT_MAX) {
		add(r, "", "", "",
		    "no _smg record: the statement is at no URL; say where it is found (urls in section statement), "
		    "or "
		    "have it served (section public)");
		return;
	}
	if (!now) {
		add(r, "", "", "", "no _smg record: there is no statement key yet");
		return;
	}
	at = add_key(txt, at, now);
	for (size_t i = 0; i < r->n && keys < KEYS_MAX; i++)
		if (&r->ids[i] != now && is_listed(r, &r->ids[i], STORE_STATEMENT)) {
			at = add_key(txt, at, &r->ids[i]);
			keys++;
		}
	(void)snprintf(owner, sizeof owner, "_smg.%s.", r->domain);
	(void)snprintf(data, sizeof data, "\"%s\"", txt);
	add(r, owner, "TXT", data,
	    keys > 1 ? "the keys count in a zone with DNSSEC; two while the statement key changes"
		     : "the key counts in a zone with DNSSEC");
}

/* ---- certificates to encrypt to ---- */

static void cert(struct records *r, const struct store_identity *i, const char *note)
{
	char owner[OWNER_MAX], *data = mem_raw(8 * i->cert_len + 64);

	(void)snprintf(owner, sizeof owner, "%s.", r->domain);
	(void)snprintf(data, 64, "PKIX 0 0 ");
	encode_b64(i->cert, i->cert_len, data + strlen(data));
	add(r, owner, "CERT", data, note);
	(void)snprintf(owner, sizeof owner, "*._smimecert.%s.", r->domain);
	(void)snprintf(data, 64, "3 0 0 ");
	encode_hex(i->cert, i->cert_len, data + strlen(data));
	add(r, owner, "SMIMEA", data, "counts in a zone with DNSSEC only");
	free(data);
}

static void certs(struct records *r)
{
	const struct store_identity *now =
	    judge_xsmg_draft_present(r->c->ja->world->cache, r->ids, r->n, r->domain, STORE_DECRYPT, r->c->now);
	char note[120], day[11];

	if (now)
		cert(r, now, "the certificate that mail to this domain is encrypted to");
	else
		add(r, "", "", "", "no CERT and SMIMEA records: the domain has no certificate to encrypt to");
	for (size_t i = 0; i < r->n; i++) {
		const struct store_identity *o = &r->ids[i];

		if (o == now || !is_listed(r, o, STORE_DECRYPT) || o->from <= r->c->now)
			continue;
		(void)snprintf(note, sizeof note, "on %s the next certificate takes over: print this again then",
		    cert_day(o->from, day));
		add(r, "", "", "", note);
	}
}

/* ---- hosts ---- */

static bool below(const char *host, const char *domain)
{
	size_t h = strlen(host), d = strlen(domain);

	return h >= d && strcmp(host + h - d, domain) == 0 && (h == d || host[h - d - 1] == '.');
}

static void tlsa(struct records *r, const struct store_identity *i, unsigned port)
{
	char owner[OWNER_MAX], data[80] = "3 1 1 ";
	uint8_t hash[32];

	sha256(i->spki, i->spki_len, hash);
	encode_hex(hash, sizeof hash, data + strlen(data));
	(void)snprintf(owner, sizeof owner, "_%u._tcp.%s.", port, i->domain);
	add(r, owner, "TLSA", data, "counts in a zone with DNSSEC only");
}

/* The host of the public listener may be one with a name of its own, or that of the mail server too. */
static void hosts(struct records *r, const char *served, unsigned port)
{
	const struct store_identity *ids;
	size_t n;

	if (judge_cache_identities(r->c->ja->world->cache, r->c->store, &ids, &n, NULL) < 0)
		return;
	for (size_t i = 0; i < n; i++)
		if (ids[i].use == STORE_TLS && ids[i].active && ids[i].cert && ids[i].spki &&
		    below(ids[i].domain, r->domain)) {
			if (strcmp(ids[i].domain, served) == 0)
				tlsa(r, &ids[i], port);
			if (strncmp(ids[i].domain, "smg.", 4) != 0)
				tlsa(r, &ids[i], SMTP_PORT);
		}
}

static void store_service(struct records *r, const char *host, unsigned port)
{
	char owner[OWNER_MAX], data[OWNER_MAX];

	if (!host[0]) {
		add(r, "", "", "", "no SRV record: certificates are served over no HTTPS listener of ours");
		return;
	}
	(void)snprintf(owner, sizeof owner, "_certificates._tcp.%s.", r->domain);
	(void)snprintf(data, sizeof data, "0 0 %u %s.", port, host);
	add(r, owner, "SRV", data, "where certificates are asked for over HTTPS (RFC 4387)");
}

int judge_admin_domain_records(struct judge_call *c)
{
	struct records r = {.c = c};
	char domain[ADDRESS_DOMAIN_MAX + 1], url[STATEMENT_URL_MAX + 1], host[ADDRESS_DOMAIN_MAX + 1];
	unsigned port;

	if (judge_call_domain(c, "domain", JUDGE_MUST, domain) < 0)
		return -1;
	if (judge_world_domain(c->ja->world, domain) < 0)
		return judge_call_fail(c, "not-found", "%s is not one of our domains", domain);
	r.domain = domain;
	if (judge_cache_identities(c->ja->world->cache, c->store, &r.ids, &r.n, c->pr) < 0)
		return -1;
	r.list = judge_call_array();
	judge_call_set(c->data, "domain", judge_call_text(domain));
	judge_call_set(c->data, "records", r.list);
	judge_xsmg_own_where(c->ja->world->own, domain, url, host, &port);
	if (c->ja->world->own)
		smg(&r, url);
	certs(&r);
	hosts(&r, host, port);
	store_service(&r, host, port);
	return 0;
}
