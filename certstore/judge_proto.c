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
#include "gateway/base/ipc_field.h"
#include "gateway/base/log.h"

/* Highest values of the enums that travel as numbers (policy.h, cms.h: certstore cannot include them;
 * test_judge_resolve holds them to it). */
enum { TREATMENT_MAX = 3, EXEMPT_MAX = 3, STRENGTH_MAX = 2, CERTS_MAX = 3, CIPHER_MAX = 5, KEYMODE_MAX = 3 };
/* Our certificates and a chain of up to five behind them. */
enum { CHAIN_MAX = 5 * 16384 };

void judge_octets_put(struct ipc_out *o, const struct judge_octets *b)
{
	ipc_put_bytes(o, b->p, b->n);
}

void judge_octets_get(struct ipc_in *in, struct arena *a, size_t most, struct judge_octets *b_r)
{
	b_r->p = ipc_field_octets(in, a, most, &b_r->n);
}

static void put_bool(struct ipc_out *o, bool v)
{
	ipc_put_u8(o, v ? 1 : 0);
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
	m_r->treatment = ipc_field_number(in, 0, TREATMENT_MAX);
	m_r->strength = ipc_field_number(in, 0, STRENGTH_MAX);
	m_r->certs = ipc_field_number(in, 0, CERTS_MAX);
	m_r->any_treatment = ipc_field_number(in, 0, TREATMENT_MAX);
	m_r->any_strength = ipc_field_number(in, 0, STRENGTH_MAX);
	m_r->exempt = ipc_field_number(in, 0, EXEMPT_MAX);
	m_r->any_exempt = ipc_field_number(in, 0, EXEMPT_MAX);
	m_r->own_domain = ipc_field_bool(in);
	m_r->listed = ipc_field_bool(in);
	m_r->seen_protected = ipc_field_bool(in);
	m_r->have_signer = ipc_field_bool(in);
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
	put_bool(o, f->bare);
}

static void get_format(struct ipc_in *in, struct format *f_r)
{
	f_r->cipher = ipc_field_number(in, 0, CIPHER_MAX);
	f_r->keymode = ipc_field_number(in, 0, KEYMODE_MAX);
	f_r->digest = ipc_field_number(in, 0, FORMAT_SHA512);
	f_r->inside = ipc_field_number(in, 0, FORMAT_MULTIPART);
	f_r->alone = ipc_field_number(in, 0, FORMAT_MULTIPART);
	f_r->wrap = ipc_field_number(in, 0, FORMAT_WRAP_MESSAGE);
	f_r->calendar = ipc_field_number(in, 0, FORMAT_MULTIPART);
	f_r->pss = ipc_field_bool(in);
	f_r->ski = ipc_field_bool(in);
	f_r->triple = ipc_field_bool(in);
	f_r->subject_outside = ipc_field_bool(in);
	f_r->legacy_display = ipc_field_bool(in);
	f_r->bare = ipc_field_bool(in);
}

void judge_verdict_put(struct ipc_out *o, const struct judge_verdict *m)
{
	put_bool(o, m->temp);
	ipc_field_problem_put(o, &m->pr);
	put_verdict_policy(o, m);
	REQUIRE(m->nrcpt_certs <= JUDGE_CERTS_MAX);
	ipc_put_u16(o, (uint16_t)m->nrcpt_certs);
	for (size_t i = 0; i < m->nrcpt_certs; i++)
		judge_octets_put(o, &m->rcpt_certs[i]);
	put_bool(o, m->personal);
	ipc_put_str(o, m->sign_key);
	judge_octets_put(o, &m->sign_cert);
	judge_octets_put(o, &m->sign_chain);
	judge_octets_put(o, &m->enc_cert);
	put_bool(o, m->sign_domain);
	ipc_put_str(o, m->statement);
	ipc_put_u64(o, m->octets_max);
	put_bool(o, m->no_signed);
	put_format(o, &m->format);
	ipc_put_str(o, m->trace);
}

int judge_verdict_get(struct ipc_in *in, struct arena *a, struct judge_verdict *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->temp = ipc_field_bool(in);
	ipc_field_problem(in, &m_r->pr);
	get_verdict_policy(in, m_r);
	m_r->nrcpt_certs = ipc_field_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->nrcpt_certs; i++)
		judge_octets_get(in, a, CERT_DER_MAX, &m_r->rcpt_certs[i]);
	m_r->personal = ipc_field_bool(in);
	ipc_get_str(in, m_r->sign_key, sizeof m_r->sign_key);
	judge_octets_get(in, a, CERT_DER_MAX, &m_r->sign_cert);
	judge_octets_get(in, a, CHAIN_MAX, &m_r->sign_chain);
	judge_octets_get(in, a, CERT_DER_MAX, &m_r->enc_cert);
	m_r->sign_domain = ipc_field_bool(in);
	ipc_get_str(in, m_r->statement, sizeof m_r->statement);
	m_r->octets_max = ipc_get_u64(in);
	m_r->no_signed = ipc_field_bool(in);
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
		judge_octets_put(o, &v->cert);
		judge_octets_put(o, &v->chain);
	}
}

int judge_identity_list_get(struct ipc_in *in, struct arena *a, struct judge_identity_list *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->more = ipc_field_bool(in);
	m_r->n = ipc_field_count(in, JUDGE_IDENTITIES_MAX);
	for (size_t i = 0; i < m_r->n; i++) {
		struct judge_identity *v = &m_r->v[i];

		ipc_get_str(in, v->domain, sizeof v->domain);
		v->use = ipc_field_number(in, STORE_SIGN, STORE_TLS);
		ipc_get_str(in, v->key_id, sizeof v->key_id);
		judge_octets_get(in, a, CERT_DER_MAX, &v->cert);
		judge_octets_get(in, a, CHAIN_MAX, &v->chain);
	}
	return ipc_end(in);
}

/* ---- JUDGE_SIGNERS ---- */

static void put_signer(struct ipc_out *o, const struct judge_signer *m)
{
	judge_octets_put(o, &m->cert);
	judge_octets_put(o, &m->id.issuer);
	judge_octets_put(o, &m->id.serial);
	judge_octets_put(o, &m->id.ski);
	judge_octets_put(o, &m->enc);
	judge_octets_put(o, &m->caps);
	ipc_put_u64(o, (uint64_t)m->signing_time);
}

static void get_signer(struct ipc_in *in, struct arena *a, struct judge_signer *m_r)
{
	judge_octets_get(in, a, CERT_DER_MAX, &m_r->cert);
	judge_octets_get(in, a, JUDGE_ISSUER_MAX, &m_r->id.issuer);
	judge_octets_get(in, a, JUDGE_SERIAL_MAX, &m_r->id.serial);
	judge_octets_get(in, a, JUDGE_SKI_MAX, &m_r->id.ski);
	judge_octets_get(in, a, CERT_DER_MAX, &m_r->enc);
	judge_octets_get(in, a, JUDGE_CAPS_MAX, &m_r->caps);
	m_r->signing_time = (int64_t)ipc_get_u64(in);
}

void judge_signers_put(struct ipc_out *o, const struct judge_signers *m)
{
	REQUIRE(m->n <= JUDGE_CERTS_MAX && m->nextra <= JUDGE_CERTS_MAX);
	ipc_put_str(o, m->our_domain);
	ipc_put_str(o, m->from);
	REQUIRE(m->nnamed <= JUDGE_NAMED_MAX);
	ipc_put_u16(o, (uint16_t)m->nnamed);
	for (size_t i = 0; i < m->nnamed; i++)
		ipc_put_str(o, m->named[i]);
	ipc_put_u8(o, m->opened);
	ipc_put_u16(o, (uint16_t)m->n);
	for (size_t i = 0; i < m->n; i++)
		put_signer(o, &m->v[i]);
	ipc_put_u16(o, (uint16_t)m->nextra);
	for (size_t i = 0; i < m->nextra; i++)
		judge_octets_put(o, &m->extra[i]);
}

int judge_signers_get(struct ipc_in *in, struct arena *a, struct judge_signers *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	ipc_get_str(in, m_r->our_domain, sizeof m_r->our_domain);
	ipc_get_str(in, m_r->from, sizeof m_r->from);
	m_r->nnamed = ipc_field_count(in, JUDGE_NAMED_MAX);
	for (size_t i = 0; i < m_r->nnamed; i++)
		ipc_get_str(in, m_r->named[i], sizeof m_r->named[i]);
	m_r->opened = ipc_field_bool(in);
	m_r->n = ipc_field_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->n; i++)
		get_signer(in, a, &m_r->v[i]);
	m_r->nextra = ipc_field_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->nextra; i++)
		judge_octets_get(in, a, CERT_DER_MAX, &m_r->extra[i]);
	return ipc_end(in);
}

/* ---- JUDGE_TRUST ---- */

void judge_trust_put(struct ipc_out *o, const struct judge_trust *m)
{
	REQUIRE(m->n <= JUDGE_CERTS_MAX);
	ipc_put_u8(o, m->promise);
	ipc_put_str(o, m->promise_of);
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
		judge_octets_put(o, &m->known[i].cert);
		ipc_put_u8(o, m->known[i].state);
		ipc_put_str(o, m->known[i].why);
	}
}

static void get_known(struct ipc_in *in, struct arena *a, struct judge_trust *m_r)
{
	size_t octets = 0;

	m_r->nknown = ipc_field_count(in, JUDGE_KNOWN_MAX);
	for (size_t i = 0; i < m_r->nknown; i++) {
		struct judge_known *k = &m_r->known[i];

		judge_octets_get(in, a, JUDGE_KNOWN_OCTETS - octets, &k->cert);
		if (k->cert.n == 0)
			in->bad = true;
		octets += k->cert.n;
		k->state = ipc_field_number(in, JUDGE_TRUST_GOOD, JUDGE_TRUST_EXPIRED);
		ipc_get_str(in, k->why, sizeof k->why);
	}
}

int judge_trust_get(struct ipc_in *in, struct arena *a, struct judge_trust *m_r)
{
	memset(m_r, 0, sizeof *m_r);
	m_r->promise = ipc_field_number(in, 0, JUDGE_PROMISE_ALL);
	ipc_get_str(in, m_r->promise_of, sizeof m_r->promise_of);
	m_r->n = ipc_field_count(in, JUDGE_CERTS_MAX);
	for (size_t i = 0; i < m_r->n; i++) {
		m_r->v[i].state = ipc_field_number(in, JUDGE_TRUST_GOOD, JUDGE_TRUST_REVOKED);
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
