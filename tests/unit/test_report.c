/* Delivery reports from outside in the pipeline: what is asked of the relay, what is written, and what of an unsigned
 * one gets past a rule that holds unsigned mail. */
#include "gateway/pipeline/report.h"

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

#define HEAD(type)                                                                                                   \
	"From: MAILER-DAEMON@mx.hospital.example\r\nTo: bob@lab.example\r\nSubject: report\r\n"                      \
	"X-Postern-DSN: matched id=forged\r\nMIME-Version: 1.0\r\nContent-Type: multipart/report; report-type=" type \
	"; boundary=\"b\"\r\n\r\nPREAMBLE\r\n"
#define TEXT "--b\r\nContent-Type: text/plain\r\n\r\nIt failed.\r\n"
#define STATUS                                                                                                       \
	"--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.hospital.example\r\n"            \
	"Original-Envelope-Id: e1\r\n\r\nFinal-Recipient: rfc822; doctor@hospital.example\r\nAction: failed\r\n"     \
	"Status: 5.1.1\r\n\r\n"
#define HEADERS                                                                                                      \
	"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nFrom: bob@lab.example\r\nMessage-ID: <1@lab.example>\r\n"
#define MESSAGE                                                                                                      \
	"--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: bob@lab.example\r\nMessage-ID: <1@lab.example>\r\n\r\n"    \
	"CONTENT\r\n"
#define END "--b--\r\nEPILOGUE\r\n"

static enum job_status run(enum job_kind kind, const char *text)
{
	pipes_job(&w, kind);
	w.rq.sender = "";
	w.rq.dsn_unmatched = POLICY_CHOICE_MARK;
	return pipes_run(&w, text, strlen(text));
}

static enum job_status answer(enum job_dsn_answer is, const char *text, const char *report)
{
	w.rq.dsn = (uint8_t)is;
	PIPES_COPY(w.rq.dsn_text, text);
	return pipes_run(&w, report, strlen(report));
}

static bool shows(const char *what)
{
	return strstr(pipes_text(&w, 0), what) != NULL;
}

static const char *const readable[] = {
    HEAD("delivery-status") TEXT STATUS MESSAGE END,
    HEAD("delivery-status") TEXT STATUS HEADERS END,
    HEAD("\"Delivery-Status\"") STATUS HEADERS END,
    HEAD("global-delivery-status") TEXT
    "--b\r\nContent-Type: message/global-delivery-status\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    "UmVwb3J0aW5nLU1UQTogZG5zOyBteC5ob3NwaXRhbC5leGFtcGxlDQpPcmlnaW5hbC1FbnZlbG9wZS1JZDog\r\n"
    "ZTENCg0KRmluYWwtUmVjaXBpZW50OiByZmM4MjI7IGRvY3RvckBob3NwaXRhbC5leGFtcGxlDQpBY3Rpb246\r\n"
    "IGZhaWxlZA0KU3RhdHVzOiA1LjEuMQ0K\r\n"
    "--b\r\nContent-Type: message/global-headers\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    "Message-ID: =3C1@lab.=\r\nexample>\r\n" END,
};

START_TEST(asks)
{
	const struct job_dsn *d;

	ck_assert_int_eq(run(JOB_CHECK, readable[_i]), JOB_NEEDS_DSN);
	d = w.res.dsn;
	ck_assert_str_eq(d->message_id, "<1@lab.example>");
	ck_assert_str_eq(d->read.envid, "e1");
	ck_assert_str_eq(d->read.mta, "mx.hospital.example");
	ck_assert_uint_eq(d->read.nrcpts, 1);
	ck_assert_str_eq(d->read.rcpts[0].final, "doctor@hospital.example");
	ck_assert_str_eq(d->read.rcpts[0].status, "5.1.1");

	ck_assert_int_eq(answer(JOB_DSN_MATCHED, " id=0A id=0B", readable[_i]), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_DELIVER);
	ck_assert(shows("X-Postern-DSN: matched id=0A id=0B\r\n") && !shows("forged") && shows("EPILOGUE"));
	ck_assert(shows("X-Postern-Verdict: clear\r\n"));

	ck_assert_int_eq(answer(JOB_DSN_UNMATCHED, "nobody knows it", readable[_i]), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
	ck_assert(shows("X-Postern-DSN: unmatched; nobody knows it\r\n") && !shows("forged"));
}
END_TEST

/* Says that it is a report, and says nothing that could be matched: unmatched, and nobody is asked. */
static const char *const empty[] = {
    HEAD("delivery-status") TEXT END,
    HEAD("delivery-status") "--b--\r\n",
    HEAD("delivery-status") TEXT MESSAGE END,
    HEAD("delivery-status") TEXT "--b\r\nContent-Type: message/delivery-status\r\n\r\nFinal-Recipient: rfc822; "
				 "a@b.example\r\nAction: failed\r\n" END,
    HEAD("delivery-status") "no part at all\r\n",
    HEAD("delivery-status") TEXT "--b\r\nContent-Type: message/delivery-status\r\nContent-Transfer-Encoding: "
				 "base64\r\n\r\n!!!!\r\n" END,
};

START_TEST(nothing_to_match)
{
	ck_assert_int_eq(run(JOB_CHECK, empty[_i]), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
	ck_assert(shows("X-Postern-DSN: unmatched; ") && !shows("forged"));
	w.rq.dsn_unmatched = POLICY_CHOICE_REFUSE;
	ck_assert_int_eq(pipes_run(&w, empty[_i], strlen(empty[_i])), JOB_REFUSE);
	ck_assert_int_eq(w.res.pr.code, 550);
	w.rq.dsn_unmatched = POLICY_CHOICE_HOLD;
	ck_assert_int_eq(pipes_run(&w, empty[_i], strlen(empty[_i])), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_HOLD);
}
END_TEST

/* With a sender, or of another kind: mail as any other; but nobody else's word stands there as ours. */
START_TEST(no_report)
{
	ck_assert_int_eq(run(JOB_CHECK, readable[0]), JOB_NEEDS_DSN);
	w.rq.sender = "a@hospital.example";
	ck_assert_int_eq(pipes_run(&w, readable[0], strlen(readable[0])), JOB_DONE);
	ck_assert(!shows("X-Postern-DSN"));
	ck_assert_int_eq(run(JOB_CHECK, HEAD("disposition-notification") TEXT STATUS MESSAGE END), JOB_DONE);
	ck_assert(!shows("X-Postern-DSN"));
}
END_TEST

/* Unsigned mail is held here: the report's text and fields get through, no content. */
START_TEST(past_a_hold)
{
	static const char report[] = HEAD("delivery-status") TEXT STATUS MESSAGE
	    "--b\r\nContent-Type: application/zip; name=x.zip\r\n\r\nEVIL1\r\n"
	    "--b\r\nContent-Type: text/html\r\n\r\n<b>EVIL2</b>\r\n"
	    "--b\r\nContent-Type: text/plain\r\n\r\nEVIL4\r\n"
	    "--b\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: base64\r\n\r\nRVZJTDM=\r\n" END;
	struct mime_entity e;
	struct mime_range *parts;
	struct stream_mem m;
	size_t n;

	ck_assert_int_eq(run(JOB_CHECK, report), JOB_NEEDS_DSN);
	w.rq.in_rules[0] = POLICY_HOLD;
	ck_assert_int_eq(answer(JOB_DSN_UNMATCHED, "x", report), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_HOLD);
	ck_assert(shows("CONTENT"));
	ck_assert_int_eq(answer(JOB_DSN_MATCHED, " id=0A", report), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
	ck_assert(shows("X-Postern-Verdict: clear\r\n") && shows("It failed.") && shows("Status: 5.1.1\r\n"));
	ck_assert(shows("Message-ID: <1@lab.example>\r\n"));
	ck_assert(!shows("CONTENT") && !shows("EVIL") && !shows("RVZJTDM"));
	ck_assert(!shows("PREAMBLE") && !shows("EPILOGUE"));
	stream_mem_init(&m, w.out[0].p, w.out[0].len);
	ck_assert_int_eq(mime_entity_read(w.a, &m.reader, 0, w.out[0].len, &mime_limits_default, &e, NULL), 0);
	ck_assert_int_eq(mime_parts(w.a, &m.reader, &e, &mime_limits_default, &parts, &n, NULL), 0);
	ck_assert_uint_eq(n, 7);
}
END_TEST

/* Nothing to be opened or saved passes for a text or a status. */
static const char *const files[] = {
    HEAD("delivery-status") "--b\r\nContent-Type: text/plain; name=x.bat\r\n\r\nEVIL\r\n" STATUS MESSAGE END,
    HEAD("delivery-status") "--b\r\nContent-Disposition: inline; filename=x.bat\r\n\r\nEVIL\r\n" STATUS MESSAGE END,
    HEAD(
	"delivery-status") "--b\r\nContent-Type: text/plain\r\nContent-Disposition: ATTACHMENT\r\n\r\nEVIL\r\n" STATUS
	MESSAGE END,
    HEAD("delivery-status") TEXT STATUS HEADERS
    "--b\r\nContent-Type: message/delivery-status; name=x.exe\r\n\r\nEVIL\r\n" END,
    HEAD("delivery-status") TEXT STATUS HEADERS "--b\r\nContent-Type: text/rfc822-headers\r\n\r\nEVIL\r\n" END,
};

START_TEST(files_stay_out)
{
	ck_assert_int_eq(run(JOB_CHECK, files[_i]), JOB_NEEDS_DSN);
	w.rq.in_rules[0] = POLICY_HOLD;
	ck_assert_int_eq(answer(JOB_DSN_MATCHED, " id=0A", files[_i]), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_MARK);
	ck_assert(shows("Status: 5.1.1\r\n") && shows("Message-ID: <1@lab.example>\r\n") && !shows("EVIL"));
}
END_TEST

/* Which parts there are must not depend on who reads: what is sure of nothing is matched to nothing. */
static const char *const unsure[] = {
    HEAD("delivery-status") TEXT "--bEVIL\r\n" STATUS MESSAGE END,
    HEAD("delivery-status") TEXT STATUS MESSAGE "--b-- EVIL\r\n" END,
    HEAD("delivery-status") TEXT STATUS MESSAGE END "--b\r\n\r\nEVIL\r\n--b--\r\n",
};

START_TEST(unsure_parts)
{
	ck_assert_int_eq(run(JOB_CHECK, unsure[_i]), JOB_DONE);
	ck_assert(shows("X-Postern-DSN: unmatched; ") && shows("boundary"));
	w.rq.in_rules[0] = POLICY_HOLD;
	ck_assert_int_eq(pipes_run(&w, unsure[_i], strlen(unsure[_i])), JOB_DONE);
	ck_assert_uint_eq(w.res.outputs[0].action, POLICY_HOLD);
}
END_TEST

/* Where unmatched reports are held there must be room for them; the answer is that of a matched one. */
START_TEST(room_to_hold)
{
	static const enum job_dsn_answer is[] = {JOB_DSN_MATCHED, JOB_DSN_UNMATCHED};

	ck_assert_int_eq(run(JOB_CHECK, readable[0]), JOB_NEEDS_DSN);
	for (size_t i = 0; i < 2; i++) {
		w.rq.dsn_unmatched = POLICY_CHOICE_MARK;
		ck_assert_int_eq(answer(is[i], "x", readable[0]), JOB_DONE);
		ck_assert(!w.res.may_hold);
		w.rq.dsn_unmatched = POLICY_CHOICE_HOLD;
		ck_assert_int_eq(answer(is[i], "x", readable[0]), JOB_DONE);
		ck_assert(w.res.may_hold);
	}
	w.rq.sender = "a@hospital.example";
	ck_assert_int_eq(pipes_run(&w, readable[0], strlen(readable[0])), JOB_DONE);
	ck_assert(!w.res.may_hold);
}
END_TEST

/* A sealed one is opened as any mail is, and then matched; what is about nothing is held, never refused (promise
 * P10). */
START_TEST(sealed)
{
	static const char inner[] =
	    "Content-Type: multipart/report; report-type=delivery-status; boundary=\"b\"\r\n\r\n" TEXT STATUS MESSAGE
		END;
	struct buf b = pipes_sealed(w.lab.x, inner, sizeof(inner) - 1);

	pipes_job(&w, JOB_OPEN);
	w.rq.sender = "";
	w.rq.in_rules[3] = POLICY_DELIVER;
	w.rq.dsn_unmatched = POLICY_CHOICE_REFUSE;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_NEEDS_DSN);
	ck_assert_str_eq(w.res.dsn->message_id, "<1@lab.example>");
	w.rq.dsn = JOB_DSN_UNMATCHED;
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_HOLD);
	w.rq.dsn = JOB_DSN_MATCHED;
	PIPES_COPY(w.rq.dsn_text, " id=0A");
	ck_assert_int_eq(pipes_run_buf(&w, &b), JOB_DONE);
	ck_assert(shows("X-Postern-DSN: matched id=0A\r\n") && shows("X-Postern-Verdict: encrypted\r\n") &&
		  shows("CONTENT"));
	buf_clear(&b);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("report");
	TCase *t = tcase_create("report");
	int failed;

	tcase_set_timeout(t, 60);
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(t, asks, 0, sizeof(readable) / sizeof(readable[0]));
	tcase_add_loop_test(t, nothing_to_match, 0, sizeof(empty) / sizeof(empty[0]));
	tcase_add_test(t, no_report);
	tcase_add_test(t, past_a_hold);
	tcase_add_loop_test(t, files_stay_out, 0, sizeof(files) / sizeof(files[0]));
	tcase_add_loop_test(t, unsure_parts, 0, sizeof(unsure) / sizeof(unsure[0]));
	tcase_add_test(t, room_to_hold);
	tcase_add_test(t, sealed);
	suite_add_tcase(s, t);
	failed = fixture_run(s, PIPES_ALGOS);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
