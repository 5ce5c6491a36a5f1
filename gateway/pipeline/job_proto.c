/*
 * The packets between relay and sealer. Both sides are ours, but the sealer has parsed what strangers wrote: the
 * relay decodes its answers as strictly as anything from outside (a bad packet ends that sealer, promise P5).
 */
#include "gateway/pipeline/job_proto.h"

#include <string.h>
#include <unistd.h>

#include "gateway/base/ipc_field.h"
#include "gateway/base/mem.h"
#include "gateway/policy/policy.h"
#include "gateway/xsmg/xsmg_field.h"

/* ---- small shared pieces ---- */

static const char *take_str(struct ipc_in *in, struct arena *a, size_t max)
{
	size_t n;
	const uint8_t *p = ipc_get_bytes(in, &n);
	char *s = NULL;

	if (n > max || (n > 0 && memchr(p, 0, n) != NULL))
		in->bad = true;
	else if (!in->bad)
		s = arena_dup(a, n > 0 ? (const void *)p : "", n);
	if (s == NULL) {
		in->bad = true;
		return "";
	}
	return s;
}

static void take_fixed(struct ipc_in *in, uint8_t *dst, size_t n)
{
	size_t got;
	const uint8_t *p = ipc_get_bytes(in, &got);

	if (in->bad || got != n) {
		in->bad = true;
		memset(dst, 0, n);
		return;
	}
	memcpy(dst, p, n);
}

/*
 * A structure that has its own encoder travels as one field: nested encoders write into a packet of their own, whose
 * fields (behind the header) are put as octets.
 */
static void put_nested(struct ipc_out *o, struct ipc_out *inner)
{
	if (inner->bad || inner->b.len < IPC_HEADER)
		o->bad = true;
	else
		ipc_put_bytes(o, inner->b.p + IPC_HEADER, inner->b.len - IPC_HEADER);
	ipc_out_clear(inner);
}

static void take_nested(struct ipc_in *in, struct ipc_in *inner)
{
	memset(inner, 0, sizeof(*inner));
	inner->p = ipc_get_bytes(in, &inner->n);
	inner->bad = in->bad;
}

/* ---- request ---- */

static void verdicts_put(struct ipc_out *o, const struct job_request *m)
{
	ipc_put_u32(o, (uint32_t)m->nverdicts);
	for (size_t i = 0; i < m->nverdicts; i++) {
		struct ipc_out inner;

		ipc_out_init(&inner, JUDGE_VERDICT, 0);
		judge_verdict_put(&inner, m->verdicts[i]);
		put_nested(o, &inner);
	}
}

static void verdicts_get(struct ipc_in *in, struct arena *a, struct job_request *m)
{
	m->nverdicts = ipc_field_count32(in, JOB_VERDICTS_MAX);
	for (size_t i = 0; i < m->nverdicts && !in->bad; i++) {
		struct ipc_in inner;

		struct judge_verdict *v = arena_alloc(a, sizeof(*v));

		take_nested(in, &inner);
		if (v == NULL || judge_verdict_get(&inner, a, v) != 0)
			in->bad = true;
		m->verdicts[i] = v;
	}
}

static void identity_put(struct ipc_out *o, const struct judge_identity *d)
{
	ipc_put_str(o, d->domain);
	ipc_put_u8(o, d->use);
	ipc_put_str(o, d->key_id);
	judge_octets_put(o, &d->cert);
	judge_octets_put(o, &d->chain);
}

static void identity_get(struct ipc_in *in, struct arena *a, struct judge_identity *d)
{
	ipc_get_str(in, d->domain, sizeof(d->domain));
	d->use = ipc_get_u8(in);
	ipc_get_str(in, d->key_id, sizeof(d->key_id));
	judge_octets_get(in, a, IPC_PACKET_MAX, &d->cert);
	judge_octets_get(in, a, IPC_PACKET_MAX, &d->chain);
}

static void rcpts_put(struct ipc_out *o, const struct job_request *m)
{
	ipc_put_u32(o, (uint32_t)m->nrcpts);
	for (size_t i = 0; i < m->nrcpts; i++) {
		ipc_put_str(o, m->rcpts[i].address);
		ipc_put_u8(o, m->rcpts[i].verdict);
		ipc_put_u8(o, m->rcpts[i].tls_verified);
	}
}

static void rcpts_get(struct ipc_in *in, struct arena *a, struct job_request *m)
{
	m->nrcpts = ipc_field_count32(in, JOB_RCPTS_MAX);
	m->rcpts = arena_alloc(a, (m->nrcpts + 1) * sizeof(*m->rcpts));
	if (m->rcpts == NULL) {
		m->nrcpts = 0;
		in->bad = true;
		return;
	}
	for (size_t i = 0; i < m->nrcpts && !in->bad; i++) {
		m->rcpts[i].address = take_str(in, a, ADDRESS_TEXT_MAX);
		m->rcpts[i].verdict = ipc_get_u8(in);
		m->rcpts[i].tls_verified = ipc_field_bool(in);
	}
}

static void inbound_put(struct ipc_out *o, const struct job_request *m)
{
	struct ipc_out inner;

	ipc_put_str(o, m->our_domain);
	ipc_put_u32(o, (uint32_t)m->nids);
	for (size_t i = 0; i < m->nids; i++)
		identity_put(o, &m->ids[i]);
	ipc_put_bytes(o, m->in_rules, sizeof(m->in_rules));
	ipc_put_u8(o, m->have_trust);
	if (m->have_trust) {
		ipc_out_init(&inner, JUDGE_TRUST, 0);
		judge_trust_put(&inner, &m->trust);
		put_nested(o, &inner);
		ipc_put_str(o, m->trust_from);
	}
	ipc_put_u8(o, m->released);
	ipc_put_u8(o, m->foreign_deliver);
	ipc_put_u8(o, m->subject_mark);
	ipc_put_u8(o, m->dsn_unmatched);
	ipc_put_u8(o, m->encrypted_part);
	ipc_put_u8(o, m->broken_promise);
	ipc_put_u8(o, m->promises);
	ipc_put_u8(o, m->promise);
	ipc_put_str(o, m->promise_domain);
	ipc_put_u8(o, m->dsn);
	ipc_put_str(o, m->dsn_text);
}

static void inbound_get(struct ipc_in *in, struct arena *a, struct job_request *m)
{
	struct ipc_in inner;

	ipc_get_str(in, m->our_domain, sizeof(m->our_domain));
	m->nids = ipc_field_count32(in, JOB_IDENTITIES_MAX);
	for (size_t i = 0; i < m->nids && !in->bad; i++)
		identity_get(in, a, &m->ids[i]);
	take_fixed(in, m->in_rules, sizeof(m->in_rules));
	for (size_t i = 0; i < sizeof(m->in_rules); i++)
		if (m->in_rules[i] > POLICY_HOLD)
			in->bad = true;
	m->have_trust = ipc_field_bool(in);
	if (m->have_trust) {
		take_nested(in, &inner);
		if (judge_trust_get(&inner, a, &m->trust) != 0)
			in->bad = true;
		ipc_get_str(in, m->trust_from, sizeof(m->trust_from));
	}
	m->released = ipc_field_bool(in);
	m->foreign_deliver = ipc_field_bool(in);
	m->subject_mark = ipc_field_bool(in);
	m->dsn_unmatched = ipc_get_u8(in);
	m->encrypted_part = ipc_get_u8(in);
	m->broken_promise = ipc_get_u8(in);
	m->promises = ipc_get_u8(in);
	m->promise = ipc_get_u8(in);
	ipc_get_str(in, m->promise_domain, sizeof(m->promise_domain));
	m->dsn = ipc_get_u8(in);
	ipc_get_str(in, m->dsn_text, sizeof(m->dsn_text));
	if (m->dsn_unmatched > POLICY_CHOICE_REFUSE || m->encrypted_part > POLICY_CHOICE_REFUSE ||
	    m->broken_promise > POLICY_CHOICE_REFUSE || m->promises > JOB_PROMISES_KNOWN ||
	    m->promise > JUDGE_PROMISE_ALL || m->dsn > JOB_DSN_UNMATCHED)
		in->bad = true;
}

void job_request_put(struct ipc_out *o, const struct job_request *m)
{
	ipc_put_u8(o, m->kind);
	ipc_put_str(o, m->id);
	ipc_put_str(o, m->sender);
	ipc_put_str(o, m->trace);
	ipc_put_str(o, m->hostname);
	ipc_put_str(o, m->authserv_id);
	rcpts_put(o, m);
	verdicts_put(o, m);
	ipc_put_u8(o, m->tls_verified);
	ipc_put_u8(o, m->utf8);
	ipc_put_str(o, m->hide != NULL ? m->hide : "");
	ipc_put_u8(o, m->was_sealed);
	inbound_put(o, m);
	ipc_put_u32(o, m->header_max);
	ipc_put_u32(o, m->nesting_max);
	ipc_put_u64(o, m->message_max);
	ipc_put_bytes(o, m->key, sizeof(m->key));
	ipc_put_u64(o, m->sealed_len);
	judge_octets_put(o, &m->inline_sealed);
	for (int i = 0; i < m->nfds; i++)
		ipc_put_fd(o, m->fds[i]);
}

int job_request_get(struct ipc_in *in, struct arena *a, struct job_request *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = ipc_get_u8(in);
	m->id = take_str(in, a, 64);
	m->sender = take_str(in, a, ADDRESS_TEXT_MAX);
	m->trace = take_str(in, a, 4096);
	m->hostname = take_str(in, a, 255);
	m->authserv_id = take_str(in, a, 255);
	rcpts_get(in, a, m);
	verdicts_get(in, a, m);
	m->tls_verified = ipc_field_bool(in);
	m->utf8 = ipc_field_bool(in);
	m->hide = take_str(in, a, JOB_HIDE_MAX);
	m->was_sealed = ipc_get_u8(in);
	inbound_get(in, a, m);
	m->header_max = ipc_get_u32(in);
	m->nesting_max = ipc_get_u32(in);
	m->message_max = ipc_get_u64(in);
	take_fixed(in, m->key, sizeof(m->key));
	m->sealed_len = ipc_get_u64(in);
	judge_octets_get(in, a, IPC_PACKET_MAX, &m->inline_sealed);
	while (!in->bad && in->nfds > 0)
		m->fds[m->nfds++] = ipc_get_fd(in);
	if (m->kind < JOB_SEAL || m->kind > JOB_SEVEN || m->was_sealed > JOB_UNKNOWN)
		in->bad = true;
	for (size_t i = 0; i < m->nrcpts; i++)
		if (m->kind == JOB_SEAL && m->rcpts[i].verdict >= m->nverdicts)
			in->bad = true;
	if (ipc_end(in) == 0)
		return 0;
	while (m->nfds > 0)
		close(m->fds[--m->nfds]);
	return -1;
}

/* ---- piece ---- */

void job_piece_put(struct ipc_out *o, uint8_t output, const void *p, size_t n)
{
	ipc_put_u8(o, output);
	ipc_put_bytes(o, p, n);
}

int job_piece_get(struct ipc_in *in, uint8_t *output_r, const uint8_t **p_r, size_t *n_r)
{
	*output_r = ipc_get_u8(in);
	*p_r = ipc_get_bytes(in, n_r);
	if (*output_r >= JOB_VERDICTS_MAX)
		in->bad = true;
	return ipc_end(in);
}

/* ---- result ---- */

static void output_put(struct ipc_out *o, const struct job_output *t)
{
	ipc_put_bytes(o, t->key, sizeof(t->key));
	ipc_put_u64(o, t->sealed_len);
	ipc_put_u64(o, t->size);
	ipc_put_u8(o, t->in_fd);
	ipc_put_u8(o, t->sealed);
	ipc_put_u8(o, t->eight_bit);
	ipc_put_u8(o, t->action);
	ipc_put_str(o, t->refused);
	ipc_put_str(o, t->treatment);
	ipc_put_str(o, t->why);
	ipc_put_u32(o, (uint32_t)t->nrcpts);
	for (size_t i = 0; i < t->nrcpts; i++)
		ipc_put_u16(o, t->rcpts[i]);
}

static void output_get(struct ipc_in *in, struct arena *a, struct job_output *t)
{
	take_fixed(in, t->key, sizeof(t->key));
	t->sealed_len = ipc_get_u64(in);
	t->size = ipc_get_u64(in);
	t->in_fd = ipc_field_bool(in);
	t->sealed = ipc_field_bool(in);
	t->eight_bit = ipc_field_bool(in);
	t->action = ipc_get_u8(in);
	if (t->action > POLICY_HOLD)
		in->bad = true; /* anything else would be delivered */
	ipc_get_str(in, t->refused, sizeof(t->refused));
	if (t->refused[0] != '\0' && strncmp(t->refused, "5.", 2) != 0)
		in->bad = true;
	ipc_get_str(in, t->treatment, sizeof(t->treatment));
	ipc_get_str(in, t->why, sizeof(t->why));
	t->nrcpts = ipc_field_count32(in, JOB_RCPTS_MAX);
	t->rcpts = arena_alloc(a, (t->nrcpts + 1) * sizeof(*t->rcpts));
	if (t->rcpts == NULL)
		in->bad = true;
	for (size_t i = 0; i < t->nrcpts && !in->bad; i++)
		t->rcpts[i] = ipc_get_u16(in);
}

/* Printable text: it goes into logs, the queue's record and the header of mail. */
static void take_text(struct ipc_in *in, char *dst, size_t cap, bool ascii)
{
	ipc_get_str(in, dst, cap);
	for (const char *p = dst; *p; p++)
		if ((unsigned char)*p < 32 || *p == 127 || (ascii && (unsigned char)*p > 127))
			in->bad = true;
}

static void dsn_put(struct ipc_out *o, const struct job_dsn *d)
{
	ipc_put_str(o, d->message_id);
	ipc_put_str(o, d->read.envid);
	ipc_put_str(o, d->read.mta);
	ipc_put_u32(o, (uint32_t)d->read.nrcpts);
	for (size_t i = 0; i < d->read.nrcpts; i++) {
		const struct dsn_read_rcpt *r = &d->read.rcpts[i];

		ipc_put_u8(o, (uint8_t)r->action);
		ipc_put_str(o, r->final);
		ipc_put_str(o, r->original);
		ipc_put_str(o, r->status);
		ipc_put_str(o, r->diagnostic);
	}
}

static void dsn_get(struct ipc_in *in, struct job_dsn *d)
{
	take_text(in, d->message_id, sizeof(d->message_id), true);
	take_text(in, d->read.envid, sizeof(d->read.envid), true);
	take_text(in, d->read.mta, sizeof(d->read.mta), true);
	d->read.nrcpts = ipc_field_count32(in, DSN_READ_RCPTS);
	for (size_t i = 0; i < d->read.nrcpts && !in->bad; i++) {
		struct dsn_read_rcpt *r = &d->read.rcpts[i];
		uint8_t action = ipc_get_u8(in);

		if (action > DSN_DELIVERED)
			in->bad = true;
		r->action = (enum dsn_action)action;
		take_text(in, r->final, sizeof(r->final), false);
		take_text(in, r->original, sizeof(r->original), false);
		take_text(in, r->status, sizeof(r->status), true);
		take_text(in, r->diagnostic, sizeof(r->diagnostic), true);
	}
}

/* It is there when, and only when, the status asks for it. */
static void take_dsn(struct ipc_in *in, struct arena *a, struct job_result *m)
{
	struct job_dsn *d = m->status == JOB_NEEDS_DSN ? arena_alloc(a, sizeof(*d)) : NULL;

	if (m->status != JOB_NEEDS_DSN)
		return;
	if (d == NULL) {
		in->bad = true;
		return;
	}
	dsn_get(in, d);
	m->dsn = d;
}

static void named_put(struct ipc_out *o, const struct job_result *m)
{
	ipc_put_str(o, m->named_domain);
	ipc_put_str(o, m->named_id);
	ipc_put_str(o, m->named_url);
	ipc_put_str(o, m->named_why);
	ipc_put_u8(o, m->named_trusted);
	ipc_put_u8(o, m->broken);
	ipc_put_str(o, m->broken_domain);
}

/* Of a form that goes on to the judge and into the log as it is. */
static void named_get(struct ipc_in *in, struct job_result *m)
{
	char text[XSMG_FIELD_MAX];

	take_text(in, m->named_domain, sizeof(m->named_domain), true);
	take_text(in, m->named_id, sizeof(m->named_id), true);
	take_text(in, m->named_url, sizeof(m->named_url), true);
	take_text(in, m->named_why, sizeof(m->named_why), true);
	m->named_trusted = ipc_field_bool(in);
	m->broken = ipc_get_u8(in);
	take_text(in, m->broken_domain, sizeof(m->broken_domain), true);
	if (m->broken > JUDGE_PROMISE_ALL)
		in->bad = true;
	if (m->named_url[0] != 0 && xsmg_field_write(m->named_id, m->named_url, text) != 0)
		in->bad = true;
}

void job_result_put(struct ipc_out *o, const struct job_result *m)
{
	struct ipc_out inner;

	ipc_put_u8(o, m->status);
	ipc_field_problem_put(o, &m->pr);
	ipc_put_str(o, m->why);
	ipc_put_str(o, m->message_id);
	ipc_put_str(o, m->from_domain);
	ipc_put_u8(o, m->protected_in);
	ipc_put_u8(o, m->tls_no);
	ipc_put_u8(o, m->open_failed);
	ipc_put_u8(o, m->may_hold);
	ipc_put_u8(o, m->waits);
	ipc_put_str(o, m->waits_for);
	ipc_put_bytes(o, m->key_hash, sizeof(m->key_hash));
	ipc_put_u8(o, m->have_key_hash);
	ipc_put_u32(o, (uint32_t)m->nids);
	for (size_t i = 0; i < m->nids; i++)
		ipc_put_str(o, m->ids[i]);
	ipc_out_init(&inner, JUDGE_SIGNERS, 0);
	judge_signers_put(&inner, &m->signers);
	put_nested(o, &inner);
	ipc_put_u32(o, (uint32_t)m->noutputs);
	for (size_t i = 0; i < m->noutputs; i++)
		output_put(o, &m->outputs[i]);
	ipc_put_str(o, m->log);
	ipc_put_str(o, m->layers);
	named_put(o, m);
	if (m->status == JOB_NEEDS_DSN && m->dsn != NULL)
		dsn_put(o, m->dsn);
}

int job_result_get(struct ipc_in *in, struct arena *a, struct job_result *m)
{
	struct ipc_in inner;

	memset(m, 0, sizeof(*m));
	m->status = ipc_get_u8(in);
	ipc_field_problem(in, &m->pr);
	ipc_get_str(in, m->why, sizeof(m->why));
	ipc_get_str(in, m->message_id, sizeof(m->message_id));
	ipc_get_str(in, m->from_domain, sizeof(m->from_domain));
	m->protected_in = ipc_field_bool(in);
	m->tls_no = ipc_field_bool(in);
	m->open_failed = ipc_field_bool(in);
	m->may_hold = ipc_field_bool(in);
	m->waits = ipc_get_u8(in);
	if (m->waits > QUEUE_WAITS_KEY)
		in->bad = true;
	ipc_get_str(in, m->waits_for, sizeof(m->waits_for));
	take_fixed(in, m->key_hash, sizeof(m->key_hash));
	m->have_key_hash = ipc_field_bool(in);
	m->nids = ipc_field_count32(in, JOB_IDS_MAX);
	for (size_t i = 0; i < m->nids && !in->bad; i++)
		m->ids[i] = take_str(in, a, 998);
	take_nested(in, &inner);
	if (judge_signers_get(&inner, a, &m->signers) != 0)
		in->bad = true;
	m->noutputs = ipc_field_count32(in, JOB_VERDICTS_MAX);
	for (size_t i = 0; i < m->noutputs && !in->bad; i++)
		output_get(in, a, &m->outputs[i]);
	ipc_get_str(in, m->log, sizeof(m->log));
	take_text(in, m->layers, sizeof(m->layers), true);
	named_get(in, m);
	if (m->status > JOB_NEEDS_DSN)
		in->bad = true;
	take_dsn(in, a, m);
	return ipc_end(in);
}
