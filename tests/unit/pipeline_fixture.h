/*
 * Whole jobs through pipeline_run, encoded and decoded as between relay and sealer, with a keeper in threads and
 * certificates made here. hospital.example sends (its signing key is in the keeper), lab.example receives (its
 * decryption key as well). Header only.
 */
#ifndef POSTERN_TESTS_UNIT_PIPELINE_FIXTURE_H
#define POSTERN_TESTS_UNIT_PIPELINE_FIXTURE_H

#include <openssl/sha.h>
#include <sys/mman.h>

#include "gateway/base/encode.h"
#include "gateway/base/file.h"
#include "gateway/base/log.h"
#include "gateway/cms/base64.h"
#include "gateway/cms/cms.h"
#include "gateway/mail/protect.h"
#include "gateway/pipeline/pipeline.h"
#include "gateway/policy/policy.h"
#include "tests/unit/keeper_fixture.h"
#include "tests/unit/testcert.h"

enum { PIPES_MAX = 64 * 1024 * 1024, PIPES_MEMORY = 16 * 1024 * 1024 };
enum pipes_where { PIPES_AS_FITS, PIPES_IN_FILES };

#define PIPES_TRACE_OUT "Received: from ward7 by gw.hospital.example; now\r\n"
#define PIPES_TRACE_IN "Received: from gw.hospital.example by gw.lab.example; now\r\n"
#define PIPES_SIGN "hospital.example-sign-1"
#define PIPES_DECRYPT "lab.example-decrypt-1"

struct pipes {
	struct fixture keeper;
	struct keys_client *client;
	struct pipeline *p;
	struct testcert lab, hospital, foreign;
	struct arena *a;
	struct job_request rq;
	struct judge_verdict verdicts[JOB_VERDICTS_MAX];
	struct job_rcpt rcpts[4];
	enum pipes_where where;
	struct job_result res; /* of the last run, as the relay gets it */
	struct buf out[JOB_VERDICTS_MAX];
};

static inline EVP_PKEY *pipes_private(enum keys_algo algo)
{
	const unsigned char *p = fixture_pkcs8[algo].p;
	PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &p, (long)fixture_pkcs8[algo].len);
	EVP_PKEY *key = info == NULL ? NULL : EVP_PKCS82PKEY(info);

	ck_assert_ptr_nonnull(key);
	PKCS8_PRIV_KEY_INFO_free(info);
	return key;
}

static inline struct testcert pipes_cert(const char *cn, EVP_PKEY *key, long serial)
{
	struct testcert c = testcert_make(&(struct testcert_spec){.cn = cn, .key = key, .serial = serial});

	EVP_PKEY_free(key);
	return c;
}

static inline void pipes_start(struct pipes *w)
{
	log_init("test", LOG_LEVEL_ERROR);
	memset(w, 0, sizeof(*w));
	fixture_start(&w->keeper);
	EVP_PKEY_free(fixture_key(&w->keeper, PIPES_SIGN, KEYS_USE_SIGN, KEYS_EC_P256));
	EVP_PKEY_free(fixture_key(&w->keeper, PIPES_DECRYPT, KEYS_USE_DECRYPT, KEYS_RSA_2048));
	w->client = fixture_client(&w->keeper, KEEPER_FOR_SEALER);
	w->p = pipeline_new(w->client);
	w->hospital = pipes_cert("hospital.example", pipes_private(KEYS_EC_P256), 7);
	w->lab = pipes_cert("lab.example", pipes_private(KEYS_RSA_2048), 8);
	w->foreign = pipes_cert("foreign.example", EVP_EC_gen("P-256"), 9);
}

static inline void pipes_forget(struct pipes *w)
{
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++)
		buf_clear(&w->out[i]);
	arena_free(w->a);
	w->a = NULL;
}

static inline void pipes_end(struct pipes *w)
{
	pipes_forget(w);
	pipeline_free(w->p);
	keys_client_free(w->client);
	testcert_free(&w->hospital);
	testcert_free(&w->lab);
	testcert_free(&w->foreign);
	fixture_end(&w->keeper);
}

#define PIPES_COPY(dst, s) (void)snprintf(dst, sizeof(dst), "%s", s)

static inline struct judge_octets pipes_der(const struct testcert *c)
{
	return (struct judge_octets){c->der, c->n};
}

/* The rule of an ordinary partner with a certificate. */
static inline void pipes_verdict(struct pipes *w, size_t i, enum policy_treatment t)
{
	struct judge_verdict *v = &w->verdicts[i];

	memset(v, 0, sizeof(*v));
	w->rq.verdicts[i] = v;
	PIPES_COPY(v->rule, "partner lab.example");
	v->treatment = (uint8_t)t;
	v->strength = t == POLICY_CLEAR ? POLICY_NEVER : POLICY_REQUIRE;
	v->certs = POLICY_CERTS_USABLE;
	v->have_signer = true;
	v->nrcpt_certs = 1;
	v->rcpt_certs[0] = pipes_der(&w->lab);
	PIPES_COPY(v->sign_key, PIPES_SIGN);
	v->sign_cert = pipes_der(&w->hospital);
	v->format = format_default();
	if (w->rq.nverdicts <= i)
		w->rq.nverdicts = i + 1;
}

static inline void pipes_job(struct pipes *w, enum job_kind kind)
{
	struct job_request *rq = &w->rq;
	bool out = kind == JOB_SEAL;

	memset(rq, 0, sizeof(*rq));
	w->where = PIPES_AS_FITS;
	rq->kind = (uint8_t)kind;
	rq->id = "1A2B3C";
	rq->sender = "doctor@hospital.example";
	rq->trace = out ? PIPES_TRACE_OUT : PIPES_TRACE_IN;
	rq->hostname = out ? "gw.hospital.example" : "gw.lab.example";
	rq->authserv_id = out ? "auth.hospital.example" : "auth.lab.example";
	w->rcpts[0] = (struct job_rcpt){.address = "bob@lab.example", .verdict = 0};
	rq->rcpts = w->rcpts;
	rq->nrcpts = 1;
	rq->header_max = 131072;
	rq->nesting_max = 5;
	rq->message_max = PIPES_MAX / 4;
	if (out) {
		rq->hide = PROTECT_HIDE_DEFAULT;
		pipes_verdict(w, 0, POLICY_SEAL);
		return;
	}
	PIPES_COPY(rq->our_domain, "lab.example");
	rq->nids = 1;
	PIPES_COPY(rq->ids[0].domain, "lab.example");
	PIPES_COPY(rq->ids[0].key_id, PIPES_DECRYPT);
	rq->ids[0].cert = pipes_der(&w->lab);
	rq->in_rules[0] = POLICY_DELIVER;
	rq->in_rules[1] = POLICY_MARK;
	rq->in_rules[2] = POLICY_MARK;
	rq->in_rules[3] = POLICY_HOLD;
}

/* ---- one run ---- */

static inline int pipes_memfd(void)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static inline void pipes_content(struct pipes *w, struct spool *s)
{
	struct job_request *rq = &w->rq;
	const uint8_t *p;
	size_t n;

	p = spool_sealed(s, &n);
	ck_assert_ptr_nonnull(p);
	memcpy(rq->key, spool_key(s), sizeof(rq->key));
	rq->sealed_len = n;
	rq->nfds = 0;
	rq->inline_sealed = (struct judge_octets){p, n};
	if (n <= JOB_INLINE_MAX && w->where == PIPES_AS_FITS)
		return;
	rq->inline_sealed = (struct judge_octets){NULL, 0};
	rq->fds[rq->nfds++] = file_memfd("test", p, n);
	ck_assert_int_ge(rq->fds[0], 0);
	while (rq->nfds < JOB_FD_OUTPUT + 2)
		rq->fds[rq->nfds++] = pipes_memfd();
}

static inline void pipes_spool_text(struct spool *s, struct buf *out)
{
	struct problem pr = {0};
	struct stream_buf to;

	buf_init(out, PIPES_MAX);
	stream_buf_init(&to, out);
	ck_assert_msg(stream_copy(spool_reader(s), 0, spool_size(s), &to.writer, &pr) == 0, "%s", pr.text);
}

/* An output as the relay would read it: by its key, from pieces or from the file it gave. */
static inline void pipes_output(struct pipes *w, const struct job_request *rq, size_t i, struct spool *made)
{
	const struct job_output *o = &w->res.outputs[i];
	const uint8_t *p;
	struct spool *s;
	size_t n;

	if (o->in_fd) {
		ck_assert_int_lt(JOB_FD_OUTPUT + (int)i, rq->nfds);
		s = spool_open_fd(o->key, dup(rq->fds[JOB_FD_OUTPUT + i]), o->sealed_len);
	} else {
		p = spool_sealed(made, &n);
		ck_assert_ptr_nonnull(p);
		ck_assert_uint_eq(n, o->sealed_len);
		s = spool_open_mem(o->key, p, n);
	}
	pipes_spool_text(s, &w->out[i]);
	ck_assert_uint_eq(w->out[i].len, o->size);
	ck_assert_uint_eq(o->sealed_len, spool_sealed_size(o->size));
	spool_free(s);
}

static inline void pipes_result(struct pipes *w, const struct job_result *res)
{
	struct ipc_in in = {0};
	struct ipc_out o;

	ipc_out_init(&o, JOB_RESULT, 1);
	job_result_put(&o, res);
	ck_assert(!o.bad);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	ck_assert_msg(job_result_get(&in, w->a, &w->res) == 0, "the relay would not take this result");
	ipc_out_clear(&o);
}

static inline void pipes_request(struct pipes *w, struct job_request *rq)
{
	struct ipc_in in = {0};
	struct ipc_out o;

	ipc_out_init(&o, JOB_REQUEST, 1);
	job_request_put(&o, &w->rq);
	ck_assert(!o.bad);
	in.p = o.b.p + IPC_HEADER;
	in.n = o.b.len - IPC_HEADER;
	in.nfds = o.nfds;
	memcpy(in.fds, o.fds, sizeof(in.fds));
	ck_assert_int_eq(job_request_get(&in, w->a, rq), 0);
	ipc_out_clear(&o);
}

static inline enum job_status pipes_run(struct pipes *w, const void *text, size_t n)
{
	static struct job_request rq;
	static struct job_result res;
	static uint8_t count;
	uint8_t key[SPOOL_KEY] = {1, ++count};
	struct spool *outs[JOB_VERDICTS_MAX], *s = spool_new(key, PIPES_MAX, -1, -1, PIPES_MAX);
	struct problem pr = {0};

	ck_assert_int_eq(spool_add(s, text, n, &pr), 0);
	ck_assert_int_eq(spool_finish(s, &pr), 0);
	pipes_content(w, s);
	pipes_forget(w);
	w->a = arena_new(PIPES_MEMORY);
	pipes_request(w, &rq);
	pipeline_run(w->p, w->a, &rq, &res, outs);
	pipes_result(w, &res);
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++) {
		ck_assert_int_eq(outs[i] != NULL, i < w->res.noutputs);
		if (outs[i] != NULL)
			pipes_output(w, &rq, i, outs[i]);
		spool_free(outs[i]);
	}
	for (int i = 0; i < rq.nfds; i++)
		close(rq.fds[i]);
	w->rq.nfds = 0;
	spool_free(s);
	ck_assert_int_eq(w->res.status == JOB_DONE, w->res.noutputs > 0);
	if (w->res.status == JOB_REFUSE || w->res.status == JOB_LATER)
		ck_assert_msg(w->res.pr.cls != PROBLEM_NONE && w->res.pr.text[0], "no reason");
	if (w->res.status == JOB_LATER)
		ck_assert_int_eq(w->res.pr.cls, PROBLEM_TEMP);
	if (w->res.status == JOB_HOLD)
		ck_assert_msg(w->res.why[0], "held without a reason");
	return (enum job_status)w->res.status;
}

static inline enum job_status pipes_run_buf(struct pipes *w, const struct buf *b)
{
	return pipes_run(w, b->p, b->len);
}

/* The judge's answer on what the last run asked. */
static inline void pipes_trust(struct pipes *w, enum judge_trust_state state)
{
	struct judge_trust *t = &w->rq.trust;

	ck_assert_int_eq(w->res.status, JOB_NEEDS_TRUST);
	ck_assert_uint_gt(w->res.signers.n, 0);
	w->rq.have_trust = true;
	t->n = w->res.signers.n;
	for (size_t i = 0; i < t->n; i++) {
		uint8_t h[32];

		if (w->res.signers.v[i].cert.n == 0) { /* it is not in the message, and nobody knows it */
			t->v[i].sha256[0] = 0;
			t->v[i].state = JUDGE_TRUST_UNTRUSTED;
			PIPES_COPY(t->v[i].why, "not in the message, and not known");
			continue;
		}
		SHA256(w->res.signers.v[i].cert.p, w->res.signers.v[i].cert.n, h);
		encode_hex(h, sizeof(h), t->v[i].sha256);
		SHA256(w->res.signers.v[i].caps.p, w->res.signers.v[i].caps.n, h);
		encode_hex(h, sizeof(h), t->v[i].caps);
		t->v[i].state = (uint8_t)state;
		PIPES_COPY(t->v[i].why, "the judge's sentence");
	}
}

static inline char *pipes_text(struct pipes *w, size_t i)
{
	ck_assert_uint_lt(i, w->res.noutputs);
	return (char *)(uintptr_t)buf_str(&w->out[i]);
}

/* The last output, taken out of the pipes: to be fed to another job. */
static inline struct buf pipes_take(struct pipes *w, size_t i)
{
	struct buf b = w->out[i];

	ck_assert_uint_lt(i, w->res.noutputs);
	memset(&w->out[i], 0, sizeof(w->out[i]));
	return b;
}

static inline struct buf pipes_make(struct pipes *w, enum policy_treatment t, const void *text, size_t n)
{
	pipes_job(w, JOB_SEAL);
	pipes_verdict(w, 0, t);
	ck_assert_msg(pipes_run(w, text, n) == JOB_DONE, "%s", w->res.pr.text);
	ck_assert_uint_eq(w->res.noutputs, 1);
	return pipes_take(w, 0);
}

/* ---- messages that no gateway of ours writes ---- */

static inline void pipes_wrap(const char *fields, const char *type, const struct buf *der, struct buf *out)
{
	struct problem pr = {0};
	struct base64_enc e;
	struct stream_buf to;

	buf_init(out, PIPES_MAX);
	stream_buf_init(&to, out);
	ck_assert_int_eq(
	    buf_addf(out,
		"%sMIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; smime-type=%s; name=smime.p7m\r\n"
		"Content-Transfer-Encoding: base64\r\n\r\n",
		fields, type),
	    0);
	base64_enc_init(&e, &to.writer);
	ck_assert_int_eq(stream_write(&e.writer, der->p, der->len, &pr), 0);
	ck_assert_int_eq(base64_enc_end(&e, &pr), 0);
}

static inline void pipes_envelope(X509 *cert, const void *inner, size_t n, struct buf *der)
{
	struct cms_recipient r = {.cert = cert, .mode = CMS_KEY_RSA_V15};
	struct problem pr = {0};
	struct stream_buf to;
	struct cms_enc *e;

	buf_init(der, PIPES_MAX);
	stream_buf_init(&to, der);
	e = cms_enc_new(&r, 1, CMS_AES_256_CBC, &to.writer, &pr);
	ck_assert_msg(e != NULL, "%s", pr.text);
	ck_assert_int_eq(stream_write(cms_enc_writer(e), inner, n, &pr), 0);
	ck_assert_int_eq(cms_enc_end(e, &pr), 0);
}

#define PIPES_FIELDS                                                                                                 \
	"From: doctor@hospital.example\r\nTo: bob@lab.example\r\nSubject: result\r\nMessage-ID: "                    \
	"<1@hospital.example>\r\n"

/* A whole message that is encrypted to cert around these octets, unsigned. */
static inline struct buf pipes_sealed(X509 *cert, const void *inner, size_t n)
{
	struct buf der, out;

	pipes_envelope(cert, inner, n, &der);
	pipes_wrap(PIPES_FIELDS, "enveloped-data", &der, &out);
	buf_clear(&der);
	return out;
}

/* The CMS octets of a message that lies base64 behind its header. */
static inline void pipes_unwrap(const struct buf *message, struct buf *der)
{
	const char *body = strstr(buf_str((struct buf *)(uintptr_t)message), "\r\n\r\n");
	struct problem pr = {0};
	struct base64_dec d;
	struct stream_buf to;

	ck_assert_ptr_nonnull(body);
	body += 4;
	buf_init(der, PIPES_MAX);
	stream_buf_init(&to, der);
	base64_dec_init(&d, &to.writer);
	ck_assert_int_eq(
	    stream_write(&d.writer, body, message->len - (size_t)(body - (const char *)message->p), &pr), 0);
	ck_assert_int_eq(base64_dec_end(&d, &pr), 0);
}

#define PIPES_ALGOS (1u << KEYS_RSA_2048 | 1u << KEYS_EC_P256)

#endif
