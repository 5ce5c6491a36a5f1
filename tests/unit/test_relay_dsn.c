/* Reports matched to what was sent: who must be named, and that nobody else's mail is spoken of. */
#include "gateway/proc/relay_dsn.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"

static const struct queue_sent_rcpt both[] = {
    {100, "bob@lab.example", ""}, {101, "eve@lab.example", "rfc822;Eve+2Bx@lists.example"}};
static const struct queue_sent_rcpt one[] = {{200, "kim@lab.example", ""}};
static const struct queue_sent_found found[] = {
    {.id = "0000000002", .sender = "doctor@hospital.example", .rcpts = one, .nrcpts = 1},
    {.id = "0000000001", .sender = "doctor@hospital.example", .rcpts = both, .nrcpts = 2},
    {.id = "0000000003", .sender = "nurse@hospital.example", .rcpts = both, .nrcpts = 2},
    {.id = "0000000004", .sender = "", .rcpts = both, .nrcpts = 2},
};

struct who {
	const char *final, *original;
};
static const struct {
	const char *to; /* whom the report is for */
	struct who rcpts[3];
	enum job_dsn_answer want;
	const char *text; /* a part of it */
	size_t n;
	int64_t rows[3];
} cases[] = {
    {"doctor@hospital.example", {{"bob@lab.example", ""}}, JOB_DSN_MATCHED, " id=0000000001", 1, {100}},
    {"Doctor@hospital.example", {{"BOB@lab.example", ""}}, JOB_DSN_MATCHED, " id=0000000001", 1, {100}},
    {"doctor@hospital.example", {{"", "bob@lab.example"}}, JOB_DSN_MATCHED, " id=0000000001", 1, {100}},
    /* sent on by the other side: the original recipient tells */
    {"doctor@hospital.example", {{"x@elsewhere.example", "bob@lab.example"}}, JOB_DSN_MATCHED, "id=0000000001", 1,
	{100}},
    {"doctor@hospital.example", {{"x@elsewhere.example", "Eve+x@lists.example"}}, JOB_DSN_MATCHED, "id=0000000001", 1,
	{101}},
    {"doctor@hospital.example", {{"eve@lab.example", ""}, {"bob@lab.example", ""}, {"mallory@lab.example", ""}},
	JOB_DSN_MATCHED, "id=0000000001", 2, {100, 101}},
    /* of two messages with one Message-ID (each partner's copy) */
    {"doctor@hospital.example", {{"kim@lab.example", ""}, {"bob@lab.example", ""}}, JOB_DSN_MATCHED,
	" id=0000000002 id=0000000001", 2, {200, 100}},
    {"nurse@hospital.example", {{"bob@lab.example", ""}}, JOB_DSN_MATCHED, " id=0000000003", 1, {100}},
    {"doctor@hospital.example", {{"mallory@lab.example", ""}}, JOB_DSN_UNMATCHED, "was not sent to whom it names", 0,
	{0}},
    {"doctor@hospital.example", {{"", ""}}, JOB_DSN_UNMATCHED, "was not sent to whom it names", 0, {0}},
    {"nurse@hospital.example", {{"kim@lab.example", ""}}, JOB_DSN_UNMATCHED, "was not sent to whom it names", 0, {0}},
    {"other@hospital.example", {{"bob@lab.example", ""}}, JOB_DSN_UNMATCHED, "not known to have sent", 0, {0}},
};

START_TEST(table)
{
	struct arena *a = arena_new(1 << 20);
	struct job_dsn *d = arena_alloc(a, sizeof(*d));
	struct job_rcpt to = {.address = cases[_i].to};
	struct job_request *rq = arena_alloc(a, sizeof(*rq));
	struct relay_dsn m;

	ck_assert(d && rq);
	rq->id = "0000000009";
	rq->rcpts = &to;
	rq->nrcpts = 1;
	strcpy(d->read.mta, "mx.lab.example");
	for (size_t i = 0; i < 3 && cases[_i].rcpts[i].final; i++) {
		struct dsn_read_rcpt *r = &d->read.rcpts[d->read.nrcpts++];

		r->action = DSN_DELAYED;
		strcpy(r->final, cases[_i].rcpts[i].final);
		strcpy(r->original, cases[_i].rcpts[i].original);
		strcpy(r->status, "4.4.1");
		strcpy(r->diagnostic, "450 later");
	}
	relay_dsn_weigh(a, d, found, sizeof(found) / sizeof(found[0]), rq, &m);
	ck_assert_int_eq(rq->dsn, cases[_i].want);
	ck_assert_msg(strstr(rq->dsn_text, cases[_i].text) != NULL, "%s", rq->dsn_text);
	ck_assert_uint_eq(m.nreports, cases[_i].n);
	for (size_t i = 0; i < m.nreports; i++) {
		ck_assert_int_eq(m.reports[i].rcpt, cases[_i].rows[i]);
		ck_assert_str_eq(m.reports[i].action, "delayed");
		ck_assert_str_eq(m.reports[i].mta, "mx.lab.example");
		ck_assert_str_eq(m.reports[i].status, "4.4.1");
		ck_assert_str_eq(m.reports[i].diagnostic, "450 later");
	}
	arena_free(a);
}
END_TEST

START_TEST(nothing_found)
{
	struct arena *a = arena_new(1 << 20);
	struct job_dsn *d = arena_alloc(a, sizeof(*d));
	struct job_rcpt to = {.address = "doctor@hospital.example"};
	struct job_request *rq = arena_alloc(a, sizeof(*rq));
	struct relay_dsn m;

	ck_assert(d && rq);
	rq->id = "0000000009";
	rq->rcpts = &to;
	rq->nrcpts = 1;
	relay_dsn_weigh(a, d, NULL, 0, rq, &m);
	ck_assert_int_eq(rq->dsn, JOB_DSN_UNMATCHED);
	ck_assert_uint_eq(m.nreports, 0);
	arena_free(a);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_dsn");
	TCase *t = tcase_create("relay_dsn");
	SRunner *r;
	int failed;

	log_init("test", LOG_LEVEL_ERROR);
	tcase_add_loop_test(t, table, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, nothing_found);
	suite_add_tcase(s, t);
	r = srunner_create(s);
	srunner_run_all(r, CK_ENV);
	failed = srunner_ntests_failed(r);
	srunner_free(r);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
