/* A dead node's queue taken over: whole, once, gone on with after an end in the middle, refused when it must be. */
#include "gateway/queue/queue_adopt.h"

#include <signal.h>
#include <sys/wait.h>

#include "gateway/queue/queue_sent_find.h"
#include "tests/unit/queue_fixture.h"

/* Stored data keys with the name of a keeper's queue key where datakeys.h has it. */
static int put_under(
    struct fixture *f, const char *key_name, enum queue_state state, size_t size, char id_r[QUEUE_ID_MAX])
{
	struct queue_rcpt r[2] = {fixture_rcpt("a@1.example", "mx:1.example", state),
	    fixture_rcpt("b@1.example", "mx:1.example", QUEUE_DONE)};
	struct spool *content = fixture_content(f, "words ", size);
	char wrapped[64] = {89, 1};
	struct queue_msg m;
	const char *sealed[] = {"<sealed@hospital.example>"};
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1, .sealed_ids = sealed, .nsealed_ids = 1};

	queue_id(f->q, id_r);
	r[0].env = (struct envelope_rcpt){ENVELOPE_NOTIFY_DELAY, "rfc822;x"};
	memcpy(wrapped + 2, key_name, 4);
	m = fixture_msg(id_r, content, r, 2);
	m.wrapped = wrapped;
	m.wrapped_len = sizeof wrapped;
	m.env.ret = ENVELOPE_RET_HDRS;

	int err = fixture_commit(f, &tx);

	spool_free(content);
	return err;
}

static void two(struct fixture *ours, struct fixture *other)
{
	char id[QUEUE_ID_MAX];

	fixture_init(ours);
	fixture_init(other);
	ck_assert_int_eq(put_under(ours, "KEY1", QUEUE_QUEUED, 10, id), 0);
}

static void end(struct fixture *f)
{
	if (f->q)
		fixture_close(f);
	loop_free(f->loop);
	fixture_remove_dir(f->dir);
}

START_TEST(test_whole)
{
	struct fixture ours, other;
	struct queue_adopted n;
	struct queue_job *jobs[8];
	char small[QUEUE_ID_MAX], large[QUEUE_ID_MAX], id[QUEUE_ID_MAX];
	const char *sealed = "<sealed@hospital.example>";
	struct problem pr;
	size_t got;

	two(&ours, &other);
	ck_assert_int_eq(fixture_sql(&ours, "DELETE FROM sealed", NULL), SQLITE_OK);
	other.now = ours.now; /* the same numbers as ours */
	ck_assert_int_eq(put_under(&other, "KEY1", QUEUE_QUEUED, 2000, small), 0);
	ck_assert_int_eq(put_under(&other, "KEY1", QUEUE_QUEUED, 400000, large), 0);
	ck_assert_int_eq(put_under(&other, "KEY1", QUEUE_HELD, 20, id), 0);
	ck_assert_int_eq(put_under(&other, "KEY2", QUEUE_DONE, 20, id), 0); /* history of another key is left there */
	fixture_close(&ours);
	fixture_close(&other);
	ck_assert_msg(queue_adopt(ours.dir, other.dir, &n, &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(n.messages, 3);
	ck_assert_int_eq(n.recipients, 3);
	ck_assert_int_eq(n.before, 0);
	ck_assert_int_eq(n.sealed_ids, 1);
	ck_assert_int_eq(queue_adopt(ours.dir, other.dir, &n, &pr), 0);
	ck_assert_int_eq(n.messages, 0);

	ck_assert_int_eq(fixture_open(&ours), 0);
	ck_assert_int_eq(fixture_ask(&ours, "SELECT count(*) FROM msg"), 4);
	ck_assert_int_eq(fixture_ask(&ours, "SELECT count(*) FROM rcpt"), 8);
	ck_assert_int_eq(fixture_ask(&ours, "SELECT count(*) FROM rcpt WHERE state = 2"), 1);
	ck_assert_int_eq(queue_was_sealed(ours.q, &sealed, 1), 1);

	/* reports about them are matched here */
	const struct queue_sent_ask ask = {"ward3@hospital.example", "<1@hospital.example>", NULL};
	struct queue_sent_found found[QUEUE_SENT_FIND_MAX];
	struct arena *a = arena_new(1 << 20);

	ck_assert_int_eq(queue_sent_find(ours.q, &ask, a, found, &pr), 4);
	arena_free(a);
	got = fixture_claim(&ours, jobs, 8);
	ck_assert_uint_eq(got, 3);
	for (size_t i = 0; i < got; i++) {
		ck_assert_int_eq(jobs[i]->arrived / 1000, ours.now / 1000);
		ck_assert_str_eq(jobs[i]->rcpts[0].env.orcpt, "rfc822;x");
		ck_assert_int_eq(jobs[i]->env.ret, ENVELOPE_RET_HDRS);
		ck_assert_mem_eq(jobs[i]->wrapped + 2, "KEY1", 4);
		fixture_expect_content(&ours, jobs[i]->msg, "words ", jobs[i]->size);
		queue_job_free(jobs[i]);
	}
	ck_assert_int_eq(fixture_open(&other), 0);
	ck_assert_int_eq(fixture_ask(&other, "SELECT count(*) FROM rcpt WHERE state <> 3"), 0);
	ck_assert_int_eq(fixture_ask(&other, "SELECT count(*) FROM msg"), 1);
	ck_assert(!fixture_has_file(&other, large));
	end(&ours);
	end(&other);
}
END_TEST

/* Killed at moments spread over the whole of it, each time gone on with: every message is in one of the two queues at
 * the end, in ours once. */
START_TEST(test_killed)
{
	enum { N = 500 };
	struct fixture ours, other;
	struct queue_adopted n;
	struct problem pr;
	char id[QUEUE_ID_MAX], command[200];

	two(&ours, &other);
	for (int i = 0; i < N; i++)
		ck_assert_int_eq(put_under(&other, "KEY1", QUEUE_QUEUED, i % 50 ? 100 : 300000, id), 0);
	fixture_close(&ours);
	fixture_close(&other);
	for (int round = 0; round < 12; round++) {
		pid_t pid = fork();

		if (pid == 0) {
			n.messages = queue_adopt(ours.dir, other.dir, &n, &pr);
			_exit(0);
		}
		usleep((useconds_t)(round * 3000));
		kill(pid, SIGKILL);
		ck_assert_int_eq(waitpid(pid, NULL, 0), pid);
	}
	ck_assert_msg(queue_adopt(ours.dir, other.dir, &n, &pr) == 0, "%s", pr.text);
	ck_assert_int_eq(fixture_ask(&ours, "SELECT count(*) FROM msg"), N + 1);
	ck_assert_int_eq(fixture_ask(&ours, "SELECT count(*) FROM adopted"), N);
	ck_assert_int_eq(fixture_ask(&ours, "SELECT count(*) FROM rcpt WHERE state = 0"), N + 1);
	ck_assert_int_eq(fixture_ask(&other, "SELECT count(*) FROM msg"), 0);
	snprintf(command, sizeof command, "test $(ls %s/spool | wc -l) = 10 && test -z \"$(ls %s/spool)\"", ours.dir,
	    other.dir);
	ck_assert_int_eq(system(command), 0);

	end(&ours);
	end(&other);
}
END_TEST

START_TEST(test_copy)
{
	struct fixture ours, other;
	struct queue_adopted n;
	struct problem pr;
	char id[QUEUE_ID_MAX], command[200], copy[100];

	two(&ours, &other);
	ck_assert_int_eq(put_under(&other, "KEY1", QUEUE_QUEUED, 100, id), 0);
	fixture_close(&ours);
	fixture_close(&other);
	snprintf(copy, sizeof copy, "%s-copy", other.dir);
	snprintf(command, sizeof command, "cp -a %s %s", other.dir, copy);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(queue_adopt(ours.dir, other.dir, &n, &pr), 0);
	ck_assert_int_eq(n.messages, 1);
	ck_assert_int_eq(queue_adopt(ours.dir, copy, &n, &pr), 0);
	ck_assert_int_eq(n.messages, 0);
	ck_assert_int_eq(n.before, 1);
	snprintf(command, sizeof command, "rm -rf %s && cp -a %s %s", copy, ours.dir, copy);
	ck_assert_int_eq(system(command), 0);
	ck_assert_int_eq(queue_adopt(ours.dir, copy, &n, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "a copy of this very queue"));
	fixture_remove_dir(copy);
	end(&ours);
	end(&other);
}
END_TEST

START_TEST(test_refused)
{
	struct fixture ours, other;
	struct queue_adopted n;
	struct problem pr;
	char id[QUEUE_ID_MAX];

	two(&ours, &other);
	ck_assert_int_eq(put_under(&other, "KEY1", QUEUE_QUEUED, 100, id), 0);
	ck_assert_int_eq(queue_adopt(ours.dir, other.dir, &n, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "in use by another process"));
	fixture_close(&ours);
	ck_assert_int_eq(queue_adopt(ours.dir, other.dir, &n, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "in use by another process"));
	ck_assert_int_eq(put_under(&other, "KEY2", QUEUE_QUEUED, 100, id), 0);
	fixture_close(&other);
	ck_assert_int_eq(queue_adopt(ours.dir, other.dir, &n, &pr), -1);
	ck_assert_msg(
	    strstr(pr.text, "1 messages in") && strstr(pr.text, "this node's keeper cannot open"), "%s", pr.text);
	ck_assert_int_eq(fixture_ask(&other, "SELECT count(*) FROM msg"), 2);
	ck_assert_int_eq(queue_adopt(ours.dir, "/nowhere", &n, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "give the directory that has queue.db"));
	ck_assert_int_eq(fixture_sql(&ours, "DELETE FROM msg", NULL), SQLITE_OK);
	ck_assert_int_eq(queue_adopt(ours.dir, other.dir, &n, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "has never had a message"));
	end(&ours);
	end(&other);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_adopt");
	TCase *t = tcase_create("queue_adopt");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_whole);
	tcase_add_test(t, test_killed);
	tcase_add_test(t, test_copy);
	tcase_add_test(t, test_refused);
	suite_add_tcase(s, t);
	return suite_run(s);
}
