/*
 * The writer thread and the one durable commit point of the gateway. relay.
 *
 * A group of waiting transactions becomes one SQLite transaction, synced once:
 *
 *   1 each content in a file: fdatasync, linkat to its name; after the last, fsync of the directory   (keep_files)
 *   2 BEGIN IMMEDIATE, rows of every transaction, COMMIT (WAL frames, fsync of the WAL)                (commit)
 *   3 memory follows; contents without open recipients are unlinked (queue_batch_committed) 4 the callers are told:
 * only now is there a 250, or is a delivery settled                          (queue_box_put)
 *
 * A crash (kill -9, power) before 1 ends leaves unnamed files, which are gone by themselves, or named ones without a
 * row, which the next start removes. Before COMMIT has written its last frame: SQLite's recovery drops the
 * transaction; named files as before. After that frame and before 4: the messages are in the queue though nobody was
 * told; their clients send again: twice, never lost. Before the unlinks of 3: files of done messages stay behind; the
 * next start removes them. There is no order in which a row is durable and its file is not, and none in which a
 * caller is told and the row is not.
 *
 * A failed fsync is never tried again: the kernel may have dropped the dirty pages, and a second fsync would succeed
 * without them. Nothing is written any more and nothing claimed, all who come are told 451, and after a while the
 * process ends: what the next one reads in the log it carries over and syncs before it does anything else. A write
 * that was refused before any sync (no room, a file system that became read-only, another process that keeps the
 * database locked) is different: the transaction is rolled back, new mail is told 452 or 451, and settlements, which
 * must not be lost because the delivery has happened, are kept and tried again every second. While it lasts nothing
 * is claimed. A damaged database is not written to any more until the relay is started again.
 *
 * A transaction that names a recipient with an outcome is refused alone; the others of its group are committed.
 */
#include "gateway/queue/queue_writer.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/queue/queue_batch.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_files.h"
#include "gateway/queue/queue_purge.h"
#include "gateway/queue/queue_store.h"
#include "gateway/queue/queue_trouble.h"

enum {
	GROUP_ITEMS = 512,
	GROUP_OCTETS = 8 << 20, /* bodies in one transaction: bounds the dirty pages */
	TROUBLE_PAUSE_MS = 1000,
	UNSYNCED_MS = 15000, /* so long after a failed sync clients are told what is wrong; then the process ends */
};

struct queue_writer {
	struct queue_writer_config cfg;
	char *dir;
	struct queue_store store;
	struct queue_batch batch;
	struct queue_purge purge;
	int64_t last_began_ns, last_ended_ns; /* of the last commit, monotonic; writer thread, as all above */
	int64_t purge_at_ns;
	int page, wal_pages, checkpointed_pages; /* page: octets of one */

	pthread_mutex_t lock; /* for what follows */
	pthread_cond_t work, called;
	struct queue_item *first, **end;
	size_t awaited; /* of them */
	long expected;	/* not among them yet */
	bool started, stop, reader_damaged;
	bool napping;		      /* the writer waits for more, and for nothing that somebody waits for */
	struct queue_trouble trouble; /* what the last commit met */
	int64_t unsynced_ns;	      /* when a sync failed; 0 none did */
	uint64_t commits;
	pthread_t thread;
};

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

static struct timespec at_ns(int64_t ns)
{
	return (struct timespec){.tv_sec = ns / INT64_C(1000000000), .tv_nsec = ns % INT64_C(1000000000)};
}

/* Does somebody wait for it: a client for its 250, the admin? Not for what became of a recipient. */
static bool is_awaited(const struct queue_item *it)
{
	return it->call || (!it->run && it->tx.nsettles == 0);
}

/* ---- trouble ---- */

/* Until the next start nothing is written any more. */
static bool is_over(enum queue_trouble_kind kind)
{
	return kind == QUEUE_TROUBLE_DAMAGED || kind == QUEUE_TROUBLE_UNSYNCED;
}

/* The kind is written by this thread alone, under the lock. */
static void set_trouble(struct queue_writer *w, const struct queue_trouble *t)
{
	enum queue_trouble_kind before = w->trouble.kind;

	pthread_mutex_lock(&w->lock);
	if (!is_over(before))
		w->trouble = *t;
	if (!is_over(before) && t->kind == QUEUE_TROUBLE_UNSYNCED) {
		w->unsynced_ns = now_ns();
		w->purge_at_ns = w->unsynced_ns + UNSYNCED_MS * INT64_C(1000000);
	}
	if (t->kind == QUEUE_TROUBLE_LOCKED) /* looked at again soon, also when nobody has anything to write */
		w->purge_at_ns = now_ns() + TROUBLE_PAUSE_MS * INT64_C(1000000);
	pthread_mutex_unlock(&w->lock);
	if (before == w->trouble.kind)
		return;
	if (w->trouble.kind)
		log_error(
		    NULL, "queue", "alarm=%s why=\"%s\"", queue_trouble_word(w->trouble.kind), w->trouble.pr.text);
	else
		log_info(NULL, "queue", "queue-writable after=%s", queue_trouble_word(before));
}

/* Also when a reader has met damage. */
static bool may_not_write(struct queue_writer *w)
{
	struct queue_trouble t;

	pthread_mutex_lock(&w->lock);

	bool told = w->reader_damaged;

	pthread_mutex_unlock(&w->lock);
	if (told && !is_over(w->trouble.kind)) {
		queue_trouble_damaged(&t, w->cfg.dir, "found while reading");
		set_trouble(w, &t);
	}
	return is_over(w->trouble.kind);
}

static void unsynced(struct queue_writer *w, const char *why)
{
	struct queue_trouble t;

	queue_trouble_unsynced(&t, w->cfg.dir, why);
	set_trouble(w, &t);
}

bool queue_writer_in_trouble(struct queue_writer *w, struct problem *pr)
{
	pthread_mutex_lock(&w->lock);

	bool in = w->trouble.kind != QUEUE_TROUBLE_NONE;

	if (in && pr)
		*pr = w->trouble.pr;
	pthread_mutex_unlock(&w->lock);
	return in;
}

void queue_writer_reader_failed(struct queue_writer *w, int rc)
{
	log_error(NULL, "queue", "read-failed error=\"%s\"", sqlite3_errstr(rc));
	if ((rc & 0xff) != SQLITE_CORRUPT && (rc & 0xff) != SQLITE_NOTADB)
		return;
	pthread_mutex_lock(&w->lock);
	w->reader_damaged = true;
	w->purge_at_ns = 0; /* the writer says it at once */
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

/* ---- the group ---- */

static uint64_t weight(const struct queue_item *it)
{
	uint64_t n = 0;
	size_t in_memory;

	for (size_t i = 0; i < it->tx.nmsgs; i++)
		if (it->tx.msgs[i].content && spool_sealed(it->tx.msgs[i].content, &in_memory))
			n += in_memory;
	return n;
}

/* The first items that wait, as many as make one transaction. lock held. */
static struct queue_item *cut_group(struct queue_writer *w)
{
	struct queue_item *first = w->first, **at = &first;
	uint64_t octets = 0;

	for (size_t n = 0; *at && n < GROUP_ITEMS && octets < GROUP_OCTETS; n++) {
		octets += weight(*at);
		w->awaited -= is_awaited(*at);
		at = &(*at)->next;
	}
	w->first = *at;
	*at = NULL;
	if (!w->first)
		w->end = &w->first;
	return first;
}

static bool has_open(const struct queue_msg *m)
{
	for (size_t i = 0; i < m->nrcpts; i++)
		if (m->rcpts[i].state != QUEUE_DONE)
			return true;
	return false;
}

static bool is_filed(const struct queue_msg *m)
{
	return m->content && spool_fd(m->content) >= 0 && has_open(m);
}

static void refuse_cancelled(struct queue_item *it)
{
	problem_temp(queue_item_refuse(it), "the client went away before the message was stored");
}

/* Step 1 for one item. Its client may have gone away meanwhile: looked for here, right before the commit (P2, RFC
 * 1047). */
static bool is_cancelled(struct queue_item *it)
{
	if (!it->tx.cancel || atomic_load(it->tx.cancel) != QUEUE_ITEM_CANCELLED)
		return false;
	refuse_cancelled(it);
	return true;
}

static void keep_item(struct queue_writer *w, struct queue_item *it)
{
	if (is_cancelled(it))
		return;
	for (size_t i = 0; i < it->tx.nmsgs; i++) {
		struct problem pr;
		int err;

		if (!is_filed(&it->tx.msgs[i]))
			continue;
		err = queue_files_keep(w->cfg.spool_fd, spool_fd(it->tx.msgs[i].content), it->numbers[i], &pr);
		if (err == QUEUE_FILES_UNSYNCED)
			unsynced(w, pr.text);
		if (err) {
			*queue_item_refuse(it) = err == QUEUE_FILES_UNSYNCED ? w->trouble.pr : pr;
			return;
		}
		queue_batch_add(&w->batch.made, it->numbers[i]);
	}
}

static void keep_files(struct queue_writer *w, struct queue_item *group)
{
	struct problem pr;

	for (struct queue_item *it = group; it && !is_over(w->trouble.kind); it = it->next)
		if (!it->call)
			keep_item(w, it);
	if (w->batch.made.n && !is_over(w->trouble.kind) && queue_files_sync(w->cfg.spool_fd, &pr))
		unsynced(w, pr.text);
}

/* ---- the transaction ---- */

static void fail(struct queue_writer *w, const char *what)
{
	log_fatal(
	    "queue database: %s: %s (%d)", what, sqlite3_errmsg(w->cfg.db), sqlite3_extended_errcode(w->cfg.db));
}

static int apply(struct queue_writer *w, struct queue_item *group)
{
	int rc = SQLITE_OK;

	for (struct queue_item *it = group; it && rc == SQLITE_OK; it = it->next) {
		/* the disk may have taken its time since keep_item: from here on it is no longer cancelled, and
		 * whoever wants to learns that (queue_cancel) */
		if (!it->err && queue_item_begin(it))
			refuse_cancelled(it);
		else if (it->call)
			rc = it->call->run(it->call, &w->batch);
		else if (!it->err)
			rc = queue_store_apply(&w->store, &w->batch, it);
		if (!it->err || it->call)
			continue;
		for (size_t i = 0; i < it->tx.nmsgs; i++)
			if (is_filed(&it->tx.msgs[i]))
				queue_batch_add(&w->batch.gone, it->numbers[i]);
	}
	return rc;
}

/*
 * Step 2. 0: committed and synced. -1: rolled back, without a sync having been tried (no room, not writable, damaged:
 * w->trouble) or because it failed, which is SQLITE_IOERR_FSYNC even when the disk is full: then the log's file may
 * have what was rolled back, and when it cannot be cut (give_up) its clients, told 451, bring it twice.
 */
static int commit(struct queue_writer *w, struct queue_item *group)
{
	struct queue_trouble t;
	int rc;

	w->last_began_ns = now_ns();
	rc = queue_db_exec(w->cfg.db, "BEGIN IMMEDIATE"); /* waits for some seconds when somebody else writes */

	if (rc == SQLITE_OK)
		rc = apply(w, group);
	if (rc == SQLITE_OK)
		rc = queue_db_exec(w->cfg.db, "COMMIT");
	w->last_ended_ns = now_ns();
	if ((rc & 0xff) == SQLITE_CONSTRAINT)
		log_panic("queue database: %s", sqlite3_errmsg(w->cfg.db));
	if (rc == SQLITE_OK)
		return 0;
	if (queue_trouble_of(&t, w->cfg.db, w->cfg.dir) == QUEUE_TROUBLE_FATAL)
		fail(w, "commit");
	if (!sqlite3_get_autocommit(w->cfg.db) && queue_db_exec(w->cfg.db, "ROLLBACK") != SQLITE_OK)
		fail(w, "rollback");
	set_trouble(w, &t);
	return -1;
}

/* ---- after it ---- */

static void finish_calls(struct queue_writer *w, struct queue_item *group)
{
	pthread_mutex_lock(&w->lock);
	for (struct queue_item *it = group; it; it = it->next)
		it->call->finished = true;
	pthread_cond_broadcast(&w->called);
	pthread_mutex_unlock(&w->lock);
}

/* Items of calls that are waited for belong to who waits, and may be gone as soon as finish_calls lets go; the others
 * go to the loop. */
static void hand_back(struct queue_writer *w, struct queue_item *group)
{
	struct queue_item *calls = NULL, *txs = NULL, **txs_end = &txs;

	for (struct queue_item *it = group, *next; it; it = next) {
		next = it->next;
		if (it->call && it->call->waited_for) {
			it->next = calls;
			calls = it;
		} else {
			it->next = NULL;
			*txs_end = it;
			txs_end = &it->next;
		}
	}
	queue_box_put(w->cfg.box, txs);
	if (calls)
		finish_calls(w, calls);
}

/* It cannot be written: settlements go back to the front, in order, unless we are stopping; everything else is
 * refused.
 */
static void sort_out(struct queue_writer *w, struct queue_item *group)
{
	struct queue_item *refused = NULL, **refused_end = &refused, *kept = NULL, **kept_end = &kept;
	size_t awaited = 0;

	pthread_mutex_lock(&w->lock);

	bool again = !w->stop;

	pthread_mutex_unlock(&w->lock);
	for (struct queue_item *it = group, *next; it; it = next) {
		next = it->next;
		it->next = NULL;
		if (again && !it->call && !it->err && it->tx.nmsgs == 0) {
			*kept_end = it;
			kept_end = &it->next;
			awaited += is_awaited(it);
			continue;
		}
		if (it->call || !it->err)
			*queue_item_refuse(it) = w->trouble.pr;
		*refused_end = it;
		refused_end = &it->next;
	}
	if (kept) {
		pthread_mutex_lock(&w->lock);
		*kept_end = w->first;
		w->awaited += awaited;
		if (!w->first)
			w->end = kept_end;
		w->first = kept;
		pthread_mutex_unlock(&w->lock);
	}
	hand_back(w, refused);
}

static void run_group(struct queue_writer *w, struct queue_item *group)
{
	queue_batch_reset(&w->batch, queue_clock_ms(w->cfg.clock));
	keep_files(w, group);

	bool over = may_not_write(w);

	if (over) /* what waits is looked at again after a pause, as if it had been tried */
		w->last_ended_ns = now_ns();
	if (!over && commit(w, group) == 0) {
		queue_batch_committed(&w->batch);
		set_trouble(w, &(struct queue_trouble){0});
		pthread_mutex_lock(&w->lock);
		w->commits++;
		pthread_mutex_unlock(&w->lock);
		hand_back(w, group);
		return;
	}
	queue_batch_undone(&w->batch);
	sort_out(w, group);
}

/* ---- checkpoints ---- */

static int note_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
	struct queue_writer *w = ctx;

	(void)db;
	(void)name;
	w->wal_pages = pages;
	return SQLITE_OK;
}

/*
 * Carries the log into the database in small steps (64 MiB at once: stalls of 70 ms). PASSIVE waits for no reader;
 * the log starts anew by itself when all of it was carried over. While a reader keeps it from that, the next try
 * comes after as much again.
 */
static void checkpoint(struct queue_writer *w)
{
	if (w->wal_pages < w->checkpointed_pages)
		w->checkpointed_pages = 0;
	if ((int64_t)(w->wal_pages - w->checkpointed_pages) * w->page < w->cfg.set->checkpoint)
		return;

	int rc = sqlite3_wal_checkpoint_v2(w->cfg.db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);

	w->checkpointed_pages = w->wal_pages;
	if (rc == SQLITE_OK || rc == SQLITE_BUSY)
		return;

	/* what was not carried over stays in the log, which is as durable */
	struct queue_trouble t;

	if (queue_trouble_of(&t, w->cfg.db, w->cfg.dir) == QUEUE_TROUBLE_FATAL)
		fail(w, "checkpoint");
	log_warn(NULL, "queue", "checkpoint-put-off why=\"%s\"", t.pr.text);
	if (is_over(t.kind))
		set_trouble(w, &t);
}

/* A disk that did not sync may do so again: the next process looks. What was rolled back does not come to life there
 * when the log can be carried over without it and cut now. */
static void give_up(struct queue_writer *w)
{
	w->purge_at_ns = w->unsynced_ns + UNSYNCED_MS * INT64_C(1000000);
	if (now_ns() < w->purge_at_ns)
		return;
	sqlite3_wal_checkpoint_v2(w->cfg.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	log_fatal("%s", w->trouble.pr.text);
}

/* ---- the thread ---- */

static void purge_now(struct queue_writer *w)
{
	struct queue_call call;
	struct queue_item item = {.call = &call};

	queue_purge_call(&w->purge, &call);
	call.waited_for = true;
	run_group(w, &item);
	if (w->trouble.kind != QUEUE_TROUBLE_LOCKED && !w->unsynced_ns)
		w->purge_at_ns = now_ns() + queue_purge_wait_ms(&w->purge) * INT64_C(1000000);
}

/*
 * When the next commit may begin. More may join while the gap passes, so that one sync serves many: outcomes, which
 * nobody waits for, give way to clients; clients wait while more of them are known to be on their way than are here.
 * A lone message waits for nothing. lock held.
 */
static int64_t commit_at_ns(const struct queue_writer *w)
{
	int64_t gap = w->cfg.set->commit_gap * INT64_C(1000000);

	if (w->trouble.kind)
		return w->last_ended_ns + TROUBLE_PAUSE_MS * INT64_C(1000000);
	if (w->awaited == 0)
		return w->last_ended_ns + gap;
	return (long)w->awaited >= w->expected ? 0 : w->last_began_ns + gap;
}

static void wait_for_gap(struct queue_writer *w)
{
	int64_t at;

	while (!w->stop && now_ns() < (at = commit_at_ns(w))) {
		struct timespec until = at_ns(at);

		w->napping = true;
		pthread_cond_timedwait(&w->work, &w->lock, &until);
	}
	w->napping = false;
}

/* Waits for work. NULL: there is none and it is time to purge, or to stop (*stop_r). */
static struct queue_item *wait_for_group(struct queue_writer *w, bool *stop_r)
{
	struct timespec until = at_ns(w->purge_at_ns);
	struct queue_item *group = NULL;

	pthread_mutex_lock(&w->lock);
	while (!w->first && !w->stop && now_ns() < w->purge_at_ns)
		pthread_cond_timedwait(&w->work, &w->lock, &until);
	*stop_r = w->stop && !w->first;

	if (w->first)
		wait_for_gap(w);
	if (w->first)
		group = cut_group(w);
	pthread_mutex_unlock(&w->lock);
	return group;
}

static void *run(void *ctx)
{
	struct queue_writer *w = ctx;
	bool stop = false;

	while (!stop) {
		struct queue_item *group = wait_for_group(w, &stop);

		if (group)
			run_group(w, group);
		else if (!stop && !w->unsynced_ns)
			purge_now(w);
		if (w->unsynced_ns)
			give_up(w);
		else
			checkpoint(w);
	}
	return NULL;
}

void queue_writer_start(struct queue_writer *w)
{
	sigset_t all, old;

	pthread_mutex_lock(&w->lock);
	if (!w->started) {
		/* signals are the loop's */
		sigfillset(&all);
		pthread_sigmask(SIG_SETMASK, &all, &old);
		if (pthread_create(&w->thread, NULL, run, w))
			log_fatal("the queue's writer thread cannot be started");
		pthread_sigmask(SIG_SETMASK, &old, NULL);
		w->started = true;
	}
	pthread_mutex_unlock(&w->lock);
}

struct queue_writer *queue_writer_new(const struct queue_writer_config *c)
{
	struct queue_writer *w = mem_new(sizeof *w);
	pthread_condattr_t monotonic;

	w->cfg = *c;
	w->cfg.dir = w->dir = mem_str(c->dir);
	w->end = &w->first;
	pthread_mutex_init(&w->lock, NULL);
	pthread_condattr_init(&monotonic);
	pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
	pthread_cond_init(&w->work, &monotonic);
	pthread_condattr_destroy(&monotonic);
	pthread_cond_init(&w->called, NULL);
	w->page = queue_db_page(c->db);
	queue_store_init(&w->store, c->db);
	queue_purge_init(&w->purge, c->db, c->set);
	queue_batch_init(&w->batch, c->db, &w->store, c->due, c->spool_fd);
	sqlite3_wal_hook(c->db, note_wal, w);
	w->purge_at_ns = now_ns() + queue_purge_wait_ms(&w->purge) * INT64_C(1000000);
	return w;
}

static void close_db(struct queue_writer *w)
{
	queue_store_clear(&w->store);
	queue_purge_clear(&w->purge);
	queue_batch_clear(&w->batch);

	int rc = sqlite3_wal_checkpoint_v2(w->cfg.db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);

	/* not carried over: it stays in the log, which is as durable */
	if (rc != SQLITE_OK)
		log_warn(NULL, "queue", "last-checkpoint error=\"%s\"", sqlite3_errmsg(w->cfg.db));
	REQUIRE(sqlite3_close(w->cfg.db) == SQLITE_OK);
}

void queue_writer_free(struct queue_writer *w)
{
	if (!w)
		return;
	pthread_mutex_lock(&w->lock);
	w->stop = true;
	pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
	if (w->started)
		pthread_join(w->thread, NULL);
	close_db(w);
	pthread_cond_destroy(&w->work);
	pthread_cond_destroy(&w->called);
	pthread_mutex_destroy(&w->lock);
	free(w->dir);
	free(w);
}

void queue_writer_expect(struct queue_writer *w, int more)
{
	pthread_mutex_lock(&w->lock);
	w->expected += more;
	pthread_mutex_unlock(&w->lock);
}

void queue_writer_add(struct queue_writer *w, struct queue_item *it)
{
	queue_writer_start(w);
	pthread_mutex_lock(&w->lock);
	REQUIRE(!w->stop);
	it->next = NULL;
	*w->end = it;
	w->end = &it->next;
	w->awaited += is_awaited(it);
	if (!w->napping || is_awaited(it))
		pthread_cond_signal(&w->work);
	pthread_mutex_unlock(&w->lock);
}

int queue_writer_call(struct queue_writer *w, struct queue_call *c)
{
	struct queue_item item = {.call = c};

	c->err = c->finished = 0;
	c->waited_for = true;
	queue_writer_add(w, &item);
	pthread_mutex_lock(&w->lock);
	while (!c->finished)
		pthread_cond_wait(&w->called, &w->lock);
	pthread_mutex_unlock(&w->lock);
	return c->err;
}

long queue_writer_purge(struct queue_writer *w, struct problem *pr)
{
	struct queue_call call;
	long removed = 0;

	do {
		queue_purge_call(&w->purge, &call);
		if (queue_writer_call(w, &call)) {
			if (pr)
				*pr = call.pr;
			return -1;
		}
		removed += call.count;
	} while (call.more);
	return removed;
}

uint64_t queue_writer_commits(struct queue_writer *w)
{
	pthread_mutex_lock(&w->lock);

	uint64_t n = w->commits;

	pthread_mutex_unlock(&w->lock);
	return n;
}
