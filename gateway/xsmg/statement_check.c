/*
 * The checks of a statement in their order. Judge, tests; pure. docs/XSMG.md "Checks". Each step is a function of one
 * table: the first that does not pass names the refusal.
 *
 * What is compared with the clock: issued, expires, serial, and the time of the statement certificate. The other
 * certificates keep their times, which are looked at when they are used.
 */
#include "gateway/xsmg/statement_check.h"

#include <inttypes.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/mail/address.h"
#include "gateway/xsmg/statement_json.h"
#include "gateway/xsmg/statement_signer.h"

struct task {
	const void *der;
	size_t n;
	const struct statement_facts *f;
	struct arena *a;
	struct statement *s;
	struct statement_signed *sd;
	struct statement_verdict *v;
};

const char *statement_check_word(enum statement_result r)
{
	static const char *const words[] = {
	    [STATEMENT_OK] = "ok",
	    [STATEMENT_CURRENT] = "current",
	    [STATEMENT_OLD] = "old",
	    [STATEMENT_CONFLICT] = "conflict",
	    [STATEMENT_CLOCK] = "clock",
	    [STATEMENT_REFUSED] = "refused",
	};

	REQUIRE((size_t)r < sizeof words / sizeof *words);
	return words[r];
}

static int stop(const struct task *t, enum statement_result result, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int stop(const struct task *t, enum statement_result result, const char *fmt, ...)
{
	char text[PROBLEM_TEXT_MAX];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	t->v->result = result;
	return problem_set(
	    &t->v->why, result == STATEMENT_CLOCK ? PROBLEM_TEMP : PROBLEM_PERM, 0, "", "", "%s", text);
}

/* ---- certificates ---- */

/* For what a certificate must be good. */
static bool is_for(enum statement_use use, enum cert_purpose to)
{
	return use == STATEMENT_FOR_BOTH || (use == STATEMENT_FOR_ENCRYPT) == (to == CERT_TO_ENCRYPT);
}

static bool bound(X509 *x, const struct statement_facts *f, enum cert_purpose to)
{
	struct address who = {.local = ""};

	if (address_domain(f->domain, strlen(f->domain), who.domain, NULL) < 0)
		return false;
	/* asked for the domain alone: its name, or the authority of this purpose */
	if (cert_bound(x, &who, to) != CERT_BOUND_NOT)
		return true;
	for (size_t i = 0; i < f->nlocals; i++) {
		size_t n = strlen(f->locals[i]);

		if (n == 0 || n > ADDRESS_LOCAL_MAX)
			continue;
		memcpy(who.local, f->locals[i], n + 1);
		if (cert_bound(x, &who, to) == CERT_BOUND_ADDRESS)
			return true;
	}
	return false;
}

/* emailProtection must be there; neither anyExtendedKeyUsage nor its absence stands for it: a web server's
 * certificate has the domain's name in it too. */
static bool is_for_mail(X509 *x)
{
	return (X509_get_extension_flags(x) & EXFLAG_XKUSAGE) && (X509_get_extended_key_usage(x) & XKU_SMIME);
}

static const char *cert_wrong(
    X509 *x, const struct cert_facts *facts, const struct statement_cert *c, const struct statement_facts *f)
{
	if (facts->weak)
		return facts->weak_why;
	if (facts->ca)
		return "it is a certification authority's";
	if (!is_for_mail(x))
		return "its extended key usage does not name emailProtection";
	if (is_for(c->use, CERT_TO_SIGN) && !facts->may_sign)
		return "its key usage does not allow signing";
	if (is_for(c->use, CERT_TO_ENCRYPT) && !facts->may_encrypt)
		return "its key usage does not allow encrypting";
	if ((is_for(c->use, CERT_TO_SIGN) && !bound(x, f, CERT_TO_SIGN)) ||
	    (is_for(c->use, CERT_TO_ENCRYPT) && !bound(x, f, CERT_TO_ENCRYPT)))
		return "it is not bound to the domain for this use";
	if (c->from < facts->not_before || c->until > facts->not_after)
		return "its from and until are not within its own time";
	return NULL;
}

/* The words a certificate is known by in sentences. */
static void cert_is(struct statement_cert *c, const struct cert_facts *facts, const char *why)
{
	char words[240];

	if (!why) {
		c->good = true;
		c->why[0] = 0;
		return;
	}
	(void)snprintf(c->why, sizeof c->why, "%s: %s", cert_words(facts, words, 180), why);
}

/* The statement key signs statements and nothing else; a certificate stands there once, with one use. */
static const char *clashes(const struct statement *s, size_t i, const uint8_t (*spki)[32])
{
	static const uint8_t none[32];

	for (size_t k = 0; k < s->ncerts; k++) {
		if (k < i && strcmp(s->certs[k].sha256, s->certs[i].sha256) == 0)
			return "it stands there twice";
		if (s->certs[k].use == STATEMENT_FOR_STATEMENT && s->certs[i].use != STATEMENT_FOR_STATEMENT &&
		    memcmp(spki[i], none, 32) != 0 && memcmp(spki[k], spki[i], 32) == 0)
			return "its key is a statement key, which signs statements only";
	}
	return NULL;
}

static void check_cert(const struct statement_facts *f, struct statement_cert *c, uint8_t spki_r[32])
{
	struct problem pr = {0};
	X509 *x = cert_parse(c->der.p, c->der.n, &pr);
	struct cert_facts facts;

	c->good = false;
	if (!x) {
		(void)snprintf(c->why, sizeof c->why, "%.290s", pr.text);
		return;
	}
	cert_facts(x, &facts);
	statement_signer_spki(x, spki_r);
	cert_is(c, &facts, cert_wrong(x, &facts, c, f));
	X509_free(x);
	ERR_clear_error();
}

void statement_check_certs(const struct statement_facts *f, struct statement *s)
{
	uint8_t spki[STATEMENT_CERTS_MAX][32] = {{0}};

	for (size_t i = 0; i < s->ncerts; i++)
		check_cert(f, &s->certs[i], spki[i]);
	for (size_t i = 0; i < s->ncerts; i++) {
		const char *why = s->certs[i].good ? clashes(s, i, spki) : NULL;

		if (!why)
			continue;
		s->certs[i].good = false;
		(void)snprintf(s->certs[i].why, sizeof s->certs[i].why, "certificate %zu (SHA-256 %s): %s", i + 1,
		    s->certs[i].sha256, why);
	}
}

/* ---- the steps ---- */

/* Size, DER, type and signers: statement_cms.c has their order. */
static int step_cms(const struct task *t)
{
	if (statement_cms_read(t->der, t->n, t->sd, &t->v->why) == 0)
		return 0;
	t->v->result = STATEMENT_REFUSED;
	t->v->step = t->sd->step;
	return -1;
}

/* Content that nobody's key stands behind is not given to the JSON parser at all. */
static int step_some_signature(const struct task *t)
{
	for (size_t i = 0; i < t->sd->nsigners; i++)
		if (t->sd->signers[i].verified)
			return 0;
	return stop(t, STATEMENT_REFUSED,
	    "The statement is refused: none of its SignerInfos verifies; of the first, %s.", t->sd->signers[0].why);
}

static int step_json(const struct task *t)
{
	if (statement_json_read(t->sd->content.p, t->sd->content.n, t->a, t->s, &t->v->why) == 0) {
		memcpy(t->s->id, t->sd->id, sizeof t->s->id);
		return 0;
	}
	t->v->result = STATEMENT_REFUSED;
	return -1;
}

/* The one named `signer` must verify, whoever else does. */
static int step_signature(const struct task *t)
{
	for (size_t i = 0; i < t->sd->nsigners; i++) {
		const struct statement_signer *si = &t->sd->signers[i];

		if (!si->cert.p || memcmp(si->cert_sha256, t->s->signer, 32) != 0)
			continue;
		t->v->signer = (int)i;
		if (si->verified)
			return 0;
		return stop(t, STATEMENT_REFUSED,
		    "The statement is refused: the SignerInfo of its statement certificate does not verify: %s.",
		    si->why);
	}
	return stop(t, STATEMENT_REFUSED,
	    "The statement is refused: it is not signed by the certificate that it names as signer.");
}

static int step_domain(const struct task *t)
{
	if (strcmp(t->s->domain, t->f->domain) == 0)
		return 0;
	return stop(t, STATEMENT_REFUSED, "The statement is refused: it is of %.200s, and %.200s was asked for.",
	    t->s->domain, t->f->domain);
}

static int step_issued(const struct task *t)
{
	char issued[21], now[21];

	if (t->s->issued <= t->f->now + STATEMENT_CLOCK_MAX)
		return 0;
	encode_time(t->s->issued, issued);
	encode_time(t->f->now, now);
	return stop(t, STATEMENT_CLOCK,
	    "The statement is from the future: it was issued at %s, and here it is %s; the clocks differ, so it is "
	    "tried "
	    "again later.",
	    issued, now);
}

static int step_expires(const struct task *t)
{
	char expires[21];

	if (t->f->now < t->s->expires)
		return 0;
	encode_time(t->s->expires, expires);
	return stop(t, STATEMENT_REFUSED, "The statement is refused: it ran out at %s.", expires);
}

static int is_old(const struct task *t)
{
	char issued[21], trusted[21];

	encode_time(t->s->issued, issued);
	encode_time(t->f->trusted_issued, trusted);
	return stop(t, STATEMENT_OLD,
	    "The statement is older than the one that is trusted: it was issued at %s, and the trusted one at %s.",
	    issued, trusted);
}

static int step_serial(const struct task *t)
{
	const struct statement_facts *f = t->f;
	const bool trusted = f->trusted_id && f->trusted_id[0];

	/* a serial from the far future would shut out every later statement of the domain */
	if (t->s->serial > (f->now + STATEMENT_CLOCK_MAX) * 1000)
		return stop(t, STATEMENT_CLOCK,
		    "The statement's serial %" PRId64
		    " lies in the future; the clocks differ, so it is tried again later.",
		    t->s->serial);
	if (!trusted || t->s->serial > f->trusted_serial)
		return 0;
	if (t->s->serial < f->trusted_serial)
		return is_old(t);
	if (strcmp(t->sd->id, f->trusted_id) == 0) {
		t->v->result = STATEMENT_CURRENT;
		return -1;
	}
	return stop(t, STATEMENT_CONFLICT,
	    "Two different statements have the serial %" PRId64 ": %s, which is trusted, and %s.", t->s->serial,
	    f->trusted_id, t->sd->id);
}

static int check_signer(const struct task *t, const struct statement_cert *c)
{
	char from[21], until[21];

	if (c->use != STATEMENT_FOR_STATEMENT)
		return stop(t, STATEMENT_REFUSED,
		    "The statement is refused: the certificate that signs it is not listed for statements.");
	if (!c->good)
		return stop(
		    t, STATEMENT_REFUSED, "The statement is refused: of the certificate that signs it, %s.", c->why);
	if (t->f->now >= c->from && t->f->now < c->until)
		return 0;
	encode_time(c->from, from);
	encode_time(c->until, until);
	return stop(t, STATEMENT_REFUSED,
	    "The statement is refused: the certificate that signs it counts from %s until %s.", from, until);
}

static int step_certificate(const struct task *t)
{
	char signer[65];

	encode_hex(t->s->signer, sizeof t->s->signer, signer);
	for (size_t i = 0; i < t->s->ncerts; i++)
		if (strcmp(t->s->certs[i].sha256, signer) == 0)
			return check_signer(t, &t->s->certs[i]);
	return stop(t, STATEMENT_REFUSED,
	    "The statement is refused: the certificate that signs it is not among its certificates.");
}

/* SIGNATURE comes twice, around the parser: before it some signature, behind it the right one. */
static const struct step {
	enum statement_step name;
	int (*check)(const struct task *t);
} steps[] = {
    {STATEMENT_STEP_NONE, step_cms}, /* names its own step */
    {STATEMENT_STEP_SIGNATURE, step_some_signature},
    {STATEMENT_STEP_JSON, step_json},
    {STATEMENT_STEP_SIGNATURE, step_signature},
    {STATEMENT_STEP_DOMAIN, step_domain},
    {STATEMENT_STEP_ISSUED, step_issued},
    {STATEMENT_STEP_EXPIRES, step_expires},
    {STATEMENT_STEP_SERIAL, step_serial},
    {STATEMENT_STEP_CERTIFICATE, step_certificate},
};

void statement_check(const void *der, size_t n, const struct statement_facts *f, struct arena *a,
    struct statement *s_r, struct statement_signed *sd_r, struct statement_verdict *v_r)
{
	struct task t = {der, n, f, a, s_r, sd_r, v_r};

	memset(s_r, 0, sizeof *s_r);
	*v_r = (struct statement_verdict){.result = STATEMENT_OK, .signer = -1};
	for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
		if (steps[i].name == STATEMENT_STEP_SERIAL)
			statement_check_certs(f, s_r);
		if (steps[i].check(&t) == 0)
			continue;
		if (steps[i].name != STATEMENT_STEP_NONE && v_r->result != STATEMENT_CURRENT)
			v_r->step = steps[i].name;
		return;
	}
}
