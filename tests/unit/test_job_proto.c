/* relay <-> sealer: every field that is put in comes out; whatever is cut, added or out of range is refused, and no
 * descriptor is lost by it. */
#include "gateway/pipeline/job_proto.h"

#include <check.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/policy/policy.h"
#include "tests/unit/suite.h"

static const uint8_t octets[] = "octets\0with a NUL";
static struct job_rcpt rcpts[3] = {{.address = "a@lab.example", .verdict = 0, .tls_verified = false},
    {.address = "b@lab.example", .verdict = 1, .tls_verified = true},
    {.address = "c@other.example", .verdict = 1, .tls_verified = false}};
static uint16_t list[3] = {2, 0, 1};

#define COPY(dst, s) (void)snprintf(dst, sizeof(dst), "%s", s)
#define OCTETS(len) ((struct judge_octets){octets, len})

static void fill_verdict(struct judge_verdict *v, unsigned n)
{
	COPY(v->rule, "partner lab.example");
	v->treatment = POLICY_SEAL;
	v->strength = POLICY_REQUIRE;
	v->certs = POLICY_CERTS_USABLE;
	v->listed = v->have_signer = true;
	v->nrcpt_certs = 1;
	v->rcpt_certs[0] = OCTETS(3 + n);
	COPY(v->sign_key, "hospital.example-sign-1");
	v->sign_cert = OCTETS(5 + n);
}

static struct judge_verdict verdicts[2];

static void fill_request(struct job_request *m)
{
	memset(m, 0, sizeof(*m));
	m->kind = JOB_SEAL;
	m->id = "0001ABCD";
	m->sender = "doctor@hospital.example";
	m->trace = "Received: from somewhere\r\n";
	m->hostname = "gw.hospital.example";
	m->authserv_id = "auth.hospital.example";
	m->rcpts = rcpts;
	m->nrcpts = 3;
	m->nverdicts = 2;
	memset(verdicts, 0, sizeof(verdicts));
	for (unsigned i = 0; i < 2; i++) {
		fill_verdict(&verdicts[i], i);
		m->verdicts[i] = &verdicts[i];
	}
	m->tls_verified = true;
	m->was_sealed = JOB_YES;
	COPY(m->our_domain, "hospital.example");
	m->nids = 2;
	COPY(m->ids[0].domain, "hospital.example");
	COPY(m->ids[0].key_id, "hospital.example-decrypt-1");
	m->ids[0].use = 1;
	m->ids[0].cert = OCTETS(9);
	m->ids[1] = m->ids[0];
	m->ids[1].chain = OCTETS(10);
	memcpy(m->in_rules, "\0\1\2\1", 4);
	m->have_trust = true;
	m->trust.n = 1;
	m->trust.v[0].state = JUDGE_TRUST_UNBOUND;
	COPY(m->trust.v[0].sha256, "00ff");
	COPY(m->trust.v[0].why, "not the author's");
	m->released = m->foreign_deliver = m->subject_mark = true;
	m->dsn_unmatched = POLICY_CHOICE_REFUSE;
	m->dsn = JOB_DSN_UNMATCHED;
	m->broken_promise = POLICY_CHOICE_HOLD;
	m->promises = JOB_PROMISES_KNOWN;
	m->promise = JUDGE_PROMISE_SIGNS;
	COPY(m->promise_domain, "lab.example");
	COPY(m->dsn_text, "about nothing");
	m->header_max = 131072;
	m->nesting_max = 5;
	m->message_max = UINT64_C(5000000000);
	memset(m->key, 0xa5, sizeof(m->key));
	m->sealed_len = UINT64_C(5000000001);
	m->inline_sealed = OCTETS(sizeof(octets));
}

static void fill_result(struct job_result *m)
{
	memset(m, 0, sizeof(*m));
	m->status = JOB_NEEDS_TRUST;
	problem_policy(&m->pr, "the sentence");
	COPY(m->why, "held because");
	COPY(m->message_id, "<1@hospital.example>");
	COPY(m->from_domain, "lab.example");
	COPY(m->named_domain, "lab.example");
	COPY(m->named_id, "7ZbZ0xh3AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
	COPY(m->named_url, "https://smg.lab.example/s");
	m->named_trusted = true;
	m->broken = JUDGE_PROMISE_ENCRYPTS;
	COPY(m->broken_domain, "lab.example");
	m->protected_in = m->open_failed = m->have_key_hash = m->may_hold = m->tls_no = true;
	m->waits = QUEUE_WAITS_TRUST;
	COPY(m->waits_for, "partner.example");
	memset(m->key_hash, 0x5a, sizeof(m->key_hash));
	m->nids = 2;
	m->ids[0] = "<a@x>";
	m->ids[1] = "<b@y>";
	COPY(m->signers.our_domain, "hospital.example");
	COPY(m->signers.from, "a@lab.example");
	m->signers.n = m->signers.nextra = 1;
	m->signers.v[0].cert = OCTETS(4);
	m->signers.v[0].signing_time = -7;
	m->signers.extra[0] = OCTETS(6);
	m->noutputs = 2;
	for (size_t i = 0; i < 2; i++) {
		struct job_output *o = &m->outputs[i];

		memset(o->key, (int)i + 1, sizeof(o->key));
		o->sealed_len = 1000 + i;
		o->size = UINT64_C(1) << (40 + i);
		o->in_fd = i == 0;
		o->sealed = i == 1;
		o->eight_bit = i == 0;
		o->action = i == 0 ? POLICY_HOLD : POLICY_MARK;
		COPY(o->treatment, i == 0 ? "open" : "seal");
		COPY(o->refused, i == 0 ? "" : "5.3.4");
		COPY(o->why, "why");
		o->rcpts = list + i;
		o->nrcpts = 3 - i;
	}
	COPY(m->log, "cipher=aes-256-cbc");
}

/* ---- encoding and decoding, descriptors on the side ---- */

static void request_packet(struct ipc_out *o, const struct job_request *m)
{
	ipc_out_init(o, JOB_REQUEST, 1);
	job_request_put(o, m);
	ck_assert(!o->bad);
}

static void result_packet(struct ipc_out *o, const struct job_result *m)
{
	ipc_out_init(o, JOB_RESULT, 1);
	job_result_put(o, m);
	ck_assert(!o->bad);
}

enum what { REQUEST, RESULT, PIECE };

static int decode(enum what what, const uint8_t *p, size_t n)
{
	static struct job_request rq;
	static struct job_result res;
	struct ipc_in in = {.p = p, .n = n};
	struct arena *a = arena_new(1 << 20);
	const uint8_t *q;
	uint8_t output;
	int rc;

	if (what == REQUEST)
		rc = job_request_get(&in, a, &rq);
	else if (what == RESULT)
		rc = job_result_get(&in, a, &res);
	else
		rc = job_piece_get(&in, &output, &q, &n);
	arena_free(a);
	return rc;
}

static bool same(struct judge_octets a, struct judge_octets b)
{
	return a.n == b.n && (a.n == 0 || memcmp(a.p, b.p, a.n) == 0);
}

START_TEST(request_round)
{
	static struct job_request m, g;
	struct arena *a = arena_new(1 << 16);
	struct ipc_in in = {0};
	struct ipc_out o;

	fill_request(&m);
	request_packet(&o, &m);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_int_eq(job_request_get(&in, a, &g), 0);
	memset(o.b.p, 0xee, o.b.len); /* nothing may point into the packet */
	ck_assert_uint_eq(g.kind, JOB_SEAL);
	ck_assert_str_eq(g.id, m.id);
	ck_assert_str_eq(g.sender, m.sender);
	ck_assert_str_eq(g.trace, m.trace);
	ck_assert_str_eq(g.hostname, m.hostname);
	ck_assert_str_eq(g.authserv_id, m.authserv_id);
	ck_assert_uint_eq(g.nrcpts, 3);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_str_eq(g.rcpts[i].address, rcpts[i].address);
		ck_assert_uint_eq(g.rcpts[i].verdict, rcpts[i].verdict);
		ck_assert(g.rcpts[i].tls_verified == rcpts[i].tls_verified);
	}
	ck_assert_uint_eq(g.nverdicts, 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_str_eq(g.verdicts[i]->rule, "partner lab.example");
		ck_assert_uint_eq(g.verdicts[i]->treatment, POLICY_SEAL);
		ck_assert(same(g.verdicts[i]->rcpt_certs[0], m.verdicts[i]->rcpt_certs[0]));
		ck_assert(same(g.verdicts[i]->sign_cert, m.verdicts[i]->sign_cert));
		ck_assert_str_eq(g.ids[i].domain, "hospital.example");
		ck_assert_str_eq(g.ids[i].key_id, "hospital.example-decrypt-1");
		ck_assert_uint_eq(g.ids[i].use, 1);
		ck_assert(same(g.ids[i].cert, m.ids[i].cert) && same(g.ids[i].chain, m.ids[i].chain));
	}
	ck_assert(g.tls_verified && g.was_sealed == JOB_YES && g.nids == 2);
	ck_assert_str_eq(g.our_domain, "hospital.example");
	ck_assert_mem_eq(g.in_rules, m.in_rules, 4);
	ck_assert(g.have_trust && g.trust.n == 1 && g.trust.v[0].state == JUDGE_TRUST_UNBOUND);
	ck_assert_str_eq(g.trust.v[0].sha256, "00ff");
	ck_assert_str_eq(g.trust.v[0].why, "not the author's");
	ck_assert(g.released && g.foreign_deliver && g.subject_mark);
	ck_assert(g.dsn_unmatched == POLICY_CHOICE_REFUSE && g.dsn == JOB_DSN_UNMATCHED);
	ck_assert_str_eq(g.dsn_text, "about nothing");
	ck_assert(g.broken_promise == POLICY_CHOICE_HOLD && g.promises == JOB_PROMISES_KNOWN);
	ck_assert(g.promise == JUDGE_PROMISE_SIGNS && strcmp(g.promise_domain, "lab.example") == 0);
	ck_assert(g.header_max == m.header_max && g.nesting_max == 5 && g.message_max == m.message_max);
	ck_assert_mem_eq(g.key, m.key, 32);
	ck_assert_uint_eq(g.sealed_len, m.sealed_len);
	ck_assert(same(g.inline_sealed, m.inline_sealed));
	ck_assert_int_eq(g.nfds, 0);
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

/* Each flag by itself, so that two that changed places are noticed. */
START_TEST(request_flags)
{
	static struct job_request m, g;
	struct arena *a = arena_new(1 << 16);
	struct ipc_in in = {0};
	struct ipc_out o;

	fill_request(&m);
	m.tls_verified = _i == 0;
	m.have_trust = _i == 1;
	m.released = _i == 2;
	m.foreign_deliver = _i == 3;
	m.subject_mark = _i == 4;
	request_packet(&o, &m);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_int_eq(job_request_get(&in, a, &g), 0);
	ck_assert_int_eq(g.tls_verified, _i == 0);
	ck_assert_int_eq(g.have_trust, _i == 1);
	ck_assert_int_eq(g.released, _i == 2);
	ck_assert_int_eq(g.foreign_deliver, _i == 3);
	ck_assert_int_eq(g.subject_mark, _i == 4);
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

static void check_output(const struct job_output *g, const struct job_output *m)
{
	ck_assert_mem_eq(g->key, m->key, 32);
	ck_assert_uint_eq(g->sealed_len, m->sealed_len);
	ck_assert_uint_eq(g->size, m->size);
	ck_assert(g->in_fd == m->in_fd && g->sealed == m->sealed && g->eight_bit == m->eight_bit);
	ck_assert_uint_eq(g->action, m->action);
	ck_assert_str_eq(g->treatment, m->treatment);
	ck_assert_str_eq(g->why, m->why);
	ck_assert_str_eq(g->refused, m->refused);
	ck_assert_uint_eq(g->nrcpts, m->nrcpts);
	ck_assert_mem_eq(g->rcpts, m->rcpts, m->nrcpts * sizeof(*m->rcpts));
}

/* A report as large as it may be fits into a packet; what is not printable, or no action, ends the sealer. */
START_TEST(result_dsn)
{
	static struct job_result m, g;
	static struct job_dsn d;
	struct arena *a = arena_new(1 << 20);
	struct ipc_in in = {0};
	struct ipc_out o;

	fill_result(&m);
	m.status = JOB_NEEDS_DSN;
	m.dsn = &d;
	memset(&d, 0, sizeof(d));
	memset(d.message_id, 'i', sizeof(d.message_id) - 1);
	memset(d.read.envid, 'e', sizeof(d.read.envid) - 1);
	memset(d.read.mta, 'm', sizeof(d.read.mta) - 1);
	d.read.nrcpts = DSN_READ_RCPTS;
	for (size_t i = 0; i < DSN_READ_RCPTS; i++) {
		struct dsn_read_rcpt *r = &d.read.rcpts[i];

		r->action = (enum dsn_action)(i % 5);
		memset(r->final, 'f', sizeof(r->final) - 1);
		memset(r->original, 'o', sizeof(r->original) - 1);
		memset(r->status, '5', sizeof(r->status) - 1);
		memset(r->diagnostic, 'd', sizeof(r->diagnostic) - 1);
	}
	if (_i == 1)
		d.read.rcpts[31].diagnostic[0] = '\x1b';
	if (_i == 2)
		d.read.mta[3] = '\n';
	if (_i == 3)
		d.read.rcpts[0].action = (enum dsn_action)5;
	result_packet(&o, &m);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_int_eq(job_result_get(&in, a, &g), _i == 0 ? 0 : -1);
	if (_i == 0) {
		ck_assert_ptr_nonnull(g.dsn);
		ck_assert_str_eq(g.dsn->message_id, d.message_id);
		ck_assert_str_eq(g.dsn->read.envid, d.read.envid);
		ck_assert_str_eq(g.dsn->read.mta, d.read.mta);
		ck_assert_mem_eq(g.dsn->read.rcpts, d.read.rcpts, sizeof(d.read.rcpts));
	}
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

START_TEST(result_round)
{
	static struct job_result m, g;
	struct arena *a = arena_new(1 << 16);
	struct ipc_in in = {0};
	struct ipc_out o;

	fill_result(&m);
	result_packet(&o, &m);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_int_eq(job_result_get(&in, a, &g), 0);
	memset(o.b.p, 0xee, o.b.len);
	ck_assert_uint_eq(g.status, JOB_NEEDS_TRUST);
	ck_assert(g.pr.cls == PROBLEM_POLICY && g.pr.code == 550);
	ck_assert_str_eq(g.pr.enh, m.pr.enh);
	ck_assert_str_eq(g.pr.text, "the sentence");
	ck_assert_str_eq(g.why, m.why);
	ck_assert_str_eq(g.message_id, m.message_id);
	ck_assert_str_eq(g.from_domain, m.from_domain);
	ck_assert_str_eq(g.named_domain, m.named_domain);
	ck_assert_str_eq(g.named_id, m.named_id);
	ck_assert_str_eq(g.named_url, m.named_url);
	ck_assert_str_eq(g.broken_domain, m.broken_domain);
	ck_assert(g.named_trusted && g.broken == JUDGE_PROMISE_ENCRYPTS);
	ck_assert(g.protected_in && g.open_failed && g.have_key_hash && g.may_hold && g.tls_no);
	ck_assert_uint_eq(g.waits, QUEUE_WAITS_TRUST);
	ck_assert_str_eq(g.waits_for, "partner.example");
	ck_assert_mem_eq(g.key_hash, m.key_hash, 32);
	ck_assert_uint_eq(g.nids, 2);
	ck_assert_str_eq(g.ids[0], "<a@x>");
	ck_assert_str_eq(g.ids[1], "<b@y>");
	ck_assert_str_eq(g.signers.from, "a@lab.example");
	ck_assert(g.signers.n == 1 && g.signers.nextra == 1 && g.signers.v[0].signing_time == -7);
	ck_assert(same(g.signers.v[0].cert, m.signers.v[0].cert) && same(g.signers.extra[0], m.signers.extra[0]));
	ck_assert_uint_eq(g.noutputs, 2);
	check_output(&g.outputs[0], &m.outputs[0]);
	check_output(&g.outputs[1], &m.outputs[1]);
	ck_assert_str_eq(g.log, m.log);
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

START_TEST(result_flags)
{
	static struct job_result m, g;
	struct arena *a = arena_new(1 << 16);
	struct ipc_in in = {0};
	struct ipc_out o;

	fill_result(&m);
	m.protected_in = _i == 0;
	m.open_failed = _i == 1;
	m.have_key_hash = _i == 2;
	result_packet(&o, &m);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_int_eq(job_result_get(&in, a, &g), 0);
	ck_assert_int_eq(g.protected_in, _i == 0);
	ck_assert_int_eq(g.open_failed, _i == 1);
	ck_assert_int_eq(g.have_key_hash, _i == 2);
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

START_TEST(piece_round)
{
	struct ipc_in in = {0};
	struct ipc_out o;
	const uint8_t *p;
	uint8_t output;
	size_t n;

	ipc_out_init(&o, JOB_PIECE, 1);
	job_piece_put(&o, JOB_VERDICTS_MAX - 1, octets, sizeof(octets));
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_int_eq(job_piece_get(&in, &output, &p, &n), 0);
	ck_assert_uint_eq(output, JOB_VERDICTS_MAX - 1);
	ck_assert_uint_eq(n, sizeof(octets));
	ck_assert_mem_eq(p, octets, n);
	o.b.p[IPC_HEADER] = JOB_VERDICTS_MAX;
	ck_assert_int_eq(decode(PIECE, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER), -1);
	ipc_out_clear(&o);
}
END_TEST

/* ---- cut, added to, changed ---- */

static void packet(enum what what, struct ipc_out *o)
{
	static struct job_request rq;
	static struct job_result res;

	if (what == REQUEST) {
		fill_request(&rq);
		request_packet(o, &rq);
	} else if (what == RESULT) {
		fill_result(&res);
		result_packet(o, &res);
	} else {
		ipc_out_init(o, JOB_PIECE, 1);
		job_piece_put(o, 0, octets, sizeof(octets));
	}
}

START_TEST(cut_and_added)
{
	enum what what = (enum what)_i;
	struct ipc_out o;
	uint8_t *p, *q;
	size_t n;

	packet(what, &o);
	n = o.b.len - IPC_HEADER;
	p = calloc(1, n + 1);
	memcpy(p, o.b.p + IPC_HEADER, n);
	ck_assert_int_eq(decode(what, p, n), 0);
	ck_assert_int_eq(decode(what, p, n + 1), -1);
	for (size_t k = 0; k < n; k++) {
		q = malloc(k ? k : 1); /* exactly as long: reading past it shows */
		memcpy(q, p, k);
		ck_assert_msg(decode(what, q, k) == -1, "cut at %zu", k);
		free(q);
	}
	for (size_t k = 0; k < n; k++) /* any octet changed: an answer or a refusal, nothing else */
		for (unsigned v = 0; v < 256; v += 85) {
			uint8_t was = p[k];

			p[k] = (uint8_t)v;
			(void)decode(what, p, n);
			p[k] = was;
		}
	free(p);
	ipc_out_clear(&o);
}
END_TEST

/* What a good program never says. Each row changes one thing of a request, or of a result, that would be taken. */
static struct job_rcpt far[1] = {{.address = "a@lab.example", .verdict = 2}};
static char long_id[66], long_trace[4098], long_name[257], long_address[ADDRESS_TEXT_MAX + 2];

static void rq_kind_low(struct job_request *m)
{
	m->kind = 0;
}
static void rq_kind_high(struct job_request *m)
{
	m->kind = JOB_SEVEN + 1;
}
static void rq_was(struct job_request *m)
{
	m->was_sealed = JOB_UNKNOWN + 1;
}
static void rq_rule(struct job_request *m)
{
	m->in_rules[3] = POLICY_HOLD + 1;
}
static void rq_verdict(struct job_request *m)
{
	m->rcpts = far, m->nrcpts = 1;
}
static void rq_id(struct job_request *m)
{
	m->id = memset(long_id, 'x', sizeof(long_id) - 1);
}
static void rq_trace(struct job_request *m)
{
	m->trace = memset(long_trace, 'x', sizeof(long_trace) - 1);
}
static void rq_host(struct job_request *m)
{
	m->hostname = memset(long_name, 'x', sizeof(long_name) - 1);
}
static void rq_authserv(struct job_request *m)
{
	m->authserv_id = memset(long_name, 'x', sizeof(long_name) - 1);
}
static void rq_sender(struct job_request *m)
{
	m->sender = memset(long_address, 'x', sizeof(long_address) - 1);
}
static void rq_treatment(struct job_request *m)
{
	(void)m;
	verdicts[0].treatment = POLICY_SEAL + 1;
}
static void rq_trust(struct job_request *m)
{
	m->trust.v[0].state = JUDGE_TRUST_REVOKED + 1;
}

static void (*const bad_requests[])(struct job_request *m) = {rq_kind_low, rq_kind_high, rq_was, rq_rule, rq_verdict,
    rq_id, rq_trace, rq_host, rq_authserv, rq_sender, rq_treatment, rq_trust};

START_TEST(bad_request)
{
	static struct job_request m;
	struct ipc_out o;

	fill_request(&m);
	bad_requests[_i](&m);
	request_packet(&o, &m);
	ck_assert_int_eq(decode(REQUEST, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER), -1);
	ipc_out_clear(&o);
}
END_TEST

static char long_msgid[1000];

static void rs_status(struct job_result *m)
{
	m->status = JOB_LATER + 1;
}
static void rs_class(struct job_result *m)
{
	m->pr.cls = (enum problem_class)(PROBLEM_POLICY + 1);
}
static void rs_code(struct job_result *m)
{
	m->pr.code = 250;
} /* a refusal must not look like success */
static void rs_action(struct job_result *m)
{
	m->outputs[1].action = POLICY_HOLD + 1;
}
static void rs_refused(struct job_result *m)
{
	COPY(m->outputs[1].refused, "2.0.0");
}
static void rs_msgid(struct job_result *m)
{
	m->ids[1] = memset(long_msgid, 'x', sizeof(long_msgid) - 1);
}

static void (*const bad_results[])(struct job_result *m) = {
    rs_status, rs_class, rs_code, rs_action, rs_refused, rs_msgid};

START_TEST(bad_result)
{
	static struct job_result m;
	struct ipc_out o;

	fill_result(&m);
	bad_results[_i](&m);
	result_packet(&o, &m);
	ck_assert_int_eq(decode(RESULT, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER), -1);
	ipc_out_clear(&o);
}
END_TEST

/* Counts past the arrays: the first count field of each is overwritten in the packet. */
START_TEST(counts)
{
	static struct job_request m;
	struct ipc_out o;
	size_t at;

	fill_request(&m);
	m.nrcpts = 0;
	m.nverdicts = 0;
	m.id = m.sender = m.trace = m.hostname = m.authserv_id = "";
	request_packet(&o, &m);
	at = IPC_HEADER + 1 + 5 * 4; /* kind, five empty strings */
	ck_assert_int_eq(decode(REQUEST, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER), 0);
	for (unsigned i = 0; i < 2; i++) { /* recipients, then verdicts */
		memset(o.b.p + at + i * 4, 0xff, 4);
		ck_assert_int_eq(decode(REQUEST, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER), -1);
		memset(o.b.p + at + i * 4, 0, 4);
	}
	ipc_out_clear(&o);
}
END_TEST

START_TEST(most_recipients)
{
	static struct job_rcpt many[JOB_RCPTS_MAX + 1];
	static struct job_request m;
	struct ipc_out o;

	for (size_t i = 0; i <= JOB_RCPTS_MAX; i++)
		many[i] = (struct job_rcpt){.address = "a@lab.example", .verdict = 0, .tls_verified = false};
	fill_request(&m);
	m.rcpts = many;
	m.nrcpts = JOB_RCPTS_MAX;
	request_packet(&o, &m);
	ck_assert_int_eq(decode(REQUEST, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER), 0);
	ipc_out_clear(&o);
	m.nrcpts++;
	request_packet(&o, &m);
	ck_assert_int_eq(decode(REQUEST, o.b.p + IPC_HEADER, o.b.len - IPC_HEADER), -1);
	ipc_out_clear(&o);
}
END_TEST

/* An arena too small: refused, never cut. */
START_TEST(small_arena)
{
	static struct job_request m, g;
	struct ipc_out o;

	fill_request(&m);
	request_packet(&o, &m);
	for (size_t max = 0; max < 160; max += 8) {
		struct arena *a = arena_new(max);
		struct ipc_in in = {.p = o.b.p + IPC_HEADER, .n = o.b.len - IPC_HEADER};

		ck_assert_int_eq(job_request_get(&in, a, &g), -1);
		arena_free(a);
	}
	ipc_out_clear(&o);
}
END_TEST

/* Descriptors: in order when the packet is good; closed when it is not, wherever it breaks. */
START_TEST(descriptors)
{
	static struct job_request m, g;
	struct arena *a = arena_new(1 << 20);
	struct ipc_out o;
	int spare = open("/dev/null", O_RDONLY | O_CLOEXEC);

	fill_request(&m);
	m.nfds = 3;
	for (int i = 0; i < m.nfds; i++)
		m.fds[i] = spare;
	request_packet(&o, &m);
	ck_assert_int_eq(o.nfds, 3);
	for (int bad = 0; bad < 4; bad++) {
		struct ipc_in in = {.p = o.b.p + IPC_HEADER, .n = o.b.len - IPC_HEADER, .nfds = 3};
		int fds[3];

		for (int i = 0; i < 3; i++)
			in.fds[i] = fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		if (bad == 1)
			o.b.p[IPC_HEADER] = JOB_SEVEN + 1; /* found when the descriptors were taken already */
		else if (bad == 2)
			in.n = 10;
		else if (bad == 3)
			in.n--;
		ck_assert_int_eq(job_request_get(&in, a, &g), bad ? -1 : 0);
		o.b.p[IPC_HEADER] = JOB_SEAL;
		ck_assert_int_eq(g.nfds, bad ? 0 : 3);
		for (int i = 0; i < 3; i++) {
			ck_assert_int_eq(fcntl(fds[i], F_GETFD) >= 0, !bad);
			if (!bad) {
				ck_assert_int_eq(g.fds[i], fds[i]);
				close(fds[i]);
			}
		}
	}
	close(spare);
	ipc_out_clear(&o);
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("job_proto");
	TCase *t = tcase_create("job_proto");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, request_round);
	tcase_add_loop_test(t, request_flags, 0, 5);
	tcase_add_test(t, result_round);
	tcase_add_loop_test(t, result_dsn, 0, 4);
	tcase_add_loop_test(t, result_flags, 0, 3);
	tcase_add_test(t, piece_round);
	tcase_add_loop_test(t, cut_and_added, REQUEST, PIECE + 1);
	tcase_add_loop_test(t, bad_request, 0, (int)(sizeof(bad_requests) / sizeof(bad_requests[0])));
	tcase_add_loop_test(t, bad_result, 0, (int)(sizeof(bad_results) / sizeof(bad_results[0])));
	tcase_add_test(t, counts);
	tcase_add_test(t, most_recipients);
	tcase_add_test(t, small_arena);
	tcase_add_test(t, descriptors);
	suite_add_tcase(s, t);
	return suite_run(s);
}
