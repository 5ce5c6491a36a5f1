/* What becomes of a recipient after a try: the table of who is told what, and five days on a clock of ours. */
#include "gateway/proc/relay_fate.h"

#include "tests/unit/queue_fixture.h"

enum {
	N = ENVELOPE_NOTIFY_NEVER,
	S = ENVELOPE_NOTIFY_SUCCESS,
	F = ENVELOPE_NOTIFY_FAILURE,
	D = ENVELOPE_NOTIFY_DELAY
};

static const struct {
	struct relay_fate_in in;
	struct relay_fate want;
} table[] = {
    /* taken: told only when asked for, and when nobody behind us tells */
    {{.kind = QUEUE_OUTBOUND, .ok = true}, {RELAY_FATE_DELIVERED, RELAY_FATE_NOBODY, DSN_RELAYED}},
    {{.kind = QUEUE_OUTBOUND, .ok = true, .dsn_lost = true}, {RELAY_FATE_DELIVERED, RELAY_FATE_NOBODY, DSN_RELAYED}},
    {{.kind = QUEUE_OUTBOUND, .ok = true, .notify = S}, {RELAY_FATE_DELIVERED, RELAY_FATE_NOBODY, DSN_RELAYED}},
    {{.kind = QUEUE_OUTBOUND, .ok = true, .notify = S | F, .dsn_lost = true},
	{RELAY_FATE_DELIVERED, RELAY_FATE_SENDER, DSN_RELAYED}},
    {{.kind = QUEUE_OUTBOUND, .ok = true, .notify = F | D, .dsn_lost = true},
	{RELAY_FATE_DELIVERED, RELAY_FATE_NOBODY, DSN_RELAYED}},
    {{.kind = QUEUE_OUTBOUND, .ok = true, .notify = S, .dsn_lost = true, .null_sender = true},
	{RELAY_FATE_DELIVERED, RELAY_FATE_NOBODY, DSN_RELAYED}},
    {{.kind = QUEUE_INBOUND, .ok = true, .notify = S, .dsn_lost = true},
	{RELAY_FATE_DELIVERED, RELAY_FATE_NOBODY, DSN_RELAYED}},
    /* later */
    {{.kind = QUEUE_OUTBOUND, .temp = true}, {RELAY_FATE_RETRY, RELAY_FATE_NOBODY, DSN_DELAYED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .delayed = true}, {RELAY_FATE_RETRY, RELAY_FATE_SENDER, DSN_DELAYED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .delayed = true, .warned = true},
	{RELAY_FATE_RETRY, RELAY_FATE_NOBODY, DSN_DELAYED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .delayed = true, .notify = F | S},
	{RELAY_FATE_RETRY, RELAY_FATE_NOBODY, DSN_DELAYED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .delayed = true, .notify = D},
	{RELAY_FATE_RETRY, RELAY_FATE_SENDER, DSN_DELAYED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .delayed = true, .notify = N},
	{RELAY_FATE_RETRY, RELAY_FATE_NOBODY, DSN_DELAYED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .delayed = true, .null_sender = true},
	{RELAY_FATE_RETRY, RELAY_FATE_NOBODY, DSN_DELAYED}},
    {{.kind = QUEUE_INBOUND, .temp = true, .delayed = true}, {RELAY_FATE_RETRY, RELAY_FATE_NOBODY, DSN_DELAYED}},
    {{.kind = QUEUE_NOTICE, .temp = true, .delayed = true, .null_sender = true},
	{RELAY_FATE_RETRY, RELAY_FATE_NOBODY, DSN_DELAYED}},
    /* never */
    {{.kind = QUEUE_OUTBOUND}, {RELAY_FATE_BOUNCED, RELAY_FATE_SENDER, DSN_FAILED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .expired = true}, {RELAY_FATE_EXPIRED, RELAY_FATE_SENDER, DSN_FAILED}},
    {{.kind = QUEUE_OUTBOUND, .temp = true, .expired = true, .delayed = true, .warned = true},
	{RELAY_FATE_EXPIRED, RELAY_FATE_SENDER, DSN_FAILED}},
    {{.kind = QUEUE_OUTBOUND, .notify = F}, {RELAY_FATE_BOUNCED, RELAY_FATE_SENDER, DSN_FAILED}},
    {{.kind = QUEUE_OUTBOUND, .notify = S | D}, {RELAY_FATE_BOUNCED, RELAY_FATE_NOBODY, DSN_FAILED}},
    {{.kind = QUEUE_OUTBOUND, .notify = N}, {RELAY_FATE_BOUNCED, RELAY_FATE_NOBODY, DSN_FAILED}},
    {{.kind = QUEUE_OUTBOUND, .null_sender = true}, {RELAY_FATE_BOUNCED, RELAY_FATE_NOBODY, DSN_FAILED}},
    /* accepted from outside: a person decides, nothing goes back there */
    {{.kind = QUEUE_INBOUND, .notify = F}, {RELAY_FATE_HOLD, RELAY_FATE_ALARM, DSN_DELAYED}},
    {{.kind = QUEUE_INBOUND, .temp = true, .expired = true}, {RELAY_FATE_HOLD, RELAY_FATE_ALARM, DSN_DELAYED}},
    /* notices of ours: to the postmaster once, then an alarm */
    {{.kind = QUEUE_NOTICE, .null_sender = true}, {RELAY_FATE_BOUNCED, RELAY_FATE_POSTMASTER, DSN_FAILED}},
    {{.kind = QUEUE_NOTICE, .null_sender = true, .temp = true, .expired = true},
	{RELAY_FATE_EXPIRED, RELAY_FATE_POSTMASTER, DSN_FAILED}},
    {{.kind = QUEUE_NOTICE, .null_sender = true, .last_notice = true},
	{RELAY_FATE_BOUNCED, RELAY_FATE_ALARM, DSN_FAILED}},
};

START_TEST(test_table)
{
	struct relay_fate got = relay_fate(&table[_i].in), want = table[_i].want;

	ck_assert_int_eq(got.end, want.end);
	ck_assert_int_eq(got.tell, want.tell);
	if (want.tell == RELAY_FATE_SENDER || want.tell == RELAY_FATE_POSTMASTER)
		ck_assert_int_eq(got.action, want.action);
}
END_TEST

/* A host that answers 451 for ever, the clock moved to each next try: one warning, after 4 hours; the end after 5
 * days; the state is the queue's own, which is closed and opened in between. */
START_TEST(test_five_days)
{
	struct fixture f;
	struct queue_job *jobs[2];
	char id[QUEUE_ID_MAX];
	int64_t start, next, warned_at = 0, first_try = 0;
	int warnings = 0, tries = 0;
	struct relay_fate fate;

	fixture_init(&f);
	start = f.now;
	fixture_put_one(&f, "a@lab.example", "mx:lab.example", QUEUE_QUEUED, id);
	do {
		ck_assert_uint_eq(queue_claim(f.q, 2, NULL, 0, jobs, &next), 1);

		struct relay_fate_in in = {.kind = QUEUE_OUTBOUND,
		    .temp = true,
		    .warned = jobs[0]->rcpts[0].warned,
		    .expired = queue_expired(f.q, jobs[0]->arrived, f.now),
		    .delayed = queue_delayed(f.q, jobs[0]->arrived, f.now)};
		struct queue_settle s = {.rcpt = jobs[0]->rcpts[0].row, .state = QUEUE_QUEUED, .reason = "451 later"};
		struct queue_tx tx = {.settles = &s, .nsettles = 1};

		fate = relay_fate(&in);
		tries++;
		if (fate.end == RELAY_FATE_RETRY) {
			s.next_at = queue_next_try(f.q, jobs[0]->rcpts[0].attempts + 1, f.now);
			s.warned = fate.tell == RELAY_FATE_SENDER;
		} else {
			s.state = QUEUE_DONE;
			s.outcome = QUEUE_EXPIRED;
		}
		if (tries == 1)
			first_try = s.next_at - f.now;
		if (s.warned) {
			warnings++;
			warned_at = f.now;
		}
		queue_job_free(jobs[0]);
		ck_assert_int_eq(fixture_commit(&f, &tx), 0);
		if (tries % 5 == 0)
			fixture_reopen(&f);
		if (fate.end == RELAY_FATE_RETRY)
			f.now = s.next_at;
	} while (fate.end == RELAY_FATE_RETRY);
	ck_assert_int_eq(fate.end, RELAY_FATE_EXPIRED);
	ck_assert_int_eq(fate.tell, RELAY_FATE_SENDER);
	ck_assert_int_eq(first_try, 5 * 60000);
	ck_assert_int_eq(warnings, 1);
	ck_assert_int_ge(warned_at - start, 4 * 3600000);
	ck_assert_int_lt(warned_at - start, 8 * 3600000);
	ck_assert_int_ge(f.now - start, 5 * 24 * 3600000);
	ck_assert_int_lt(f.now - start, 5 * 24 * 3600000 + 4 * 3600000);
	ck_assert_int_gt(tries, 30);
	ck_assert_int_lt(tries, 60);
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("relay_fate");
	TCase *t = tcase_create("relay_fate");

	tcase_add_loop_test(t, test_table, 0, (int)(sizeof table / sizeof table[0]));
	tcase_add_test(t, test_five_days);
	suite_add_tcase(s, t);
	return suite_run(s);
}
