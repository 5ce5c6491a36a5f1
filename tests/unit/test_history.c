/* The history: what is noted is found again, in every way that may be asked; retention; a damaged file; a full
 * disk. How fast it is with a million messages: tests/bench/bench_history.c. */
#include "tests/unit/suite.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/mem.h"
#include "gateway/queue/history.h"
#include "gateway/queue/history_db.h"
#include "gateway/queue/history_index.h"
#include "gateway/queue/history_item.h"
#include "gateway/queue/history_settings.h"
#include "gateway/queue/history_store.h"
#include "gateway/queue/history_way.h"
#include "gateway/queue/queue.h"
#include "gateway/queue/queue_number.h"

static char dir[200];
static struct loop *loop;
static struct history *h;
static struct queue_number numbers;
static struct history_settings set;

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static void setup(void)
{
	const char *top = getenv("TMPDIR");

	set = (struct history_settings){true, 30, 5000000, INT64_C(4) << 30, 600};
	(void)snprintf(dir, sizeof dir, "%s/history-XXXXXX", top ? top : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(dir));
	loop = loop_new();
	queue_number_init(&numbers, 0);
	h = history_open(dir, &set, loop);
}

static void teardown(void)
{
	char command[300];

	history_close(h);
	loop_once(loop, 0);
	loop_free(loop);
	(void)snprintf(command, sizeof command, "rm -rf '%s'", dir);
	ck_assert_int_eq(system(command), 0);
}

static void reopen(void)
{
	history_close(h);
	loop_once(loop, 0);
	h = history_open(dir, &set, loop);
}

/* ---- putting ---- */

/* A message at a time; its id. */
static void put_at(const char *from, const char *to, const char *message_id, const char *treatment, int64_t ms,
    char id[QUEUE_ID_MAX])
{
	const struct history_rcpt r = {
	    .outcome = HISTORY_QUEUED, .address = to, .treatment = treatment, .reason = "decided so", .rule = "all"};
	int64_t number = ms ? queue_number_from(ms) : queue_number_next(&numbers, now_ms());

	queue_number_text(number, id, QUEUE_ID_MAX);
	history_note(h, &(struct history_note){.event = "sealed",
			    .id = id,
			    .direction = HISTORY_OUT,
			    .size = 100,
			    .sender = from,
			    .message_id = message_id,
			    .client = "192.0.2.1",
			    .text = "decided so",
			    .rcpts = &r,
			    .nrcpts = 1});
}

static void put(const char *from, const char *to, const char *message_id, char id[QUEUE_ID_MAX])
{
	put_at(from, to, message_id, "seal", 0, id);
}

static void happen(const char *id, const char *event, enum history_outcome o, const char *text)
{
	int64_t number;

	ck_assert_int_eq(queue_number_parse(id, &number), 0);
	history_note(h, &(struct history_note){.event = event,
			    .id = id,
			    .row = queue_number_row(number, 0),
			    .outcome = o,
			    .text = text,
			    .remote = "mx.lab.example[192.0.2.2]:25"});
}

/* ---- asking ---- */

struct answer {
	json_t *data;
	struct problem pr;
	bool came;
};

static void answered(void *ctx, json_t *data, const struct problem *pr)
{
	struct answer *a = ctx;

	a->data = data;
	if (pr)
		a->pr = *pr;
	a->came = true;
}

static struct answer ask(enum history_question q, const char *args)
{
	struct answer a = {0};
	json_t *o = json_loads(args, 0, NULL);

	ck_assert_ptr_nonnull(o);
	history_ask(h, q, o, answered, &a);
	while (!a.came)
		loop_once(loop, -1);
	json_decref(o);
	return a;
}

/* How many are found; the first one's id into id_r. All pages. */
static size_t find(const char *args, char *id_r)
{
	json_t *o = json_loads(args, 0, NULL), *cursor;
	size_t n = 0;

	do {
		char *text = json_dumps(o, 0);
		struct answer a = ask(HISTORY_FIND, text);

		ck_assert_msg(a.data != NULL, "%s", a.pr.text);
		if (n == 0 && id_r && json_array_size(json_object_get(a.data, "messages")))
			(void)snprintf(id_r, QUEUE_ID_MAX, "%s",
			    json_string_value(
				json_object_get(json_array_get(json_object_get(a.data, "messages"), 0), "id")));
		n += json_array_size(json_object_get(a.data, "messages"));
		cursor = json_incref(json_object_get(a.data, "cursor"));
		if (cursor)
			json_object_set(o, "cursor", cursor);
		json_decref(cursor);
		json_decref(a.data);
		free(text);
	} while (cursor);
	json_decref(o);
	return n;
}

static size_t found(const char *args)
{
	return find(args, NULL);
}

START_TEST(test_find)
{
	char a[QUEUE_ID_MAX], b[QUEUE_ID_MAX], c[QUEUE_ID_MAX], got[QUEUE_ID_MAX], text[200];

	put("Ward3@hospital.example", "bob@lab.example", "<one@hospital.example>", a);
	put("ward4@hospital.example", "eve@lab.example", "<two@hospital.example>", b);
	put_at("ward3@hospital.example", "bob@other.example", "<two@hospital.example>", "clear", 0, c);
	happen(a, "delivered", HISTORY_DELIVERED, "250 ok");
	happen(b, "deferred", HISTORY_DEFERRED, "451 later");
	for (int round = 0; round < 3; round++) {
		ck_assert_uint_eq(found("{}"), 3);
		ck_assert_uint_eq(found("{\"from\": \"ward3@HOSPITAL.example\"}"), 2);
		ck_assert_uint_eq(found("{\"from\": \"hospital.example\", \"limit\": 1}"), 3);
		ck_assert_uint_eq(found("{\"to\": \"@lab.example\"}"), 2);
		ck_assert_uint_eq(found("{\"to\": \"lab.example\", \"from\": \"ward4@hospital.example\"}"), 1);
		ck_assert_uint_eq(found("{\"to\": \"hospital.example\"}"), 0);
		ck_assert_uint_eq(find("{\"message_id\": \"one@hospital.example\"}", got), 1);
		ck_assert_str_eq(got, a);
		ck_assert_uint_eq(find("{\"message_id\": \"<two@hospital.example>\"}", got), 2);
		ck_assert_str_eq(got, c); /* the newest first */
		ck_assert_uint_eq(found("{\"outcome\": \"delivered\"}"), 1);
		ck_assert_uint_eq(found("{\"outcome\": \"deferred\", \"to\": \"lab.example\"}"), 1);
		ck_assert_uint_eq(found("{\"outcome\": \"deferred\", \"to\": \"bob@lab.example\"}"), 0);
		ck_assert_uint_eq(found("{\"outcome\": \"sealed\"}"), 2);
		ck_assert_uint_eq(found("{\"outcome\": \"clear\"}"), 1);
		ck_assert_uint_eq(found("{\"direction\": \"in\"}"), 0);
		ck_assert_uint_eq(found("{\"until\": 1800000000}"), 3);
		ck_assert_uint_eq(found("{\"since\": 4000000000}"), 0);
		(void)snprintf(text, sizeof text, "{\"id\": \"%s\"}", b);
		ck_assert_uint_eq(find(text, got), 1);
		ck_assert_str_eq(got, b);
		if (round == 0)
			happen(b, "nothing", HISTORY_AS_IT_WAS, NULL); /* changes no outcome */
		else
			reopen();
	}
}
END_TEST

START_TEST(test_wrong_questions)
{
	static const char *const wrong[] = {"{\"outcome\": \"lost\"}", "{\"cursor\": \"x1\"}", "{\"cursor\": \"k5\"}",
	    "{\"cursor\": \"t\"}", "{\"cursor\": \"t5y\"}", "{\"id\": \"lower\"}", "{\"id\": \"0KX3M9QZ41X\"}"};

	for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
		struct answer a = ask(HISTORY_FIND, wrong[i]);

		ck_assert_msg(a.data == NULL && a.pr.text[0], "%s", wrong[i]);
	}

	struct answer a = ask(HISTORY_SHOW, "{\"id\": \"0KX3M9QZ41\"}");

	ck_assert_ptr_null(a.data);
	ck_assert_ptr_nonnull(strstr(a.pr.text, "is remembered"));
}
END_TEST

START_TEST(test_show)
{
	char a[QUEUE_ID_MAX], child[QUEUE_ID_MAX], text[100];
	const struct history_rcpt r = {
	    .outcome = HISTORY_QUEUED, .address = "in@hospital.example", .treatment = "open"};

	put("x@lab.example", "in@hospital.example", "<m@lab.example>", a);
	queue_number_text(queue_number_next(&numbers, now_ms()), child, sizeof child);
	happen(a, NULL, HISTORY_REPLACED, NULL);
	history_note(h, &(struct history_note){.event = "opened",
			    .id = child,
			    .parent = a,
			    .direction = HISTORY_IN,
			    .text = "three \x1e lines \x1f\n of \xff octets",
			    .judged = "verdict=sealed",
			    .rcpts = &r,
			    .nrcpts = 1});
	happen(child, "delivered", HISTORY_DELIVERED, "250 kept");
	(void)snprintf(text, sizeof text, "{\"id\": \"%s\"}", child);

	struct answer an = ask(HISTORY_SHOW, text);
	const json_t *events = json_object_get(an.data, "events"), *rcpts = json_object_get(an.data, "recipients");
	static const char *const order[] = {"received", "sealed", "opened", "delivered"};

	ck_assert_ptr_nonnull(an.data);
	ck_assert_str_eq(json_string_value(json_object_get(an.data, "id")), a);
	ck_assert_str_eq(json_string_value(json_object_get(an.data, "judged")), "verdict=sealed");
	ck_assert_uint_eq(json_array_size(rcpts), 1);
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rcpts, 0), "outcome")), "delivered");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(rcpts, 0), "message")), child);
	ck_assert_uint_eq(json_array_size(events), 4);
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_eq(json_string_value(json_object_get(json_array_get(events, i), "event")), order[i]);
	ck_assert_str_eq(
	    json_string_value(json_object_get(json_array_get(events, 2), "text")), "three   lines    of ? octets");
	ck_assert_str_eq(json_string_value(json_object_get(json_array_get(events, 3), "to")), "in@hospital.example");
	json_decref(an.data);
	ck_assert_uint_eq(found("{\"outcome\": \"delivered\"}"), 1);
	ck_assert_uint_eq(found("{}"), 1);
}
END_TEST

START_TEST(test_admin)
{
	char a[QUEUE_ID_MAX];

	put("x@hospital.example", "b@lab.example", "<a@x>", a);
	history_admin(h, HISTORY_VERB_HOLD, a, "", "by me");
	ck_assert_uint_eq(found("{\"outcome\": \"held\"}"), 1);
	history_admin(h, HISTORY_VERB_RELEASE, a, "other@lab.example", "by me");
	ck_assert_uint_eq(found("{\"outcome\": \"held\"}"), 1);
	history_admin(h, HISTORY_VERB_RELEASE, a, "B@lab.example", "by me");
	happen(a, "delivered", HISTORY_DELIVERED, "250");
	history_admin(h, HISTORY_VERB_DELETE, a, NULL, "by me"); /* too late */
	ck_assert_uint_eq(found("{\"outcome\": \"delivered\"}"), 1);
}
END_TEST

START_TEST(test_refusals)
{
	const struct history_rcpt r = {.place = HISTORY_REFUSED_PLACE,
	    .outcome = HISTORY_REFUSED,
	    .address = "b@lab.example",
	    .reason = "550 no"};
	struct answer a;
	json_int_t left;
	size_t n;

	set.refusals_per_minute = 10;
	reopen();
	for (int i = 0; i < 50; i++) {
		char id[QUEUE_ID_MAX];

		queue_number_text(queue_number_next(&numbers, now_ms()), id, sizeof id);
		history_note(h, &(struct history_note){.event = "refused",
				    .id = id,
				    .refused_at_rcpt = true,
				    .direction = HISTORY_IN,
				    .text = "550 no",
				    .rcpts = &r,
				    .nrcpts = 1});
	}
	n = found("{\"outcome\": \"refused\"}");
	ck_assert_uint_ge(n, 10);
	ck_assert_uint_le(n, 20); /* when the minute changed meanwhile */
	a = ask(HISTORY_COUNTS, "{}");
	left = json_integer_value(json_object_get(a.data, "left_out"));
	ck_assert_int_eq(left, 50 - (json_int_t)n);
	ck_assert_uint_eq(json_array_size(json_object_get(a.data, "hours")), 24);
	json_decref(a.data);
}
END_TEST

/* The writer goes step by step: until so many are left. */
static void until(size_t n)
{
	for (int i = 0; i < 200 && found("{}") != n; i++) {
		struct timespec t = {.tv_nsec = 20000000};

		nanosleep(&t, NULL);
	}
	ck_assert_uint_eq(found("{}"), n);
}

/* What is older than its days goes, a few hundred at a time, and what stays is found. */
START_TEST(test_retention)
{
	char id[QUEUE_ID_MAX];
	int64_t old = now_ms() - INT64_C(40) * 86400000;

	set.days = 100;
	reopen();
	for (int i = 0; i < 1700; i++)
		put_at("x@hospital.example", "old@lab.example", "<old@x>", "seal", old + i, id);
	put("x@hospital.example", "b@lab.example", "<new@x>", id);
	ck_assert_uint_eq(found("{\"to\": \"lab.example\"}"), 1701);
	set.days = 30;
	reopen();
	until(1);
	ck_assert_uint_eq(found("{\"to\": \"old@lab.example\"}"), 0);
	ck_assert_uint_eq(found("{\"outcome\": \"queued\"}"), 1);
	set.messages_max = 0;
	reopen();
	until(0);
}
END_TEST

static void damage(const char *name)
{
	char path[300], junk[4096];
	int fd;

	memset(junk, 'x', sizeof junk);
	(void)snprintf(path, sizeof path, "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, junk, sizeof junk), sizeof junk);
	close(fd);
}

START_TEST(test_damaged)
{
	char id[QUEUE_ID_MAX], path[300];

	put("x@hospital.example", "b@lab.example", "<a@x>", id);
	ck_assert_uint_eq(found("{}"), 1);
	history_close(h);
	loop_once(loop, 0);
	damage("history.db");
	/* pages that still stand there would be read in place of the damaged ones */
	(void)snprintf(path, sizeof path, "%s/history.db-wal", dir);
	(void)unlink(path);
	h = history_open(dir, &set, loop);
	put("x@hospital.example", "b@lab.example", "<b@x>", id);
	ck_assert_uint_eq(found("{}"), 1);
	(void)snprintf(path, sizeof path, "%s/history.db.damaged", dir);
	ck_assert_int_eq(access(path, R_OK), 0);
}
END_TEST

/* While nothing can be written, nothing of it may pile up in memory. */
START_TEST(test_failed_writes)
{
	static const char refuse[] = "CREATE TEMP TRIGGER refuse BEFORE INSERT ON main.msg BEGIN"
				     " SELECT RAISE(ABORT, 'no'); END";
	char sub[220], id[QUEUE_ID_MAX];
	struct history_rcpt to = {.place = 0, .address = "b@lab.example"};
	struct history_note n = {.event = "received",
	    .id = id,
	    .sender = "a@hospital.example",
	    .message_id = "<m@x>",
	    .rcpts = &to,
	    .nrcpts = 1};
	struct history_index index;
	struct history_store *s;
	struct problem pr;
	sqlite3 *db;

	(void)snprintf(sub, sizeof sub, "%s/other", dir);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	history_index_init(&index);
	db = history_db_open(sub, &pr);
	ck_assert_ptr_nonnull(db);
	s = history_store_new(db, &index);
	ck_assert_ptr_nonnull(s);
	for (int i = 0; i < 20; i++) {
		struct history_item *it;

		queue_number_text(queue_number_next(&numbers, now_ms()), id, sizeof id);
		it = history_item_make(&n, HISTORY_VERB_NONE, NULL, now_ms());
		if (i == 10)
			ck_assert_int_eq(sqlite3_exec(db, refuse, NULL, NULL, NULL), SQLITE_OK);
		ck_assert_int_eq(history_store_write(s, it, 0, now_ms()) == SQLITE_OK, i < 10);
		history_item_free(it);
	}
	ck_assert_uint_eq(history_index_mark(&index), 10 * 5);
	ck_assert_int_eq(history_store_messages(s), 10);
	history_store_free(s);
	sqlite3_close(db);
	history_index_clear(&index);
}
END_TEST

/* Whatever happens to a message, and however often: its way has an end. */
START_TEST(test_way_bounded)
{
	char sub[220], id[QUEUE_ID_MAX], text[900];
	struct history_rcpt to = {.place = 0, .address = "b@lab.example"};
	struct history_note n = {.event = "deferred", .id = id, .text = text, .rcpts = &to, .nrcpts = 1};
	struct history_index index;
	struct history_store *s;
	struct problem pr;
	sqlite3_stmt *st;
	sqlite3 *db;

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	(void)snprintf(sub, sizeof sub, "%s/way", dir);
	ck_assert_int_eq(mkdir(sub, 0700), 0);
	history_index_init(&index);
	db = history_db_open(sub, &pr);
	ck_assert_ptr_nonnull(db);
	s = history_store_new(db, &index);
	ck_assert_ptr_nonnull(s);
	queue_number_text(queue_number_next(&numbers, now_ms()), id, sizeof id);
	for (int i = 0; i < 60; i++) { /* batches of 7: the last one that fits does not fill it */
		struct history_item *list = NULL;

		for (int k = 0; k < 7; k++)
			history_item_add(&list, &n);
		ck_assert_int_eq(history_store_write(s, list, 0, now_ms()), SQLITE_OK);
		history_item_free(list);
		n.nrcpts = i % 2; /* with and without what a message begins with */
	}
	st = history_db_prepare(db, "SELECT count(*), max(length(way)) FROM msg");
	ck_assert_int_eq(sqlite3_step(st), SQLITE_ROW);
	ck_assert_int_eq(sqlite3_column_int(st, 0), 1);
	ck_assert_int_gt(sqlite3_column_int(st, 1), HISTORY_WAY_MAX / 2);
	ck_assert_int_le(sqlite3_column_int(st, 1), HISTORY_WAY_MAX);
	sqlite3_finalize(st);
	history_store_free(s);
	sqlite3_close(db);
	history_index_clear(&index);
}
END_TEST

static int64_t of_hour(const json_t *hours, const char *way, const char *word)
{
	const json_t *hour;
	int64_t n = 0;
	size_t i;

	json_array_foreach(hours, i, hour)
	{
		const json_t *o = way ? json_object_get(json_object_get(hour, "by"), way) : hour;

		n += json_integer_value(json_object_get(o, word));
	}
	return n;
}

/* By direction and outcome, also when what happens later comes in another batch, and of a child. */
START_TEST(test_counts)
{
	static const struct {
		const char *way, *word;
		int64_t n;
	} cases[] = {{"out", "sealed", 2}, {"out", "clear", 1}, {"out", "delivered", 1}, {"out", "held", 0},
	    {"out", "refused", 0}, {"in", "sealed", 1}, {"in", "held", 1}, {"in", "refused", 1}, {"in", "clear", 0},
	    {NULL, "sealed", 2}, {NULL, "opened", 1}, {NULL, "refused", 1}, {NULL, "in", 1}, {NULL, "out", 3}};
	struct history_rcpt r = {.outcome = HISTORY_QUEUED, .address = "b@hospital.example", .treatment = ""};
	char id[QUEUE_ID_MAX], parent[QUEUE_ID_MAX];
	struct history_note n = {.event = "accepted",
	    .id = parent,
	    .direction = HISTORY_IN,
	    .sender = "x@lab.example",
	    .rcpts = &r,
	    .nrcpts = 1};
	struct answer a;

	put_at("a@hospital.example", "b@lab.example", "<1@x>", "seal", 0, id);
	put_at("a@hospital.example", "b@lab.example", "<2@x>", "clear", 0, id);
	put("a@hospital.example", "b@lab.example", "<3@x>", id);
	json_decref(ask(HISTORY_COUNTS, "{}").data); /* the first batch ends here */
	happen(id, "delivered", HISTORY_DELIVERED, "250 2.0.0 kept");
	queue_number_text(queue_number_next(&numbers, now_ms()), parent, sizeof parent);
	history_note(h, &n);
	json_decref(ask(HISTORY_COUNTS, "{}").data);
	queue_number_text(queue_number_next(&numbers, now_ms()), id, sizeof id);
	n.id = id;
	n.parent = parent;
	r.treatment = "open";
	history_note(h, &n);
	happen(id, "held", HISTORY_HELD, "no valid signature");
	queue_number_text(queue_number_next(&numbers, now_ms()), id, sizeof id);
	n.parent = NULL;
	r.outcome = HISTORY_REFUSED;
	history_note(h, &n);
	a = ask(HISTORY_COUNTS, "{}");
	ck_assert_ptr_nonnull(a.data);
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		ck_assert_msg(of_hour(json_object_get(a.data, "hours"), cases[i].way, cases[i].word) == cases[i].n,
		    "%s %s", cases[i].way ? cases[i].way : "all", cases[i].word);
	json_decref(a.data);
}
END_TEST

/* A time beyond all times is no overflow. */
START_TEST(test_far_times)
{
	char id[QUEUE_ID_MAX];

	put("a@hospital.example", "b@lab.example", "<1@x>", id);
	ck_assert_uint_eq(found("{\"until\": 9223372036854775807}"), 1);
	ck_assert_uint_eq(found("{\"since\": 9223372036854775807}"), 0);
	ck_assert_uint_eq(found("{\"since\": 9223372036854775}"), 0);
	ck_assert_uint_eq(found("{\"since\": -9223372036854775807}"), 1);
}
END_TEST

/* No room: files may not grow. Notes are lost, the caller does not notice, and later ones are kept again. */
START_TEST(test_full)
{
	char id[QUEUE_ID_MAX], text[900];
	struct rlimit was, small = {512 * 1024, 0};

	memset(text, 'x', sizeof text - 1);
	text[sizeof text - 1] = 0;
	signal(SIGXFSZ, SIG_IGN);
	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &was), 0);
	small.rlim_max = was.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &small), 0);
	for (int i = 0; i < 3000; i++) {
		put("x@hospital.example", "full@lab.example", "<a@x>", id);
		happen(id, "deferred", HISTORY_DEFERRED, text);
	}
	ck_assert_uint_lt(found("{}"), 3000);
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &was), 0);
	put("x@hospital.example", "after@lab.example", "<b@x>", id);
	ck_assert_uint_eq(found("{\"to\": \"after@lab.example\"}"), 1);
}
END_TEST

START_TEST(test_many_recipients)
{
	enum { N = 1000 };
	struct history_rcpt *v = mem_new(N * sizeof *v);
	char id[QUEUE_ID_MAX], (*addresses)[40] = mem_new(N * sizeof *addresses);
	int64_t number = queue_number_next(&numbers, now_ms());

	queue_number_text(number, id, sizeof id);
	for (int i = 0; i < N; i++) {
		(void)snprintf(addresses[i], sizeof addresses[i], "u%d@lab.example", i);
		v[i] = (struct history_rcpt){.place = i, .outcome = HISTORY_QUEUED, .address = addresses[i]};
	}
	history_note(h, &(struct history_note){.event = "accepted", .id = id, .sender = "", .rcpts = v, .nrcpts = N});
	for (int i = 0; i < N; i++)
		history_note(
		    h, &(struct history_note){.event = "delivered",
			   .id = id,
			   .row = queue_number_row(number, (size_t)i),
			   .outcome = HISTORY_DELIVERED,
			   .text = "250 a reply that is as long as such replies are, or a little longer than that"});
	ck_assert_uint_eq(found("{\"to\": \"lab.example\"}"), 1);
	ck_assert_uint_eq(found("{\"to\": \"u999@lab.example\", \"outcome\": \"delivered\"}"), 1);
	free(v);
	free(addresses);
}
END_TEST

START_TEST(test_off)
{
	struct answer a;

	history_close(h);
	loop_once(loop, 0);
	set.enabled = false;
	h = history_open(dir, &set, loop);
	ck_assert_ptr_null(h);
	history_note(h, &(struct history_note){.event = "accepted", .id = "0KX3M9QZ41"});
	a = ask(HISTORY_FIND, "{}");
	ck_assert_ptr_nonnull(strstr(a.pr.text, "switched off"));
}
END_TEST

int main(void)
{
	Suite *s = suite_create("history");
	TCase *t = tcase_create("history");

	tcase_add_checked_fixture(t, setup, teardown);
	tcase_set_timeout(t, 60);
	tcase_add_test(t, test_find);
	tcase_add_test(t, test_wrong_questions);
	tcase_add_test(t, test_show);
	tcase_add_test(t, test_admin);
	tcase_add_test(t, test_refusals);
	tcase_add_test(t, test_retention);
	tcase_add_test(t, test_damaged);
	tcase_add_test(t, test_failed_writes);
	tcase_add_test(t, test_way_bounded);
	tcase_add_test(t, test_counts);
	tcase_add_test(t, test_far_times);
	tcase_add_test(t, test_full);
	tcase_add_test(t, test_many_recipients);
	tcase_add_test(t, test_off);
	suite_add_tcase(s, t);
	return suite_run(s);
}
