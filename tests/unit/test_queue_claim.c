/* Claims: grouping by next hop, order, passing over, limits, and that nothing is ever claimed twice. */
#include "tests/unit/queue_fixture.h"

static void drop(struct queue_job **jobs, size_t n)
{
	for (size_t i = 0; i < n; i++)
		queue_job_free(jobs[i]);
}

START_TEST(test_groups_by_nexthop)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];
	struct queue_rcpt r[] = {
	    fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED),
	    fixture_rcpt("b@2.example", "2.example", QUEUE_QUEUED),
	    fixture_rcpt("c@1.example", "1.example", QUEUE_QUEUED),
	    fixture_rcpt("d@1.example", "1.example", QUEUE_HELD),
	    fixture_rcpt("e@1.example", "1.example", QUEUE_ACTIVE),
	    fixture_rcpt("f@1.example", "1.example", QUEUE_QUEUED),
	};

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, r, 6, 10, id), 0);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 2);
	ck_assert_str_eq(jobs[0]->nexthop, "1.example");
	ck_assert_uint_eq(jobs[0]->nrcpts, 3);
	ck_assert_str_eq(jobs[0]->rcpts[0].address, "a@1.example");
	ck_assert_str_eq(jobs[0]->rcpts[1].address, "c@1.example");
	ck_assert_str_eq(jobs[0]->rcpts[2].address, "f@1.example");
	ck_assert_int_eq(jobs[0]->rcpts[1].row, f.rows[2]);
	ck_assert_str_eq(jobs[1]->nexthop, "2.example");
	ck_assert_uint_eq(jobs[1]->nrcpts, 1);
	drop(jobs, 2);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_oldest_first)
{
	static const char *const hops[] = {
	    "2.example", "1.example", "3.example", "1.example", "2.example", "2.example"};
	struct fixture f;
	struct queue_job *jobs[8];
	char ids[6][QUEUE_ID_MAX];
	size_t n = 0, k;
	int64_t next;
	size_t max = (size_t)_i;

	fixture_init(&f);
	for (size_t i = 0; i < 6; i++, f.now++)
		fixture_put_one(&f, "a@b.example", hops[i], QUEUE_QUEUED, ids[i]);
	while ((k = queue_claim(f.q, max, NULL, 0, jobs, &next)) > 0) {
		ck_assert_uint_le(k, max);
		for (size_t i = 0; i < k; i++)
			ck_assert_str_eq(jobs[i]->id, ids[n + i]);
		drop(jobs, k);
		n += k;
	}
	ck_assert_uint_eq(n, 6);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_skip)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];
	const char *skip[] = {"unknown.example", "dead.example"};
	int64_t next;

	fixture_init(&f);
	for (int i = 0; i < 5; i++)
		fixture_put_one(&f, "a@dead.example", "dead.example", QUEUE_QUEUED, id);
	fixture_put_one(&f, "a@alive.example", "alive.example", QUEUE_QUEUED, id);
	ck_assert_uint_eq(queue_claim(f.q, 3, skip, 2, jobs, &next), 1);
	ck_assert_str_eq(jobs[0]->id, id);
	drop(jobs, 1);
	ck_assert_uint_eq(queue_claim(f.q, 3, skip, 2, jobs, &next), 0);
	ck_assert_uint_eq(queue_claim(f.q, 8, skip, 1, jobs, &next), 5);
	drop(jobs, 5);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_active_max)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];
	int64_t rows[3];

	fixture_init(&f);
	fixture_close(&f);
	f.set.active_max = 3;
	ck_assert_int_eq(fixture_open(&f), 0);
	for (int i = 0; i < 5; i++)
		fixture_put_one(&f, "a@1.example", i & 1 ? "1.example" : "2.example", QUEUE_QUEUED, id);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 3);
	for (int i = 0; i < 3; i++)
		rows[i] = jobs[i]->rcpts[0].row;
	drop(jobs, 3);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 0);
	ck_assert_int_eq(fixture_settle(&f, rows[1], QUEUE_DONE, QUEUE_DELIVERED, 0), 0);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 1);
	drop(jobs, 1);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_next_due)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];
	int64_t next, start;

	fixture_init(&f);
	start = f.now;
	for (int i = 0; i < 3; i++) {
		fixture_put_one(&f, "a@1.example", "1.example", QUEUE_ACTIVE, id);
		ck_assert_int_eq(fixture_settle(&f, f.rows[0], QUEUE_QUEUED, QUEUE_NONE, start + 1000 * (3 - i)), 0);
	}
	fixture_put_one(&f, "a@2.example", "2.example", QUEUE_ACTIVE, id);
	ck_assert_int_eq(fixture_settle(&f, f.rows[0], QUEUE_QUEUED, QUEUE_NONE, start + 1500), 0);
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 0);
	ck_assert_int_eq(next, start + 1000);
	f.now = start + 1000;
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 1);
	ck_assert_int_eq(next, start + 1500);
	drop(jobs, 1);
	fixture_reopen(&f); /* the one that was active is due at once; the table is read from the database */
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 1);
	ck_assert(jobs[0]->probe); /* it was tried before the end: most likely the site failed */
	ck_assert_int_eq(next, start + 1500);
	queue_hop_works(f.q, "1.example");
	queue_hop_works(f.q, "2.example");
	drop(jobs, 1);
	f.now = start + 3000;
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 3);
	ck_assert_str_eq(jobs[0]->nexthop, "2.example");
	ck_assert_int_eq(next, INT64_MAX);
	drop(jobs, 3);
	fixture_clear(&f);
}
END_TEST

/* A site that failed: one recipient tries for all, the others wait untried, and whoever has a place for no suspect
 * passes it by; those old enough for a notice go by their own schedule. */
START_TEST(test_probe)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];
	struct queue_claim_limits l = {.max = 8, .probes = 0};
	int64_t next, start;

	fixture_init(&f);
	start = f.now;
	for (int i = 0; i < 3; i++)
		fixture_put_one(&f, "a@dead.example", "dead.example", QUEUE_QUEUED, id);
	queue_hop_failed(f.q, "dead.example", start + 60000);
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 0);
	ck_assert_int_eq(next, start + 60000);
	fixture_put_one(&f, "a@alive.example", "alive.example", QUEUE_QUEUED, id);
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 1);
	ck_assert(!jobs[0]->probe);
	drop(jobs, 1);
	f.now = start + 60000;
	ck_assert_uint_eq(queue_claim_with(f.q, &l, jobs, &next), 0);
	l.probes = 1;
	ck_assert_uint_eq(queue_claim_with(f.q, &l, jobs, &next), 1);
	ck_assert(jobs[0]->probe);
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs + 1, &next), 0);
	/* it failed again, and the others are old now */
	queue_hop_failed(f.q, "dead.example", start + 120000);
	ck_assert_int_eq(fixture_settle(&f, jobs[0]->rcpts[0].row, QUEUE_QUEUED, QUEUE_NONE, start + 300000), 0);
	drop(jobs, 1);
	f.now = start + f.set.delay_warning;
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 3);
	for (int i = 0; i < 3; i++)
		queue_give_back(f.q, jobs[i], f.now + 10000);
	drop(jobs, 3);
	/* it works: all of them */
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 0);
	queue_hop_works(f.q, "dead.example");
	ck_assert_uint_eq(queue_claim(f.q, 8, NULL, 0, jobs, &next), 3);
	ck_assert(!jobs[0]->probe);
	ck_assert_int_eq(jobs[0]->rcpts[0].attempts, 0);
	drop(jobs, 3);
	fixture_clear(&f);
}
END_TEST

/* Where nothing was taken yet one tries for all, as far as there are places for strangers; those that work have their
 * own. */
START_TEST(test_stranger)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];
	struct queue_claim_limits l = {.max = 8, .probes = 8, .strangers = 1};
	char tried[32] = "";
	int64_t next;

	fixture_init(&f);
	for (int i = 0; i < 6; i++)
		fixture_put_one(&f, "a@x.example", i % 2 ? "new.example" : "other.example", QUEUE_QUEUED, id);
	for (int i = 0; i < 2; i++)
		fixture_put_one(&f, "a@y.example", "known.example", QUEUE_QUEUED, id);
	queue_hop_works(f.q, "known.example");
	ck_assert_uint_eq(queue_claim_with(f.q, &l, jobs, &next), 3);
	for (int i = 0; i < 3; i++) {
		ck_assert(jobs[i]->stranger == (strcmp(jobs[i]->nexthop, "known.example") != 0));
		ck_assert(!jobs[i]->probe);
		if (jobs[i]->stranger)
			snprintf(tried, sizeof tried, "%s", jobs[i]->nexthop);
	}
	drop(jobs, 3);
	l.strangers = 8;
	ck_assert_uint_eq(queue_claim_with(f.q, &l, jobs, &next), 1); /* of the other hop, not more of the first */
	ck_assert_str_ne(jobs[0]->nexthop, tried);
	drop(jobs, 1);
	queue_hop_again(f.q, tried);
	ck_assert_uint_eq(queue_claim_with(f.q, &l, jobs, &next), 1);
	ck_assert_str_eq(jobs[0]->nexthop, tried);
	ck_assert(jobs[0]->stranger);
	drop(jobs, 1);
	queue_hop_works(f.q, strcmp(tried, "new.example") == 0 ? "other.example" : "new.example");
	ck_assert_uint_eq(queue_claim_with(f.q, &l, jobs, &next), 2);
	ck_assert(!jobs[0]->stranger);
	drop(jobs, 2);
	fixture_clear(&f);
}
END_TEST

/* What waits to be opened has no site that could be down: tried before or not, all of it is claimed at once. */
START_TEST(test_ours)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];
	struct queue_claim_limits l = {.max = 8, .probes = 8, .strangers = 8};
	int64_t next;

	fixture_init(&f);
	fixture_put_one(&f, "a@our.example", "open", QUEUE_ACTIVE, id);
	ck_assert_int_eq(fixture_settle(&f, f.rows[0], QUEUE_QUEUED, QUEUE_NONE, f.now), 0);
	fixture_reopen(&f);
	for (int i = 0; i < 4; i++)
		fixture_put_one(&f, "a@our.example", "open", QUEUE_QUEUED, id);
	ck_assert_uint_eq(queue_claim_with(f.q, &l, jobs, &next), 5);
	for (int i = 0; i < 5; i++)
		ck_assert(!jobs[i]->probe && !jobs[i]->stranger);
	drop(jobs, 5);
	fixture_clear(&f);
}
END_TEST

/* The admin's retry passes by what is known of the site. */
START_TEST(test_retry_wakes)
{
	struct fixture f;
	struct queue_job *jobs[8];
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	fixture_put_one(&f, "a@dead.example", "dead.example", QUEUE_QUEUED, id);
	queue_hop_failed(f.q, "dead.example", f.now + 60000);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 0);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_RETRY, id, NULL, NULL, NULL), 1);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 1);
	drop(jobs, 1);
	fixture_clear(&f);
}
END_TEST

/* A row whose envelope is gone is held with a reason, and keeps nobody else from being claimed. */
START_TEST(test_unreadable)
{
	struct fixture f;
	struct queue_job *jobs[8];
	struct queue_counts c;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	f.now += 1;
	fixture_put_one(&f, "b@1.example", "1.example", QUEUE_QUEUED, id);
	f.now += 1;
	fixture_put_one(&f, "c@1.example", "1.example", QUEUE_QUEUED, id);
	ck_assert_int_eq(fixture_sql(&f, "DELETE FROM msg WHERE id = (SELECT min(id) FROM msg)", NULL), SQLITE_OK);
	ck_assert_int_eq(
	    fixture_sql(&f, "UPDATE msg SET wrapped = zeroblob(500) WHERE id = (SELECT min(id) FROM msg)", NULL),
	    SQLITE_OK);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 8), 1);
	ck_assert_str_eq(jobs[0]->id, id);
	drop(jobs, 1);
	do
		ck_assert_int_eq(queue_counts(f.q, &c), 0);
	while (c.held < 2);
	ck_assert_int_eq(c.active, 1);
	ck_assert_int_eq(
	    fixture_ask(&f, "SELECT count(*) FROM rcpt WHERE state = 2 AND reason LIKE '%queue check%'"), 2);
	fixture_clear(&f);
}
END_TEST

/* What SMTP said of the envelope comes back as it went in, also after a restart. */
START_TEST(test_envelope)
{
	struct fixture f;
	struct queue_job *jobs[2];
	char id[QUEUE_ID_MAX];
	struct queue_rcpt r[2] = {fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED),
	    fixture_rcpt("b@1.example", "1.example", QUEUE_QUEUED)};
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

	fixture_init(&f);
	r[0].env = (struct envelope_rcpt){ENVELOPE_NOTIFY_SUCCESS | ENVELOPE_NOTIFY_DELAY, "rfc822;A@1.example"};
	queue_id(f.q, id);

	struct spool *content = fixture_content(&f, "x", 10);

	m = fixture_msg(id, content, r, 2);
	m.env = (struct envelope){
	    .body8 = true, .requiretls = true, .tls_no = true, .ret = ENVELOPE_RET_FULL, .envid = "QQ+3D314"};
	ck_assert_int_eq(fixture_commit(&f, &tx), 0);
	spool_free(content);
	fixture_reopen(&f);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 2), 1);
	ck_assert(jobs[0]->env.body8 && !jobs[0]->env.utf8 && jobs[0]->env.requiretls && jobs[0]->env.tls_no);
	ck_assert_int_eq(jobs[0]->env.ret, ENVELOPE_RET_FULL);
	ck_assert_str_eq(jobs[0]->env.envid, "QQ+3D314");
	ck_assert_uint_eq(jobs[0]->rcpts[0].env.notify, ENVELOPE_NOTIFY_SUCCESS | ENVELOPE_NOTIFY_DELAY);
	ck_assert_str_eq(jobs[0]->rcpts[0].env.orcpt, "rfc822;A@1.example");
	ck_assert_uint_eq(jobs[0]->rcpts[1].env.notify, 0);
	ck_assert_str_eq(jobs[0]->rcpts[1].env.orcpt, "");
	drop(jobs, 1);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_held_full)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	fixture_close(&f);
	f.set.held_max = 2;
	ck_assert_int_eq(fixture_open(&f), 0);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_HELD, id);
	ck_assert_int_eq(queue_held_room(f.q, "a@1.example", NULL), QUEUE_ROOM);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_HELD, id);
	ck_assert_int_eq(queue_held_room(f.q, "a@1.example", NULL), QUEUE_ROOM_FULL);
	fixture_reopen(&f);
	ck_assert_int_eq(queue_held_room(f.q, "a@1.example", NULL), QUEUE_ROOM_FULL);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_DELETE, id, NULL, NULL, NULL), 1);
	ck_assert_int_eq(queue_held_room(f.q, "a@1.example", NULL), QUEUE_ROOM);
	fixture_clear(&f);
}
END_TEST

/* Puts, claims, settlements and retries in one another's way, chosen by a fixed random sequence: each recipient is
 * claimed only when it is nobody's. */
START_TEST(test_never_twice)
{
	enum { N = 400, HOPS = 7 };
	struct fixture f;
	struct queue_job *jobs[16];
	struct queue_rcpt r[2];
	char id[QUEUE_ID_MAX], hop[32];
	int64_t held[2 * N];
	size_t nheld = 0, nput = 0, done = 0;
	uint32_t x = 12345 + (uint32_t)_i;

	fixture_init(&f);
	for (long round = 0; done < 2 * N; round++) {
		x = x * 1664525 + 1013904223;
		if ((x >> 16) % 3 == 0 && nput < N) {
			snprintf(hop, sizeof hop, "%u.example", (x >> 20) % HOPS);
			r[0] = fixture_rcpt("a@b", hop, QUEUE_QUEUED);
			r[1] = fixture_rcpt("c@d", "other.example", QUEUE_QUEUED);
			ck_assert_int_eq(fixture_put(&f, r, 2, 10, id), 0);
			nput++;
		}
		f.now += (x >> 10) % 50;

		size_t n = fixture_claim(&f, jobs, 1 + (x >> 24) % 8);

		for (size_t i = 0; i < n; i++) {
			for (size_t k = 0; k < nheld; k++)
				ck_assert_int_ne(held[k], jobs[i]->rcpts[0].row);
			held[nheld++] = jobs[i]->rcpts[0].row;
		}
		drop(jobs, n);
		/* settle some without waiting, so that claims and commits overlap */
		while (nheld > (x >> 8) % 10) {
			struct queue_settle s = {
			    .rcpt = held[--nheld], .state = QUEUE_DONE, .outcome = QUEUE_DELIVERED};
			struct queue_tx tx = {.settles = &s, .nsettles = 1};

			x = x * 1664525 + 1013904223;
			if ((x >> 16) % 4 == 0)
				s = (struct queue_settle){
				    .rcpt = s.rcpt, .state = QUEUE_QUEUED, .next_at = f.now + 20, .reason = "later"};
			else
				done++;
			queue_commit(f.q, &tx, fixture_done, &f);
		}
		if (round % 16 == 0)
			loop_once(f.loop, 0);
	}

	long commits = (long)nput;

	ck_assert_int_ge(f.finished, commits);
	fixture_close(&f);
	ck_assert_int_eq(f.err, 0);
	ck_assert_int_eq(fixture_open(&f), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt WHERE state <> 3"), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM rcpt WHERE state = 3"), 2 * N);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM body"), 0);
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_claim");
	TCase *t = tcase_create("queue_claim");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_groups_by_nexthop);
	tcase_add_loop_test(t, test_oldest_first, 1, 8);
	tcase_add_test(t, test_skip);
	tcase_add_test(t, test_active_max);
	tcase_add_test(t, test_next_due);
	tcase_add_test(t, test_probe);
	tcase_add_test(t, test_stranger);
	tcase_add_test(t, test_ours);
	tcase_add_test(t, test_retry_wakes);
	tcase_add_test(t, test_unreadable);
	tcase_add_test(t, test_envelope);
	tcase_add_test(t, test_held_full);
	tcase_add_loop_test(t, test_never_twice, 0, 4);
	suite_add_tcase(s, t);
	return suite_run(s);
}
