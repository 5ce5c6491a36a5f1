/* How outgoing mail is written: every form opens again on the other side; what several outputs share is signed once;
 * nobody is named beside others. */
#include "gateway/pipeline/seal.h"

#include <openssl/cms.h>
#include <pthread.h>
#include <stdatomic.h>

#include "gateway/keys/keeper_proto.h"
#include "tests/unit/pipeline_fixture.h"

#define RSA_SIGN "hospital.example-sign-2"
static struct pipes w;
static struct testcert rsa; /* hospital.example's, with an RSA key */

/* ---- a wire to the keeper that counts ---- */

static struct {
	int client, keeper;
	atomic_uint signs;
	pthread_t thread;
} wire;

static void *wire_thread(void *arg)
{
	struct buf b;
	struct ipc_in in;

	buf_init(&b, IPC_PACKET_MAX);
	while (ipc_recv(wire.client, &b, &in, -1) == 1) {
		if (in.type == KEEPER_MSG_SIGN)
			wire.signs++;
		if (ipc_send_now(wire.keeper, &b, NULL, 0) != 0 || ipc_recv(wire.keeper, &b, &in, 10000) != 1 ||
		    ipc_send_now(wire.client, &b, NULL, 0) != 0)
			break;
	}
	buf_clear(&b);
	return arg;
}

static void setup(void)
{
	int fds[2];

	pipes_start(&w);
	EVP_PKEY_free(fixture_key(&w.keeper, RSA_SIGN, KEYS_USE_SIGN, KEYS_RSA_2048));
	rsa = pipes_cert("hospital.example", pipes_private(KEYS_RSA_2048), 11);
	ck_assert_int_eq(ipc_pair(fds), 0);
	wire.client = fds[0];
	wire.keeper = fixture_fd(&w.keeper, KEEPER_FOR_SEALER);
	wire.signs = 0;
	keys_client_replace(w.client, fds[1]);
	ck_assert_int_eq(pthread_create(&wire.thread, NULL, wire_thread, NULL), 0);
	pipes_job(&w, JOB_SEAL);
}

static void teardown(void)
{
	int none[2];

	ck_assert_int_eq(ipc_pair(none), 0);
	keys_client_replace(w.client, none[1]); /* closes the wire's end */
	ck_assert_int_eq(pthread_join(wire.thread, NULL), 0);
	close(wire.client);
	close(wire.keeper);
	close(none[0]);
	testcert_free(&rsa);
	pipes_end(&w);
}

static void sign_by_rsa(size_t i)
{
	PIPES_COPY(w.verdicts[i].sign_key, RSA_SIGN);
	w.verdicts[i].sign_cert = pipes_der(&rsa);
}

static void format(size_t i, const char *text)
{
	struct problem pr = {0};
	unsigned given;

	ck_assert_msg(format_read(text, &w.verdicts[i].format, &given, &pr) == 0, "%s", pr.text);
}

#define FRONT                                                                                                        \
	"From: doctor@hospital.example\r\nTo: bob@lab.example\r\nBcc: hidden@lab.example\r\nSubject: result\r\n"     \
	"Message-ID: <1@hospital.example>\r\nDate: Sun, 22 Nov 2026 02:00:00 +0000\r\n"                              \
	"Resent-Bcc: hidden@lab.example\r\n"
#define BODY                                                                                                         \
	"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"    \
	"SECRETWORD caf\xc3\xa9\r\nFrom the ward\r\n"
static const char plain[] = FRONT BODY;

/* ---- every form ---- */

static void opens(const struct buf *sealed, const char *text)
{
	pipes_job(&w, JOB_CHECK);
	ck_assert_msg(pipes_run_buf(&w, sealed) == JOB_AS_IT_CAME, "%s: %s", text, w.res.pr.text);
	pipes_job(&w, JOB_OPEN);
	ck_assert_msg(pipes_run_buf(&w, sealed) == JOB_NEEDS_TRUST, "%s: %s %s", text, w.res.why, w.res.pr.text);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	ck_assert_msg(pipes_run_buf(&w, sealed) == JOB_DONE, "%s: %s %s", text, w.res.why, w.res.pr.text);
	ck_assert_msg(w.res.outputs[0].action == POLICY_DELIVER, "%s", pipes_text(&w, 0));
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "SECRETWORD"));
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "X-Postern-Verdict: sealed\r\n"));
	ck_assert_ptr_null(strstr(pipes_text(&w, 0), "hidden@"));
}

static void only_seven(const struct buf *b)
{
	for (size_t i = 0; i < b->len; i++)
		ck_assert_uint_lt(b->p[i], 128);
}

static const struct {
	const char *text, *outside;
	unsigned signs;
	bool rsa;
} forms[] = {{"inside=multipart", "smime-type=enveloped-data", 1, false},
    {"cipher=aes-192-gcm key=oaep-sha1", "smime-type=authEnveloped-data", 1, false},
    {"cipher=aes-256-gcm key=oaep-sha256 inside=multipart", "smime-type=authEnveloped-data", 1, false},
    {"cipher=aes-192-cbc recipient-id=ski", "smime-type=enveloped-data", 1, false},
    {"signature=pss digest=sha512", "smime-type=enveloped-data", 1, true},
    {"digest=sha384", "smime-type=enveloped-data", 1, true}, {"triple=yes", "multipart/signed", 2, false},
    {"triple=yes signature=pss", "multipart/signed", 2, true},
    {"triple=yes alone=opaque", "smime-type=signed-data", 2, false},
    {"triple=yes inside=multipart cipher=aes-128-gcm", "multipart/signed", 2, false},
    {"wrap=message", "smime-type=enveloped-data", 1, false},
    {"wrap=rfc9788 inside=multipart", "smime-type=enveloped-data", 1, false}};

START_TEST(every_form)
{
	struct buf sealed;

	format(0, forms[_i].text);
	if (forms[_i].rsa)
		sign_by_rsa(0);
	ck_assert_msg(pipes_run(&w, plain, sizeof(plain) - 1) == JOB_DONE, "%s", w.res.pr.text);
	ck_assert_uint_eq(wire.signs, forms[_i].signs);
	ck_assert(w.res.outputs[0].sealed && !w.res.outputs[0].eight_bit);
	sealed = pipes_take(&w, 0);
	only_seven(&sealed);
	ck_assert_ptr_nonnull(strstr(buf_str(&sealed), forms[_i].outside));
	ck_assert_ptr_null(strstr(buf_str(&sealed), "SECRETWORD"));
	ck_assert_ptr_null(strstr(buf_str(&sealed), "hidden@"));
	ck_assert_ptr_nonnull(strstr(buf_str(&sealed), "\r\nMessage-ID: <1@hospital.example>\r\n"));
	ck_assert_ptr_nonnull(strstr(buf_str(&sealed), "\r\nDate: Sun, 22 Nov 2026 02:00:00 +0000\r\n"));
	if (strncmp(forms[_i].text, "triple", 6) != 0)
		opens(&sealed, forms[_i].text);
	buf_clear(&sealed);
}
END_TEST

/* Three layers peel off one after the other, and the judge is asked for what signed them. */
START_TEST(triple)
{
	struct buf sealed;

	format(0, _i ? "triple=yes alone=opaque inside=multipart" : "triple=yes");
	ck_assert_int_eq(pipes_run(&w, plain, sizeof(plain) - 1), JOB_DONE);
	sealed = pipes_take(&w, 0);
	pipes_job(&w, JOB_OPEN);
	ck_assert_msg(pipes_run_buf(&w, &sealed) == JOB_NEEDS_TRUST, "%s %s", w.res.why, w.res.pr.text);
	ck_assert_uint_eq(w.res.signers.n, 2);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	ck_assert_msg(pipes_run_buf(&w, &sealed) == JOB_DONE, "%s %s", w.res.why, w.res.pr.text);
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "SECRETWORD"));
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_DELIVER);
	buf_clear(&sealed);
}
END_TEST

/* Signed in the clear: opaque, where only an S/MIME reader shall see it. */
START_TEST(opaque_alone)
{
	struct buf made;

	pipes_verdict(&w, 0, POLICY_SIGN);
	format(0, "alone=opaque");
	ck_assert_int_eq(pipes_run(&w, plain, sizeof(plain) - 1), JOB_DONE);
	made = pipes_take(&w, 0);
	only_seven(&made);
	ck_assert_ptr_nonnull(strstr(buf_str(&made), "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; "
						     "smime-type=signed-data"));
	pipes_job(&w, JOB_CHECK);
	ck_assert_int_eq(pipes_run_buf(&w, &made), JOB_NEEDS_TRUST);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	ck_assert_int_eq(pipes_run_buf(&w, &made), JOB_DONE);
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "SECRETWORD"));
	buf_clear(&made);
}
END_TEST

/* ---- what is shared ---- */

static int recipients_of(const struct buf *message)
{
	struct buf der;
	const unsigned char *p;
	CMS_ContentInfo *cms;
	int n;

	pipes_unwrap(message, &der);
	p = der.p;
	cms = d2i_CMS_ContentInfo(NULL, &p, (long)der.len);
	ck_assert_ptr_nonnull(cms);
	n = sk_CMS_RecipientInfo_num(CMS_get0_RecipientInfos(cms));
	CMS_ContentInfo_free(cms);
	buf_clear(&der);
	return n;
}

/* Three partners, one of them blind, one with an EC certificate and GCM: the RSA key is asked once, and each output
 * names one certificate. */
START_TEST(signed_once)
{
	struct buf made[3];

	for (size_t i = 0; i < 3; i++) {
		w.rcpts[i] = (struct job_rcpt){
		    .address = i == 2 ? "hidden@lab.example" : "bob@lab.example", .verdict = (uint8_t)i};
		pipes_verdict(&w, i, POLICY_SEAL);
		sign_by_rsa(i);
	}
	w.rq.nrcpts = 3;
	w.verdicts[1].rcpt_certs[0] = pipes_der(&w.foreign);
	format(1, "cipher=aes-256-gcm");
	format(2, "key=oaep-sha256 cipher=aes-128-cbc");
	if (_i)
		for (size_t i = 0; i < 3; i++)
			format(i, "inside=multipart");
	w.where = _i > 1 ? PIPES_IN_FILES : PIPES_AS_FITS;
	ck_assert_msg(pipes_run(&w, plain, sizeof(plain) - 1) == JOB_DONE, "%s", w.res.pr.text);
	ck_assert_uint_eq(w.res.noutputs, 3);
	ck_assert_uint_eq(wire.signs, 1);
	for (size_t i = 0; i < 3; i++) {
		ck_assert(w.res.outputs[i].nrcpts == 1 && w.res.outputs[i].rcpts[0] == i);
		made[i] = pipes_take(&w, i);
	}
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(recipients_of(&made[i]), 1);
		if (i != 1)
			opens(&made[i], "shared");
		buf_clear(&made[i]);
	}
}
END_TEST

/* Who differs in what is signed has a signature of its own; who does not, shares it, in whatever order they stand. */
static const struct {
	const char *format[3];
	enum policy_treatment t[3];
	unsigned signs;
} shared[] = {{{"", "digest=sha384", ""}, {POLICY_SEAL, POLICY_SEAL, POLICY_SEAL}, 2},
    {{"", "signature=pss", "wrap=message"}, {POLICY_SEAL, POLICY_SEAL, POLICY_SEAL}, 3},
    {{"inside=multipart", "", "recipient-id=ski"}, {POLICY_SEAL, POLICY_SIGN, POLICY_SEAL}, 2},
    {{"wrap=rfc9788", "wrap=rfc9788", "wrap=rfc9788 subject=outside"}, {POLICY_SEAL, POLICY_SEAL, POLICY_SEAL}, 2},
    {{"wrap=rfc9788 inside=multipart", "wrap=rfc9788", ""}, {POLICY_SEAL, POLICY_SIGN, POLICY_CLEAR}, 2},
    {{"", "triple=yes", ""}, {POLICY_SEAL, POLICY_SEAL, POLICY_CLEAR}, 2},
    {{"", "", ""}, {POLICY_CLEAR, POLICY_TLS, POLICY_SIGN}, 1}};

START_TEST(what_is_shared)
{
	for (size_t i = 0; i < 3; i++) {
		w.rcpts[i] =
		    (struct job_rcpt){.address = "bob@lab.example", .verdict = (uint8_t)i, .tls_verified = true};
		pipes_verdict(&w, i, shared[_i].t[i]);
		format(i, shared[_i].format[i]);
		sign_by_rsa(i);
	}
	w.rq.nrcpts = 3;
	ck_assert_msg(pipes_run(&w, plain, sizeof(plain) - 1) == JOB_DONE, "%s", w.res.pr.text);
	ck_assert_uint_eq(w.res.noutputs, 3);
	ck_assert_uint_eq(wire.signs, shared[_i].signs);
	for (size_t i = 0; i < 3; i++) {
		ck_assert_int_eq(strstr(pipes_text(&w, i), "SECRETWORD") == NULL, w.res.outputs[i].sealed);
		ck_assert_ptr_null(strstr(pipes_text(&w, i), "hidden@"));
	}
}
END_TEST

/* Another key of ours, another signature. */
START_TEST(other_signer)
{
	for (size_t i = 0; i < 2; i++) {
		w.rcpts[i] = (struct job_rcpt){.address = "bob@lab.example", .verdict = (uint8_t)i};
		pipes_verdict(&w, i, POLICY_SEAL);
	}
	w.rq.nrcpts = 2;
	sign_by_rsa(1);
	ck_assert_int_eq(pipes_run(&w, plain, sizeof(plain) - 1), JOB_DONE);
	ck_assert_uint_eq(wire.signs, 2);
}
END_TEST

/* Two certificates of one partner: either key opens it. */
START_TEST(two_certificates)
{
	struct buf made;

	w.verdicts[0].rcpt_certs[0] = pipes_der(&w.foreign);
	w.verdicts[0].rcpt_certs[1] = pipes_der(&w.lab);
	w.verdicts[0].nrcpt_certs = 2;
	ck_assert_int_eq(pipes_run(&w, plain, sizeof(plain) - 1), JOB_DONE);
	made = pipes_take(&w, 0);
	ck_assert_int_eq(recipients_of(&made), 2);
	opens(&made, "two certificates");
	buf_clear(&made);
}
END_TEST

/* Megabytes, shared and three times wrapped: what is kept lies in files. */
START_TEST(large)
{
	struct buf m, made;

	buf_init(&m, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&m, FRONT BODY), 0);
	while (m.len < 3000000)
		ck_assert_int_eq(buf_addf(&m, "line %zu of a long result\r\n", m.len), 0);
	w.rcpts[1] = (struct job_rcpt){.address = "all@lab.example", .verdict = 1};
	w.rq.nrcpts = 2;
	pipes_verdict(&w, 1, POLICY_SEAL);
	format(0, "triple=yes alone=opaque inside=multipart");
	format(1, "inside=multipart");
	ck_assert_msg(pipes_run_buf(&w, &m) == JOB_DONE, "%s", w.res.pr.text);
	ck_assert_uint_eq(wire.signs, 2);
	made = pipes_take(&w, 1);
	opens(&made, "large");
	buf_clear(&made);
	buf_clear(&m);
}
END_TEST

#define COUNT(t) ((int)(sizeof(t) / sizeof((t)[0])))
int main(void)
{
	Suite *s = suite_create("seal");
	TCase *t = tcase_create("seal");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, every_form, 0, COUNT(forms));
	tcase_add_loop_test(t, triple, 0, 2);
	tcase_add_test(t, opaque_alone);
	tcase_add_loop_test(t, signed_once, 0, 3);
	tcase_add_loop_test(t, what_is_shared, 0, COUNT(shared));
	tcase_add_test(t, other_signer);
	tcase_add_test(t, two_certificates);
	tcase_add_test(t, large);
	suite_add_tcase(s, t);
	return fixture_run(s, PIPES_ALGOS);
}
