/*
 * The queue's database file. relay. SQLite in WAL mode with synchronous=FULL: each commit is synced before it
 * returns, and the promise P2 rests on that.
 *
 *  msg     one message's envelope; its number says when it came (queue_number.h); flags: QUEUE_STORE_BODY8 ...
 *  body    its sealed content up to memory-max; larger content is a file in spool/. A table of its own, because an
 * UPDATE writes a whole row anew rcpt    one recipient; rows of a message are neighbours (number << 16 | place).
 * State "active" is never stored (queue_active.h)
 *  held    what each held recipient waits for, and from whom it came (held-share)
 *  sealed  Message-IDs of sealed mail, as 63 bits of their SHA-256: a
 * false match seals a mail that need not be, the safe way round
 *
 *  sent    where outbound mail is found by Message-ID or ENVID (queue_sent.h)
 *  report  what servers outside reported of a recipient; beside its outcome, which nothing changes
 *  about   message msg is a notice of ours, or a report from outside, about message of
 *  self    this queue's name, a random number
 *  adopted what was taken over from which other queue (queue_adopt.c)
 *
 * P6 stands in the schema: a done recipient has an outcome, no other has one, and a trigger refuses every further
 * change of it.
 */
#include "gateway/queue/queue_db.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "gateway/base/file.h"
#include "gateway/base/log.h"

enum { BUSY_MS = 5000, CHECKED_PAGES = 8192, PATH_ROOM = 4096 };

/* Step i brings a database of version i to i + 1. Never changed once released; new ones are added behind. */
static const char *const migrations[] = {
    "CREATE TABLE msg (id INTEGER PRIMARY KEY, kind INTEGER NOT NULL, size INTEGER NOT NULL, sender TEXT NOT NULL,"
    " trace TEXT NOT NULL, facts TEXT NOT NULL, message_id TEXT NOT NULL, wrapped BLOB NOT NULL,"
    " flags INTEGER NOT NULL DEFAULT 0, ret INTEGER NOT NULL DEFAULT 0, envid TEXT NOT NULL DEFAULT '');"
    "CREATE TABLE body (msg INTEGER PRIMARY KEY, sealed BLOB NOT NULL);"
    "CREATE TABLE rcpt (id INTEGER PRIMARY KEY, address TEXT NOT NULL, nexthop TEXT NOT NULL,"
    " state INTEGER NOT NULL CHECK (state IN (0, 2, 3)),"
    " outcome INTEGER NOT NULL CHECK ((state = 3) = (outcome <> 0)),"
    " attempts INTEGER NOT NULL DEFAULT 0, released INTEGER NOT NULL DEFAULT 0, warned INTEGER NOT NULL DEFAULT 0, "
    "next_at INTEGER NOT NULL,"
    " changed INTEGER NOT NULL, reason TEXT, remote TEXT, status TEXT, treatment TEXT,"
    " notify INTEGER NOT NULL DEFAULT 0, orcpt TEXT NOT NULL DEFAULT '');"
    "CREATE INDEX rcpt_held ON rcpt (state) WHERE state = 2;"
    "CREATE INDEX rcpt_due ON rcpt (nexthop, next_at) WHERE state = 0;"
    "CREATE TRIGGER rcpt_once BEFORE UPDATE ON rcpt WHEN OLD.state = 3"
    " BEGIN SELECT RAISE(ABORT, 'the recipient has its outcome'); END;"
    "CREATE TABLE sealed (hash INTEGER PRIMARY KEY, at INTEGER NOT NULL);"
    "CREATE TABLE self (name INTEGER NOT NULL);"
    "INSERT INTO self (name) VALUES (random());"
    "CREATE TABLE adopted (source INTEGER NOT NULL, number INTEGER NOT NULL, PRIMARY KEY (source, number)) WITHOUT "
    "ROWID;",
    "CREATE TABLE sent (run INTEGER PRIMARY KEY, upto INTEGER NOT NULL, at INTEGER NOT NULL, notes BLOB NOT NULL);"
    "CREATE TABLE report (rcpt INTEGER NOT NULL, via INTEGER NOT NULL, at INTEGER NOT NULL, action TEXT NOT NULL,"
    " mta TEXT NOT NULL, status TEXT NOT NULL, diagnostic TEXT NOT NULL, PRIMARY KEY (rcpt, via)) WITHOUT ROWID;"
    "CREATE TABLE about (of INTEGER NOT NULL, msg INTEGER NOT NULL, PRIMARY KEY (of, msg)) WITHOUT ROWID;"
    "CREATE INDEX about_msg ON about (msg);",
    /* what was held before waits for the admin, as it did; it came from nobody whose share it takes */
    "CREATE TABLE held (rcpt INTEGER PRIMARY KEY, waits INTEGER NOT NULL, waits_for TEXT NOT NULL,"
    " again_at INTEGER NOT NULL, since INTEGER NOT NULL, tries INTEGER NOT NULL, client TEXT, domain TEXT);"
    "CREATE INDEX held_again ON held (again_at) WHERE again_at > 0;"
    "CREATE INDEX held_waits ON held (waits, waits_for);"
    "CREATE INDEX held_since ON held (since);"
    "CREATE INDEX held_client ON held (client) WHERE client IS NOT NULL;"
    "CREATE INDEX held_domain ON held (domain) WHERE domain IS NOT NULL;"
    "INSERT INTO held SELECT id, 0, '', 0, changed, 0, NULL, NULL FROM rcpt WHERE state = 2;",
};

enum { VERSION = sizeof migrations / sizeof migrations[0] };

int queue_db_lock(const char *dir, struct problem *pr)
{
	struct flock whole = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_ROOM];

	if (file_mkdirs(dir, 0700, pr))
		return -1;
	if (snprintf(path, sizeof path, "%s/queue.lock", dir) >= (int)sizeof path)
		return problem_temp(pr, "the queue directory's name is too long");

	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return problem_temp(pr,
		    "%s: %s; the queue directory must be writable for the user Postern's relay runs as, on a file "
		    "system mounted read-write",
		    path, strerror(errno));
	if (fcntl(fd, F_OFD_SETLK, &whole)) {
		problem_temp(pr, "%s: the queue is in use by another process; stop the other Postern first", path);
		close(fd);
		return -1;
	}
	return fd;
}

/* ---- what is wrong with a database, in words ---- */

static int say(struct problem *pr, const char *path, sqlite3 *db, int rc)
{
	const char *why = db ? sqlite3_errmsg(db) : sqlite3_errstr(rc);

	switch (rc & 0xff) {
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return problem_temp(pr,
		    "%s is damaged (%.80s); stop Postern, keep a copy of the directory, mend it there "
		    "with " QUEUE_DB_MEND ", or move it away to start with an empty queue",
		    path, why);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
	case SQLITE_PERM:
		return problem_temp(pr,
		    "%s cannot be written (%s); it and its directory must belong to the user Postern's relay runs "
		    "as, on a file system mounted read-write",
		    path, why);
	case SQLITE_FULL:
		return problem_temp(pr, "%s: no room on the disk (%s); make some and start again", path, why);
	default:
		return problem_temp(pr, "%s cannot be opened: %s", path, why);
	}
}

static int exec(sqlite3 *db, const char *path, const char *sql, struct problem *pr)
{
	int rc = sqlite3_exec(db, sql, NULL, NULL, NULL);

	return rc == SQLITE_OK ? 0 : say(pr, path, db, rc);
}

/* The one number that a pragma answers. */
static int ask(sqlite3 *db, const char *path, const char *sql, int64_t *value_r, struct problem *pr)
{
	sqlite3_stmt *st = NULL;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		*value_r = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : say(pr, path, db, rc);
}

/* ---- opening ---- */

/* With the right mode from the start: the log and index files take theirs from it. */
static int make_file(const char *path, struct problem *pr)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return problem_temp(pr,
		    "%s: %s; the queue directory must be writable for the user Postern's relay runs as, on a file "
		    "system mounted read-write",
		    path, strerror(errno));
	close(fd);
	return 0;
}

static int check_owner(sqlite3 *db, const char *path, int64_t *version_r, struct problem *pr)
{
	int64_t app = 0, tables = 0;

	if (ask(db, path, "PRAGMA application_id", &app, pr) || ask(db, path, "PRAGMA user_version", version_r, pr) ||
	    ask(db, path, "SELECT count(*) FROM sqlite_master", &tables, pr))
		return -1;
	if (*version_r == 0 && tables == 0)
		return 0;
	if (app != strtoll(QUEUE_DB_APPLICATION, NULL, 10))
		return problem_temp(
		    pr, "%s is not a queue of Postern; move it away or set another queue directory", path);
	if (*version_r > VERSION)
		return problem_temp(pr,
		    "%s was made by a newer Postern (schema %lld, this one knows up to %d); run that version or "
		    "later, or restore a backup",
		    path, (long long)*version_r, VERSION);
	return 0;
}

static int migrate(sqlite3 *db, const char *path, int64_t version, struct problem *pr)
{
	char mark[96];

	for (; version < VERSION; version++) {
		snprintf(mark, sizeof mark,
		    "PRAGMA application_id=" QUEUE_DB_APPLICATION "; PRAGMA user_version=%lld; COMMIT",
		    (long long)version + 1);
		if (exec(db, path, "BEGIN IMMEDIATE", pr) || exec(db, path, migrations[version], pr) ||
		    exec(db, path, mark, pr))
			return -1;
		log_info(NULL, "queue", "schema version=%lld", (long long)version + 1);
	}
	return 0;
}

/* A whole look at a small database; a large one would take minutes, and its pages are checked as they are used. */
static int quick_check(sqlite3 *db, const char *path, struct problem *pr)
{
	int64_t pages = 0;
	sqlite3_stmt *st = NULL;

	if (ask(db, path, "PRAGMA page_count", &pages, pr))
		return -1;
	if (pages > CHECKED_PAGES)
		return 0;

	int rc = sqlite3_prepare_v2(db, "PRAGMA quick_check(1)", -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW && strcmp(queue_db_column(st, 0), "ok") != 0)
		rc = SQLITE_CORRUPT;
	sqlite3_finalize(st);
	return rc == SQLITE_ROW ? 0 : say(pr, path, NULL, rc);
}

/*
 * What stands in the log after a crash is carried over and synced before anything is written behind it. The crash may
 * have been a failed sync: then the kernel calls pages of the log clean that are not on the disk, and whoever wrote
 * behind them would lose it with the next power cut.
 */
static int settle_log(sqlite3 *db, const char *path, struct problem *pr)
{
	int rc = sqlite3_wal_checkpoint_v2(db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
	int extended = sqlite3_extended_errcode(db);

	if (rc != SQLITE_OK && (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC))
		return problem_temp(pr,
		    "the disk of %s failed to sync; look at the kernel's log for errors of the disk, keep a copy of "
		    "the "
		    "directory, and put the queue on a disk that is whole",
		    path);
	if (rc != SQLITE_OK)
		log_warn(NULL, "queue", "first-checkpoint file=%s error=\"%s\"", path, sqlite3_errmsg(db));
	return 0;
}

/* secure_delete is on in Debian's build and would write freed pages over; what they hold is sealed. Pages of 8 KiB: a
 * commit changes about ten of them whose rows are small, and a sealed message of usual size takes some five. */
static int prepare(sqlite3 *db, const char *path, struct problem *pr)
{
	static const char first[] =
	    "PRAGMA page_size=8192; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"
	    "PRAGMA secure_delete=FAST; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;";
	static const char then[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;";
	int64_t version = 0;

	sqlite3_busy_timeout(db, BUSY_MS);
	if (exec(db, path, first, pr))
		return -1;
	if (sqlite3_db_readonly(db, "main") == 1)
		return say(pr, path, NULL, SQLITE_READONLY);
	if (check_owner(db, path, &version, pr) || exec(db, path, then, pr) || quick_check(db, path, pr))
		return -1;
	if (migrate(db, path, version, pr))
		return -1;
	return settle_log(db, path, pr);
}

static sqlite3 *open_one(const char *dir, int flags, char path_r[PATH_ROOM], struct problem *pr)
{
	sqlite3 *db = NULL;

	if (snprintf(path_r, PATH_ROOM, "%s/queue.db", dir) >= PATH_ROOM) {
		problem_temp(pr, "the queue directory's name is too long");
		return NULL;
	}
	if ((flags & SQLITE_OPEN_CREATE) && make_file(path_r, pr))
		return NULL;

	int rc = sqlite3_open_v2(path_r, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);

	if (rc == SQLITE_OK)
		return db;
	say(pr, path_r, db, rc);
	sqlite3_close(db);
	return NULL;
}

sqlite3 *queue_db_open(const char *dir, struct problem *pr)
{
	char path[PATH_ROOM];
	sqlite3 *db = open_one(dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, path, pr);

	if (db && prepare(db, path, pr)) {
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

sqlite3 *queue_db_open_reader(const char *dir, struct problem *pr)
{
	char path[PATH_ROOM];
	sqlite3 *db = open_one(dir, SQLITE_OPEN_READWRITE, path, pr);

	if (!db)
		return NULL;
	sqlite3_busy_timeout(db, BUSY_MS);
	if (exec(db, path, "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-4000;", pr)) {
		sqlite3_close(db);
		return NULL;
	}
	return db;
}

int queue_db_is_queue(sqlite3 *db, const char *dir, struct problem *pr)
{
	char path[PATH_ROOM];
	int64_t version = 0;

	snprintf(path, sizeof path, "%s/queue.db", dir);
	if (check_owner(db, path, &version, pr))
		return -1;
	return version == VERSION ? 0
				  : problem_temp(pr, "%s is of another version: start the gateway on it first", path);
}

/* ---- statements ---- */

sqlite3_stmt *queue_db_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK)
		log_fatal("queue database: %s: %s", sqlite3_errmsg(db), sql);
	return st;
}

int queue_db_run(sqlite3_stmt *st)
{
	int rc = sqlite3_step(st);

	sqlite3_reset(st);
	return rc == SQLITE_DONE || rc == SQLITE_ROW ? SQLITE_OK : rc;
}

int queue_db_exec(sqlite3 *db, const char *sql)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL);
}

int queue_db_page(sqlite3 *db)
{
	sqlite3_stmt *st = queue_db_prepare(db, "PRAGMA page_size");
	int n = sqlite3_step(st) == SQLITE_ROW ? sqlite3_column_int(st, 0) : 0;

	sqlite3_finalize(st);
	return n > 0 ? n : 65536;
}

void queue_db_text(sqlite3_stmt *st, int i, const char *s)
{
	if (s)
		sqlite3_bind_text(st, i, s, -1, SQLITE_STATIC);
	else
		sqlite3_bind_null(st, i);
}

const char *queue_db_column(sqlite3_stmt *st, int i)
{
	const char *s = (const char *)sqlite3_column_text(st, i);

	return s ? s : "";
}
