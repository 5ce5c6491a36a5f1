/*
 * The history: its two threads. relay. The writer takes what was noted about once a second, so that most messages are
 * written once, with all that became of them; the reader answers the admin with a connection of its own. Neither ever
 * keeps the loop waiting: noting is a copy under a lock that nobody holds for long, and past PENDING_MAX octets that
 * wait (a disk that hangs) notes are dropped and counted.
 */
#include "gateway/queue/history.h"

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/history_db.h"
#include "gateway/queue/history_find.h"
#include "gateway/queue/history_item.h"
#include "gateway/queue/history_settings.h"
#include "gateway/queue/history_store.h"
#include "gateway/queue/queue_number.h"

#define DAY_MS INT64_C(86400000)

enum {
	PENDING_MAX = 64 << 20,
	BATCH = 4096, /* this many notes do not wait for the second to end */
	GAP_MS = 1000,
	PURGE_MS = 60000,
	PURGE_PAUSE_MS = 20, /* between small steps */
	PURGE_STEP = 256,    /* fewer than one step takes */
	REOPEN_MS = 5000,
	FRESH_MS = 1500, /* a question waits so long for what was noted before it */
	MINUTE_MS = 60000,
};

struct ask {
	struct ask *next;
	struct history *of;
	enum history_question q;
	json_t *args, *data;
	struct problem pr;
	uint64_t put; /* notes before it */
	history_done *done;
	void *ctx;
};

struct history {
	char *dir;
	struct history_settings set;
	struct loop *loop;
	struct history_index index;

	/* the writer's */
	sqlite3 *db;
	struct history_store *store;
	bool in_trouble;
	int64_t purge_at, open_at;

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t work, written_more, asked;
	struct history_item *first, **end;
	size_t n, octets;
	uint64_t put, written; /* notes; those that are written, or lost */
	int64_t dropped, left_out, minute, refusals;
	bool stop, hurry;
	unsigned generation; /* of the file: another after one was set aside */
	struct ask *asks, **asks_end, *answered, **answered_end;
	bool posted, closed;
	pthread_t writer, reader;
};

static const char *const outcomes[HISTORY_OUTCOMES] = {
    "", "queued", "deferred", "held", "delivered", "refused", "bounced", "expired", "deleted", "opened"};

const char *history_outcome_word(enum history_outcome o)
{
	return (unsigned)o < HISTORY_OUTCOMES ? outcomes[o] : "";
}

enum history_outcome history_outcome_parse(const char *word)
{
	for (int i = 1; i < HISTORY_REPLACED; i++)
		if (strcmp(outcomes[i], word) == 0)
			return (enum history_outcome)i;
	return HISTORY_AS_IT_WAS;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

static struct timespec in_ms(int64_t ms)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	t.tv_sec += ms / 1000;
	t.tv_nsec += ms % 1000 * 1000000;
	if (t.tv_nsec >= 1000000000) {
		t.tv_nsec -= 1000000000;
		t.tv_sec++;
	}
	return t;
}

/* ---- noting ---- */

/* More refusals in this minute than are remembered one by one. lock held. */
static bool is_left_out(struct history *h, const struct history_item *it)
{
	if (!it->n.refused_at_rcpt)
		return false;
	if (h->minute != it->at / MINUTE_MS) {
		h->minute = it->at / MINUTE_MS;
		h->refusals = 0;
	}
	if (h->refusals++ < h->set.refusals_per_minute)
		return false;
	h->left_out++;
	return true;
}

/* lock held. True: it is to be freed. */
static bool put_one(struct history *h, struct history_item *it)
{
	if (is_left_out(h, it))
		return true;
	if (h->octets + it->octets > PENDING_MAX) {
		h->dropped++;
		return true;
	}
	it->next = NULL;
	*h->end = it;
	h->end = &it->next;
	h->octets += it->octets;
	h->put++;
	if (h->n++ == 0 || h->n == BATCH)
		pthread_cond_signal(&h->work);
	return false;
}

void history_put(struct history *h, struct history_item *list)
{
	struct history_item *gone = NULL;

	if (!h || !list) {
		history_item_free(list);
		return;
	}
	pthread_mutex_lock(&h->lock);
	for (struct history_item *it = list, *next; it; it = next) {
		next = it->next;
		if (put_one(h, it)) {
			it->next = gone;
			gone = it;
		}
	}
	pthread_mutex_unlock(&h->lock);
	history_item_free(gone);
}

void history_note(struct history *h, const struct history_note *n)
{
	struct history_item *it = NULL;

	if (!h)
		return;
	history_item_add(&it, n);
	history_put(h, it);
}

void history_admin(struct history *h, enum history_verb verb, const char *id, const char *address, const char *text)
{
	static const char *const events[] = {"", "held", "released", "retried", "deleted"};
	const struct history_note n = {.event = events[verb], .id = id, .text = text};

	if (h)
		history_put(h, history_item_make(&n, verb, address, now_ms()));
}

/* ---- the writer ---- */

static void set_trouble(struct history *h, const char *why, int64_t lost)
{
	if (why && !h->in_trouble)
		log_error(NULL, "history",
		    "alarm=history why=\"%s: what becomes of messages is not remembered until it is mended; mail is "
		    "not "
		    "concerned\" lost=%lld",
		    why, (long long)lost);
	if (!why && h->in_trouble)
		log_info(NULL, "history", "history-writable");
	h->in_trouble = why != NULL;
}

static void close_db(struct history *h)
{
	history_store_free(h->store);
	h->store = NULL;
	sqlite3_close(h->db);
	h->db = NULL;
}

static void open_db(struct history *h)
{
	struct problem pr = {0};

	if (h->db || loop_now_ms() < h->open_at)
		return;
	h->open_at = loop_now_ms() + REOPEN_MS;
	h->db = history_db_open(h->dir, &pr);
	if (h->db) {
		h->store = history_store_new(h->db, &h->index);
		if (!h->store)
			problem_temp(&pr, "the history's file is not what it should be");
	}
	if (!h->store) {
		close_db(h);
		set_trouble(h, pr.text, 0);
		return;
	}
	if (history_index_load(&h->index, h->db) != SQLITE_OK)
		log_warn(NULL, "history", "index-not-read error=\"%s\"", sqlite3_errmsg(h->db));
	pthread_mutex_lock(&h->lock);
	h->generation++;
	pthread_cond_broadcast(&h->written_more);
	pthread_mutex_unlock(&h->lock);
}

static void failed(struct history *h, int rc, int64_t lost)
{
	char why[200];

	(void)snprintf(why, sizeof why, "%s/history.db cannot be written: %.100s", h->dir, sqlite3_errstr(rc));
	set_trouble(h, why, lost);
	if ((rc & 0xff) != SQLITE_CORRUPT && (rc & 0xff) != SQLITE_NOTADB)
		return;
	close_db(h);
	history_db_set_aside(h->dir, sqlite3_errstr(rc));
	history_index_written(&h->index, h->index.n);
	h->open_at = 0;
	open_db(h);
}

static void write_batch(struct history *h, struct history_item *first, int64_t n, int64_t left_out)
{
	int rc;

	open_db(h);
	rc = h->db ? history_store_write(h->store, first, left_out, now_ms()) : SQLITE_OK;
	if (!h->db)
		return;
	if (rc == SQLITE_OK)
		set_trouble(h, NULL, 0);
	else
		failed(h, rc, n);
}

/* Octets in use; -1 when that cannot be read. */
static int64_t size_of(sqlite3 *db)
{
	sqlite3_stmt *st = NULL;
	int64_t size = -1;

	if (sqlite3_prepare_v2(db,
		"SELECT (page_count - freelist_count) * page_size FROM pragma_page_count, pragma_freelist_count,"
		" pragma_page_size",
		-1, &st, NULL) == SQLITE_OK &&
	    sqlite3_step(st) == SQLITE_ROW)
		size = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return size;
}

static void purge_counts(struct history *h, int64_t before_ms)
{
	char text[200];

	(void)snprintf(text, sizeof text,
	    "DELETE FROM hour WHERE hour < %lld; DELETE FROM left_out WHERE minute < %lld",
	    (long long)(before_ms / 3600000), (long long)(before_ms / MINUTE_MS));
	(void)sqlite3_exec(h->db, text, NULL, NULL, NULL);
}

/* One small step. Is there more to do? */
static bool purge(struct history *h)
{
	int64_t before_ms = now_ms() - h->set.days * DAY_MS, n = 0;
	bool over;
	int rc;

	h->purge_at = loop_now_ms() + PURGE_MS;
	if (!h->db)
		return false;
	over = history_store_messages(h->store) > h->set.messages_max || size_of(h->db) > h->set.size_max;
	rc = history_store_purge(h->store, over ? INT64_MAX >> 17 : queue_number_from(before_ms), &n);
	if (rc != SQLITE_OK)
		failed(h, rc, 0);
	else if (n > 0)
		h->purge_at = loop_now_ms() + PURGE_PAUSE_MS;
	else
		purge_counts(h, before_ms);
	return rc == SQLITE_OK && n > 0;
}

/* Until there is a batch, a purge is due, or the end. lock held. */
static void wait_for_work(struct history *h)
{
	while (!h->stop && h->n == 0 && h->left_out == 0 && loop_now_ms() < h->purge_at) {
		struct timespec until = in_ms(h->purge_at - loop_now_ms() + 1);

		pthread_cond_timedwait(&h->work, &h->lock, &until);
	}
	if (h->n == 0 && h->left_out == 0)
		return;

	struct timespec until = in_ms(GAP_MS);

	while (!h->stop && !h->hurry && h->n < BATCH)
		if (pthread_cond_timedwait(&h->work, &h->lock, &until))
			break;
	h->hurry = false;
}

static void *write_run(void *ctx)
{
	struct history *h = ctx;

	for (bool stop = false; !stop;) {
		pthread_mutex_lock(&h->lock);
		wait_for_work(h);
		stop = h->stop;

		struct history_item *first = h->first;
		int64_t n = (int64_t)h->n, left_out = h->left_out, dropped = h->dropped;

		h->first = NULL;
		h->end = &h->first;
		h->n = h->octets = 0;
		h->left_out = h->dropped = 0;
		pthread_mutex_unlock(&h->lock);
		if (dropped)
			log_error(NULL, "history",
			    "alarm=history lost=%lld why=\"the disk takes too long: notes about messages were "
			    "dropped\"",
			    (long long)dropped);
		if (n || left_out)
			write_batch(h, first, n, left_out);
		history_item_free(first);
		pthread_mutex_lock(&h->lock);
		h->written += (uint64_t)n;
		pthread_cond_broadcast(&h->written_more);
		pthread_mutex_unlock(&h->lock);
		if (!stop && loop_now_ms() >= h->purge_at) {
			open_db(h);
			/* as many as came, or the file would grow past its limit under load */
			for (int64_t steps = n / PURGE_STEP + 1; steps > 0 && purge(h); steps--)
				;
		}
	}
	close_db(h);
	return NULL;
}

/* ---- the reader ---- */

static void finish(struct ask *a)
{
	a->done(a->ctx, a->data, a->data ? NULL : &a->pr);
	json_decref(a->args);
	free(a);
}

static void destroy(struct history *h)
{
	history_index_clear(&h->index);
	pthread_mutex_destroy(&h->lock);
	pthread_cond_destroy(&h->work);
	pthread_cond_destroy(&h->written_more);
	pthread_cond_destroy(&h->asked);
	free(h->dir);
	free(h);
}

static struct ask *take_answers(struct history *h)
{
	struct ask *a;

	pthread_mutex_lock(&h->lock);
	a = h->answered;
	h->answered = NULL;
	h->answered_end = &h->answered;
	h->posted = false;
	pthread_mutex_unlock(&h->lock);
	return a;
}

static void tell(void *ctx)
{
	struct history *h = ctx;
	struct ask *a = take_answers(h);

	if (h->closed) {
		destroy(h);
		return;
	}
	for (struct ask *next; a; a = next) {
		next = a->next;
		finish(a);
	}
}

static void answer(struct history *h, struct ask *a)
{
	pthread_mutex_lock(&h->lock);

	bool post = !h->posted && !h->stop;

	a->next = NULL;
	*h->answered_end = a;
	h->answered_end = &a->next;
	h->posted |= post;
	pthread_mutex_unlock(&h->lock);
	if (post)
		loop_post(h->loop, tell, h);
}

/* What was noted before the question shall be in the answer. */
static void wait_until_written(struct history *h, const struct ask *a)
{
	struct timespec until = in_ms(FRESH_MS);

	pthread_mutex_lock(&h->lock);
	h->hurry = h->written < a->put;
	if (h->hurry)
		pthread_cond_signal(&h->work);
	while (!h->stop && (h->written < a->put || h->generation == 0))
		if (pthread_cond_timedwait(&h->written_more, &h->lock, &until))
			break;
	pthread_mutex_unlock(&h->lock);
}

/* The SQLite result: of one that is damaged the connection is not used again. */
static int look(struct history *h, sqlite3 *db, struct ask *a)
{
	int rc = SQLITE_OK;

	if (a->q == HISTORY_FIND)
		a->data = history_find(db, &h->index, a->args, &rc, &a->pr);
	else if (a->q == HISTORY_SHOW)
		a->data = history_find_show(db, a->args, &rc, &a->pr);
	else
		a->data = history_find_counts(db, now_ms(), &rc);
	if (rc == SQLITE_OK)
		return rc;
	json_decref(a->data);
	a->data = NULL;
	problem_temp(&a->pr, "the history cannot be read: %s", sqlite3_errstr(rc));
	log_error(NULL, "history", "read-failed error=\"%s\"", sqlite3_errstr(rc));
	return rc;
}

static struct ask *wait_for_ask(struct history *h, unsigned *generation_r)
{
	struct ask *a;

	pthread_mutex_lock(&h->lock);
	while (!h->stop && !h->asks)
		pthread_cond_wait(&h->asked, &h->lock);
	a = h->stop ? NULL : h->asks;
	if (a && !(h->asks = a->next))
		h->asks_end = &h->asks;
	pthread_mutex_unlock(&h->lock);
	if (!a)
		return NULL;
	wait_until_written(h, a);
	pthread_mutex_lock(&h->lock);
	*generation_r = h->generation;
	pthread_mutex_unlock(&h->lock);
	return a;
}

static void *read_run(void *ctx)
{
	struct history *h = ctx;
	sqlite3 *db = NULL;
	unsigned generation = 0, now;
	struct ask *a;

	while ((a = wait_for_ask(h, &now))) {
		if (now != generation || !db) {
			sqlite3_close(db);
			db = now ? history_db_open_reader(h->dir, &a->pr) : NULL;
			generation = now;
		}
		if (db && look(h, db, a) != SQLITE_OK) { /* it may be another file soon */
			sqlite3_close(db);
			db = NULL;
		}
		if (!a->data && !a->pr.text[0])
			problem_temp(&a->pr, "the history's file cannot be opened: the log says why (alarm=history)");
		answer(h, a);
	}
	sqlite3_close(db);
	return NULL;
}

void history_ask(struct history *h, enum history_question q, json_t *args, history_done *done, void *ctx)
{
	struct problem pr = {0};
	struct ask *a;

	if (!h) {
		problem_perm(&pr, "the history is switched off (section history of the configuration, enabled)");
		done(ctx, NULL, &pr);
		return;
	}
	a = mem_new(sizeof *a);
	*a = (struct ask){.of = h, .q = q, .args = json_incref(args), .done = done, .ctx = ctx};
	pthread_mutex_lock(&h->lock);
	a->put = h->put;
	*h->asks_end = a;
	h->asks_end = &a->next;
	pthread_cond_signal(&h->asked);
	pthread_mutex_unlock(&h->lock);
}

/* ---- life ---- */

static void start(pthread_t *t, void *(*run)(void *), struct history *h)
{
	sigset_t all, old;

	sigfillset(&all); /* signals are the loop's */
	pthread_sigmask(SIG_SETMASK, &all, &old);
	if (pthread_create(t, NULL, run, h))
		log_fatal("the history's thread cannot be started");
	pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct history *history_open(const char *dir, const struct history_settings *set, struct loop *loop)
{
	struct history *h;
	pthread_condattr_t monotonic;

	if (!set->enabled)
		return NULL;
	h = mem_new(sizeof *h);
	h->dir = mem_str(dir);
	h->set = *set;
	h->loop = loop;
	h->end = &h->first;
	h->asks_end = &h->asks;
	h->answered_end = &h->answered;
	history_index_init(&h->index);
	pthread_mutex_init(&h->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&h->work, &monotonic);
	pthread_cond_init(&h->written_more, &monotonic);
	pthread_cond_init(&h->asked, &monotonic);
	pthread_condattr_destroy(&monotonic);
	start(&h->writer, write_run, h);
	start(&h->reader, read_run, h);
	return h;
}

void history_close(struct history *h)
{
	if (!h)
		return;
	pthread_mutex_lock(&h->lock);
	h->stop = true;
	pthread_cond_broadcast(&h->work);
	pthread_cond_broadcast(&h->asked);
	pthread_cond_broadcast(&h->written_more);
	pthread_mutex_unlock(&h->lock);
	pthread_join(h->writer, NULL);
	pthread_join(h->reader, NULL);

	bool posted = h->posted;

	*h->answered_end = h->asks;
	for (struct ask *a = h->answered, *next; a; a = next) {
		next = a->next;
		if (!a->data && !a->pr.text[0])
			problem_temp(&a->pr, "the relay is stopping");
		finish(a);
	}
	h->answered = NULL;
	h->answered_end = &h->answered;
	h->closed = true;
	if (!posted)
		destroy(h);
}
