/* Opening: what is refused, and with which sentence; what survives. */
#include "tests/unit/queue_fixture.h"

#include <fcntl.h>
#include <sys/wait.h>

static void expect_refused(struct fixture *f, const char *words)
{
	struct problem pr = {0};

	ck_assert_ptr_null(queue_open(f->dir, &f->set, f->loop, &pr));
	ck_assert_msg(strstr(pr.text, words) != NULL, "\"%s\" lacks \"%s\"", pr.text, words);
	ck_assert_msg(strstr(pr.text, f->dir) != NULL, "%s", pr.text);
}

static void file_name(struct fixture *f, const char *name, char path[128])
{
	snprintf(path, 128, "%s/%s", f->dir, name);
}

static void put_some(struct fixture *f, int n)
{
	char id[QUEUE_ID_MAX];

	for (int i = 0; i < n; i++)
		ck_assert_int_eq(fixture_put_one(f, "a@1.example", "1.example", QUEUE_QUEUED, id), 0);
}

START_TEST(test_newer)
{
	struct fixture f;

	fixture_init(&f);
	fixture_close(&f);

	int64_t version = fixture_ask(&f, "PRAGMA user_version");
	char back[64];

	snprintf(back, sizeof back, "PRAGMA user_version = %d", (int)version);
	ck_assert_int_eq(fixture_sql(&f, "PRAGMA user_version = 1000", NULL), SQLITE_OK);
	expect_refused(&f, "newer Postern (schema 1000");
	ck_assert_int_eq(fixture_sql(&f, back, NULL), SQLITE_OK);
	ck_assert_int_eq(fixture_open(&f), 0);
	fixture_clear(&f);
}
END_TEST

/* What was held by an older version waits for the admin, as it did. */
START_TEST(test_older)
{
	struct fixture f;
	char id[QUEUE_ID_MAX], back[64];

	fixture_init(&f);
	ck_assert_int_eq(fixture_put_one(&f, "a@1.example", "1.example", QUEUE_HELD, id), 0);
	put_some(&f, 1);
	fixture_close(&f);
	snprintf(back, sizeof back, "PRAGMA user_version = %d", (int)fixture_ask(&f, "PRAGMA user_version") - 1);
	ck_assert_int_eq(fixture_sql(&f, "DROP TABLE held", NULL), SQLITE_OK);
	ck_assert_int_eq(fixture_sql(&f, back, NULL), SQLITE_OK);
	ck_assert_int_eq(fixture_open(&f), 0);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM held JOIN rcpt ON rcpt.id = held.rcpt AND state = 2"
					 " AND since = changed AND waits = 0 AND again_at = 0"),
	    1);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_RELEASE, id, NULL, NULL, NULL), 1);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM held"), 0);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_not_ours)
{
	struct fixture f;

	fixture_init(&f);
	fixture_close(&f);
	ck_assert_int_eq(fixture_sql(&f, "PRAGMA application_id = 7", NULL), SQLITE_OK);
	expect_refused(&f, "is not a queue of Postern");
	fixture_clear(&f);
}
END_TEST

/* Octets of the file overwritten: the head, the first page, somewhere in a table. */
START_TEST(test_damaged)
{
	static const struct {
		off_t at;
		size_t n;
	} places[] = {{0, 100}, {100, 200}, {8192, 8192}, {3 * 8192, 8}};
	static const char junk[8192] = "junk";
	struct fixture f;
	char path[128];

	fixture_init(&f);
	put_some(&f, 100);
	fixture_close(&f);
	file_name(&f, "queue.db", path);

	int fd = open(path, O_RDWR);

	ck_assert_int_eq(pwrite(fd, junk, places[_i].n, places[_i].at), (ssize_t)places[_i].n);
	close(fd);
	expect_refused(&f, "damaged");
	expect_refused(&f, "sqlite3 queue.db .dump");
	fixture_clear(&f);
}
END_TEST

START_TEST(test_in_use)
{
	struct fixture f;

	fixture_init(&f);
	expect_refused(&f, "in use by another process");
	fixture_reopen(&f);
	fixture_clear(&f);
}
END_TEST

/* Root may write everywhere, so the attempt is made by a child that is somebody else. */
START_TEST(test_read_only)
{
	struct fixture f;
	char path[128];

	fixture_init(&f);
	put_some(&f, 1);
	fixture_close(&f);
	ck_assert_int_eq(chmod(f.dir, 0555), 0);
	if (_i == 1) {
		/* the lock and the log can be written, the database cannot */
		file_name(&f, "queue.db", path);
		ck_assert_int_eq(chmod(path, 0444), 0);
		ck_assert_int_eq(chmod(f.dir, 0777), 0);
		file_name(&f, "queue.lock", path);
		ck_assert_int_eq(chmod(path, 0666), 0);
		file_name(&f, "spool", path);
		ck_assert_int_eq(chmod(path, 0777), 0);
	}

	pid_t pid = fork();

	if (pid == 0) {
		struct problem pr = {0};

		if (geteuid() == 0 && (setgid(65534) || setuid(65534)))
			_exit(2);
		if (queue_open(f.dir, &f.set, f.loop, &pr))
			_exit(3);
		_exit(strstr(pr.text, "user Postern's relay runs as") && strstr(pr.text, "read-write") ? 0 : 4);
	}

	int status;

	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert_int_eq(WEXITSTATUS(status), 0);
	chmod(f.dir, 0700);
	ck_assert_int_eq(fixture_open(&f), 0);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_makes_directory)
{
	struct fixture f;
	struct stat st;
	char path[128], top[64];

	fixture_init(&f);
	fixture_close(&f);
	memcpy(top, f.dir, sizeof top);
	snprintf(f.dir + strlen(f.dir), 16, "/a/b");
	ck_assert_int_eq(fixture_open(&f), 0);
	put_some(&f, 1);

	static const struct {
		const char *name;
		mode_t mode;
	} made[] = {{"", 0700}, {"queue.db", 0600}, {"queue.db-wal", 0600}, {"queue.db-shm", 0600}, {"spool", 0700}};

	for (size_t i = 0; i < sizeof made / sizeof made[0]; i++) {
		file_name(&f, made[i].name, path);
		ck_assert_int_eq(stat(path, &st), 0);
		ck_assert_int_eq(st.st_mode & 0777, made[i].mode);
	}
	fixture_close(&f);
	memcpy(f.dir, top, sizeof top);
	ck_assert_int_eq(fixture_open(&f), 0);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_settings_of_the_database)
{
	struct fixture f;

	fixture_init(&f);
	put_some(&f, 1);
	ck_assert_int_eq(fixture_ask(&f, "PRAGMA page_size"), 8192);
	ck_assert_int_eq(fixture_ask(&f, "SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
	ck_assert_int_eq(fixture_ask(&f, "PRAGMA user_version"), 3);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_no_content)
{
	struct fixture f;
	char id[QUEUE_ID_MAX], path[128];
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_ACTIVE);
	struct problem pr = {0};

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, id), 0);
	snprintf(path, sizeof path, "%s/spool/%s", f.dir, id);
	ck_assert_int_eq(truncate(path, 300000), 0);

	struct spool *s = queue_content(f.q, f.rows[0] >> 16, fixture_key, &pr);
	char got[100];

	ck_assert_ptr_nonnull(s);
	ck_assert_int_eq(stream_read_full(spool_reader(s), 0, got, 100, &pr), 0);
	ck_assert_int_eq(stream_read_full(spool_reader(s), 350000, got, 100, &pr), -1);
	spool_free(s);
	ck_assert_int_eq(unlink(path), 0);
	ck_assert_ptr_null(queue_content(f.q, f.rows[0] >> 16, fixture_key, &pr));
	ck_assert_int_eq(pr.cls, PROBLEM_PERM);
	ck_assert_ptr_nonnull(strstr(pr.text, id));
	ck_assert_ptr_null(queue_content(f.q, 1, fixture_key, &pr));
	ck_assert_int_eq(fixture_put(&f, &r, 1, 1000, id), 0);
	ck_assert_int_eq(fixture_sql(&f, "UPDATE body SET sealed = substr(sealed, 1, 900)", NULL), SQLITE_OK);
	ck_assert_ptr_null(queue_content(f.q, f.rows[0] >> 16, fixture_key, &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "length"));
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_db");
	TCase *t = tcase_create("queue_db");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_newer);
	tcase_add_test(t, test_older);
	tcase_add_test(t, test_not_ours);
	tcase_add_loop_test(t, test_damaged, 0, 4);
	tcase_add_test(t, test_in_use);
	tcase_add_loop_test(t, test_read_only, 0, 2);
	tcase_add_test(t, test_makes_directory);
	tcase_add_test(t, test_settings_of_the_database);
	tcase_add_test(t, test_no_content);
	suite_add_tcase(s, t);
	return suite_run(s);
}
