#include "gateway/pipeline/verdict.h"

#include <stdio.h>
#include <string.h>

#include "certstore/cert.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"

static const char *const words[] = {
    [VERDICT_UNSIGNED] = "unsigned",
    [VERDICT_PASS] = "pass",
    [VERDICT_FAIL] = "fail",
    [VERDICT_PARTLY] = "partly-signed",
    [VERDICT_UNTRUSTED] = "untrusted",
    [VERDICT_UNBOUND] = "unbound",
    [VERDICT_EXPIRED] = "expired",
    [VERDICT_REVOKED] = "revoked",
    [VERDICT_TEMPORARY] = "temporary",
    [VERDICT_UNJUDGED] = "not-judged",
};

const char *verdict_word(enum verdict_result r)
{
	REQUIRE(r <= VERDICT_UNJUDGED);
	return words[r];
}

static const char *const kinds[] = {
    [VERDICT_ENVELOPED] = "enveloped",
    [VERDICT_AUTH_ENVELOPED] = "auth-enveloped",
    [VERDICT_SIGNED] = "signed",
    [VERDICT_DETACHED] = "multipart-signed",
    [VERDICT_COMPRESSED] = "compressed",
    [VERDICT_RECEIPT] = "signed-receipt",
};

bool verdict_encrypts(const struct verdict_layer *l)
{
	return l->kind == VERDICT_ENVELOPED || l->kind == VERDICT_AUTH_ENVELOPED;
}

static bool signs(const struct verdict_layer *l)
{
	return l->kind == VERDICT_SIGNED || l->kind == VERDICT_DETACHED || l->kind == VERDICT_RECEIPT;
}

/* ---- filling ---- */

void verdict_layer(struct verdict *v, enum verdict_kind kind, const char *algorithm)
{
	struct verdict_layer *l = &v->layers[v->nlayers];

	if (v->nlayers == VERDICT_LAYERS_MAX)
		return;
	l->kind = kind;
	snprintf(l->algorithm, sizeof(l->algorithm), "%s", algorithm);
	v->nlayers++;
}

void verdict_failed(struct verdict *v, const char *why)
{
	if (!v->failed)
		snprintf(v->failure, sizeof(v->failure), "%s", why);
	v->failed = true;
}

/* The first mail address of "dns:a.example mail:b@a.example". */
static void first_address(const char *names, char *out, size_t cap)
{
	const char *at = strstr(names, "mail:");
	size_t n;

	out[0] = 0;
	if (at == NULL || (at != names && at[-1] != ' '))
		return;
	at += 5;
	n = strcspn(at, " ");
	if (n < cap)
		snprintf(out, cap, "%.*s", (int)n, at);
}

static void describe(struct verdict_signer *s, X509 *x)
{
	struct cert_facts f;

	cert_facts(x, &f);
	snprintf(s->subject, sizeof(s->subject), "%.389s", f.subject);
	snprintf(s->issuer, sizeof(s->issuer), "%.389s", f.issuer);
	snprintf(s->serial, sizeof(s->serial), "%s", f.serial);
	first_address(f.names, s->address, sizeof(s->address));
	s->not_before = f.not_before;
	s->not_after = f.not_after;
	s->have_cert = true;
}

struct verdict_signer *verdict_signer(struct verdict *v, const struct cms_signer_facts *f)
{
	struct verdict_signer *s = &v->signers[v->nsigners];

	REQUIRE(v->nlayers > 0);
	if (v->nsigners == JUDGE_CERTS_MAX) {
		verdict_failed(v, "more signers than are judged in one message");
		return NULL;
	}
	memset(s, 0, sizeof(*s));
	v->nsigners++;
	s->layer = v->nlayers - 1;
	s->signing_time = f->signing_time;
	snprintf(s->digest, sizeof(s->digest), "%s", f->digest);
	snprintf(s->sigalg, sizeof(s->sigalg), "%s", f->sigalg);
	if (f->cert != NULL)
		describe(s, f->cert);
	s->known = f->known;
	s->result = f->ok || f->missing ? VERDICT_UNJUDGED : VERDICT_FAIL;
	snprintf(s->why, sizeof(s->why), "%s", f->why);
	if (s->result == VERDICT_FAIL)
		verdict_failed(v, f->why);
	return s;
}

void verdict_changed(struct verdict *v, const char *said)
{
	size_t n = strlen(v->failure);

	REQUIRE(v->failed && v->nlayers > 0);
	snprintf(v->failure + n, sizeof(v->failure) - n, ": %s", said);
	for (size_t i = 0; i < v->nsigners; i++) {
		struct verdict_signer *s = &v->signers[i];

		if (s->layer != v->nlayers - 1 || s->result != VERDICT_FAIL)
			continue;
		n = strlen(s->why);
		snprintf(s->why + n, sizeof(s->why) - n, ": %s", said);
	}
}

void verdict_part(struct verdict *v, const struct verdict_part *p)
{
	if (v->nparts < VERDICT_PARTS_MAX)
		v->parts[v->nparts++] = *p;
}

/* ---- weighing ---- */

void verdict_judged(struct verdict *v, const struct judge_trust *t)
{
	static const enum verdict_result results[] = {[JUDGE_TRUST_GOOD] = VERDICT_PASS,
	    [JUDGE_TRUST_UNTRUSTED] = VERDICT_UNTRUSTED,
	    [JUDGE_TRUST_UNBOUND] = VERDICT_UNBOUND,
	    [JUDGE_TRUST_TEMP] = VERDICT_TEMPORARY,
	    [JUDGE_TRUST_EXPIRED] = VERDICT_EXPIRED,
	    [JUDGE_TRUST_REVOKED] = VERDICT_REVOKED};

	REQUIRE(t->n == v->nsigners);
	for (size_t i = 0; i < t->n; i++) {
		REQUIRE(t->v[i].state < sizeof(results) / sizeof(results[0]));
		v->signers[i].result = results[t->v[i].state];
		snprintf(v->signers[i].why, sizeof(v->signers[i].why), "%s", t->v[i].why);
	}
}

/* The last layer of a kind, -1 none. */
static int last(const struct verdict *v, bool (*is)(const struct verdict_layer *l))
{
	for (size_t i = v->nlayers; i-- > 0;)
		if (is(&v->layers[i]))
			return (int)i;
	return -1;
}

/* Of the signers of one layer: all hold, so one who is believed suffices; an uncertain judge outweighs "no". */
static int best_of(const struct verdict *v, int layer)
{
	static const int weight[] = {[VERDICT_PASS] = 6,
	    [VERDICT_TEMPORARY] = 5,
	    [VERDICT_REVOKED] = 4, /* what is known to be bad is said rather than what is merely not good */
	    [VERDICT_EXPIRED] = 3,
	    [VERDICT_UNBOUND] = 2,
	    [VERDICT_UNTRUSTED] = 1,
	    [VERDICT_UNJUDGED] = 0};
	int best = -1;

	for (size_t i = 0; i < v->nsigners; i++)
		if ((int)v->signers[i].layer == layer &&
		    (best < 0 || weight[v->signers[i].result] > weight[v->signers[best].result]))
			best = (int)i;
	return best;
}

static void is(struct policy_in *f, enum policy_sig sig, const char *why)
{
	f->sig = sig;
	snprintf(f->sig_why, sizeof(f->sig_why), "%s", why);
}

static void partly(const struct verdict *v, struct policy_in *f)
{
	for (size_t i = 0; i < v->nparts; i++) {
		const struct verdict_part *p = &v->parts[i];

		if (p->encrypted)
			continue;
		if (p->root) {
			is(f, POLICY_SIG_PARTLY,
			    "the wrapped message has a signature that its author's own program made; it was not "
			    "checked");
			return;
		}
		f->sig = POLICY_SIG_PARTLY;
		snprintf(f->sig_why, sizeof(f->sig_why),
		    "part %s (%s%s) carries a signature, what stands beside it does not, as when a mailing list adds "
		    "a footer or a message is forwarded; it was not checked",
		    p->path, p->type, p->attached ? ", in an attached message" : "");
		return;
	}
	is(f, POLICY_SIG_NONE, "there is no signature");
}

static void judged(const struct verdict *v, struct policy_in *f)
{
	static const enum policy_sig sig[] = {[VERDICT_PASS] = POLICY_SIG_GOOD,
	    [VERDICT_TEMPORARY] = POLICY_SIG_TEMP,
	    [VERDICT_EXPIRED] = POLICY_SIG_EXPIRED,
	    [VERDICT_REVOKED] = POLICY_SIG_REVOKED,
	    [VERDICT_UNBOUND] = POLICY_SIG_UNBOUND,
	    [VERDICT_UNTRUSTED] = POLICY_SIG_UNTRUSTED};
	const struct verdict_signer *s = &v->signers[v->decides];

	REQUIRE(s->result < sizeof(sig) / sizeof(sig[0]) && sig[s->result] != POLICY_SIG_NONE);
	is(f, sig[s->result], s->why);
}

void verdict_conclude(struct verdict *v, const char *from_why, struct policy_in *f)
{
	int sig = last(v, signs), enc = last(v, verdict_encrypts);

	v->decides = best_of(v, sig);
	f->whole = sig >= 0; /* a layer covers all that is in it (RFC 8551 3.7) */
	if (v->failed)
		is(f, POLICY_SIG_BAD, v->failure);
	else if (v->decides < 0)
		partly(v, f);
	else if (from_why != NULL)
		is(f, POLICY_SIG_BAD, from_why); /* nobody to bind the signer to */
	else if (sig < enc)
		is(f, POLICY_SIG_OUTSIDE,
		    "the signature stands around the encryption; inside nothing is signed, and who signed need not "
		    "know what is inside");
	else
		judged(v, f);
}

/* ---- saying ---- */

struct text {
	char *p;
	size_t cap, n;
};

static void add(struct text *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void add(struct text *t, const char *fmt, ...)
{
	va_list ap;
	int n;

	if (t->n + 1 >= t->cap)
		return;
	va_start(ap, fmt);
	n = vsnprintf(t->p + t->n, t->cap - t->n, fmt, ap);
	va_end(ap);
	REQUIRE(n >= 0);
	t->n = t->n + (size_t)n < t->cap ? t->n + (size_t)n : t->cap - 1;
}

/* Algorithms as they stand in the layer, or with its signers. */
static const char *algorithm(const struct verdict *v, size_t layer)
{
	if (v->layers[layer].algorithm[0])
		return v->layers[layer].algorithm;
	for (size_t i = 0; i < v->nsigners; i++)
		if (v->signers[i].layer == layer)
			return v->signers[i].digest;
	return "";
}

void verdict_line(const struct verdict *v, char *out, size_t cap)
{
	struct text t = {out, cap, 0};

	add(&t, "%s", v->nlayers == 0 && v->nparts == 0 ? "-" : "");
	for (size_t i = 0; i < v->nlayers; i++) {
		const char *alg = algorithm(v, i);

		add(&t, "%s%s%s%s%s", i > 0 ? ">" : "", kinds[v->layers[i].kind], alg[0] ? "(" : "", alg,
		    alg[0] ? ")" : "");
		for (size_t k = 0, first = 1; k < v->nsigners; k++)
			if (v->signers[k].layer == i) {
				add(&t, "%s%s", first ? "=" : "+", verdict_word(v->signers[k].result));
				first = 0;
			}
	}
	for (size_t i = 0; i < v->nparts; i++)
		add(&t, "%s[%s=%s]", v->nlayers > 0 || i > 0 ? ">" : "", v->parts[i].path,
		    v->parts[i].encrypted ? "encrypted" : "signed");
}

void verdict_layer_words(const struct verdict *v, size_t layer, char *out, size_t cap)
{
	struct text t = {out, cap, 0};
	const char *alg = algorithm(v, layer);

	add(&t, "%zu %s%s%s; covers the %s", layer + 1, kinds[v->layers[layer].kind], alg[0] ? " " : "", alg,
	    v->layers[layer].kind == VERDICT_RECEIPT ? "receipt in it" : "whole message");
	for (size_t k = 0; k < v->nsigners; k++)
		if (v->signers[k].layer == layer)
			add(&t, "; %s", verdict_word(v->signers[k].result));
}

void verdict_signer_words(const struct verdict_signer *s, char *out, size_t cap)
{
	struct text t = {out, cap, 0};
	char day[11], until[11], at[21];

	if (!s->have_cert) {
		add(&t, "unknown; layer %zu; %s", s->layer + 1, verdict_word(s->result));
		return;
	}
	add(&t, "%s; serial %s; issuer %s; valid %s to %s", s->subject, s->serial, s->issuer,
	    cert_day(s->not_before, day), cert_day(s->not_after, until));
	if (s->signing_time != 0) {
		encode_time(s->signing_time, at);
		add(&t, "; signed %s by its own clock", at);
	}
	add(&t, "; layer %zu; %s %s; %s%s", s->layer + 1, s->digest, s->sigalg,
	    s->known ? "the certificate is not in the message, it was known here; " : "", verdict_word(s->result));
}

void verdict_part_words(const struct verdict_part *p, char *out, size_t cap)
{
	if (p->root)
		snprintf(out, cap, "%s %s; the wrapped message is %s by its author's own program; %s", p->path,
		    p->type, p->encrypted ? "encrypted for a person" : "signed",
		    p->encrypted ? "not opened" : "not checked");
	else
		snprintf(out, cap, "%s %s; %s%s; not opened", p->path, p->type, p->encrypted ? "encrypted" : "signed",
		    p->attached ? ", in an attached message" : "");
}

const char *verdict_smime(const struct verdict_signer *s)
{
	return s->result == VERDICT_FAIL ? "fail" : s->result == VERDICT_TEMPORARY ? "temperror" : "policy";
}
