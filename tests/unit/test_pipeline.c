/* Whole messages: what one gateway makes, another opens to the same octets; small and large, in memory and in files,
 * with and without a keeper. */
#include "gateway/pipeline/pipeline.h"

#include "tests/unit/pipeline_fixture.h"

static struct pipes w;

static void setup(void)
{
	pipes_start(&w);
}

static void teardown(void)
{
	pipes_end(&w);
}

#define OUTER_1                                                                                                      \
	"X-Odd:\t two\r\n\tlines \r\nFrom: \"Doctor, A.\" <doctor@hospital.example>\r\nto: bob@lab.example\r\n"
#define OUTER_2                                                                                                      \
	"Subject: result of K.\r\nMessage-ID: <1@hospital.example>\r\nDate: Sun, 22 Nov 2026 02:00:00 +0000\r\n"
#define OUTER_3 "x-empty:\r\nX-Last: 1\r\n"
#define INNER "Content-Type: text/plain;\r\n charset=utf-8\r\ncontent-transfer-encoding: 8bit\r\n"
#define BODY "caf\xc3\xa9 results\r\n.one dot\r\n\r\nFrom here on\r\n\ttabs and blanks  \r\nno line end"
static const char message[] =
    OUTER_1 "Bcc: hidden@lab.example\r\nMIME-Version: 1.0\r\nContent-Type: text/plain;\r\n charset=utf-8\r\n" OUTER_2
	    "Resent-Bcc: hidden@lab.example\r\ncontent-transfer-encoding: 8bit\r\n" OUTER_3 "\r\n" BODY;
static const char opened[] = PIPES_TRACE_OUT OUTER_1 OUTER_2 OUTER_3 "MIME-Version: 1.0\r\n" INNER "\r\n" BODY;

static void seven_bit_lines(const struct buf *b)
{
	size_t line = 0;

	for (size_t i = 0; i < b->len; i++) {
		ck_assert_msg(b->p[i] > 0 && b->p[i] < 128, "octet %u at %zu", b->p[i], i);
		line = b->p[i] == '\n' ? 0 : line + 1;
		ck_assert_uint_le(line, 998);
		ck_assert_int_eq(b->p[i] == '\n', i > 0 && b->p[i - 1] == '\r');
	}
}

/* Our verdict in front, then exactly what was sent. */
static void opens_to(const char *want, size_t n)
{
	const char *text = pipes_text(&w, 0), *from;

	ck_assert_msg(strncmp(text, PIPES_TRACE_IN "Authentication-Results: auth.lab.example",
			  sizeof(PIPES_TRACE_IN) + 38) == 0,
	    "%.300s", text);
	ck_assert_ptr_nonnull(strstr(text, "smime=pass"));
	ck_assert_ptr_nonnull(strstr(text, "X-Postern-Verdict: sealed\r\n"));
	from = strstr(text, PIPES_TRACE_OUT);
	ck_assert_ptr_nonnull(from);
	ck_assert_uint_eq(w.out[0].len - (size_t)(from - text), n);
	ck_assert_mem_eq(from, want, n);
}

static void check_and_open(const struct buf *sealed, const char *want, size_t n)
{
	enum pipes_where where = w.where;

	pipes_job(&w, JOB_CHECK);
	w.where = where;
	ck_assert_int_eq(pipes_run_buf(&w, sealed), JOB_AS_IT_CAME);
	ck_assert(w.res.have_key_hash && !w.res.open_failed && !w.res.protected_in);
	ck_assert_str_eq(w.res.from_domain, "hospital.example");
	pipes_job(&w, JOB_OPEN);
	w.where = where;
	ck_assert_int_eq(pipes_run_buf(&w, sealed), JOB_NEEDS_TRUST);
	ck_assert_uint_eq(w.res.signers.n, 1);
	ck_assert_str_eq(w.res.signers.from, "doctor@hospital.example");
	ck_assert_str_eq(w.res.signers.our_domain, "lab.example");
	ck_assert_uint_eq(w.res.signers.v[0].cert.n, w.hospital.n);
	ck_assert_mem_eq(w.res.signers.v[0].cert.p, w.hospital.der, w.hospital.n);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	ck_assert_msg(pipes_run_buf(&w, sealed) == JOB_DONE, "%s%s", w.res.why, w.res.pr.text);
	ck_assert(w.res.protected_in && !w.res.open_failed);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_DELIVER);
	ck_assert_str_eq(w.res.outputs[0].treatment, "open");
	ck_assert_uint_eq(w.res.outputs[0].nrcpts, 1);
	opens_to(want, n);
}

START_TEST(sealed_and_opened)
{
	struct buf sealed;

	pipes_job(&w, JOB_SEAL);
	ck_assert_int_eq(pipes_run(&w, message, sizeof(message) - 1), JOB_DONE);
	ck_assert_uint_eq(w.res.noutputs, 1);
	ck_assert(w.res.outputs[0].sealed && !w.res.outputs[0].eight_bit);
	ck_assert_str_eq(w.res.outputs[0].treatment, "seal");
	ck_assert_str_eq(w.res.message_id, "<1@hospital.example>");
	sealed = pipes_take(&w, 0);
	seven_bit_lines(&sealed);
	static const char front[] =
	    PIPES_TRACE_OUT OUTER_1 OUTER_2 OUTER_3 "MIME-Version: 1.0\r\nContent-Type: application/pkcs7-mime; "
						    "smime-type=enveloped-data";
	ck_assert_mem_eq(sealed.p, front, sizeof(front) - 1);
	ck_assert_ptr_null(strstr(buf_str(&sealed), "hidden@"));
	ck_assert_ptr_null(strstr(buf_str(&sealed), "results"));
	check_and_open(&sealed, opened, sizeof(opened) - 1);
	ck_assert(w.res.outputs[0].eight_bit);
	buf_clear(&sealed);
}
END_TEST

/* Every cipher and key form that a verdict can ask for. */
START_TEST(ciphers)
{
	static const struct {
		enum cms_cipher cipher;
		enum cms_keymode mode;
		const char *name;
	} v[] = {{CMS_AES_128_CBC, CMS_KEY_RSA_V15, "cipher=aes-128-cbc"},
	    {CMS_AES_256_GCM, CMS_KEY_RSA_OAEP_SHA256, "cipher=aes-256-gcm"},
	    {CMS_AES_128_GCM, CMS_KEY_RSA_V15, "cipher=aes-128-gcm"}};
	struct buf sealed;

	pipes_job(&w, JOB_SEAL);
	w.verdicts[0].format.cipher = (uint8_t)v[_i].cipher;
	w.verdicts[0].format.keymode = (uint8_t)v[_i].mode;
	w.verdicts[0].sign_domain = true;
	ck_assert_int_eq(pipes_run(&w, message, sizeof(message) - 1), JOB_DONE);
	sealed = pipes_take(&w, 0);
	check_and_open(&sealed, opened, sizeof(opened) - 1);
	ck_assert_msg(strstr(w.res.log, v[_i].name) != NULL, "%s", w.res.log);
	buf_clear(&sealed);
}
END_TEST

static struct buf large_message(size_t n)
{
	struct buf b;

	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&b, PIPES_FIELDS "Date: Sun, 22 Nov 2026 02:00:00 +0000\r\n\r\n"), 0);
	for (unsigned i = 0; b.len < n; i++)
		ck_assert_int_eq(buf_addf(&b, "line %u of a long result\r\n", i), 0);
	return b;
}

static struct buf large_opened(const struct buf *m)
{
	size_t head = (size_t)(strstr((const char *)m->p, "\r\n\r\n") - (const char *)m->p) + 2;
	struct buf b;

	buf_init(&b, PIPES_MAX);
	ck_assert_int_eq(buf_adds(&b, PIPES_TRACE_OUT), 0);
	ck_assert_int_eq(buf_add(&b, m->p, head), 0);
	ck_assert_int_eq(buf_adds(&b, "MIME-Version: 1.0\r\n"), 0);
	ck_assert_int_eq(buf_add(&b, m->p + head, m->len - head), 0);
	return b;
}

/* 60,000 octets: input inline, output as pieces; around the chunk of the spool; 3 MB: everything in files. */
static const size_t sizes[] = {1000, 48000, 60000, 65519, 65536, 65537, 200000, 3000000};

START_TEST(sizes_and_places)
{
	struct buf m = large_message(sizes[_i / 2]), want, sealed;

	(void)buf_str(&m);
	want = large_opened(&m);
	pipes_job(&w, JOB_SEAL);
	w.where = _i % 2 ? PIPES_IN_FILES : PIPES_AS_FITS;
	ck_assert_int_eq(pipes_run_buf(&w, &m), JOB_DONE);
	if (sizes[_i / 2] >= 65537)
		ck_assert(w.res.outputs[0].in_fd);
	if (sizes[_i / 2] <= 60000 && _i % 2 == 0)
		ck_assert(!w.res.outputs[0].in_fd);
	sealed = pipes_take(&w, 0);
	check_and_open(&sealed, (const char *)want.p, want.len);
	buf_clear(&sealed);
	buf_clear(&want);
	buf_clear(&m);
}
END_TEST

/* Without files, what does not fit into memory waits; it is not refused, and not cut. */
START_TEST(no_files)
{
	struct buf m = large_message(60000);

	pipes_job(&w, JOB_SEAL);
	for (size_t i = 0; i < 4; i++) {
		w.rcpts[i] = (struct job_rcpt){.address = "bob@lab.example", .verdict = (uint8_t)i};
		pipes_verdict(&w, i, POLICY_SEAL);
	}
	w.rq.nrcpts = 4;
	ck_assert_int_eq(pipes_run_buf(&w, &m), JOB_DONE); /* four outputs, each in memory */
	ck_assert_uint_eq(w.res.noutputs, 4);
	buf_clear(&m);
}
END_TEST

/* The spooled message was changed on the disk: it is not readable, never a shorter message. */
START_TEST(damaged_spool)
{
	static const enum job_kind kinds[] = {JOB_SEAL, JOB_CHECK, JOB_OPEN};
	static struct job_result res;
	struct problem pr = {0};
	struct spool *outs[JOB_VERDICTS_MAX], *s = spool_new((const uint8_t[SPOOL_KEY]){3}, 1 << 20, -1, -1, 1 << 20);
	struct arena *a = arena_new(PIPES_MEMORY);
	uint8_t copy[4096];
	const uint8_t *p;
	size_t n;

	ck_assert_int_eq(spool_add(s, message, sizeof(message) - 1, &pr), 0);
	ck_assert_int_eq(spool_finish(s, &pr), 0);
	p = spool_sealed(s, &n);
	memcpy(copy, p, n);
	copy[n / 2] ^= 1;
	pipes_job(&w, kinds[_i / 2]);
	memcpy(w.rq.key, spool_key(s), SPOOL_KEY);
	w.rq.inline_sealed = (struct judge_octets){_i % 2 ? p : copy, _i % 2 ? n - 1 : n};
	w.rq.sealed_len = w.rq.inline_sealed.n;
	pipeline_run(w.p, a, &w.rq, &res, outs);
	ck_assert_int_ne(res.status, JOB_DONE);
	ck_assert_int_ne(res.status, JOB_AS_IT_CAME);
	ck_assert_uint_eq(res.noutputs, 0);
	if (kinds[_i / 2] == JOB_OPEN)
		ck_assert_int_ne(res.status, JOB_REFUSE);
	for (size_t i = 0; i < JOB_VERDICTS_MAX; i++)
		ck_assert_ptr_null(outs[i]);
	arena_free(a);
	spool_free(s);
}
END_TEST

/* No keeper: everything that needs it waits, nothing is refused, held or sent with less. */
START_TEST(keeper_dead)
{
	struct buf sealed = pipes_make(&w, POLICY_SEAL, message, sizeof(message) - 1);

	fixture_down(&w.keeper);
	for (int again = 0; again < 2; again++) {
		pipes_job(&w, JOB_SEAL);
		ck_assert_int_eq(pipes_run(&w, message, sizeof(message) - 1), JOB_LATER);
		pipes_verdict(&w, 0, POLICY_SIGN);
		ck_assert_int_eq(pipes_run(&w, message, sizeof(message) - 1), JOB_LATER);
		pipes_job(&w, JOB_OPEN);
		ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_LATER);
		ck_assert(!w.res.open_failed); /* the sender is not to blame */
	}
	pipes_job(&w, JOB_CHECK); /* no private key is needed before the 250 */
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_AS_IT_CAME);
	pipes_job(&w, JOB_SEAL);
	pipes_verdict(&w, 0, POLICY_CLEAR);
	ck_assert_int_eq(pipes_run(&w, message, sizeof(message) - 1), JOB_DONE);
	buf_clear(&sealed);
}
END_TEST

/* A keeper that came back is used again. */
START_TEST(keeper_back)
{
	struct buf sealed = pipes_make(&w, POLICY_SEAL, message, sizeof(message) - 1);

	fixture_down(&w.keeper);
	pipes_job(&w, JOB_OPEN);
	ck_assert_int_eq(pipes_run_buf(&w, &sealed), JOB_LATER);
	fixture_up(&w.keeper);
	keys_client_replace(w.client, fixture_fd(&w.keeper, KEEPER_FOR_SEALER));
	check_and_open(&sealed, opened, sizeof(opened) - 1);
	buf_clear(&sealed);
}
END_TEST

/* A job's memory has an end: then the job ends, with a reason. */
START_TEST(small_memory)
{
	static struct job_result res;
	struct problem pr = {0};
	struct spool *outs[JOB_VERDICTS_MAX], *s = spool_new((const uint8_t[SPOOL_KEY]){4}, 1 << 20, -1, -1, 1 << 20);
	size_t n;

	ck_assert_int_eq(spool_add(s, message, sizeof(message) - 1, &pr), 0);
	ck_assert_int_eq(spool_finish(s, &pr), 0);
	for (size_t max = 0; max < 40000; max += 997) {
		struct arena *a = arena_new(max);

		pipes_job(&w, JOB_SEAL);
		memcpy(w.rq.key, spool_key(s), SPOOL_KEY);
		w.rq.inline_sealed.p = spool_sealed(s, &n);
		w.rq.inline_sealed.n = n;
		pipeline_run(w.p, a, &w.rq, &res, outs);
		if (res.status != JOB_DONE)
			ck_assert_msg(res.pr.text[0] != '\0', "no reason with %zu octets", max);
		for (size_t i = 0; i < JOB_VERDICTS_MAX; i++)
			spool_free(outs[i]);
		arena_free(a);
	}
	ck_assert_int_eq(res.status, JOB_DONE);
	spool_free(s);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("pipeline");
	TCase *t = tcase_create("pipeline");

	tcase_set_timeout(t, 120);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, sealed_and_opened);
	tcase_add_loop_test(t, ciphers, 0, 3);
	tcase_add_loop_test(t, sizes_and_places, 0, 2 * (int)(sizeof(sizes) / sizeof(sizes[0])));
	tcase_add_test(t, no_files);
	tcase_add_loop_test(t, damaged_spool, 0, 6);
	tcase_add_test(t, keeper_dead);
	tcase_add_test(t, keeper_back);
	tcase_add_test(t, small_memory);
	suite_add_tcase(s, t);
	return fixture_run(s, PIPES_ALGOS);
}
