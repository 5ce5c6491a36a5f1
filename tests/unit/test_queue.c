/* The queue as its users see it: put, claim, settle, hold, one outcome, cancel, sealed ids, counts, restart. */
#include "tests/unit/queue_fixture.h"

#include <dirent.h>
#include <fcntl.h>

START_TEST(test_cycle)
{
	struct fixture f;
	struct queue_job *jobs[4];
	char id[QUEUE_ID_MAX];
	struct queue_counts c;
	static const size_t sizes[] = {0, 1, 20000, 200000, 400000};
	size_t size = sizes[_i];
	struct queue_rcpt r = fixture_rcpt("a@lab.example", "lab.example", QUEUE_QUEUED);

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, &r, 1, size, id), 0);
	ck_assert_uint_eq(f.nrows, 1);
	ck_assert_int_eq(fixture_has_file(&f, id), size > 256 * 1024);
	ck_assert_int_eq(queue_counts(f.q, &c), 0);
	ck_assert_int_eq(c.queued, 1);
	ck_assert_int_eq(c.oldest_queued, f.now);

	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	ck_assert_str_eq(jobs[0]->id, id);
	ck_assert_int_eq(jobs[0]->kind, QUEUE_OUTBOUND);
	ck_assert_str_eq(jobs[0]->sender, "ward3@hospital.example");
	ck_assert_str_eq(jobs[0]->trace, "Received: from a\r\n");
	ck_assert_str_eq(jobs[0]->facts, "{\"helo\":\"a\"}");
	ck_assert_str_eq(jobs[0]->message_id, "<1@hospital.example>");
	ck_assert_str_eq(jobs[0]->nexthop, "lab.example");
	ck_assert_int_eq(jobs[0]->arrived, f.now);
	ck_assert_uint_eq(jobs[0]->wrapped_len, 11);
	ck_assert_mem_eq(jobs[0]->wrapped, "wrapped key", 11);
	ck_assert_uint_eq(jobs[0]->size, size);
	ck_assert_uint_eq(jobs[0]->nrcpts, 1);
	ck_assert_int_eq(jobs[0]->rcpts[0].row, f.rows[0]);
	ck_assert_str_eq(jobs[0]->rcpts[0].address, "a@lab.example");
	ck_assert_str_eq(jobs[0]->rcpts[0].treatment, "seal");
	ck_assert_int_eq(jobs[0]->rcpts[0].attempts, 0);
	fixture_expect_content(&f, jobs[0]->msg, "words ", size);
	ck_assert_uint_eq(fixture_claim(&f, jobs + 1, 3), 0);
	queue_counts(f.q, &c);
	ck_assert_int_eq(c.active, 1);
	ck_assert_int_eq(c.queued, 0);

	ck_assert_int_eq(fixture_settle(&f, jobs[0]->rcpts[0].row, QUEUE_DONE, QUEUE_DELIVERED, 0), 0);
	queue_counts(f.q, &c);
	ck_assert_int_eq(c.active, 0);
	ck_assert_int_eq(c.done, 1);
	ck_assert_int_eq(c.oldest_queued, 0);
	ck_assert(!fixture_has_file(&f, id));
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM body"), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT outcome FROM rcpt"), QUEUE_DELIVERED);
	ck_assert_ptr_null(queue_content(f.q, jobs[0]->msg, fixture_key, &f.pr));
	ck_assert_ptr_nonnull(strstr(f.pr.text, "gone"));
	queue_job_free(jobs[0]);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_retry)
{
	struct fixture f;
	struct queue_job *jobs[4];
	char id[QUEUE_ID_MAX];
	int64_t next, row;

	fixture_init(&f);
	fixture_put_one(&f, "a@lab.example", "lab.example", QUEUE_QUEUED, id);
	for (int attempt = 0; attempt < 3; attempt++) {
		ck_assert_uint_eq(queue_claim(f.q, 4, NULL, 0, jobs, &next), 1);
		ck_assert_int_eq(next, INT64_MAX);
		row = jobs[0]->rcpts[0].row;
		ck_assert_int_eq(jobs[0]->rcpts[0].attempts, attempt);
		ck_assert_int_eq(jobs[0]->rcpts[0].warned, attempt > 1);
		queue_job_free(jobs[0]);

		struct queue_settle s = {.rcpt = row,
		    .state = QUEUE_QUEUED,
		    .next_at = f.now + 5000,
		    .reason = "451 4.7.1 later",
		    .warned = attempt == 1};
		struct queue_tx tx = {.settles = &s, .nsettles = 1};

		ck_assert_int_eq(fixture_commit(&f, &tx), 0);
		ck_assert_uint_eq(queue_claim(f.q, 4, NULL, 0, jobs, &next), 0);
		ck_assert_int_eq(next, f.now + 5000);
		f.now += 4999;
		ck_assert_uint_eq(queue_claim(f.q, 4, NULL, 0, jobs, &next), 0);
		f.now += 1;
	}
	/* given back untried: no attempt, the old reason stays */
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);

	struct queue_settle back = {.rcpt = jobs[0]->rcpts[0].row, .state = QUEUE_QUEUED, .next_at = f.now};
	struct queue_tx tx = {.settles = &back, .nsettles = 1};

	queue_job_free(jobs[0]);
	ck_assert_int_eq(fixture_commit(&f, &tx), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT attempts FROM rcpt WHERE reason LIKE '451%'"), 3);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	queue_job_free(jobs[0]);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_held)
{
	struct fixture f;
	struct queue_job *jobs[4];
	char id[QUEUE_ID_MAX];
	struct queue_counts c;

	fixture_init(&f);
	fixture_put_one(&f, "a@lab.example", "lab.example", QUEUE_HELD, id);
	fixture_put_one(&f, "b@lab.example", "lab.example", QUEUE_QUEUED, id);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	ck_assert_str_eq(jobs[0]->rcpts[0].address, "b@lab.example");
	ck_assert_int_eq(fixture_settle(&f, jobs[0]->rcpts[0].row, QUEUE_HELD, QUEUE_NONE, 0), 0);
	queue_job_free(jobs[0]);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 0);
	queue_counts(f.q, &c);
	ck_assert_int_eq(c.held, 2);
	ck_assert_uint_eq(queue_claim_stale(f.q, 4, jobs), 0);
	f.now += f.set.hold_expire;
	ck_assert_uint_eq(queue_claim_stale(f.q, 4, jobs), 2);
	ck_assert_uint_eq(queue_claim_stale(f.q, 4, jobs + 2), 0);
	ck_assert_int_eq(fixture_settle(&f, jobs[0]->rcpts[0].row, QUEUE_DONE, QUEUE_EXPIRED, 0), 0);
	ck_assert_int_eq(fixture_settle(&f, jobs[1]->rcpts[0].row, QUEUE_QUEUED, QUEUE_NONE, f.now), 0);
	queue_job_free(jobs[0]);
	queue_job_free(jobs[1]);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	queue_job_free(jobs[0]);
	fixture_clear(&f);
}
END_TEST

/* The raw message is replaced by the opened ones, all or nothing. */
START_TEST(test_replace)
{
	struct fixture f;
	struct queue_job *jobs[4];
	char raw[QUEUE_ID_MAX], ids[2][QUEUE_ID_MAX];
	struct queue_rcpt r = fixture_rcpt("a@hospital.example", "open", QUEUE_QUEUED);
	struct queue_rcpt out[] = {fixture_rcpt("a@hospital.example", "inside", QUEUE_ACTIVE),
	    fixture_rcpt("b@hospital.example", "inside", QUEUE_QUEUED)};

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, raw), 0);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);

	struct queue_settle s = {.rcpt = jobs[0]->rcpts[0].row, .state = QUEUE_DONE, .outcome = QUEUE_OPENED};
	struct queue_msg m[2];
	struct spool *small = fixture_content(&f, "abc", 300), *large = fixture_content(&f, "defg", 500000);
	struct queue_tx tx = {.msgs = m, .nmsgs = 2, .settles = &s, .nsettles = 1};

	queue_id(f.q, ids[0]);
	queue_id(f.q, ids[1]);
	m[0] = fixture_msg(ids[0], small, out, 2);
	m[1] = fixture_msg(ids[1], large, out, 2);
	ck_assert_int_eq(fixture_commit(&f, &tx), 0);
	ck_assert_uint_eq(f.nrows, 4);
	ck_assert(!fixture_has_file(&f, raw));
	ck_assert(fixture_has_file(&f, ids[1]));
	queue_job_free(jobs[0]);

	/* the same again, under new ids: refused as a whole, without leaving a row or a file */
	queue_id(f.q, ids[0]);
	queue_id(f.q, ids[1]);
	m[0] = fixture_msg(ids[0], small, out, 2);
	spool_free(large);
	large = fixture_content(&f, "defg", 500000);
	m[1] = fixture_msg(ids[1], large, out, 2);
	ck_assert_int_eq(fixture_commit(&f, &tx), -1);
	ck_assert_ptr_nonnull(strstr(f.pr.text, "outcome already"));
	ck_assert(!fixture_has_file(&f, ids[1]));
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 3);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt"), 5);

	/* only the queued ones are claimed; the active ones are the caller's until the next start */
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 2);
	for (int i = 0; i < 2; i++) {
		ck_assert_uint_eq(jobs[i]->nrcpts, 1);
		ck_assert_str_eq(jobs[i]->rcpts[0].address, "b@hospital.example");
	}
	fixture_expect_content(&f, jobs[0]->msg, "abc", 300);
	fixture_expect_content(&f, jobs[1]->msg, "defg", 500000);
	queue_job_free(jobs[0]);
	queue_job_free(jobs[1]);
	fixture_reopen(&f);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 2);
	ck_assert_uint_eq(jobs[0]->nrcpts, 2);
	ck_assert_uint_eq(jobs[1]->nrcpts, 2);
	queue_job_free(jobs[0]);
	queue_job_free(jobs[1]);
	spool_free(small);
	spool_free(large);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_one_outcome)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	fixture_put_one(&f, "a@lab.example", "lab.example", QUEUE_ACTIVE, id);

	int64_t row = f.rows[0];

	ck_assert_int_eq(fixture_settle(&f, row, QUEUE_DONE, QUEUE_BOUNCED, 0), 0);
	ck_assert_int_eq(fixture_settle(&f, row, QUEUE_DONE, QUEUE_DELIVERED, 0), -1);
	ck_assert_int_eq(f.pr.cls, PROBLEM_PERM);
	ck_assert_int_eq(fixture_settle(&f, row, QUEUE_QUEUED, QUEUE_NONE, 0), -1);
	ck_assert_int_eq(fixture_settle(&f, row, QUEUE_HELD, QUEUE_NONE, 0), -1);
	ck_assert_int_eq(fixture_settle(&f, row + 1, QUEUE_DONE, QUEUE_DELIVERED, 0), -1);
	ck_assert_ptr_nonnull(strstr(f.pr.text, "does not exist"));
	ck_assert_int_eq(fixture_ask(&f, "SELECT outcome FROM rcpt"), QUEUE_BOUNCED);
	/* and in the schema, for whatever comes later */
	ck_assert_int_eq(fixture_sql(&f, "UPDATE rcpt SET state = 0, outcome = 0", NULL), SQLITE_CONSTRAINT);
	ck_assert_int_eq(fixture_sql(&f, "UPDATE rcpt SET outcome = 1", NULL), SQLITE_CONSTRAINT);
	fixture_put_one(&f, "a@lab.example", "lab.example", QUEUE_QUEUED, id);
	ck_assert_int_eq(fixture_sql(&f, "UPDATE rcpt SET state = 3 WHERE state = 0", NULL), SQLITE_CONSTRAINT);
	ck_assert_int_eq(fixture_sql(&f, "UPDATE rcpt SET outcome = 1 WHERE state = 0", NULL), SQLITE_CONSTRAINT);
	ck_assert_int_eq(fixture_sql(&f, "UPDATE rcpt SET state = 1 WHERE state = 0", NULL), SQLITE_CONSTRAINT);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_cancel)
{
	struct fixture f;
	struct spool *content;
	char id[QUEUE_ID_MAX];
	atomic_int cancel = 1;
	struct queue_rcpt r = fixture_rcpt("a@lab.example", "lab.example", QUEUE_ACTIVE);
	struct queue_msg m;
	const char *sealed = "<x@y>";
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1, .sealed_ids = &sealed, .nsealed_ids = 1, .cancel = &cancel};

	fixture_init(&f);
	content = fixture_content(&f, "x", 400000);
	queue_id(f.q, id);
	m = fixture_msg(id, content, &r, 1);
	ck_assert_int_eq(fixture_commit(&f, &tx), -1);
	ck_assert_int_eq(f.pr.code, 451);
	ck_assert_uint_eq(f.nrows, 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 0);
	ck_assert_int_eq(queue_was_sealed(f.q, &sealed, 1), 0);
	ck_assert(!fixture_has_file(&f, id));
	cancel = 0;
	ck_assert_int_eq(fixture_commit(&f, &tx), 0);
	ck_assert(fixture_has_file(&f, id));
	spool_free(content);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_sealed_ids)
{
	struct fixture f;
	const char *put[] = {"<one@hospital.example>", "two@hospital.example"};
	static const struct {
		const char *id;
		int was;
	} cases[] = {
	    {"<one@hospital.example>", 1},
	    {"one@hospital.example", 1},
	    {" <one@hospital.example>\r\n", 1},
	    {"<two@hospital.example>", 1},
	    {"<ONE@hospital.example>", 0},
	    {"<three@hospital.example>", 0},
	    {"", 0},
	};
	struct queue_tx tx = {.sealed_ids = put, .nsealed_ids = 2};

	fixture_init(&f);
	ck_assert_int_eq(fixture_commit(&f, &tx), 0);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
		ck_assert_int_eq(queue_was_sealed(f.q, &cases[i].id, 1), cases[i].was);

	const char *mixed[] = {"<three@x>", "<four@x>", "<two@hospital.example>"};

	ck_assert_int_eq(queue_was_sealed(f.q, mixed, 3), 1);
	ck_assert_int_eq(queue_was_sealed(f.q, mixed, 2), 0);
	ck_assert_int_eq(queue_was_sealed(f.q, NULL, 0), 0);
	fixture_reopen(&f);
	f.now += INT64_C(89) * 86400000;
	ck_assert_int_eq(queue_was_sealed(f.q, put, 1), 1);
	tx.nsealed_ids = 1;
	ck_assert_int_eq(fixture_commit(&f, &tx), 0); /* again: its time begins anew */
	f.now += INT64_C(2) * 86400000;
	ck_assert_int_eq(queue_was_sealed(f.q, put, 1), 1);
	ck_assert_int_eq(queue_was_sealed(f.q, put + 1, 1), 0);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_restart)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char ids[5][QUEUE_ID_MAX];
	struct queue_counts c;

	fixture_init(&f);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, ids[0]);
	fixture_put_one(&f, "a@2.example", "2.example", QUEUE_ACTIVE, ids[1]);
	fixture_put_one(&f, "a@3.example", "3.example", QUEUE_HELD, ids[2]);
	fixture_put_one(&f, "a@4.example", "4.example", QUEUE_DONE, ids[3]);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 1);
	queue_job_free(jobs[0]);
	fixture_reopen(&f);
	queue_counts(f.q, &c);
	ck_assert_int_eq(c.queued, 2);
	ck_assert_int_eq(c.active, 0);
	ck_assert_int_eq(c.held, 1);
	ck_assert_int_eq(c.done, 0); /* since the opening */
	f.now -= 1000000;	     /* the clock was set back: ids must not come again */
	for (int i = 0; i < 200; i++) {
		queue_id(f.q, ids[4]);
		for (int k = 0; k < 4; k++)
			ck_assert_str_gt(ids[4], ids[k]);
	}
	f.now += 1000000;
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 2);
	ck_assert_str_eq(jobs[0]->id, ids[0]);
	ck_assert_str_eq(jobs[1]->id, ids[1]);
	fixture_expect_content(&f, jobs[1]->msg, "words ", 100);
	queue_job_free(jobs[0]);
	queue_job_free(jobs[1]);
	fixture_clear(&f);
}
END_TEST

/* A message's content stays until its last recipient is done, whatever the order. */
START_TEST(test_last_recipient)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct queue_rcpt r[] = {fixture_rcpt("a@1.example", "1.example", QUEUE_ACTIVE),
	    fixture_rcpt("b@2.example", "2.example", QUEUE_HELD),
	    fixture_rcpt("c@3.example", "3.example", QUEUE_DONE)};
	size_t size = _i ? 400000 : 1000;

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, r, 3, size, id), 0);

	int64_t rows[2] = {f.rows[0], f.rows[1]};

	ck_assert_int_eq(fixture_settle(&f, rows[0], QUEUE_DONE, QUEUE_DELIVERED, 0), 0);
	fixture_expect_content(&f, rows[0] >> 16, "words ", size);
	ck_assert_int_eq(fixture_settle(&f, rows[1], QUEUE_DONE, QUEUE_BOUNCED, 0), 0);
	ck_assert_ptr_null(queue_content(f.q, rows[0] >> 16, fixture_key, &f.pr));
	ck_assert(!fixture_has_file(&f, id));
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM body"), 0);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_purge)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	const char *sealed = "<x@y>";
	struct queue_tx tx = {.sealed_ids = &sealed, .nsealed_ids = 1};
	struct queue_counts c;

	fixture_init(&f);
	for (int i = 0; i < 450; i++)
		fixture_put_one(&f, "a@4.example", "4.example", QUEUE_DONE, id);
	fixture_put_one(&f, "a@3.example", "3.example", QUEUE_HELD, id);
	ck_assert_int_eq(fixture_commit(&f, &tx), 0);
	ck_assert_int_eq(queue_purge(f.q, &f.pr), 0);
	f.now += f.set.done_keep - 1000;
	fixture_put_one(&f, "a@5.example", "5.example", QUEUE_DONE, id);
	f.now += 2000;
	ck_assert_int_eq(queue_purge(f.q, &f.pr), 450);
	ck_assert_int_eq(queue_purge(f.q, &f.pr), 0);
	queue_counts(f.q, &c);
	ck_assert_int_eq(c.done, 451);
	ck_assert_int_eq(c.held, 1);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt"), 2);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 2);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM sealed"), 1);
	f.now += INT64_C(91) * 86400000;
	for (int i = 0; i < 256; i++)
		ck_assert_int_ge(queue_purge(f.q, &f.pr), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM sealed"), 0);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_orphans)
{
	struct fixture f;
	char keep[QUEUE_ID_MAX], done[QUEUE_ID_MAX], free_[QUEUE_ID_MAX], path[128];
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_ACTIVE);
	const char *names[] = {done, free_, "README", "0000000000.old"};

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, keep), 0);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, done), 0);
	ck_assert_int_eq(fixture_settle(&f, f.rows[0], QUEUE_DONE, QUEUE_DELIVERED, 0), 0);
	queue_id(f.q, free_);
	for (size_t i = 0; i < 4; i++) {
		snprintf(path, sizeof path, "%s/spool/%s", f.dir, names[i]);
		close(open(path, O_CREAT | O_WRONLY, 0600));
		ck_assert(fixture_has_file(&f, names[i]));
	}
	fixture_reopen(&f);
	ck_assert(fixture_has_file(&f, keep));
	ck_assert(!fixture_has_file(&f, done));
	ck_assert(!fixture_has_file(&f, free_));
	ck_assert(fixture_has_file(&f, "README"));
	ck_assert(fixture_has_file(&f, "0000000000.old"));
	fixture_clear(&f);
}
END_TEST

/* Nothing of the content is in any file of the queue in the clear. */
START_TEST(test_nothing_in_clear)
{
	static const char words[] = "patient record 4711: the finding is negative\r\n";
	struct fixture f;
	char ids[2][QUEUE_ID_MAX], command[256];
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_ACTIVE);

	fixture_init(&f);
	for (int i = 0; i < 2; i++) {
		struct spool *s = fixture_content(&f, words, i ? 400000 : 40000);
		struct queue_msg m;
		struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

		queue_id(f.q, ids[i]);
		m = fixture_msg(ids[i], s, &r, 1);
		ck_assert_int_eq(fixture_commit(&f, &tx), 0);
		spool_free(s);
	}
	snprintf(command, sizeof command, "grep -raq 'ward3@hospital' %s", f.dir);
	ck_assert_int_eq(system(command), 0); /* the search works: envelopes are there */
	snprintf(command, sizeof command, "grep -raq -e 'record 4711' -e 'finding is' %s", f.dir);
	ck_assert_int_ne(system(command), 0);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_close_finishes)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
	struct spool *s;

	fixture_init(&f);
	s = fixture_content(&f, "x", 100);
	for (int i = 0; i < 50; i++) {
		struct queue_msg m;
		struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

		queue_id(f.q, id);
		m = fixture_msg(id, s, &r, 1);
		queue_commit(f.q, &tx, fixture_done, &f);
	}
	queue_close(f.q);
	ck_assert_int_eq(f.finished, 50);
	ck_assert_int_eq(f.err, 0);
	spool_free(s);
	loop_once(f.loop, 0);
	ck_assert_int_eq(fixture_open(&f), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM msg"), 50);
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue");
	TCase *t = tcase_create("queue");

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, test_cycle, 0, 5);
	tcase_add_test(t, test_retry);
	tcase_add_test(t, test_held);
	tcase_add_test(t, test_replace);
	tcase_add_test(t, test_one_outcome);
	tcase_add_test(t, test_cancel);
	tcase_add_test(t, test_sealed_ids);
	tcase_add_test(t, test_restart);
	tcase_add_loop_test(t, test_last_recipient, 0, 2);
	tcase_add_test(t, test_purge);
	tcase_add_test(t, test_orphans);
	tcase_add_test(t, test_nothing_in_clear);
	tcase_add_test(t, test_close_finishes);
	suite_add_tcase(s, t);
	return suite_run(s);
}
