#include "gateway/proc/relay_hop_tls.h"

#include <string.h>

#include "gateway/base/log.h"
#include "gateway/scout/sts_settings.h"
#include "gateway/smtp/smtpc_dane.h"

enum use { USE, LEAVE_OUT };

struct choice {
	const struct relay *r;
	enum conf_tls mode;
	enum scout_kind kind;
	const char *name;
	const struct scout_hosts *got;
	bool unknown; /* a host was left out because nobody can say what it demands */
	struct problem pr;
};

enum smtpc_tls relay_hop_tls_least(enum conf_tls mode)
{
	switch (mode) {
	case CONF_TLS_DANE:
		return SMTPC_TLS_MAY;
	case CONF_TLS_DANE_ONLY:
		return SMTPC_TLS_ENCRYPT;
	default:
		return (enum smtpc_tls)mode;
	}
}

static bool wants_dane(enum conf_tls mode)
{
	return mode == CONF_TLS_DANE || mode == CONF_TLS_DANE_ONLY;
}

void relay_hop_tls_ask(const struct relay *r, enum conf_tls mode, unsigned port, struct scout_ask *a)
{
	const struct sts_settings *sts = conf_section(r->conf, "mta-sts");

	a->tlsa_port = wants_dane(mode) ? port : 0;
	a->sts = a->kind == SCOUT_KIND_MX && sts->enabled && mode != CONF_TLS_NONE && mode != CONF_TLS_DANE_ONLY;
}

static void own(struct smtpc_host *v, enum smtpc_tls tls, SSL_CTX *ctx)
{
	v->own_tls = true;
	v->tls = tls;
	v->ctx = ctx;
}

static struct smtpc_dane *make_dane(const struct choice *c, const struct scout_host *h)
{
	struct smtpc_dane *d = smtpc_dane_new(h->tlsa_base);
	size_t n = 0;

	for (size_t i = 0; i < h->ntlsa; i++) {
		const struct scout_tlsa *t = &h->tlsa[i];
		const uint8_t *data = c->got->octets + t->at;

		if (!smtpc_dane_usable(t->usage, t->selector, t->matching, data, t->len))
			continue;
		smtpc_dane_record(d, t->usage, t->selector, t->matching, data, t->len);
		n++;
	}
	/* RFC 7672 3.2.3: the names that a certificate under usage 2 may bear */
	smtpc_dane_name(d, h->name);
	if (c->kind == SCOUT_KIND_MX)
		smtpc_dane_name(d, c->name);
	if (c->kind == SCOUT_KIND_MX && c->got->domain[0])
		smtpc_dane_name(d, c->got->domain);
	if (n > 0)
		return d;
	smtpc_dane_free(d);
	return NULL;
}

/* RFC 8461 4.1, 5: a host without TLSA records of use by the domain's policy. */
static enum use by_sts(struct choice *c, const struct scout_host *h, struct smtpc_host *v)
{
	v->name_sure |= h->sts_match && c->got->sts != SCOUT_STS_NONE;
	if (c->got->sts == SCOUT_STS_TESTING && !h->sts_match)
		log_info(NULL, "relay", "mta-sts mode=testing domain=%s host=%s result=not-listed", c->name, h->name);
	if (c->got->sts != SCOUT_STS_ENFORCE)
		return USE;
	if (!h->sts_match) {
		problem_set(&c->pr, PROBLEM_TEMP, 451, "4.7.5", "RFC 8461 5",
		    "the MTA-STS policy of %s does not list its mail host %s, so no mail goes there; its postmaster "
		    "must "
		    "mend policy or MX",
		    c->name, h->name);
		return LEAVE_OUT;
	}
	if (c->r->tls_sts == NULL) {
		problem_set(&c->pr, PROBLEM_TEMP, 451, "4.7.5", "RFC 8461 5",
		    "the MTA-STS policy of %s demands verified TLS, but tls-ca-file could not be read when the "
		    "gateway "
		    "started: mend it and reload",
		    c->name);
		return LEAVE_OUT;
	}
	own(v, SMTPC_TLS_VERIFY, c->r->tls_sts);
	return USE;
}

/* RFC 7672 2.1, 2.2: by the host's TLSA records. */
static enum use by_dane(struct choice *c, const struct scout_host *h, struct smtpc_host *v)
{
	v->dane = make_dane(c, h);
	if (v->dane) {
		own(v, SMTPC_TLS_DANE, c->r->tls_any);
		return USE;
	}
	if (c->mode == CONF_TLS_DANE_ONLY) {
		problem_set(&c->pr, PROBLEM_TEMP, 451, "4.7.5", "RFC 7672 2.2",
		    "dane-only is set, but none of the TLSA records of %s can be used for mail (usage 2 or 3 is "
		    "needed)",
		    h->name);
		return LEAVE_OUT;
	}
	/* there are records, and none of use: TLS is a must, and with whom is for the policy to say, if there is one
	 */
	if (by_sts(c, h, v) == LEAVE_OUT)
		return LEAVE_OUT;
	if (!v->own_tls)
		own(v, SMTPC_TLS_ENCRYPT, c->r->tls_any);
	return USE;
}

static enum use judge(struct choice *c, const struct scout_host *h, struct smtpc_host *v)
{
	/* the MX answer of a signed zone is as good as a configured name (RFC 8689 4.2.1) */
	v->name_sure |= c->got->secure;
	if (!wants_dane(c->mode) || (h->tlsa_state == SCOUT_TLSA_NONE && c->mode == CONF_TLS_DANE))
		return by_sts(c, h, v);
	if (h->tlsa_state == SCOUT_TLSA_SOME)
		return by_dane(c, h, v);
	if (h->tlsa_state == SCOUT_TLSA_NONE) {
		problem_set(&c->pr, PROBLEM_TEMP, 451, "4.7.5", "RFC 7672 2.2",
		    "dane-only is set, but %s has no TLSA records that DNSSEC vouches for", h->name);
		return LEAVE_OUT;
	}
	c->unknown = true;
	problem_set(&c->pr, PROBLEM_TEMP, 451, "4.7.5", "RFC 7672 2.1",
	    "the TLSA records of %s cannot be had or do not validate (DNSSEC), so it cannot be said which "
	    "certificate it "
	    "must show; nothing is sent there until they can",
	    h->name);
	return LEAVE_OUT;
}

/* Moves one to the front part; swaps, so that every dane is still there once. */
static void keep(struct smtpc_host *v, size_t to, size_t from)
{
	struct smtpc_host t = v[to];

	if (to == from)
		return;
	v[to] = v[from];
	v[from] = t;
}

size_t relay_hop_tls_choose(const struct relay *r, enum conf_tls mode, enum scout_kind kind, const char *name,
    const struct scout_hosts *got, struct smtpc_host *v, size_t n, struct problem *pr)
{
	struct choice c = {.r = r, .mode = mode, .kind = kind, .name = name, .got = got};
	enum smtpc_tls least = relay_hop_tls_least(mode);
	size_t used = 0, left = 0;

	REQUIRE(n <= SCOUT_HOSTS_MAX && n == got->nhosts);
	for (size_t i = 0; i < n; i++) {
		if (judge(&c, &got->hosts[i], &v[i]) == USE)
			keep(v, used++, i);
	}
	for (size_t i = 0; i < used; i++) {
		if (!c.unknown || (v[i].own_tls ? v[i].tls : least) >= SMTPC_TLS_ENCRYPT)
			keep(v, left++, i);
	}
	*pr = c.pr;
	return left;
}

bool relay_hop_tls_unsure(const struct scout_hosts *got)
{
	bool unsure = got->sts == SCOUT_STS_UNKNOWN;

	for (size_t i = 0; i < got->nhosts; i++)
		unsure |= got->hosts[i].tlsa_state == SCOUT_TLSA_TEMP;
	return unsure;
}

size_t relay_hop_tls_sure(const struct smtpc_dest *d, struct smtpc_host *out)
{
	size_t n = 0;

	for (size_t i = 0; i < d->nhosts; i++) {
		const struct smtpc_host *h = &d->hosts[i];
		enum smtpc_tls tls = h->own_tls ? h->tls : d->tls;

		if (!h->name_sure || (tls != SMTPC_TLS_VERIFY && tls != SMTPC_TLS_DANE))
			continue;
		if (out != NULL)
			out[n] = *h;
		n++;
	}
	return n;
}
