/* Reports matched to what was sent: who must be named, and that nobody else's mail is spoken of. */
#include "gateway/proc/relay_dsn.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "tests/unit/suite.h"

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
	struct problem pr = {0};

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
	ck_assert_int_eq(relay_dsn_weigh(a, d, found, sizeof(found) / sizeof(found[0]), rq, &m, &pr), 0);
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
	struct problem pr = {0};

	ck_assert(d && rq);
	rq->id = "0000000009";
	rq->rcpts = &to;
	rq->nrcpts = 1;
	ck_assert_int_eq(relay_dsn_weigh(a, d, NULL, 0, rq, &m, &pr), 0);
	ck_assert_int_eq(rq->dsn, JOB_DSN_UNMATCHED);
	ck_assert_uint_eq(m.nreports, 0);
	arena_free(a);
}
END_TEST

/* For the sender and others: unmatched, whoever stands first. */
START_TEST(several)
{
	static const char *const to[][3] = {{"doctor@hospital.example", "nurse@hospital.example"},
	    {"nurse@hospital.example", "doctor@hospital.example", "other@hospital.example"},
	    {"doctor@hospital.example", "Doctor@hospital.example"}};
	struct arena *a = arena_new(1 << 20);
	struct job_dsn *d = arena_alloc(a, sizeof(*d));
	struct job_request *rq = arena_alloc(a, sizeof(*rq));
	struct job_rcpt rcpts[3];
	struct relay_dsn m;
	struct problem pr = {0};

	ck_assert(d && rq);
	rq->id = "0000000009";
	rq->rcpts = rcpts;
	for (; rq->nrcpts < 3 && to[_i][rq->nrcpts]; rq->nrcpts++)
		rcpts[rq->nrcpts] = (struct job_rcpt){.address = to[_i][rq->nrcpts]};
	d->read.nrcpts = 1;
	strcpy(d->read.rcpts[0].final, "bob@lab.example");
	ck_assert_int_eq(relay_dsn_weigh(a, d, found, sizeof(found) / sizeof(found[0]), rq, &m, &pr), 0);
	ck_assert_int_eq(rq->dsn, _i == 2 ? JOB_DSN_MATCHED : JOB_DSN_UNMATCHED);
	ck_assert_uint_eq(m.nreports, _i == 2);
	ck_assert(_i == 2 || strstr(rq->dsn_text, "several recipients") != NULL);
	arena_free(a);
}
END_TEST

/* A transaction whose memory is used up is told so, and nothing ends over it. */
START_TEST(no_memory)
{
	static struct job_dsn d;
	static struct job_request rq;
	struct job_rcpt to = {.address = "doctor@hospital.example"};
	int err = -1;

	rq.id = "0000000009";
	rq.rcpts = &to;
	rq.nrcpts = 1;
	d.read.nrcpts = 1;
	strcpy(d.read.rcpts[0].final, "bob@lab.example");
	for (size_t room = 16; room < 16384; room += 16) {
		struct arena *a = arena_new(room);
		struct relay_dsn m = {0};
		struct problem pr = {0};

		rq.dsn = JOB_DSN_UNASKED;
		err = relay_dsn_weigh(a, &d, found, sizeof(found) / sizeof(found[0]), &rq, &m, &pr);
		ck_assert(err == 0 ? rq.dsn == JOB_DSN_MATCHED : pr.cls == PROBLEM_TEMP && rq.dsn == JOB_DSN_UNASKED);
		arena_free(a);
	}
	ck_assert_int_eq(err, 0);
}
END_TEST

/* One client's flood is its own; all together are bounded. */
START_TEST(rate)
{
	int64_t now = 1000000;
	int n = 0;

	for (int i = 0; i < 100; i++)
		n += !relay_dsn_too_many("192.0.2.1", 2, now);
	ck_assert_int_eq(n, 2);
	ck_assert(!relay_dsn_too_many("192.0.2.2", 2, now));
	ck_assert(!relay_dsn_too_many("IPv6:2001:db8:1:2::/64", 2, now + 999));
	ck_assert(relay_dsn_too_many("192.0.2.1", 2, now + 999));
	ck_assert(!relay_dsn_too_many("192.0.2.1", 2, now + 1000));
	n = 1;
	for (int i = 0; i < 100; i++) {
		char client[32];

		snprintf(client, sizeof(client), "198.51.100.%d", i);
		n += !relay_dsn_too_many(i % 2 ? client : "", 2, now + 1000);
	}
	ck_assert_int_eq(n, 10);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_dsn");
	TCase *t = tcase_create("relay_dsn");

	log_init("test", LOG_LEVEL_ERROR);
	tcase_add_loop_test(t, table, 0, sizeof(cases) / sizeof(cases[0]));
	tcase_add_test(t, nothing_found);
	tcase_add_loop_test(t, several, 0, 3);
	tcase_add_test(t, no_memory);
	tcase_add_test(t, rate);
	suite_add_tcase(s, t);
	return suite_run(s);
}
