/* The check of a queue directory: whole beside its user and without him; each kind of damage has its sentence. */
#include "gateway/queue/queue_check.h"

#include <time.h>
#include <utime.h>

#include "tests/unit/queue_fixture.h"

static json_t *check(struct fixture *f)
{
	struct problem pr = {0};
	json_t *o = queue_check(f->dir, &pr);

	ck_assert_msg(o != NULL, "%s", pr.text);
	return o;
}

static void expect_good(struct fixture *f)
{
	json_t *o = check(f);

	ck_assert_msg(json_is_true(json_object_get(o, "good")), "%s",
	    json_string_value(json_array_get(json_object_get(o, "findings"), 0)));
	json_decref(o);
}

static void expect_finding(struct fixture *f, const char *words)
{
	json_t *o = check(f), *v = json_object_get(o, "findings");

	ck_assert(json_is_false(json_object_get(o, "good")));
	ck_assert_uint_ge(json_array_size(v), 1);
	ck_assert_msg(strstr(json_string_value(json_array_get(v, 0)), words) != NULL, "%s",
	    json_string_value(json_array_get(v, 0)));
	json_decref(o);
}

static long number(const json_t *o, const char *name)
{
	return (long)json_integer_value(json_object_get(o, name));
}

START_TEST(test_good)
{
	struct fixture f;
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
	char id[QUEUE_ID_MAX];
	json_t *o;

	fixture_init(&f);
	expect_good(&f);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_HELD, id);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_DONE, id);
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, id), 0); /* a file */
	for (int closed = 0; closed < 2; closed++) {
		o = check(&f);
		ck_assert(json_is_true(json_object_get(o, "good")));
		ck_assert_int_eq(number(o, "messages"), 4);
		ck_assert_int_eq(number(o, "queued"), 2);
		ck_assert_int_eq(number(o, "held"), 1);
		ck_assert_int_eq(number(o, "done"), 1);
		json_decref(o);
		fixture_close(&f);
	}
	ck_assert_int_eq(fixture_open(&f), 0);
	fixture_clear(&f);
}
END_TEST

static const struct {
	const char *sql, *command, *words;
} damages[] = {
    {"DELETE FROM msg WHERE id = (SELECT min(id) FROM msg)", NULL, "its envelope is gone"},
    {"DELETE FROM rcpt WHERE id = (SELECT min(id) FROM rcpt)", NULL, "it has no recipients"},
    {"DELETE FROM body", NULL, "its content is gone"},
    {NULL, "rm spool/*", "its content is gone"},
    {NULL, "truncate -s 100 spool/*", "100 octets instead of"},
    {NULL, "touch spool/notes.txt", "notes.txt is no file of the queue"},
};

START_TEST(test_damage)
{
	struct fixture f;
	struct queue_rcpt r = fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED);
	char id[QUEUE_ID_MAX], command[160];

	fixture_init(&f);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	f.now++;
	ck_assert_int_eq(fixture_put(&f, &r, 1, 400000, id), 0);
	expect_good(&f);
	if (damages[_i].sql)
		ck_assert_int_eq(fixture_sql(&f, damages[_i].sql, NULL), SQLITE_OK);
	if (damages[_i].command) {
		snprintf(command, sizeof command, "cd %s && %s", f.dir, damages[_i].command);
		ck_assert_int_eq(system(command), 0);
	}
	expect_finding(&f, damages[_i].words);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_pages)
{
	struct fixture f;
	char id[QUEUE_ID_MAX], command[160];

	fixture_init(&f);
	for (int i = 0; i < 5; i++)
		fixture_put_one(&f, "a@1.example", "1.example", QUEUE_QUEUED, id);
	fixture_close(&f);
	snprintf(command, sizeof command,
	    "dd if=/dev/zero of=%s/queue.db bs=8192 seek=2 count=3 conv=notrunc 2>/dev/null", f.dir);
	ck_assert_int_eq(system(command), 0);
	expect_finding(&f, "the database is damaged");
	loop_free(f.loop);
	fixture_remove_dir(f.dir);
}
END_TEST

START_TEST(test_no_queue)
{
	struct problem pr;

	ck_assert_ptr_null(queue_check("/proc/self", &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "is /proc/self a queue directory?"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_check");
	TCase *t = tcase_create("queue_check");

	tcase_add_test(t, test_good);
	tcase_add_loop_test(t, test_damage, 0, (int)(sizeof damages / sizeof damages[0]));
	tcase_add_test(t, test_pages);
	tcase_add_test(t, test_no_queue);
	suite_add_tcase(s, t);
	return suite_run(s);
}
