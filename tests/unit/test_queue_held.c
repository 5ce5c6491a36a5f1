/* What is held: judged again by the clock and by changes, each one once; shares of held-max; cancelling. */
#include "tests/unit/queue_fixture.h"

#include "gateway/queue/queue_schedule.h"

enum { MINUTE = 60000, HOUR = 60 * MINUTE };

static struct queue_rcpt held(const char *address, enum queue_waits waits, const char *waits_for, int64_t again_at)
{
	struct queue_rcpt r = fixture_rcpt(address, "open", QUEUE_HELD);

	r.hold = (struct queue_hold){.waits = waits, .waits_for = waits_for, .again_at = again_at};
	return r;
}

static void put(struct fixture *f, enum queue_waits waits, const char *waits_for, int64_t again_at)
{
	struct queue_rcpt r = held("a@1.example", waits, waits_for, again_at);
	char id[QUEUE_ID_MAX];

	ck_assert_int_eq(fixture_put(f, &r, 1, 100, id), 0);
}

static size_t again(struct fixture *f, struct queue_job **jobs, size_t max, int64_t *due_r)
{
	return queue_claim_again(f->q, max, jobs, due_r);
}

/* Held again as before. */
static void hold_again(struct fixture *f, const struct queue_job *j, int64_t again_at)
{
	struct queue_settle s = {
	    .rcpt = j->rcpts[0].row, .state = QUEUE_HELD, .hold = {.waits = QUEUE_WAITS_SAME, .again_at = again_at}};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};

	ck_assert_int_eq(fixture_commit(f, &tx), 0);
}

/* One whose envelope is gone waits for the admin: it is not taken up again and again. */
START_TEST(test_envelope_gone)
{
	struct fixture f;
	struct queue_job *jobs[8];
	int64_t due;

	fixture_init(&f);
	put(&f, QUEUE_WAITS_TRUST, "1.example", atomic_load(&f.now) + 1000);
	ck_assert_int_eq(fixture_sql(&f, "DELETE FROM msg", NULL), SQLITE_OK);
	atomic_store(&f.now, atomic_load(&f.now) + 5000);
	ck_assert_uint_eq(again(&f, jobs, 8, &due), 0);
	for (int i = 0; i < 100 && fixture_ask(&f, "SELECT waits FROM held") != QUEUE_WAITS_ADMIN; i++)
		loop_once(f.loop, 20);
	ck_assert_int_eq(fixture_ask(&f, "SELECT waits FROM held"), QUEUE_WAITS_ADMIN);
	ck_assert_int_eq(fixture_ask(&f, "SELECT again_at FROM held"), 0);
	ck_assert_uint_eq(again(&f, jobs, 8, &due), 0);
	ck_assert_int_eq(due, INT64_MAX);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_by_the_clock)
{
	struct fixture f;
	struct queue_job *jobs[8];
	int64_t due, now;

	fixture_init(&f);
	now = atomic_load(&f.now);
	put(&f, QUEUE_WAITS_TRUST, "1.example", now + HOUR);
	put(&f, QUEUE_WAITS_INSIDE, "inside", now + 2 * HOUR);
	put(&f, QUEUE_WAITS_ADMIN, NULL, now + HOUR); /* the admin's is never due, whatever is said */
	ck_assert_uint_eq(again(&f, jobs, 8, &due), 0);
	ck_assert_int_eq(due, now + HOUR);
	atomic_store(&f.now, now + HOUR);
	ck_assert_uint_eq(again(&f, jobs, 8, &due), 1);
	ck_assert_int_eq(due, now + 2 * HOUR);
	ck_assert(jobs[0]->held && jobs[0]->waits == QUEUE_WAITS_TRUST && jobs[0]->tries == 0 && !jobs[0]->released);
	ck_assert_uint_eq(again(&f, jobs + 1, 8, &due), 0); /* under way */
	hold_again(&f, jobs[0], now + 3 * HOUR);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM held WHERE waits = 1 AND waits_for = '1.example' AND "
					 "tries = 1 AND since < again_at - 3 * 3600000 + 1"),
	    1);
	queue_job_free(jobs[0]);
	atomic_store(&f.now, now + 3 * HOUR);
	ck_assert_uint_eq(again(&f, jobs, 8, &due), 2);
	for (size_t i = 0; i < 2; i++) {
		ck_assert_int_eq(fixture_settle(&f, jobs[i]->rcpts[0].row, QUEUE_DONE, QUEUE_DELIVERED, 0), 0);
		queue_job_free(jobs[i]);
	}
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM held"), 1);
	fixture_clear(&f);
}
END_TEST

/* A process that dies while one is judged again: it is still held, and still due. */
START_TEST(test_dies_while_judged)
{
	struct fixture f;
	struct queue_job *jobs[8];
	struct queue_counts c;
	int64_t due;

	fixture_init(&f);
	put(&f, QUEUE_WAITS_TRUST, "1.example", 1);
	ck_assert_uint_eq(again(&f, jobs, 8, &due), 1);
	queue_job_free(jobs[0]);
	fixture_reopen(&f);
	ck_assert_int_eq(queue_counts(f.q, &c), 0);
	ck_assert_int_eq(c.held, 1);
	ck_assert_int_eq(c.queued + c.active, 0);
	ck_assert_uint_eq(again(&f, jobs, 8, &due), 1);
	queue_job_free(jobs[0]);
	fixture_clear(&f);
}
END_TEST

static size_t walk(struct fixture *f, size_t *rounds_r)
{
	struct queue_job *jobs[3];
	int64_t due;
	size_t all = 0, n;

	for (*rounds_r = 0; (n = again(f, jobs, 3, &due)) > 0; ++*rounds_r)
		for (size_t i = 0; i < n; i++) {
			hold_again(f, jobs[i], 0);
			queue_job_free(jobs[i]);
			all++;
		}
	ck_assert_int_eq(due, INT64_MAX);
	return all;
}

START_TEST(test_by_change)
{
	struct fixture f;
	size_t rounds;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	for (int i = 0; i < 7; i++) {
		put(&f, QUEUE_WAITS_TRUST, "1.example", 0);
		put(&f, QUEUE_WAITS_TRUST, "2.example", 0);
		put(&f, QUEUE_WAITS_KEY, "hospital.example", 0);
		put(&f, QUEUE_WAITS_INSIDE, "1.example", 0);
		put(&f, QUEUE_WAITS_ADMIN, NULL, 0);
	}
	ck_assert_uint_eq(walk(&f, &rounds), 0);
	queue_held_changed(f.q, "1.EXAMPLE");
	queue_held_changed(f.q, "1.example"); /* not begun yet: the same */
	ck_assert_uint_eq(walk(&f, &rounds), 7);
	ck_assert_uint_eq(rounds, 3); /* a few at a time */
	queue_held_changed(f.q, "hospital.example");
	ck_assert_uint_eq(walk(&f, &rounds), 7);
	queue_held_changed(f.q, "3.example");
	ck_assert_uint_eq(walk(&f, &rounds), 0);
	put(&f, QUEUE_WAITS_SERVICE, NULL, 0);
	put(&f, QUEUE_WAITS_SERVICE, NULL, 0);
	queue_held_mended(f.q);
	queue_held_mended(f.q);
	ck_assert_uint_eq(walk(&f, &rounds), 2);
	queue_held_changed(f.q, NULL);
	ck_assert_uint_eq(walk(&f, &rounds), 21);
	for (int i = 0; i < 100; i++) { /* too many to keep apart: everybody, once */
		char name[32];

		snprintf(name, sizeof name, "%d.example", i);
		queue_held_changed(f.q, name);
	}
	ck_assert_uint_ge(walk(&f, &rounds), 14 + 7 + 2);
	ck_assert_uint_eq(walk(&f, &rounds), 0);

	/* several recipients are one job, once */
	struct queue_rcpt three[] = {held("a@1.example", QUEUE_WAITS_TRUST, "9.example", 0),
	    held("b@1.example", QUEUE_WAITS_TRUST, "9.example", 0), held("c@1.example", QUEUE_WAITS_ADMIN, NULL, 0)};
	struct queue_job *jobs[3];
	int64_t due;

	ck_assert_int_eq(fixture_put(&f, three, 3, 100, id), 0);
	queue_held_changed(f.q, "9.example");
	ck_assert_uint_eq(again(&f, jobs, 3, &due), 1);
	ck_assert_uint_eq(jobs[0]->nrcpts, 2);
	queue_held_changed(f.q, "9.example"); /* it changes while they are judged by what was known before */
	struct queue_job *more[3];

	ck_assert_uint_eq(again(&f, more, 3, &due), 0);
	queue_give_back(f.q, jobs[0], 0);
	ck_assert_uint_eq(again(&f, more, 3, &due), 1);
	queue_give_back(f.q, more[0], 0);
	queue_job_free(jobs[0]);
	queue_job_free(more[0]);
	ck_assert_uint_eq(again(&f, more, 3, &due), 0);
	fixture_clear(&f);
}
END_TEST

/* Judged again or not, it expires hold-expire after it was held first. */
START_TEST(test_expires)
{
	struct fixture f;
	struct queue_job *jobs[4];
	int64_t due, now;

	fixture_init(&f);
	now = atomic_load(&f.now);
	put(&f, QUEUE_WAITS_TRUST, "1.example", now + HOUR);
	for (int64_t t = now + HOUR; t < now + f.set.hold_expire; t += f.set.hold_expire / 4) {
		atomic_store(&f.now, t);
		ck_assert_uint_eq(again(&f, jobs, 4, &due), 1);
		hold_again(&f, jobs[0], t + 1);
		queue_job_free(jobs[0]);
		ck_assert_uint_eq(queue_claim_stale(f.q, 4, jobs), 0);
	}
	atomic_store(&f.now, now + f.set.hold_expire);
	ck_assert_uint_eq(queue_claim_stale(f.q, 4, jobs), 1);
	ck_assert_int_eq(fixture_settle(&f, jobs[0]->rcpts[0].row, QUEUE_DONE, QUEUE_EXPIRED, 0), 0);
	queue_job_free(jobs[0]);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM held"), 0);
	fixture_clear(&f);
}
END_TEST

/* A database that was mended by hand: nobody who is held is forgotten. */
START_TEST(test_mended)
{
	struct fixture f;
	struct queue_job *jobs[4];
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	put(&f, QUEUE_WAITS_TRUST, "1.example", 0);
	put(&f, QUEUE_WAITS_TRUST, "1.example", 0);
	ck_assert_int_eq(fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id), 0);
	fixture_close(&f);
	ck_assert_int_eq(
	    fixture_sql(&f, "UPDATE held SET rcpt = rcpt + 1 WHERE rcpt = (SELECT min(rcpt) FROM held)", NULL),
	    SQLITE_OK);
	ck_assert_int_eq(fixture_open(&f), 0);
	ck_assert_int_eq(
	    fixture_ask(&f, "SELECT count(*) FROM held JOIN rcpt ON rcpt.id = held.rcpt AND state = 2"), 2);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM held"), 2);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM held WHERE waits = 0"), 1);
	atomic_store(&f.now, atomic_load(&f.now) + f.set.hold_expire);
	ck_assert_uint_eq(queue_claim_stale(f.q, 4, jobs), 2);
	for (size_t i = 0; i < 2; i++)
		queue_job_free(jobs[i]);
	fixture_clear(&f);
}
END_TEST

/* Many are held: what a claim costs does not grow with them, and a change walks through them in steps. */
START_TEST(test_many)
{
	enum { MANY = 40000 };
	struct fixture f;
	struct queue_job *jobs[8];
	char sql[600];
	int64_t due, began;
	size_t n = 0;

	fixture_init(&f);
	put(&f, QUEUE_WAITS_TRUST, "1.example", 0);
	snprintf(sql, sizeof sql,
	    "WITH RECURSIVE c (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE i < %d)"
	    " INSERT INTO held SELECT (SELECT max(id) FROM rcpt) + 65536 * i, 1, i %% 50 || '.example', 0, 1, 0, "
	    "NULL, "
	    "NULL FROM c",
	    MANY);
	fixture_close(&f);
	ck_assert_int_eq(fixture_sql(&f, sql, NULL), SQLITE_OK);
	ck_assert_int_eq(fixture_sql(&f,
			     "INSERT INTO msg SELECT rcpt >> 16, 0, 1, 's@x.example', '', '{}', '', x'00', 0, 0, '' "
			     "FROM held WHERE rcpt >> 16 NOT IN (SELECT id FROM msg)",
			     NULL),
	    SQLITE_OK);
	ck_assert_int_eq(fixture_sql(&f,
			     "INSERT INTO rcpt (id, address, nexthop, state, outcome, next_at, changed) SELECT rcpt, "
			     "'a@1.example', 'open', 2, 0, 1, 1 FROM held WHERE rcpt NOT IN (SELECT id FROM rcpt)",
			     NULL),
	    SQLITE_OK);
	ck_assert_int_eq(fixture_open(&f), 0);
	began = loop_now_ms();
	queue_held_changed(f.q, NULL);
	for (int i = 0; i < 200; i++) {
		size_t got = again(&f, jobs, 8, &due);

		for (size_t k = 0; k < got; k++) {
			queue_give_back(f.q, jobs[k], 0);
			queue_job_free(jobs[k]);
		}
		n += got;
	}
	ck_assert_uint_eq(n, 1600);
	ck_assert_msg(
	    loop_now_ms() - began < 4000, "1600 of %d took %lld ms", MANY, (long long)(loop_now_ms() - began));
	fixture_clear(&f);
}
END_TEST

START_TEST(test_admin)
{
	struct fixture f;
	struct queue_job *jobs[4];
	struct queue_rcpt r = held("a@1.example", QUEUE_WAITS_TRUST, "1.example", 0);
	char id[QUEUE_ID_MAX];
	int64_t due;

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 100, id), 0);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_RETRY, id, NULL, NULL, &f.pr), 1); /* judged now */
	ck_assert_uint_eq(again(&f, jobs, 4, &due), 1);
	hold_again(&f, jobs[0], 1);
	queue_job_free(jobs[0]);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_HOLD, id, NULL, "mine", &f.pr), 1);
	queue_held_changed(f.q, NULL);
	ck_assert_uint_eq(again(&f, jobs, 4, &due), 0); /* not by itself any more */
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_RETRY, id, NULL, NULL, &f.pr), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT reason = 'waits for a certificate' FROM rcpt"), 1);
	/* what the gateway held first is delivered in spite of its reason */
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_RELEASE, id, NULL, NULL, &f.pr), 1);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	ck_assert(jobs[0]->released && !jobs[0]->held);
	queue_job_free(jobs[0]);
	fixture_clear(&f);
}
END_TEST

/* ---- shares ---- */

static void put_from(struct fixture *f, const char *sender, const char *facts)
{
	struct queue_rcpt r = fixture_rcpt("a@1.example", "open", QUEUE_HELD);
	struct spool *content = fixture_content(f, "words ", 10);
	char id[QUEUE_ID_MAX];
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

	queue_id(f->q, id);
	m = fixture_msg(id, content, &r, 1);
	m.sender = sender;
	m.facts = facts;
	ck_assert_int_eq(fixture_commit(f, &tx), 0);
	spool_free(content);
}

START_TEST(test_shares)
{
	struct fixture f;
	enum queue_room none = QUEUE_ROOM_NO_SHARE;

	fixture_init(&f);
	fixture_close(&f);
	f.set.held_max = 20;
	f.set.held_share = 20;
	ck_assert_int_eq(fixture_open(&f), 0);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(queue_held_room(f.q, "b@bad.example", "192.0.2.1"), QUEUE_ROOM);
		put_from(&f, "x@y\"@Bad.Example", "{\"client\":\"192.0.2.1\"}");
	}
	ck_assert_int_eq(queue_held_room(f.q, "b@BAD.example", "198.51.100.7"), none);
	ck_assert_int_eq(queue_held_room(f.q, "b@good.example", "192.0.2.1"), none);
	ck_assert_int_eq(queue_held_room(f.q, "", "192.0.2.1"), none);
	ck_assert_int_eq(queue_held_room(f.q, "b@good.example", NULL), QUEUE_ROOM); /* a client that is not counted */
	ck_assert_int_eq(queue_held_room(f.q, "b@good.example", "198.51.100.7"), QUEUE_ROOM);
	ck_assert_int_eq(queue_held_room(f.q, "", "198.51.100.7"), QUEUE_ROOM);
	fixture_reopen(&f);
	ck_assert_int_eq(queue_held_room(f.q, "b@bad.example", NULL), none);
	for (int i = 0; i < 16; i++) {
		put_from(&f, "", i % 2 ? "" : "not json");
		ck_assert_int_eq(queue_held_room(f.q, "", "198.51.100.7"), i < 15 ? QUEUE_ROOM : QUEUE_ROOM_FULL);
	}
	fixture_clear(&f);
}
END_TEST

/* ---- the schedule ---- */

START_TEST(test_schedule)
{
	struct queue_settings set;

	queue_settings_default(&set);
	set.held_retry = 6 * HOUR;
	set.held_retries = 3;
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_ADMIN, 0, 1), 0);
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_TRUST, 0, 1), 1 + 6 * HOUR);
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_TRUST, 1, 1), 1 + 12 * HOUR);
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_KEY, 100000, 1), 1 + 24 * HOUR);
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_INSIDE, 2, 1), 1 + 24 * HOUR);
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_INSIDE, 3, 1), 0);
	set.held_retry = 48 * HOUR;
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_SERVICE, 9, 1), 1 + 48 * HOUR);
	set.held_retry = 0;
	ck_assert_int_eq(queue_schedule_held(&set, QUEUE_WAITS_TRUST, 0, 1), 0);
}
END_TEST

/* ---- cancelled or committed: decided once ---- */

START_TEST(test_cancel_or_commit)
{
	struct fixture f;

	fixture_init(&f);
	for (int i = 0; i < 300; i++) {
		struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
		struct spool *content = fixture_content(&f, "words ", 10);
		char id[QUEUE_ID_MAX], sql[96];
		struct queue_msg m;
		atomic_int cancel = 0;
		struct queue_tx tx = {.msgs = &m, .nmsgs = 1, .cancel = &cancel};
		long before = f.finished;
		int64_t messages = fixture_ask(&f, "SELECT count(*) FROM msg");

		queue_id(f.q, id);
		m = fixture_msg(id, content, &r, 1);
		queue_commit(f.q, &tx, fixture_done, &f);
		usleep((useconds_t)(i % 60) * 20);

		bool cancelled = queue_cancel(&cancel);

		ck_assert_int_eq(queue_cancel(&cancel), cancelled);
		fixture_wait(&f, before + 1);
		ck_assert_int_eq(f.err, cancelled ? -1 : 0);
		ck_assert_int_eq(queue_cancel(&cancel), cancelled);
		snprintf(sql, sizeof sql, "SELECT count(*) FROM msg");
		ck_assert_int_eq(fixture_ask(&f, sql), messages + (cancelled ? 0 : 1));
		spool_free(content);
	}
	fixture_clear(&f);
}
END_TEST

/* ---- verbs that nobody waits for ---- */

struct told {
	long changed;
	int times;
	struct problem pr;
};

static void told(void *ctx, long changed, const struct problem *pr)
{
	struct told *t = ctx;

	t->changed = changed;
	t->times++;
	t->pr = *pr;
}

START_TEST(test_verb_and_lock)
{
	struct fixture f;
	struct told t = {0}, late = {0};
	char id[QUEUE_ID_MAX], path[128];
	sqlite3 *other;
	int64_t began;

	fixture_init(&f);
	ck_assert_int_eq(fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id), 0);
	queue_admin_begin(f.q, QUEUE_VERB_HOLD, "what?", NULL, NULL, 5000, told, &t);
	ck_assert(t.times == 1 && t.changed == -1 && strstr(t.pr.text, "not the id"));
	snprintf(path, sizeof path, "%s/queue.db", f.dir);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	began = loop_now_ms();
	queue_admin_begin(f.q, QUEUE_VERB_HOLD, id, "", "because", 100, told, &late);
	ck_assert_int_lt(loop_now_ms() - began, 90); /* the loop does not wait */
	while (late.times == 0)
		loop_once(f.loop, 1000);
	ck_assert(late.changed == -1 && strstr(late.pr.text, "nothing was changed"));
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	t.times = 0;
	queue_admin_begin(f.q, QUEUE_VERB_HOLD, id, NULL, "now", 20000, told, &t);
	while (t.times == 0)
		loop_once(f.loop, 1000);
	ck_assert_int_eq(t.changed, 1);
	ck_assert_int_eq(late.times, 1);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt WHERE state = 2 AND reason = 'now'"), 1);
	fixture_clear(&f);
}
END_TEST

/* Locked for longer than the writer waits: mail is refused with a sentence, a settlement is kept; nobody has to write
 * anything for claims to go on afterwards. */
START_TEST(test_locked)
{
	struct fixture f;
	struct queue_job *jobs[4];
	char id[QUEUE_ID_MAX], path[128];
	sqlite3 *other;
	long before;

	fixture_init(&f);
	ck_assert_int_eq(fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id), 0);
	ck_assert_int_eq(fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id), 0);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 1), 1);
	snprintf(path, sizeof path, "%s/queue.db", f.dir);
	ck_assert_int_eq(sqlite3_open(path, &other), SQLITE_OK);
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(fixture_put_one(&f, "b@1.example", "1.example", QUEUE_QUEUED, id), -1);
	ck_assert(f.pr.code == 451 && strstr(f.pr.text, "locked"));
	ck_assert(queue_trouble(f.q, &f.pr));
	ck_assert_uint_eq(fixture_claim(&f, jobs + 1, 1), 0);
	before = f.finished;

	struct queue_settle s = {
	    .rcpt = jobs[0]->rcpts[0].row, .state = QUEUE_DONE, .outcome = QUEUE_DELIVERED, .reason = "250 ok"};
	struct queue_tx tx = {.settles = &s, .nsettles = 1};

	queue_commit(f.q, &tx, fixture_done, &f);
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	fixture_wait(&f, before + 1);
	ck_assert_int_eq(f.err, 0);
	ck_assert(!queue_trouble(f.q, NULL));
	ck_assert_int_eq(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
	ck_assert_int_eq(fixture_put_one(&f, "b@1.example", "1.example", QUEUE_QUEUED, id), -1);
	ck_assert_int_eq(sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(other);
	for (int64_t end = loop_now_ms() + 20000; queue_trouble(f.q, NULL) && loop_now_ms() < end;)
		loop_once(f.loop, 50);
	ck_assert_uint_eq(fixture_claim(&f, jobs + 1, 1), 1);
	queue_job_free(jobs[0]);
	queue_job_free(jobs[1]);
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_held");
	TCase *t = tcase_create("all");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_by_the_clock);
	tcase_add_test(t, test_dies_while_judged);
	tcase_add_test(t, test_by_change);
	tcase_add_test(t, test_expires);
	tcase_add_test(t, test_mended);
	tcase_add_test(t, test_many);
	tcase_add_test(t, test_admin);
	tcase_add_test(t, test_envelope_gone);
	tcase_add_test(t, test_shares);
	tcase_add_test(t, test_schedule);
	tcase_add_test(t, test_cancel_or_commit);
	tcase_add_test(t, test_verb_and_lock);
	tcase_add_test(t, test_locked);
	suite_add_tcase(s, t);
	return suite_run(s);
}
