/* What was sent, found again: by Message-ID, by ENVID, over restarts and crashes, for as long as the settings say;
 * what reports from outside leave in the record, and what they cannot touch. */
#include "tests/unit/queue_fixture.h"

#include <jansson.h>
#include <sys/wait.h>

#include "gateway/queue/queue_sent.h"
#include "gateway/queue/queue_sent_find.h"

#define DAY INT64_C(86400000)

static int put_kind(struct fixture *f, enum queue_kind kind, const char *message_id, const char *envid,
    const char *address, char id_r[QUEUE_ID_MAX])
{
	struct spool *content = fixture_content(f, "words ", 100);
	struct queue_rcpt r = fixture_rcpt(address, "lab.example", QUEUE_QUEUED);
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

	queue_id(f->q, id_r);
	r.env.orcpt = "rfc822;Bob+2B1@lab.example";
	m = fixture_msg(id_r, content, &r, 1);
	m.kind = kind;
	m.message_id = message_id;
	m.env.envid = envid;

	int err = fixture_commit(f, &tx);

	spool_free(content);
	return err;
}

static void put(struct fixture *f, const char *message_id, const char *envid, char id_r[QUEUE_ID_MAX])
{
	ck_assert_int_eq(put_kind(f, QUEUE_OUTBOUND, message_id, envid, "bob@lab.example", id_r), 0);
}

/* How many are found; the first one's id is id. */
static int find(struct fixture *f, const char *message_id, const char *envid, const char *id)
{
	struct queue_sent_found v[QUEUE_SENT_FIND_MAX];
	struct arena *a = arena_new(1 << 20);
	struct problem pr = {0};
	const struct queue_sent_ask ask = {"Ward3@hospital.example", message_id, envid};
	int n = queue_sent_find(f->q, &ask, a, v, &pr);

	ck_assert_msg(n >= 0, "%s", pr.text);
	if (n > 0 && id) {
		ck_assert_str_eq(v[0].id, id);
		ck_assert_str_eq(v[0].sender, "ward3@hospital.example");
		ck_assert_uint_eq(v[0].nrcpts, 1);
		ck_assert_str_eq(v[0].rcpts[0].address, "bob@lab.example");
		ck_assert_str_eq(v[0].rcpts[0].orcpt, "rfc822;Bob+2B1@lab.example");
	}
	arena_free(a);
	return n;
}

START_TEST(test_find)
{
	struct fixture f;
	char a[QUEUE_ID_MAX], b[QUEUE_ID_MAX], c[QUEUE_ID_MAX], in[QUEUE_ID_MAX];

	fixture_init(&f);
	put(&f, "<a@hospital.example>", "env+2Bone", a);
	put(&f, "<b@hospital.example>", "", b);
	put(&f, "<b@hospital.example>", "", c);
	ck_assert_int_eq(put_kind(&f, QUEUE_INBOUND, "<in@lab.example>", "", "bob@lab.example", in), 0);
	for (int round = 0; round < 2; round++) {
		ck_assert_int_eq(find(&f, "<a@hospital.example>", "", a), 1);
		ck_assert_int_eq(find(&f, "a@hospital.example", NULL, a), 1);
		ck_assert_int_eq(find(&f, "", "env+one", a), 1);
		ck_assert_int_eq(find(&f, "<a@hospital.example>", "env+one", a), 1);
		ck_assert_int_eq(find(&f, "<b@hospital.example>", "", c), 2); /* the newest first */
		ck_assert_int_eq(find(&f, "<A@hospital.example>", "", NULL), 0);
		ck_assert_int_eq(find(&f, "env+one", "<a@hospital.example>", NULL), 0);
		ck_assert_int_eq(find(&f, "", "", NULL), 0);
		ck_assert_int_eq(find(&f, "<in@lab.example>", "", NULL), 0);
		fixture_reopen(&f);
	}
	fixture_clear(&f);
}
END_TEST

/* More than fit into one run: all are found, from memory and from the table; a clean end leaves nothing to read back.
 */
START_TEST(test_runs)
{
	enum { MANY = 9000 };
	struct fixture f;
	char text[64], id[QUEUE_ID_MAX], first[QUEUE_ID_MAX], last[QUEUE_ID_MAX];

	fixture_init(&f);
	f.set.commit_gap = 0;
	fixture_reopen(&f);
	for (int i = 0; i < MANY; i++) {
		snprintf(text, sizeof text, "<%d@hospital.example>", i);
		put(&f, text, "", i == 0 ? first : i == MANY - 1 ? last : id);
	}
	ck_assert_int_eq(find(&f, "<0@hospital.example>", "", first), 1);
	ck_assert_int_eq(find(&f, "<8999@hospital.example>", "", last), 1);
	ck_assert_int_eq(fixture_ask(&f, "SELECT sum(length(notes)) FROM sent"), 8192 * 16);
	fixture_reopen(&f);
	ck_assert_int_eq(fixture_ask(&f, "SELECT sum(length(notes)) FROM sent"), MANY * 16);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM sent"), 2);
	ck_assert_int_eq(find(&f, "<0@hospital.example>", "", first), 1);
	ck_assert_int_eq(find(&f, "<2500@hospital.example>", "", NULL), 1);
	ck_assert_int_eq(find(&f, "<8999@hospital.example>", "", last), 1);
	fixture_clear(&f);
}
END_TEST

/* The process ends without a word: what stood in its memory alone is read back from the record. */
START_TEST(test_crash)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	put(&f, "<before@hospital.example>", "", id);
	fixture_close(&f);

	pid_t pid = fork();

	if (pid == 0) {
		struct loop *l = loop_new();

		f.loop = l;
		if (fixture_open(&f) == 0)
			put(&f, "<lost@hospital.example>", "", id);
		_exit(fixture_ask(&f, "SELECT count(*) FROM msg") == 2 ? 0 : 1);
	}

	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(fixture_open(&f), 0);

	/* another process that ends well, and had no reason to look */
	put(&f, "<after@hospital.example>", "", id);
	fixture_reopen(&f);
	ck_assert_int_eq(find(&f, "<after@hospital.example>", "", NULL), 1);
	ck_assert_int_eq(find(&f, "<before@hospital.example>", "", NULL), 1);
	ck_assert_int_eq(find(&f, "<lost@hospital.example>", "", NULL), 1);
	fixture_clear(&f);
}
END_TEST

/* A queue of the first schema: its mail is found after the migration. */
START_TEST(test_migration)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	put(&f, "<old@hospital.example>", "", id);
	fixture_close(&f);
	ck_assert_int_eq(fixture_sql(&f, "DROP TABLE sent", NULL) | fixture_sql(&f, "DROP TABLE report", NULL) |
			     fixture_sql(&f, "DROP TABLE about", NULL) | fixture_sql(&f, "DROP TABLE held", NULL) |
			     fixture_sql(&f, "PRAGMA user_version = 1", NULL),
	    SQLITE_OK);
	ck_assert_msg(fixture_open(&f) == 0, "%s", f.pr.text);
	ck_assert_int_eq(fixture_ask(&f, "PRAGMA user_version"), 3);
	ck_assert_int_eq(find(&f, "<old@hospital.example>", "", id), 1);
	fixture_clear(&f);
}
END_TEST

/* Known while it is under way, however long, and for the days after its end; then the record may go. */
START_TEST(test_days)
{
	struct fixture f;
	struct problem pr = {0};
	char id[QUEUE_ID_MAX];

	fixture_init(&f);
	f.set.done_keep = 0;
	fixture_reopen(&f);
	put(&f, "<1@hospital.example>", "", id);
	atomic_fetch_add(&f.now, 6 * DAY);
	ck_assert_int_eq(queue_purge(f.q, &pr), 0);
	ck_assert_int_eq(find(&f, "<1@hospital.example>", "", id), 1);
	ck_assert_int_eq(fixture_settle(&f, f.rows[0], QUEUE_DONE, QUEUE_DELIVERED, 0), 0);
	atomic_fetch_add(&f.now, 7 * DAY - 1000);
	ck_assert_int_eq(queue_purge(f.q, &pr), 0);
	ck_assert_int_eq(find(&f, "<1@hospital.example>", "", id), 1);
	atomic_fetch_add(&f.now, 2000);
	ck_assert_int_eq(find(&f, "<1@hospital.example>", "", NULL), 0);
	ck_assert_int_eq(queue_purge(f.q, &pr), 1);
	fixture_reopen(&f);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM sent"), 1);
	atomic_fetch_add(&f.now, 60 * DAY);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(queue_purge(f.q, &pr), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM sent"), 0);

	f.set.dsn_match_days = 0;
	fixture_reopen(&f);
	put(&f, "<2@hospital.example>", "", id);
	ck_assert_int_eq(find(&f, "<2@hospital.example>", "", NULL), 0);
	fixture_clear(&f);
}
END_TEST

/* Nobody else's mail is found; what does not fit is no abort and no half answer. */
START_TEST(test_find_bounds)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct queue_sent_ask ask = {"ward3@hospital.example", "<1@hospital.example>", NULL};
	struct queue_sent_found v[QUEUE_SENT_FIND_MAX];
	struct problem pr = {0};

	fixture_init(&f);
	put(&f, "<1@hospital.example>", "", id);
	for (size_t room = 16; room < 2048; room += 16) {
		struct arena *a = arena_new(room);
		int n = queue_sent_find(f.q, &ask, a, v, &pr);

		ck_assert_int_eq(n, room < 160 ? -1 : n);
		ck_assert_int_eq(n, room >= 1024 ? 1 : n);
		ck_assert(n == 1 || pr.cls == PROBLEM_TEMP);
		ck_assert(n < 0 || (v[0].nrcpts == 1 && v[0].rcpts[0].address[0] && v[0].rcpts[0].orcpt[0]));
		arena_free(a);
	}
	struct arena *a = arena_new(2048);

	ask.sender = "ward4@hospital.example";
	ck_assert_int_eq(queue_sent_find(f.q, &ask, a, v, &pr), 0);
	ck_assert_uint_eq(arena_used(a), 0);
	arena_free(a);
	fixture_clear(&f);
}
END_TEST

/* ---- reports ---- */

static int report_by(struct fixture *f, int64_t row, const char *mta, const char *action, char id_r[QUEUE_ID_MAX])
{
	struct spool *content = fixture_content(f, "words ", 100);
	struct queue_rcpt r = fixture_rcpt("ward3@hospital.example", "hospital.example", QUEUE_QUEUED);
	struct queue_report about[2] = {
	    {.rcpt = row, .action = action, .mta = mta, .status = "5.1.1", .diagnostic = "550 no"},
	    {.rcpt = row + 7, .action = action, .mta = "", .status = "", .diagnostic = ""}}; /* there is none */
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1, .reports = about, .nreports = 2};

	queue_id(f->q, id_r);
	m = fixture_msg(id_r, content, &r, 1);
	m.kind = QUEUE_INBOUND;

	int err = fixture_commit(f, &tx);

	spool_free(content);
	return err;
}

static int report(struct fixture *f, int64_t row, const char *action, char id_r[QUEUE_ID_MAX])
{
	return report_by(f, row, "mx.lab.example", action, id_r);
}

static json_t *show(struct fixture *f, const char *id)
{
	struct problem pr = {0};
	char *text = queue_show_json(f->q, id, &pr);
	json_t *o = json_loads(text ? text : "", 0, NULL);

	ck_assert_msg(o != NULL, "%s", pr.text);
	free(text);
	return o;
}

static const char *first_of(const json_t *o, const char *list)
{
	const char *s = json_string_value(json_array_get(json_object_get(o, list), 0));

	return s ? s : "";
}

START_TEST(test_reports)
{
	struct fixture f;
	char id[QUEUE_ID_MAX], via[QUEUE_ID_MAX], more[QUEUE_ID_MAX];
	struct queue_job *jobs[4];
	int64_t row, next;

	fixture_init(&f);
	put(&f, "<1@hospital.example>", "", id);
	row = f.rows[0];
	ck_assert_int_eq(report(&f, row, "failed", via), 0);

	/* a forged report of a failure: it is still queued, and claimed as before */
	json_t *o = show(&f, id), *r = json_array_get(json_object_get(o, "recipients"), 0);

	ck_assert_str_eq(json_string_value(json_object_get(r, "state")), "queued");
	ck_assert_uint_eq(json_array_size(json_object_get(r, "reports")), 1);
	r = json_array_get(json_object_get(r, "reports"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(r, "action")), "failed");
	ck_assert_str_eq(json_string_value(json_object_get(r, "mta")), "mx.lab.example");
	ck_assert_str_eq(json_string_value(json_object_get(r, "status")), "5.1.1");
	ck_assert_str_eq(json_string_value(json_object_get(r, "diagnostic")), "550 no");
	ck_assert_str_eq(json_string_value(json_object_get(r, "message")), via);
	ck_assert_str_eq(first_of(o, "notices"), via);
	json_decref(o);
	o = show(&f, via);
	ck_assert_str_eq(first_of(o, "about"), id);
	json_decref(o);

	size_t n = queue_claim(f.q, 4, (const char *const[]){"hospital.example"}, 1, jobs, &next);

	ck_assert_uint_eq(n, 1);
	ck_assert_int_eq(jobs[0]->rcpts[0].row, row);
	queue_job_free(jobs[0]);
	ck_assert_int_eq(fixture_settle(&f, row, QUEUE_DONE, QUEUE_DELIVERED, 0), 0);

	/* and of one that is done: the outcome stays; who says the same again is on record once */
	for (int i = 0; i < 2 * QUEUE_REPORTS_MAX; i++)
		ck_assert_int_eq(report(&f, row, "delayed", more), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM report"), 2);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM about"), 2);
	o = show(&f, more);
	ck_assert_str_eq(first_of(o, "about"), id);
	json_decref(o);
	/* no flood fills the record, nor keeps the last word out of it */
	for (int i = 0; i < 2 * QUEUE_REPORTS_MAX; i++) {
		char mta[32];

		snprintf(mta, sizeof(mta), "mx%d.elsewhere.example", i);
		ck_assert_int_eq(report_by(&f, row, mta, "delivered", more), 0);
	}
	ck_assert_int_eq(report(&f, row, "failed", via), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM report WHERE action = 'failed'"), 1);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM report"), QUEUE_REPORTS_MAX);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM about"), QUEUE_REPORTS_MAX);
	o = show(&f, id);
	r = json_array_get(json_object_get(o, "recipients"), 0);
	ck_assert_str_eq(json_string_value(json_object_get(r, "outcome")), "delivered");
	json_decref(o);

	atomic_fetch_add(&f.now, 100 * DAY);
	struct problem pr = {0};
	ck_assert_int_eq(queue_purge(f.q, &pr), 1);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM report"), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM about"), 0);
	fixture_clear(&f);
}
END_TEST

/* A notice of ours names its message, and the message its notice. */
START_TEST(test_notice)
{
	struct fixture f;
	char id[QUEUE_ID_MAX], notice[QUEUE_ID_MAX];

	fixture_init(&f);
	put(&f, "<1@hospital.example>", "", id);

	struct spool *content = fixture_content(&f, "words ", 100);
	struct queue_rcpt r = fixture_rcpt("ward3@hospital.example", "hospital.example", QUEUE_QUEUED);
	struct queue_msg m;
	struct queue_tx tx = {.msgs = &m, .nmsgs = 1};

	queue_id(f.q, notice);
	m = fixture_msg(notice, content, &r, 1);
	m.kind = QUEUE_NOTICE;
	m.about = id;
	ck_assert_int_eq(fixture_commit(&f, &tx), 0);
	spool_free(content);

	json_t *o = show(&f, notice);

	ck_assert_str_eq(first_of(o, "about"), id);
	ck_assert_uint_eq(json_array_size(json_object_get(o, "notices")), 0);
	json_decref(o);
	o = show(&f, id);
	ck_assert_str_eq(first_of(o, "notices"), notice);
	json_decref(o);
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_sent");
	TCase *t = tcase_create("queue_sent");

	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_find);
	tcase_add_test(t, test_runs);
	tcase_add_test(t, test_crash);
	tcase_add_test(t, test_migration);
	tcase_add_test(t, test_days);
	tcase_add_test(t, test_find_bounds);
	tcase_add_test(t, test_reports);
	tcase_add_test(t, test_notice);
	suite_add_tcase(s, t);
	return suite_run(s);
}
