/*
 * relay <-> judge, encoder above decoder for each message. Relay, judge; pure.
 *
 * Each end is a process of ours, but one that may have been taken over: a decoder takes nothing on trust. Numbers
 * stand for enums, so they are held to their range; counts to the arrays they fill; octets to CERT_DER_MAX; and what
 * is left over makes the whole packet bad.
 */
#include "certstore/judge_proto.h"

#include <string.h>

#include "certstore/cert.h"
#include "certstore/store.h"
#include "gateway/base/log.h"

/* Highest values of the enums that travel as numbers (policy.h, cms.h: certstore cannot include them;
 * test_judge_resolve holds them to it). */
enum { TREATMENT_MAX = 3, EXEMPT_MAX = 3, STRENGTH_MAX = 2, CERTS_MAX = 3, CIPHER_MAX = 5, KEYMODE_MAX = 3 };
/* Our certificates and a chain of up to five behind them. */
enum { CHAIN_MAX = 5 * 16384 };

static void put_bool(struct ipc_out *o, bool v)
{
	ipc_put_u8(o, v ? 1 : 0);
}

static uint8_t get_number(struct ipc_in *in, unsigned least, unsigned most)
{
	uint8_t v = ipc_get_u8(in);

	if (v < least || v > most) {
		in->bad = true;
		return (uint8_t)least;
	}
	return v;
}

static bool get_bool(struct ipc_in *in)
{
	return get_number(in, 0, 1) == 1;
}

static size_t get_count(struct ipc_in *in, size_t most)
{
	uint16_t n = ipc_get_u16(in);

	if (n > most) {
		in->bad = true;
		return 0;
	}
	return n;
}

static void put_octets(struct ipc_out *o, const struct judge_octets *b)
{
	ipc_put_bytes(o, b->p, b->n);
}

static void get_octets(struct ipc_in *in, struct arena *a, size_t most, struct judge_octets *b_r)
{
	size_t n = 0;
	const uint8_t *p = ipc_get_bytes(in, &n);

	*b_r = (struct judge_octets){NULL, 0};
	if (n > most)
		in->bad = true;
	if (in->bad || n == 0)
		return;
	b_r->p = (const uint8_t *)arena_dup(a, p, n);
	if (b_r->p)
		b_r->n = n;
	else
		in->bad = true;
}

static void put_problem(struct ipc_out *o, const struct problem *pr)
{
	ipc_put_u8(o, (uint8_t)pr->cls);
	ipc_put_u16(o, (uint16_t)pr->code);
	ipc_put_str(o, pr->enh);
	ipc_put_str(o, pr->rfc);
	ipc_put_str(o, pr->text);
}

static void get_problem(struct ipc_in *in, struct problem *pr_r)
{
	pr_r->cls = get_number(in, PROBLEM_NONE, PROBLEM_POLICY);
	pr_r->code = ipc_get_u16(in);
	if (pr_r->code != 0 && (pr_r->code < 400 || pr_r->code > 599))
		in->bad = true;
	ipc_get_str(in, pr_r->enh, sizeof pr_r->enh);
	ipc_get_str(in, pr_r->rfc, sizeof pr_r->rfc);
	ipc_get_str(in, pr_r->text, sizeof pr_r->text);
}

/* ---- JUDGE_RESOLVE ---- */

void judge_resolve_put(struct ipc_out *o, const struct judge_resolve *m)
{
	ipc_put_str(o, m->sender);
	ipc_put_str(o, m->recipient);
}

int judge_resolve_get(struct ipc_in *in, struct judge_resolve *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	ipc_get_str(in, m_r->sender, sizeof m_r->sender);
	ipc_get_str(in, m_r->recipient, sizeof m_r->recipient);
	return ipc_end(in);
}

/* ---- JUDGE_VERDICT ---- */

static void put_verdict_policy(struct ipc_out *o, const struct judge_verdict *m)
{
	ipc_put_str(o, m->rule);
	ipc_put_u8(o, m->treatment);
	ipc_put_u8(o, m->strength);
	ipc_put_u8(o, m->certs);
	ipc_put_u8(o, m->any_treatment);
	ipc_put_u8(o, m->any_strength);
	ipc_put_u8(o, m->exempt);
	ipc_put_u8(o, m->any_exempt);
	put_bool(o, m->own_domain);
	put_bool(o, m->listed);
	put_bool(o, m->seen_protected);
	put_bool(o, m->have_signer);
	ipc_put_str(o, m->cert_why);
	ipc_put_str(o, m->signer_why);
}

static void get_verdict_policy(struct ipc_in *in, struct judge_verdict *m_r)
{
	ipc_get_str(in, m_r->rule, sizeof m_r->rule);
	m_r->treatment = get_number(in, 0, TREATMENT_MAX);
	m_r->strength = get_number(in, 0, STRENGTH_MAX);
	m_r->certs = get_number(in, 0, CERTS_MAX);
	m_r->any_treatment = get_number(in, 0, TREATMENT_MAX);
	m_r->any_strength = get_number(in, 0, STRENGTH_MAX);
	m_r->exempt = get_number(in, 0, EXEMPT_MAX);
	m_r->any_exempt = get_number(in, 0, EXEMPT_MAX);
	m_r->own_domain = get_bool(in);
	m_r->listed = get_bool(in);
	m_r->seen_protected = get_bool(in);
	m_r->have_signer = get_bool(in);
	ipc_get_str(in, m_r->cert_why, sizeof m_r->cert_why);
	ipc_get_str(in, m_r->signer_why, sizeof m_r->signer_why);
}

static void put_format(struct ipc_out *o, const struct format *f)
{
	ipc_put_u8(o, f->cipher);
	ipc_put_u8(o, f->keymode);
	ipc_put_u8(o, f->digest);
	ipc_put_u8(o, f->inside);
	ipc_put_u8(o, f->alone);
	ipc_put_u8(o, f->wrap);
	ipc_put_u8(o, f->calendar);
	put_bool(o, f->pss);
	put_bool(o, f->ski);
	put_bool(o, f->triple);
	put_bool(o, f->subject_outside);
	put_bool(o, f->legacy_display);
}

static void get_format(struct ipc_in *in, struct format *f_r)
{
	f_r->cipher = get_number(in, 0, CIPHER_MAX);
	f_r->keymode = get_number(in, 0, KEYMODE_MAX);
	f_r->digest = get_number(in, 0, FORMAT_SHA512);
	f_r->inside = get_number(in, 0, FORMAT_MULTIPART);
	f_r->alone = get_number(in, 0, FORMAT_MULTIPART);
	f_r->wrap = get_number(in, 0, FORMAT_WRAP_MESSAGE);
	f_r->calendar = get_number(in, 0, FORMAT_MULTIPART);
	f_r->pss = get_bool(in);
	f_r->ski = get_bool(in);
	f_r->triple = get_bool(in);
	f_r->subject_outside = get_bool(in);
	f_r->legacy_display = get_bool(in);
}

void judge_verdict_put(struct ipc_out *o, const struct judge_verdict *m)
{
	put_bool(o, m->temp);
	put_problem(o, &m->pr);
	put_verdict_policy(o, m);
	REQUIRE(m->nrcpt_certs <= JUDGE_CERTS_MAX);
	ipc_put_u16(o, (uint16_t)m->nrcpt_certs);
	for (size_t i = 0; i < m->nrcpt_certs; i++)
		put_octets(o, &m->rcpt_certs[i]);
	put_bool(o, m->personal);
	ipc_put_str(o, m->sign_key);
	put_octets(o, &m->sign_cert);
	put_octets(o, &m->sign_chain);
	put_octets(o, &m->enc_cert);
	put_bool(o, m->sign_domain);
	put_format(o, &m->format);
	ipc_put_str(o, m->trace);
}

int judge_verdict_get(struct ipc_in *in, struct arena *a, struct judge_verdict *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->temp = get_bool(in);
	get_problem(in, &m_r->pr);
	get_verdict_policy(in, m_r);
	m_r->nrcpt_certs = get_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->nrcpt_certs; i++)
		get_octets(in, a, CERT_DER_MAX, &m_r->rcpt_certs[i]);
	m_r->personal = get_bool(in);
	ipc_get_str(in, m_r->sign_key, sizeof m_r->sign_key);
	get_octets(in, a, CERT_DER_MAX, &m_r->sign_cert);
	get_octets(in, a, CHAIN_MAX, &m_r->sign_chain);
	get_octets(in, a, CERT_DER_MAX, &m_r->enc_cert);
	m_r->sign_domain = get_bool(in);
	get_format(in, &m_r->format);
	ipc_get_str(in, m_r->trace, sizeof m_r->trace);
	return ipc_end(in);
}

/* ---- JUDGE_IDENTITY_LIST ---- */

void judge_identity_list_put(struct ipc_out *o, const struct judge_identity_list *m)
{
	REQUIRE(m->n <= JUDGE_IDENTITIES_MAX);
	put_bool(o, m->more);
	ipc_put_u16(o, (uint16_t)m->n);
	for (size_t i = 0; i < m->n; i++) {
		const struct judge_identity *v = &m->v[i];

		ipc_put_str(o, v->domain);
		ipc_put_u8(o, v->use);
		ipc_put_str(o, v->key_id);
		put_octets(o, &v->cert);
		put_octets(o, &v->chain);
	}
}

int judge_identity_list_get(struct ipc_in *in, struct arena *a, struct judge_identity_list *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->more = get_bool(in);
	m_r->n = get_count(in, JUDGE_IDENTITIES_MAX);
	for (size_t i = 0; i < m_r->n; i++) {
		struct judge_identity *v = &m_r->v[i];

		ipc_get_str(in, v->domain, sizeof v->domain);
		v->use = get_number(in, STORE_SIGN, STORE_TLS);
		ipc_get_str(in, v->key_id, sizeof v->key_id);
		get_octets(in, a, CERT_DER_MAX, &v->cert);
		get_octets(in, a, CHAIN_MAX, &v->chain);
	}
	return ipc_end(in);
}

/* ---- JUDGE_SIGNERS ---- */

static void put_signer(struct ipc_out *o, const struct judge_signer *m)
{
	put_octets(o, &m->cert);
	put_octets(o, &m->id.issuer);
	put_octets(o, &m->id.serial);
	put_octets(o, &m->id.ski);
	put_octets(o, &m->enc);
	put_octets(o, &m->caps);
	ipc_put_u64(o, (uint64_t)m->signing_time);
}

static void get_signer(struct ipc_in *in, struct arena *a, struct judge_signer *m_r)
{
	get_octets(in, a, CERT_DER_MAX, &m_r->cert);
	get_octets(in, a, JUDGE_ISSUER_MAX, &m_r->id.issuer);
	get_octets(in, a, JUDGE_SERIAL_MAX, &m_r->id.serial);
	get_octets(in, a, JUDGE_SKI_MAX, &m_r->id.ski);
	get_octets(in, a, CERT_DER_MAX, &m_r->enc);
	get_octets(in, a, JUDGE_CAPS_MAX, &m_r->caps);
	m_r->signing_time = (int64_t)ipc_get_u64(in);
}

void judge_signers_put(struct ipc_out *o, const struct judge_signers *m)
{
	REQUIRE(m->n <= JUDGE_CERTS_MAX && m->nextra <= JUDGE_CERTS_MAX);
	ipc_put_str(o, m->our_domain);
	ipc_put_str(o, m->from);
	ipc_put_u8(o, m->opened);
	ipc_put_u16(o, (uint16_t)m->n);
	for (size_t i = 0; i < m->n; i++)
		put_signer(o, &m->v[i]);
	ipc_put_u16(o, (uint16_t)m->nextra);
	for (size_t i = 0; i < m->nextra; i++)
		put_octets(o, &m->extra[i]);
}

int judge_signers_get(struct ipc_in *in, struct arena *a, struct judge_signers *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	ipc_get_str(in, m_r->our_domain, sizeof m_r->our_domain);
	ipc_get_str(in, m_r->from, sizeof m_r->from);
	m_r->opened = get_bool(in);
	m_r->n = get_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->n; i++)
		get_signer(in, a, &m_r->v[i]);
	m_r->nextra = get_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->nextra; i++)
		get_octets(in, a, CERT_DER_MAX, &m_r->extra[i]);
	return ipc_end(in);
}

/* ---- JUDGE_TRUST ---- */

void judge_trust_put(struct ipc_out *o, const struct judge_trust *m)
{
	REQUIRE(m->n <= JUDGE_CERTS_MAX);
	ipc_put_u16(o, (uint16_t)m->n);
	for (size_t i = 0; i < m->n; i++) {
		ipc_put_u8(o, m->v[i].state);
		ipc_put_str(o, m->v[i].sha256);
		ipc_put_str(o, m->v[i].caps);
		ipc_put_str(o, m->v[i].why);
	}
	REQUIRE(m->nknown <= JUDGE_KNOWN_MAX);
	ipc_put_u16(o, (uint16_t)m->nknown);
	for (size_t i = 0; i < m->nknown; i++) {
		put_octets(o, &m->known[i].cert);
		ipc_put_u8(o, m->known[i].state);
		ipc_put_str(o, m->known[i].why);
	}
}

static void get_known(struct ipc_in *in, struct arena *a, struct judge_trust *m_r)
{
	size_t octets = 0;

	m_r->nknown = get_count(in, JUDGE_KNOWN_MAX);
	for (size_t i = 0; i < m_r->nknown; i++) {
		struct judge_known *k = &m_r->known[i];

		get_octets(in, a, JUDGE_KNOWN_OCTETS - octets, &k->cert);
		if (k->cert.n == 0)
			in->bad = true;
		octets += k->cert.n;
		k->state = get_number(in, JUDGE_TRUST_GOOD, JUDGE_TRUST_EXPIRED);
		ipc_get_str(in, k->why, sizeof k->why);
	}
}

int judge_trust_get(struct ipc_in *in, struct arena *a, struct judge_trust *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->n = get_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->n; i++) {
		m_r->v[i].state = get_number(in, JUDGE_TRUST_GOOD, JUDGE_TRUST_REVOKED);
		ipc_get_str(in, m_r->v[i].sha256, sizeof m_r->v[i].sha256);
		ipc_get_str(in, m_r->v[i].caps, sizeof m_r->v[i].caps);
		ipc_get_str(in, m_r->v[i].why, sizeof m_r->v[i].why);
	}
	get_known(in, a, m_r);
	return ipc_end(in);
}

int judge_trust_copy(struct arena *a, const struct judge_trust *t, struct judge_trust *t_r)
{
	*t_r = *t;
	for (size_t i = 0; i < t->nknown; i++) {
		t_r->known[i].cert.p = (const uint8_t *)arena_dup(a, t->known[i].cert.p, t->known[i].cert.n);
		if (!t_r->known[i].cert.p)
			return -1;
	}
	return 0;
}

/* ---- JUDGE_SEEN ---- */

void judge_seen_put(struct ipc_out *o, const char *domain)
{
	ipc_put_str(o, domain);
}

int judge_seen_get(struct ipc_in *in, char domain[256])
{
	ipc_get_str(in, domain, 256);
	return ipc_end(in);
}

void judge_changed_put(struct ipc_out *o, const char *whose)
{
	ipc_put_str(o, whose);
}

int judge_changed_get(struct ipc_in *in, char whose[256])
{
	ipc_get_str(in, whose, 256);
	return ipc_end(in);
}
