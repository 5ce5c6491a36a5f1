/* Outgoing mail before its 250: who gets what, what is asked, what never leaves. */
#include "gateway/pipeline/outbound.h"

#include "tests/unit/pipeline_fixture.h"

static struct pipes w;

static void setup(void)
{
	pipes_start(&w);
	pipes_job(&w, JOB_SEAL);
}

static void teardown(void)
{
	pipes_end(&w);
}

#define HEAD "From: doctor@hospital.example\r\nTo: bob@lab.example\r\nSubject: result\r\n"
#define BODY "\r\nSECRETWORD\r\n"
static const char plain[] = HEAD "Message-ID: <1@hospital.example>\r\nDate: Sun, 22 Nov 2026 02:00:00 +0000\r\n" BODY;
static const char reply[] =
    HEAD "References: <r1@lab.example> <r2@lab.example>\r\nIn-Reply-To: <r2@lab.example>\r\n" BODY;

#define RUN(text) pipes_run(&w, text, strlen(text))

/* ---- what the message answers ---- */

START_TEST(asked_when_less_than_seal)
{
	pipes_verdict(&w, 0, POLICY_CLEAR);
	ck_assert_int_eq(RUN(reply), JOB_NEEDS_IDS);
	ck_assert_uint_eq(w.res.nids, 3);
	ck_assert_str_eq(w.res.ids[0], "<r2@lab.example>");
	ck_assert_str_eq(w.res.ids[1], "<r1@lab.example>");
	ck_assert_str_eq(w.res.ids[2], "<r2@lab.example>");
	w.rq.was_sealed = JOB_NO;
	ck_assert_int_eq(RUN(reply), JOB_DONE);
	ck_assert_str_eq(w.res.outputs[0].treatment, "clear");
	w.rq.was_sealed = JOB_YES;
	ck_assert_int_eq(RUN(reply), JOB_DONE);
	ck_assert_str_eq(w.res.outputs[0].treatment, "seal");
	ck_assert_ptr_null(strstr(pipes_text(&w, 0), "SECRETWORD"));
	w.rq.was_sealed = JOB_UNKNOWN;
	ck_assert_int_eq(RUN(reply), JOB_LATER);
	w.rq.was_sealed = JOB_YES;
	w.verdicts[0].certs = POLICY_CERTS_NONE;
	w.verdicts[0].nrcpt_certs = 0;
	ck_assert_int_eq(RUN(reply), JOB_REFUSE);
}
END_TEST

START_TEST(not_asked)
{
	ck_assert_int_eq(RUN(reply), JOB_DONE); /* all is sealed anyway */
	ck_assert_str_eq(w.res.outputs[0].treatment, "seal");
	pipes_verdict(&w, 0, POLICY_CLEAR); /* answers nothing */
	ck_assert_int_eq(RUN(plain), JOB_DONE);
	ck_assert_str_eq(w.res.outputs[0].treatment, "clear");
}
END_TEST

static const enum policy_treatment less[] = {POLICY_CLEAR, POLICY_TLS, POLICY_SIGN};

/* One recipient among sealed ones that gets less is enough to ask. */
START_TEST(asked_for_one)
{
	w.rcpts[1] = (struct job_rcpt){.address = "eve@lab.example", .verdict = 1};
	w.rq.nrcpts = 2;
	w.rcpts[1].tls_verified = true;
	pipes_verdict(&w, 1, less[_i]);
	ck_assert_int_eq(RUN(reply), JOB_NEEDS_IDS);
}
END_TEST

/* An identifier of any length comes from a stranger, through a reply to his mail: the relay must be able to take the
 * question. */
START_TEST(long_identifiers)
{
	struct buf b;

	buf_init(&b, 65536);
	ck_assert_int_eq(buf_adds(&b, HEAD "In-Reply-To: <"), 0);
	for (int i = 0; i < 2000; i++)
		ck_assert_int_eq(buf_addc(&b, 'x'), 0);
	ck_assert_int_eq(buf_adds(&b, "@lab.example>\r\nReferences:"), 0);
	for (int i = 0; i < 100; i++)
		ck_assert_int_eq(buf_addf(&b, "\r\n <%d@lab.example>", i), 0);
	ck_assert_int_eq(buf_adds(&b, "\r\n" BODY), 0);
	pipes_verdict(&w, 0, POLICY_CLEAR);
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_NEEDS_IDS);
	ck_assert_uint_eq(w.res.nids, JOB_IDS_MAX);
	ck_assert_str_eq(w.res.ids[JOB_IDS_MAX - 1], "<99@lab.example>");
	buf_clear(&b);
}
END_TEST

/* RFC 8689 5: once, and with the one value. */
static const struct {
	const char *fields;
	bool says;
} tls_no[] = {
    {"", false},
    {"TLS-Required: No\r\n", true},
    {"tls-required:\r\n\tNO \r\n", true},
    {"TLS-Required: Yes\r\n", false},
    {"TLS-Required: Nobody\r\n", false},
    {"TLS-Required:\r\n", false},
    {"TLS-Required: No\r\nTLS-Required: No\r\n", false},
};

START_TEST(tls_required_no)
{
	struct buf b;

	buf_init(&b, 65536);
	ck_assert_int_eq(buf_addf(&b, HEAD "%s\r\n" BODY, tls_no[_i].fields), 0);
	pipes_verdict(&w, 0, POLICY_CLEAR);
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
	ck_assert(w.res.tls_no == tls_no[_i].says);
	buf_clear(&b);
}
END_TEST

/* ---- invitations, TNEF, automatic replies ---- */

#define CALENDAR "MIME-Version: 1.0\r\nContent-Type: text/calendar; method=REQUEST\r\n"
#define TNEF "MIME-Version: 1.0\r\nContent-Type: application/ms-tnef; name=winmail.dat\r\n"
#define BOTH                                                                                                         \
	"MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/calendar; " \
	"method=REQUEST\r\n\r\nC\r\n--b\r\nContent-Type: application/pdf\r\n"
#define END "\r\n--b--\r\n"
#define AUTO "Auto-Submitted: auto-replied (holiday)\r\n"

static const struct {
	const char *fields, *behind;
	enum policy_treatment rule;
	uint8_t exempt, any;
	const char *sender, *treatment;
	bool opaque;
} kinds[] = {
    {CALENDAR, "", POLICY_SEAL, 1, 1, "doctor@hospital.example", "clear", false},
    {CALENDAR, "", POLICY_SIGN, 1, 1, "doctor@hospital.example", "clear", false},
    {CALENDAR, "", POLICY_SEAL, 2, 2, "doctor@hospital.example", "seal", false},
    {CALENDAR, "", POLICY_SEAL, 0, 0, "doctor@hospital.example", "seal", false},
    {CALENDAR, "", POLICY_SIGN, 0, 0, "doctor@hospital.example", "sign", true},
    {CALENDAR, "", POLICY_SIGN, 2, 2, "doctor@hospital.example", "sign", true},
    {TNEF, "", POLICY_SIGN, 3, 3, "doctor@hospital.example", "sign", true},
    {TNEF, "", POLICY_SEAL, 3, 3, "doctor@hospital.example", "seal", false},
    /* not an invitation alone */
    {BOTH, END, POLICY_SEAL, 1, 1, "doctor@hospital.example", "seal", false},
    {BOTH, END, POLICY_SIGN, 1, 1, "doctor@hospital.example", "sign", true},
    /* never closed: of no kind */
    {BOTH, "", POLICY_SEAL, 1, 1, "doctor@hospital.example", "seal", false},
    {BOTH, "", POLICY_SIGN, 1, 1, "doctor@hospital.example", NULL, false},
    /* somebody else sends it: what all rules for the recipient let go counts */
    {CALENDAR, "", POLICY_SEAL, 1, 0, "assistant@hospital.example", "seal", false},
    {CALENDAR, "", POLICY_SEAL, 1, 1, "assistant@hospital.example", "clear", false},
    {CALENDAR, "", POLICY_SEAL, 1, 0, "", "seal", false},
    {AUTO, "", POLICY_SEAL, 2, 2, "", "clear", false},
    {AUTO, "", POLICY_SEAL, 1, 1, "", "seal", false},
    {AUTO AUTO, "", POLICY_SEAL, 2, 2, "", "seal", false},
    {"Auto-Submitted: auto-generated\r\n", "", POLICY_SEAL, 2, 2, "", "seal", false},
    {AUTO "Content-Type: application/pdf\r\n", "", POLICY_SEAL, 2, 2, "", "seal", false},
    {"", "", POLICY_SIGN, 3, 3, "doctor@hospital.example", "sign", false},
};

START_TEST(kind)
{
	struct buf b;

	buf_init(&b, 65536);
	ck_assert_int_eq(buf_addf(&b, HEAD "%s" BODY "%s", kinds[_i].fields, kinds[_i].behind), 0);
	pipes_verdict(&w, 0, kinds[_i].rule);
	w.verdicts[0].format = format_default();
	w.verdicts[0].any_treatment = (uint8_t)kinds[_i].rule;
	w.verdicts[0].any_strength = POLICY_REQUIRE;
	w.verdicts[0].exempt = kinds[_i].exempt;
	w.verdicts[0].any_exempt = kinds[_i].any;
	w.rq.sender = kinds[_i].sender;
	if (kinds[_i].treatment == NULL) {
		ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE); /* signed as it is: it is in 7 bits */
		ck_assert_str_eq(w.res.outputs[0].treatment, "sign");
	} else {
		ck_assert_msg(pipes_run_buf(&w, &b) == JOB_DONE, "%s", w.res.pr.text);
		ck_assert_msg(strcmp(w.res.outputs[0].treatment, kinds[_i].treatment) == 0, "%s, not %s",
		    w.res.outputs[0].treatment, kinds[_i].treatment);
	}
	ck_assert(w.res.outputs[0].sealed == (strcmp(w.res.outputs[0].treatment, "seal") == 0));
	ck_assert((strstr(pipes_text(&w, 0), "SECRETWORD") == NULL) == (kinds[_i].opaque || w.res.outputs[0].sealed));
	ck_assert((strstr(pipes_text(&w, 0), "smime-type=signed-data") != NULL) == kinds[_i].opaque);
	buf_clear(&b);
}
END_TEST

/* The setting of the partner. */
START_TEST(calendar_multipart)
{
	static const char text[] = HEAD CALENDAR BODY;

	pipes_verdict(&w, 0, POLICY_SIGN);
	w.verdicts[0].format = format_default();
	w.verdicts[0].format.calendar = FORMAT_MULTIPART;
	ck_assert_int_eq(RUN(text), JOB_DONE);
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "multipart/signed"));
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "SECRETWORD"));
}
END_TEST

/* What answers sealed mail is asked for, and stays sealed. */
START_TEST(exempt_reply)
{
	static const char text[] = HEAD "In-Reply-To: <r2@lab.example>\r\n" CALENDAR BODY;

	w.verdicts[0].format = format_default();
	w.verdicts[0].exempt = w.verdicts[0].any_exempt = POLICY_EXEMPT_CALENDAR;
	ck_assert_int_eq(RUN(text), JOB_NEEDS_IDS);
	w.rq.was_sealed = JOB_YES;
	ck_assert_int_eq(RUN(text), JOB_DONE);
	ck_assert_str_eq(w.res.outputs[0].treatment, "seal");
	w.rq.was_sealed = JOB_NO;
	ck_assert_int_eq(RUN(text), JOB_DONE);
	ck_assert_str_eq(w.res.outputs[0].treatment, "clear");
	w.verdicts[0].seen_protected = true;
	ck_assert_int_eq(RUN(text), JOB_DONE);
	ck_assert_str_eq(w.res.outputs[0].treatment, "clear");
	w.verdicts[0].exempt = 0;
	ck_assert_int_eq(RUN(text), JOB_DONE);
	ck_assert_str_eq(w.res.outputs[0].treatment, "seal");
}
END_TEST

/* ---- who gets what ---- */

START_TEST(groups)
{
	w.rcpts[0] = (struct job_rcpt){.address = "bob@lab.example", .verdict = 0};
	w.rcpts[1] = (struct job_rcpt){.address = "any@clear.example", .verdict = 1};
	w.rcpts[2] = (struct job_rcpt){.address = "eve@lab.example", .verdict = 0};
	w.rcpts[3] = (struct job_rcpt){.address = "all@sign.example", .verdict = 2};
	w.rq.nrcpts = 4;
	pipes_verdict(&w, 1, POLICY_CLEAR);
	pipes_verdict(&w, 2, POLICY_SIGN);
	ck_assert_int_eq(RUN(plain), JOB_DONE);
	ck_assert_uint_eq(w.res.noutputs, 3);
	ck_assert_str_eq(w.res.outputs[0].treatment, "seal");
	ck_assert_uint_eq(w.res.outputs[0].nrcpts, 2);
	ck_assert(w.res.outputs[0].rcpts[0] == 0 && w.res.outputs[0].rcpts[1] == 2);
	ck_assert_str_eq(w.res.outputs[1].treatment, "clear");
	ck_assert(w.res.outputs[1].nrcpts == 1 && w.res.outputs[1].rcpts[0] == 1);
	ck_assert_str_eq(w.res.outputs[2].treatment, "sign");
	ck_assert(w.res.outputs[2].nrcpts == 1 && w.res.outputs[2].rcpts[0] == 3);
	ck_assert(w.res.outputs[0].sealed && !w.res.outputs[1].sealed && !w.res.outputs[2].sealed);
	ck_assert_ptr_null(strstr(pipes_text(&w, 0), "SECRETWORD"));
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 1), "SECRETWORD"));
	ck_assert(memcmp(w.res.outputs[0].key, w.res.outputs[1].key, 32) != 0);
}
END_TEST

/* One reply speaks for all: nobody gets it when one may not. */
static const struct {
	const char *what;
	enum policy_certs certs;
	bool signer;
	enum job_status want;
} stops[] = {{"no certificate", POLICY_CERTS_NONE, true, JOB_REFUSE},
    {"expired", POLICY_CERTS_UNUSABLE, true, JOB_REFUSE}, {"time-out", POLICY_CERTS_UNCERTAIN, true, JOB_LATER},
    {"no signer", POLICY_CERTS_USABLE, false, JOB_LATER}};

START_TEST(all_or_nobody)
{
	w.rcpts[0] = (struct job_rcpt){.address = "any@clear.example", .verdict = 1};
	w.rcpts[1] = (struct job_rcpt){.address = "bob@lab.example", .verdict = 0};
	w.rq.nrcpts = 2;
	pipes_verdict(&w, 1, POLICY_CLEAR);
	w.verdicts[0].certs = (uint8_t)stops[_i].certs;
	w.verdicts[0].have_signer = stops[_i].signer;
	ck_assert_msg(RUN(plain) == stops[_i].want, "%s: %s", stops[_i].what, w.res.pr.text);
	ck_assert_uint_eq(w.res.noutputs, 0);
	ck_assert_ptr_nonnull(strstr(w.res.pr.text, "lab.example"));
}
END_TEST

/* A message too large for one gateway goes to the others; too large for all of them it is refused. */
START_TEST(too_large_for_some)
{
	w.rcpts[0] = (struct job_rcpt){.address = "bob@small.example", .verdict = 0};
	w.rcpts[1] = (struct job_rcpt){.address = "any@clear.example", .verdict = 1};
	w.rq.nrcpts = 2;
	pipes_verdict(&w, 0, POLICY_CLEAR);
	pipes_verdict(&w, 1, POLICY_CLEAR);
	w.verdicts[0].octets_max = 50;
	w.verdicts[1].octets_max = _i == 0 ? 0 : _i == 1 ? 100000 : 51;
	if (_i == 2) {
		ck_assert_int_eq(RUN(plain), JOB_REFUSE);
		ck_assert(w.res.pr.code == 552 && strcmp(w.res.pr.enh, "5.3.4") == 0 && w.res.noutputs == 0);
		ck_assert_ptr_nonnull(
		    strstr(w.res.pr.text, "the gateway of small.example takes messages of at most 50 octets"));
		return;
	}
	ck_assert_int_eq(RUN(plain), JOB_DONE);
	ck_assert_uint_eq(w.res.noutputs, 2);
	ck_assert_str_eq(w.res.outputs[0].refused, "5.3.4");
	ck_assert(w.res.outputs[0].nrcpts == 1 && w.res.outputs[0].rcpts[0] == 0);
	ck_assert_ptr_nonnull(strstr(w.res.outputs[0].why, "small.example takes messages of at most 50 octets"));
	ck_assert(w.res.outputs[1].refused[0] == 0 && w.res.outputs[1].rcpts[0] == 1);
}
END_TEST

/* The verdict says "usable" but brings what cannot be used: never less instead. */
START_TEST(verdict_without_substance)
{
	static const uint8_t junk[] = {0x30, 0x03, 1, 2, 3};
	struct judge_verdict *v = &w.verdicts[0];

	if (_i == 0)
		v->nrcpt_certs = 0;
	else if (_i == 1)
		v->rcpt_certs[0] = (struct judge_octets){junk, sizeof(junk)};
	else if (_i == 2)
		v->sign_cert = (struct judge_octets){junk, sizeof(junk)};
	else
		PIPES_COPY(v->sign_key, "no-such-key");
	enum job_status got = RUN(plain);
	ck_assert(got == JOB_REFUSE || got == JOB_LATER);
	ck_assert_uint_eq(w.res.noutputs, 0);
}
END_TEST

/* ---- forms ---- */

START_TEST(clear_as_it_came)
{
	static const char in[] = "X-A: 1\r\nFrom: a@hospital.example\r\nBcc: hidden@lab.example\r\nContent-Type: "
				 "text/plain\r\nMIME-Version: 1.0\r\n"
				 "Resent-Bcc: hidden@lab.example\r\nX-Z:\t9\r\n\r\nbody\xe4\r\n";
	static const char want[] = PIPES_TRACE_OUT
	    "X-A: 1\r\nFrom: a@hospital.example\r\nContent-Type: text/plain\r\nMIME-Version: 1.0\r\nX-Z:\t9\r\n\r\n"
	    "body\xe4\r\n";

	pipes_verdict(&w, 0, POLICY_CLEAR);
	ck_assert_int_eq(RUN(in), JOB_DONE);
	ck_assert_str_eq(pipes_text(&w, 0), want);
	ck_assert(w.res.outputs[0].eight_bit && !w.res.outputs[0].sealed);
}
END_TEST

/* Without Message-ID and Date they are added, outside of the signed part. */
START_TEST(fields_added)
{
	pipes_verdict(&w, 0, _i ? POLICY_SIGN : POLICY_SEAL);
	ck_assert_int_eq(RUN(HEAD BODY), JOB_DONE);
	ck_assert_str_eq(w.res.message_id, "<1A2B3C@gw.hospital.example>");
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "\r\nMessage-ID: <1A2B3C@gw.hospital.example>\r\n"));
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "\r\nDate: "));
}
END_TEST

/* Signed in the clear: 7 bits, readable, and CHECK on the other side believes it. */
START_TEST(signed_in_the_clear)
{
	static const char in[] = HEAD
	    "Message-ID: <1@hospital.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\n"
	    "Content-Transfer-Encoding: 8bit\r\n\r\nSECRETWORD caf\xc3\xa9\r\nFrom the start\r\n";
	struct buf m = pipes_make(&w, POLICY_SIGN, in, sizeof(in) - 1);
	const char *text = buf_str(&m);

	ck_assert_ptr_nonnull(strstr(text, "multipart/signed"));
	ck_assert_ptr_nonnull(strstr(text, "SECRETWORD"));
	for (size_t i = 0; i < m.len; i++)
		ck_assert_uint_lt(m.p[i], 128);
	pipes_job(&w, JOB_CHECK);
	ck_assert_int_eq(pipes_run_buf(&w, &m), JOB_NEEDS_TRUST);
	pipes_trust(&w, JUDGE_TRUST_GOOD);
	ck_assert_int_eq(pipes_run_buf(&w, &m), JOB_DONE);
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "smime=pass"));
	ck_assert_ptr_nonnull(strstr(pipes_text(&w, 0), "SECRETWORD"));
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_DELIVER);
	ck_assert(!w.res.protected_in);
	buf_clear(&m);
}
END_TEST

/* What is no message is refused, whatever the treatment. */
static const char *const broken[] = {
    "no field at all\r\n\r\nbody", "From a@b\r\n\r\n", "X: 1\nY: 2\n\nbody", ": 1\r\n\r\n"};

START_TEST(broken_header)
{
	ck_assert_int_eq(RUN(broken[_i]), JOB_REFUSE);
	ck_assert_int_ge(w.res.pr.code, 500);
}
END_TEST

/* The header may be as large as header-max: what we add must not make it too large. */
START_TEST(header_at_its_limit)
{
	static const enum policy_treatment all[] = {POLICY_SEAL, POLICY_SIGN, POLICY_CLEAR};
	struct buf b;

	buf_init(&b, 1 << 20);
	ck_assert_int_eq(buf_adds(&b, HEAD), 0);
	while (b.len + 300 < 65536)
		ck_assert_int_eq(buf_addf(&b, "X-Filler: %0100d\r\n", 1), 0);
	ck_assert_int_eq(buf_adds(&b, BODY), 0);
	w.rq.header_max = 65536;
	pipes_verdict(&w, 0, all[_i]);
	ck_assert_msg(pipes_run_buf(&w, &b) == JOB_DONE, "%s", w.res.pr.text);
	w.rq.header_max = 65536 / 2;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_REFUSE);
	buf_clear(&b);
}
END_TEST

/* The id of the trace stands behind the text, however long that is. */
START_TEST(trace_behind)
{
	struct judge_verdict v = {.trace = ""};
	struct problem pr = {.text = "no certificate"};

	outbound_trace(&v, &pr);
	ck_assert_str_eq(pr.text, "no certificate");
	memcpy(v.trace, "0123abcd", sizeof v.trace);
	outbound_trace(&v, &pr);
	ck_assert_str_eq(pr.text, "no certificate (trace 0123abcd)");
	memset(pr.text, 'x', sizeof pr.text - 1);
	outbound_trace(&v, &pr);
	ck_assert_uint_eq(strlen(pr.text), sizeof pr.text - 1);
	ck_assert_str_eq(pr.text + sizeof pr.text - 18, " (trace 0123abcd)");
}
END_TEST

int main(void)
{
	Suite *s = suite_create("outbound");
	TCase *t = tcase_create("outbound");

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, trace_behind);
	tcase_add_test(t, asked_when_less_than_seal);
	tcase_add_test(t, not_asked);
	tcase_add_loop_test(t, asked_for_one, 0, 3);
	tcase_add_test(t, long_identifiers);
	tcase_add_loop_test(t, tls_required_no, 0, sizeof(tls_no) / sizeof(tls_no[0]));
	tcase_add_loop_test(t, kind, 0, sizeof(kinds) / sizeof(*kinds));
	tcase_add_test(t, calendar_multipart);
	tcase_add_test(t, exempt_reply);
	tcase_add_test(t, groups);
	tcase_add_loop_test(t, too_large_for_some, 0, 3);
	tcase_add_loop_test(t, all_or_nobody, 0, (int)(sizeof(stops) / sizeof(stops[0])));
	tcase_add_loop_test(t, verdict_without_substance, 0, 4);
	tcase_add_test(t, clear_as_it_came);
	tcase_add_loop_test(t, fields_added, 0, 2);
	tcase_add_test(t, signed_in_the_clear);
	tcase_add_loop_test(t, broken_header, 0, (int)(sizeof(broken) / sizeof(broken[0])));
	tcase_add_loop_test(t, header_at_its_limit, 0, 3);
	suite_add_tcase(s, t);
	return fixture_run(s, PIPES_ALGOS);
}
