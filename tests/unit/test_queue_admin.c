/* The admin's verbs, lists and the showing of a message. */
#include "tests/unit/queue_fixture.h"

#include <jansson.h>

static json_t *parse(char *text, const struct problem *pr)
{
	ck_assert_msg(text != NULL, "%s", pr->text);

	json_t *o = json_loads(text, 0, NULL);

	ck_assert_ptr_nonnull(o);
	free(text);
	return o;
}

static json_t *list(struct fixture *f, const char *state, const char *match, int64_t before, size_t max)
{
	struct problem pr = {0};

	return parse(queue_list_json(f->q, state, match, before, max, &pr), &pr);
}

static const char *text(const json_t *o, const char *key)
{
	const char *s = json_string_value(json_object_get(o, key));

	ck_assert_msg(s != NULL, "no %s", key);
	return s;
}

static json_int_t number(const json_t *o, const char *key)
{
	ck_assert_msg(json_is_integer(json_object_get(o, key)), "no %s", key);
	return json_integer_value(json_object_get(o, key));
}

/* The state of a message's recipient i, as shown. */
static const char *state_of(struct fixture *f, const char *id, size_t i)
{
	static char word[16];
	struct problem pr = {0};
	json_t *o = parse(queue_show_json(f->q, id, &pr), &pr);

	snprintf(word, sizeof word, "%s", text(json_array_get(json_object_get(o, "recipients"), i), "state"));
	json_decref(o);
	return word;
}

START_TEST(test_verbs)
{
	static const struct {
		enum queue_verb verb;
		enum queue_state from;
		long changed;
		const char *to;
	} cases[] = {
	    {QUEUE_VERB_HOLD, QUEUE_QUEUED, 1, "held"},
	    {QUEUE_VERB_HOLD, QUEUE_HELD, 1, "held"},
	    {QUEUE_VERB_HOLD, QUEUE_DONE, 0, "done"},
	    {QUEUE_VERB_HOLD, QUEUE_ACTIVE, -1, "active"},
	    {QUEUE_VERB_RELEASE, QUEUE_QUEUED, 0, "queued"},
	    {QUEUE_VERB_RELEASE, QUEUE_HELD, 1, "queued"},
	    {QUEUE_VERB_RELEASE, QUEUE_DONE, 0, "done"},
	    {QUEUE_VERB_RETRY, QUEUE_QUEUED, 1, "queued"},
	    {QUEUE_VERB_RETRY, QUEUE_HELD, 0, "held"},
	    {QUEUE_VERB_RETRY, QUEUE_ACTIVE, -1, "active"},
	    {QUEUE_VERB_DELETE, QUEUE_QUEUED, 1, "done"},
	    {QUEUE_VERB_DELETE, QUEUE_HELD, 1, "done"},
	    {QUEUE_VERB_DELETE, QUEUE_DONE, 0, "done"},
	    {QUEUE_VERB_DELETE, QUEUE_ACTIVE, -1, "active"},
	};
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct problem pr = {0};

	fixture_init(&f);
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		fixture_put_one(&f, "a@1.example", "1.example", cases[i].from, id);

		long n = queue_admin(f.q, cases[i].verb, id, NULL, "because", &pr);

		ck_assert_msg(n == cases[i].changed, "case %zu: %ld", i, n);
		ck_assert_msg(strcmp(state_of(&f, id, 0), cases[i].to) == 0, "case %zu: %s", i, state_of(&f, id, 0));
		if (n < 0)
			ck_assert_ptr_nonnull(strstr(pr.text, "being delivered"));
		else if (n > 0 && (cases[i].verb != QUEUE_VERB_HOLD || cases[i].from != QUEUE_HELD))
			ck_assert_int_eq(
			    fixture_ask(
				&f, "SELECT reason = 'because' AND attempts = 0 FROM rcpt ORDER BY id DESC LIMIT 1"),
			    1);
	}
	fixture_clear(&f);
}
END_TEST

START_TEST(test_release_is_due)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct queue_job *jobs[4];
	struct problem pr;

	fixture_init(&f);
	fixture_put_one(&f, "a@1.example", "1.example", QUEUE_HELD, id);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 0);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_RELEASE, id, NULL, NULL, &pr), 1);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	ck_assert_int_eq(fixture_settle(&f, jobs[0]->rcpts[0].row, QUEUE_QUEUED, QUEUE_NONE, f.now + 100000), 0);
	queue_job_free(jobs[0]);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 0);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_RETRY, id, NULL, NULL, &pr), 1);
	ck_assert_uint_eq(fixture_claim(&f, jobs, 4), 1);
	queue_job_free(jobs[0]);
	fixture_clear(&f);
}
END_TEST

START_TEST(test_one_address)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct queue_rcpt r[] = {fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED),
	    fixture_rcpt("b@2.example", "2.example", QUEUE_QUEUED),
	    fixture_rcpt("c@2.example", "2.example", QUEUE_ACTIVE)};
	struct problem pr = {0};

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, r, 3, 400000, id), 0);
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_HOLD, id, "B@2.example", NULL, &pr), 1);
	ck_assert_str_eq(state_of(&f, id, 0), "queued");
	ck_assert_str_eq(state_of(&f, id, 1), "held");
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_HOLD, id, "x@2.example", NULL, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "no recipient x@2.example"));
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_DELETE, id, "", NULL, &pr), 2);
	ck_assert_str_eq(state_of(&f, id, 0), "done");
	ck_assert_str_eq(state_of(&f, id, 2), "active");
	ck_assert(fixture_has_file(&f, id));
	ck_assert_int_eq(fixture_settle(&f, f.rows[2], QUEUE_DONE, QUEUE_DELIVERED, 0), 0);
	ck_assert(!fixture_has_file(&f, id));
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_DELETE, "0000000000", NULL, NULL, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "no message 0000000000"));
	ck_assert_int_eq(queue_admin(f.q, QUEUE_VERB_DELETE, "what?", NULL, NULL, &pr), -1);
	ck_assert_ptr_nonnull(strstr(pr.text, "is not the id"));
	fixture_clear(&f);
}
END_TEST

START_TEST(test_show)
{
	struct fixture f;
	char id[QUEUE_ID_MAX];
	struct queue_rcpt r[] = {fixture_rcpt("a@1.example", "1.example", QUEUE_HELD),
	    fixture_rcpt("b\xff@2.example", "2.example", QUEUE_ACTIVE)};
	struct problem pr = {0};

	fixture_init(&f);
	ck_assert_int_eq(fixture_put(&f, r, 2, 400000, id), 0);

	json_t *o = parse(queue_show_json(f.q, id, &pr), &pr);
	const json_t *a = json_array_get(json_object_get(o, "recipients"), 0),
		     *b = json_array_get(json_object_get(o, "recipients"), 1);

	ck_assert_str_eq(text(o, "id"), id);
	ck_assert_str_eq(text(o, "kind"), "outbound");
	ck_assert_str_eq(text(o, "state"), "active");
	ck_assert_str_eq(text(o, "sender"), "ward3@hospital.example");
	ck_assert_str_eq(text(o, "message_id"), "<1@hospital.example>");
	ck_assert_str_eq(text(o, "trace"), "Received: from a\r\n");
	ck_assert_str_eq(text(json_object_get(o, "facts"), "helo"), "a");
	ck_assert_str_eq(text(o, "content"), "file");
	ck_assert_int_eq(number(o, "size"), 400000);
	ck_assert_int_eq(number(o, "arrived"), f.now);
	ck_assert_str_eq(text(a, "address"), "a@1.example");
	ck_assert_str_eq(text(a, "state"), "held");
	ck_assert_str_eq(text(a, "reason"), "waits for a certificate");
	ck_assert_str_eq(text(a, "treatment"), "seal");
	ck_assert_str_eq(text(a, "outcome"), "");
	ck_assert_int_eq(number(a, "attempts"), 0);
	ck_assert_str_eq(text(b, "address"), "b?@2.example");
	ck_assert_str_eq(text(b, "state"), "active");
	json_decref(o);
	ck_assert_ptr_null(queue_show_json(f.q, "0000000000", &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "no message"));
	ck_assert_ptr_null(queue_show_json(f.q, "", &pr));
	fixture_clear(&f);
}
END_TEST

START_TEST(test_list)
{
	struct fixture f;
	char ids[4][QUEUE_ID_MAX];
	static const enum queue_state states[] = {QUEUE_QUEUED, QUEUE_ACTIVE, QUEUE_HELD, QUEUE_DONE};
	static const char *const words[] = {"queued", "active", "held", "done"};
	static const struct {
		const char *state, *match;
		size_t n, first;
	} cases[] = {
	    {NULL, NULL, 4, 3},
	    {"", "", 4, 3},
	    {"queued", NULL, 1, 0},
	    {"active", NULL, 1, 1},
	    {"held", NULL, 1, 2},
	    {"done", NULL, 1, 3},
	    {NULL, "USER2@", 1, 2},
	    {"held", "user2", 1, 2},
	    {"queued", "user2", 0, 0},
	    {NULL, "WARD3", 4, 3},
	    {NULL, "<1@hospital", 4, 3},
	    {NULL, "nobody", 0, 0},
	};
	struct problem pr = {0};

	fixture_init(&f);
	for (int i = 0; i < 4; i++, f.now += 10) {
		char address[32];

		snprintf(address, sizeof address, "user%d@1.example", i);
		ck_assert_int_eq(fixture_put_one(&f, address, "1.example", states[i], ids[i]), 0);
	}
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		json_t *l = list(&f, cases[i].state, cases[i].match, 0, 100);

		ck_assert_msg(json_array_size(l) == cases[i].n, "case %zu: %zu", i, json_array_size(l));
		if (cases[i].n) {
			const json_t *o = json_array_get(l, 0);

			ck_assert_str_eq(text(o, "id"), ids[cases[i].first]);
			ck_assert_str_eq(text(o, "state"), words[cases[i].first]);
			ck_assert_uint_eq(json_array_size(json_object_get(o, "recipients")), 1);
		}
		json_decref(l);
	}

	json_t *l = list(&f, NULL, ids[1], 0, 100);

	ck_assert_uint_eq(json_array_size(l), 1);
	json_decref(l);
	ck_assert_ptr_null(queue_list_json(f.q, "lost", NULL, 0, 10, &pr));
	ck_assert_ptr_nonnull(strstr(pr.text, "queued, active, held or done"));
	fixture_clear(&f);
}
END_TEST

/* Page by page every message comes once, although several came in one millisecond. */
START_TEST(test_pages)
{
	enum { N = 57 };
	struct fixture f;
	char id[QUEUE_ID_MAX], last[QUEUE_ID_MAX] = "ZZZZZZZZZZ";
	struct queue_rcpt r[] = {fixture_rcpt("a@1.example", "1.example", QUEUE_QUEUED),
	    fixture_rcpt("b@1.example", "2.example", QUEUE_QUEUED)};
	const char *state = _i ? "queued" : NULL;
	int64_t before = 0;
	size_t seen = 0, n;

	fixture_init(&f);
	for (int i = 0; i < N; i++) {
		ck_assert_int_eq(fixture_put(&f, r, 2, 10, id), 0);
		f.now += i % 5 == 0;
	}
	do {
		json_t *l = list(&f, state, NULL, before, 7);

		n = json_array_size(l);
		ck_assert(n == 0 || n >= 7 || seen + n == N);
		for (size_t i = 0; i < n; i++) {
			const json_t *o = json_array_get(l, i);

			ck_assert_str_lt(text(o, "id"), last);
			snprintf(last, sizeof last, "%s", text(o, "id"));
			before = number(o, "arrived");
		}
		seen += n;
		json_decref(l);
	} while (n);
	ck_assert_uint_eq(seen, N);
	fixture_clear(&f);
}
END_TEST

int main(void)
{
	Suite *s = suite_create("queue_admin");
	TCase *t = tcase_create("queue_admin");

	tcase_set_timeout(t, 120);
	tcase_add_test(t, test_verbs);
	tcase_add_test(t, test_release_is_due);
	tcase_add_test(t, test_one_address);
	tcase_add_test(t, test_show);
	tcase_add_test(t, test_list);
	tcase_add_loop_test(t, test_pages, 0, 2);
	suite_add_tcase(s, t);
	return suite_run(s);
}
