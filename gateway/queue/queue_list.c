/*
 * Lists for the admin, newest first. relay, loop's thread, so that it must not take long: with a state, an index
 * gives the candidates; a search that has not found enough after a second ends with the advice to narrow it.
 */
#include "gateway/queue/queue_list.h"

#include <stdlib.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_json.h"
#include "gateway/queue/queue_names.h"
#include "gateway/queue/queue_parts.h"

enum { SEARCH_MS = 1000, LARGE_QUEUE = 20000 };

#define NUMBER_END (INT64_C(1) << 47)

struct list {
	struct queue_json json;
	json_t *array;
	const char *state, *match; /* NULL: any */
	size_t max;
	int64_t last; /* the candidate looked at last */
	int64_t started;
	bool late;
};

/* Full, and the candidate is of another millisecond than the last one listed: the next page begins here. */
static bool is_enough(const struct list *l, int64_t number)
{
	size_t n = json_array_size(l->array);

	if (n < l->max)
		return false;

	const json_t *last = json_array_get(l->array, n - 1);

	return json_integer_value(json_object_get(last, "arrived")) != queue_number_time(number);
}

/* Looks at one candidate. false: no more are wanted. */
static bool look(struct list *l, int64_t number)
{
	if (number == l->last)
		return true;
	l->last = number;
	if (is_enough(l, number))
		return false;
	if (loop_now_ms() - l->started > SEARCH_MS) {
		l->late = true;
		return false;
	}

	json_t *o = queue_json_msg(&l->json, number);

	if (o && (!l->state || queue_json_has_state(o, l->state)) && (!l->match || queue_json_matches(o, l->match)))
		json_array_append(l->array, o);
	json_decref(o);
	return true;
}

static int descending(const void *a, const void *b)
{
	const int64_t *x = a, *y = b;

	return (*x < *y) - (*x > *y);
}

static int list_active(struct list *l, int64_t end)
{
	struct queue_due *d = &l->json.q->due;

	pthread_mutex_lock(&d->lock);

	size_t n = d->active.n;
	int64_t *rows = mem_new(n * sizeof *rows);

	queue_active_all(&d->active, rows);
	pthread_mutex_unlock(&d->lock);
	qsort(rows, n, sizeof *rows, descending);
	for (size_t i = 0; i < n; i++)
		if (queue_number_msg(rows[i]) < end && !look(l, queue_number_msg(rows[i])))
			break;
	free(rows);
	return SQLITE_DONE;
}

/* Then the newest are found sooner by walking through the table than by sorting the index. */
static bool is_large(struct queue *q)
{
	pthread_mutex_lock(&q->due.lock);

	bool large = q->due.tally[QUEUE_QUEUED] > LARGE_QUEUE;

	pthread_mutex_unlock(&q->due.lock);
	return large;
}

static int list_stored(struct list *l, int state, int64_t end)
{
	sqlite3_stmt *st = queue_db_prepare(l->json.q->reader.db,
	    state == QUEUE_HELD
		? "SELECT id FROM rcpt INDEXED BY rcpt_held WHERE state = 2 AND id < ?1 << 16 ORDER BY id DESC"
	    : state == QUEUE_QUEUED && is_large(l->json.q)
		? "SELECT id FROM rcpt NOT INDEXED WHERE state = 0 AND id < ?1 << 16 ORDER BY id DESC"
	    : state == QUEUE_QUEUED
		? "SELECT id FROM rcpt INDEXED BY rcpt_due WHERE state = 0 AND id < ?1 << 16 ORDER BY id DESC"
	    : state == QUEUE_DONE
		? "SELECT id FROM rcpt NOT INDEXED WHERE state = 3 AND id < ?1 << 16 ORDER BY id DESC"
		: "SELECT id << 16 FROM msg WHERE id < ?1 ORDER BY id DESC");
	int rc;

	sqlite3_bind_int64(st, 1, end);
	while ((rc = sqlite3_step(st)) == SQLITE_ROW)
		if (!look(l, queue_number_msg(sqlite3_column_int64(st, 0))))
			break;
	sqlite3_finalize(st);
	return rc;
}

static char *finish(struct list *l, int rc, struct problem *pr)
{
	char *text = NULL;

	if (l->late)
		problem_temp(pr, "the search takes too long in a queue this large; give a state or an earlier time");
	else if (rc != SQLITE_ROW && rc != SQLITE_DONE)
		queue_reader_problem(&l->json.q->reader, pr);
	else
		text = queue_json_text(l->array);
	json_decref(l->array);
	queue_json_clear(&l->json);
	return text;
}

char *queue_list_json(
    struct queue *q, const char *state, const char *match, int64_t before, size_t max, struct problem *pr)
{
	struct list l = {.array = json_array(), .max = max ? max : 1, .last = -1, .started = loop_now_ms()};
	int64_t end = before > 0 ? queue_number_from(before) : NUMBER_END - 1;
	int wanted = -1;

	if (!l.array)
		log_fatal("out of memory: JSON");
	l.match = match && *match ? match : NULL;
	if (state && *state) {
		l.state = state;
		wanted = queue_names_find_state(state);
		if (wanted < 0) {
			json_decref(l.array);
			problem_perm(pr, "there is no state \"%s\": queued, active, held or done", state);
			return NULL;
		}
	}
	queue_json_init(&l.json, q);
	return finish(&l, wanted == QUEUE_ACTIVE ? list_active(&l, end) : list_stored(&l, wanted, end), pr);
}
