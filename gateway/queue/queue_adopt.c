/*
 * Taking over. One connection on our database with the other one attached; a transaction writes to one of the two
 * only, for one that writes to both is not atomic over a power cut. Order of a batch: contents in files copied,
 * synced and named; our transaction (rows, and the numbers of the other queue in `adopted`); then the files are
 * removed there, then the rows. Ended anywhere in between, the next run finds the numbers in `adopted` and only
 * deletes.
 */
#include "gateway/queue/queue_adopt.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_files.h"
#include "gateway/queue/queue_number.h"

enum { BATCH = 64, SEALED_BATCH = 5000, PATH_ROOM = 4096, KEY_NAME = 4 };

struct adopt {
	sqlite3 *db;
	int spool, from_spool; /* descriptors */
	uid_t uid;	       /* our queue's owner: root does this */
	gid_t gid;
	int64_t source; /* the other queue's name */
	sqlite3_stmt *next, *taken, *used, *msg, *body, *rcpt, *held, *note, *has_body;
	sqlite3_stmt *drop_msg, *drop_body, *drop_rcpt, *drop_held;
	struct queue_adopted *n;
};

static int failed(struct adopt *a, const char *what, struct problem *pr)
{
	return problem_temp(
	    pr, "%s: %s; mend it and give the command again, it goes on where it ended", what, sqlite3_errmsg(a->db));
}

static int exec(struct adopt *a, const char *sql, struct problem *pr)
{
	return sqlite3_exec(a->db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0
								       : failed(a, "the queue cannot be written", pr);
}

/* ---- may it be taken at all ---- */

/* The keeper's key that a stored data key hangs on, by its name: octets 2 to 5 of what datakeys.h stores. */
#define KEY_NAMES "SELECT DISTINCT hex(substr(wrapped, 3, 4)) FROM "

static int64_t ask(struct adopt *a, const char *sql)
{
	sqlite3_stmt *st = queue_db_prepare(a->db, sql);
	int64_t n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int64(st, 0) : -1;

	sqlite3_finalize(st);
	return n;
}

static int check_keys(struct adopt *a, const char *dir, const char *from, struct problem *pr)
{
	if (ask(a, "SELECT count(*) FROM other.rcpt WHERE state <> 3") == 0)
		return 0;
	if (ask(a, "SELECT count(*) FROM main.msg WHERE length(wrapped) > 6") == 0)
		return problem_perm(pr,
		    "%s has never had a message, so that the name of this node's queue key is not known: start the "
		    "gateway, "
		    "send one message through it, stop it, and give the command again",
		    dir);

	int64_t foreign = ask(a, "SELECT count(*) FROM other.msg WHERE EXISTS (SELECT 1 FROM other.rcpt WHERE"
				 " rcpt.id >= msg.id << 16 AND rcpt.id < (msg.id + 1) << 16 AND state <> 3)"
				 " AND hex(substr(wrapped, 3, 4)) NOT IN (" KEY_NAMES "main.msg)");

	if (foreign == 0)
		return 0;
	if (foreign < 0)
		return failed(a, "the other queue cannot be read", pr);
	return problem_perm(pr,
	    "%lld messages in %s are sealed under the queue key of another node, which this node's keeper cannot "
	    "open: put the "
	    "other node's keys in place with `postern restore`, or start a gateway with its data directory and let "
	    "it deliver",
	    (long long)foreign, from);
}

/* ---- one message ---- */

static int copy_octets(int in, int out)
{
	char block[65536];

	for (;;) {
		ssize_t n = read(in, block, sizeof block);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return (int)n;
		for (ssize_t done = 0; done < n;) {
			ssize_t k = write(out, block + done, (size_t)(n - done));

			if (k < 0 && errno == EINTR)
				continue;
			if (k <= 0)
				return -1;
			done += k;
		}
	}
}

/* A file of that number is what an earlier run left before its commit: no message has the number. Content that is
 * gone there is gone here; its message is held when it is tried. */
static int copy_file(struct adopt *a, int64_t old, int64_t number, struct problem *pr)
{
	int in = queue_files_read(a->from_spool, old, pr);

	if (in < 0 && pr->cls == PROBLEM_PERM)
		return 0;
	if (in < 0)
		return -1;

	int out = openat(a->spool, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0600), rc = -1;

	queue_files_remove(a->spool, number);
	if (out < 0 || copy_octets(in, out) || (geteuid() == 0 && fchown(out, a->uid, a->gid)))
		problem_temp(pr, "the content of a message cannot be copied: %s; mend it and give the command again",
		    strerror(errno));
	else
		rc = queue_files_keep(a->spool, out, number, pr);
	if (out >= 0)
		close(out);
	close(in);
	return rc;
}

static int step(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc;
}

/* The first number of the same time that is free: the mail does not become younger. */
static int64_t free_number(struct adopt *a, int64_t number)
{
	for (;; number++) {
		sqlite3_bind_int64(a->used, 1, number);
		if (step(a->used) != SQLITE_ROW)
			return number;
	}
}

static void bind2(sqlite3_stmt *st, int64_t x, int64_t y)
{
	sqlite3_bind_int64(st, 1, x);
	sqlite3_bind_int64(st, 2, y);
}

static int take(struct adopt *a, int64_t old, struct problem *pr)
{
	int64_t number = free_number(a, old);

	sqlite3_bind_int64(a->has_body, 1, old);
	if (step(a->has_body) != SQLITE_ROW && copy_file(a, old, number, pr))
		return -1;
	bind2(a->msg, old, number);
	bind2(a->body, old, number);
	bind2(a->rcpt, old, number);
	bind2(a->held, old, number);
	bind2(a->note, a->source, old);
	if (step(a->msg) != SQLITE_DONE || step(a->body) != SQLITE_DONE || step(a->rcpt) != SQLITE_DONE ||
	    step(a->held) != SQLITE_DONE || step(a->note) != SQLITE_DONE)
		return failed(a, "a message cannot be stored", pr);
	return 0;
}

static int drop(struct adopt *a, int64_t old, struct problem *pr)
{
	sqlite3_bind_int64(a->drop_msg, 1, old);
	sqlite3_bind_int64(a->drop_body, 1, old);
	sqlite3_bind_int64(a->drop_rcpt, 1, old);
	sqlite3_bind_int64(a->drop_held, 1, old);
	if (step(a->drop_msg) != SQLITE_DONE || step(a->drop_body) != SQLITE_DONE ||
	    step(a->drop_rcpt) != SQLITE_DONE || step(a->drop_held) != SQLITE_DONE)
		return failed(a, "a message that was taken over cannot be removed from the other queue", pr);
	return 0;
}

/* ---- batches ---- */

static int take_batch(struct adopt *a, const int64_t *old, int n, struct problem *pr)
{
	struct queue_adopted counted = *a->n;

	if (exec(a, "BEGIN IMMEDIATE", pr))
		return -1;
	for (int i = 0; i < n; i++) {
		bind2(a->taken, a->source, old[i]);
		if (step(a->taken) == SQLITE_ROW) {
			counted.before++;
			continue;
		}
		if (take(a, old[i], pr)) {
			sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
			return -1;
		}
		counted.messages++;
	}
	if (queue_files_sync(a->spool, pr)) {
		sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
		return -1;
	}
	if (exec(a, "COMMIT", pr))
		return -1;
	*a->n = counted;
	return 0;
}

/* The files first: ended here, the next run still finds the rows, and with them what to remove. */
static int drop_batch(struct adopt *a, const int64_t *old, int n, struct problem *pr)
{
	for (int i = 0; i < n; i++)
		queue_files_remove(a->from_spool, old[i]);
	if (exec(a, "BEGIN", pr))
		return -1;
	for (int i = 0; i < n; i++)
		if (drop(a, old[i], pr)) {
			sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
			return -1;
		}
	return exec(a, "COMMIT", pr);
}

static int messages(struct adopt *a, struct problem *pr)
{
	int64_t old[BATCH], last = -1;
	int n, rc = SQLITE_DONE;

	do {
		sqlite3_bind_int64(a->next, 1, last);
		for (n = 0; n < BATCH && (rc = sqlite3_step(a->next)) == SQLITE_ROW; n++)
			last = old[n] = sqlite3_column_int64(a->next, 0);
		sqlite3_reset(a->next);
		if (n < BATCH && rc != SQLITE_DONE)
			return failed(a, "the other queue cannot be read", pr);
		if (n > 0 && (take_batch(a, old, n, pr) || drop_batch(a, old, n, pr)))
			return -1;
	} while (n > 0);
	return 0;
}

/* Replies to what the dead node sealed must be sealed here too. Twice is as good as once. */
static int sealed_ids(struct adopt *a, struct problem *pr)
{
	sqlite3_stmt *end = queue_db_prepare(a->db,
	    "SELECT max(hash), count(*) FROM (SELECT hash FROM other.sealed WHERE hash > ?1 ORDER BY hash LIMIT ?2)");
	sqlite3_stmt *copy = queue_db_prepare(a->db,
	    "INSERT INTO main.sealed (hash, at) SELECT hash, at FROM other.sealed WHERE hash > ?1 AND hash <= ?2"
	    " ON CONFLICT (hash) DO UPDATE SET at = max(at, excluded.at)");
	int64_t from = -1, to = 0, n = 1;
	int rc = SQLITE_DONE;

	while (n > 0 && rc == SQLITE_DONE) {
		bind2(end, from, SEALED_BATCH);
		n = sqlite3_step(end) == SQLITE_ROW ? sqlite3_column_int64(end, 1) : 0;
		to = sqlite3_column_int64(end, 0);
		sqlite3_reset(end);
		bind2(copy, from, to);
		if (n > 0)
			rc = step(copy);
		a->n->sealed_ids += n;
		from = to;
	}
	sqlite3_finalize(end);
	sqlite3_finalize(copy);
	return rc == SQLITE_DONE ? 0 : failed(a, "the Message-IDs of sealed mail cannot be stored", pr);
}

/* ---- all of it ---- */

#define OPEN_RCPT                                                                                                    \
	"EXISTS (SELECT 1 FROM other.rcpt WHERE rcpt.id >= msg.id << 16 AND rcpt.id < (msg.id + 1) << 16 AND state " \
	"<> 3)"

static void prepare(struct adopt *a)
{
	static const char *const sql[] = {
	    "SELECT id FROM other.msg WHERE id > ?1 AND " OPEN_RCPT " ORDER BY id",
	    "SELECT 1 FROM main.adopted WHERE source = ?1 AND number = ?2",
	    "SELECT 1 FROM main.msg WHERE id = ?1",
	    "INSERT INTO main.msg (id, kind, size, sender, trace, facts, message_id, wrapped, flags, ret, envid) "
	    "SELECT ?2,"
	    " kind, size, sender, trace, facts, message_id, wrapped, flags, ret, envid FROM other.msg WHERE id = ?1",
	    "INSERT INTO main.body (msg, sealed) SELECT ?2, sealed FROM other.body WHERE msg = ?1",
	    "INSERT INTO main.rcpt (id, address, nexthop, state, outcome, attempts, released, warned, next_at, "
	    "changed,"
	    " reason, remote, status, treatment, notify, orcpt) SELECT ?2 << 16 | (id & 65535), address, nexthop, "
	    "state,"
	    " outcome, attempts, released, warned, next_at, changed, reason, remote, status, treatment, notify, orcpt"
	    " FROM other.rcpt WHERE id >= ?1 << 16 AND id < (?1 + 1) << 16",
	    "INSERT INTO main.held (rcpt, waits, waits_for, again_at, since, tries, client, domain)"
	    " SELECT ?2 << 16 | (rcpt & 65535), waits, waits_for, again_at, since, tries, client, domain"
	    " FROM other.held WHERE rcpt >= ?1 << 16 AND rcpt < (?1 + 1) << 16",
	    "INSERT INTO main.adopted (source, number) VALUES (?1, ?2)",
	    "SELECT 1 FROM other.body WHERE msg = ?1",
	    "DELETE FROM other.msg WHERE id = ?1",
	    "DELETE FROM other.body WHERE msg = ?1",
	    "DELETE FROM other.rcpt WHERE id >= ?1 << 16 AND id < (?1 + 1) << 16",
	    "DELETE FROM other.held WHERE rcpt >= ?1 << 16 AND rcpt < (?1 + 1) << 16",
	};
	sqlite3_stmt **to[] = {&a->next, &a->taken, &a->used, &a->msg, &a->body, &a->rcpt, &a->held, &a->note,
	    &a->has_body, &a->drop_msg, &a->drop_body, &a->drop_rcpt, &a->drop_held};

	for (size_t i = 0; i < sizeof to / sizeof to[0]; i++)
		*to[i] = queue_db_prepare(a->db, sql[i]);
}

static void finish(struct adopt *a)
{
	sqlite3_stmt *all[] = {a->next, a->taken, a->used, a->msg, a->body, a->rcpt, a->held, a->note, a->has_body,
	    a->drop_msg, a->drop_body, a->drop_rcpt, a->drop_held};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		sqlite3_finalize(all[i]);
}

/* The other database is opened as a queue first: its owner, version and small size of damage are looked at there. */
static int attach(struct adopt *a, const char *from, struct problem *pr)
{
	sqlite3 *other = queue_db_open(from, pr);
	char path[PATH_ROOM];
	sqlite3_stmt *st;
	int rc;

	if (!other)
		return -1;
	sqlite3_close(other);
	snprintf(path, sizeof path, "%s/queue.db", from);
	st = queue_db_prepare(a->db, "ATTACH ?1 AS other");
	queue_db_text(st, 1, path);
	rc = sqlite3_step(st);
	sqlite3_finalize(st);
	return rc == SQLITE_DONE ? exec(a, "PRAGMA other.synchronous=FULL", pr)
				 : failed(a, "the other queue cannot be opened", pr);
}

static int run(struct adopt *a, const char *dir, const char *from, struct problem *pr)
{
	if (attach(a, from, pr))
		return -1;
	a->source = ask(a, "SELECT name FROM other.self");
	if (a->source == ask(a, "SELECT name FROM main.self"))
		return problem_perm(pr, "%s is a copy of this very queue: what waits in it waits here too", from);
	if (check_keys(a, dir, from, pr))
		return -1;
	prepare(a);
	/* what is taken over is older than what the index says it has: it is made anew from the record when it is
	 * needed */
	if (exec(a, "DELETE FROM main.sent", pr)) {
		finish(a);
		return -1;
	}

	int64_t before = ask(a, "SELECT count(*) FROM main.rcpt WHERE state <> 3");
	int rc = messages(a, pr) ? -1 : sealed_ids(a, pr);

	a->n->recipients = ask(a, "SELECT count(*) FROM main.rcpt WHERE state <> 3") - before;
	finish(a);
	return rc;
}

static int with_locks(struct adopt *a, const char *dir, const char *from, struct problem *pr)
{
	struct stat st;
	int rc = -1;

	if (stat(dir, &st) == 0) {
		a->uid = st.st_uid;
		a->gid = st.st_gid;
	}
	a->spool = queue_files_open(dir, pr);
	a->from_spool = a->spool < 0 ? -1 : queue_files_open(from, pr);
	a->db = a->from_spool < 0 ? NULL : queue_db_open(dir, pr);
	if (a->db)
		rc = run(a, dir, from, pr);
	sqlite3_close(a->db);
	if (a->from_spool >= 0)
		close(a->from_spool);
	if (a->spool >= 0)
		close(a->spool);
	return rc;
}

static int is_queue(const char *dir, struct problem *pr)
{
	char path[PATH_ROOM];

	if (snprintf(path, sizeof path, "%s/queue.db", dir) >= (int)sizeof path)
		return problem_perm(pr, "the queue directory's name is too long");
	if (access(path, R_OK | W_OK))
		return problem_perm(pr, "%s: %s; give the directory that has queue.db and spool/ in it, as root",
		    path, strerror(errno));
	return 0;
}

int queue_adopt(const char *dir, const char *from, struct queue_adopted *n, struct problem *pr)
{
	struct adopt a = {.n = n};
	int rc = -1, lock, from_lock = -1;

	*n = (struct queue_adopted){0};
	if (is_queue(dir, pr) || is_queue(from, pr))
		return -1;
	lock = queue_db_lock(dir, pr);
	if (lock >= 0)
		from_lock = queue_db_lock(from, pr);
	if (from_lock >= 0)
		rc = with_locks(&a, dir, from, pr);
	if (from_lock >= 0)
		close(from_lock);
	if (lock >= 0)
		close(lock);
	return rc;
}
