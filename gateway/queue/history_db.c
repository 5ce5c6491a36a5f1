/* The history's database file. relay. */
#include "gateway/queue/history_db.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>

#include "gateway/base/log.h"

#define APPLICATION_ID 1349472072 /* "PoSH" */

enum { VERSION = 1, PATH_ROOM = 4096, BUSY_MS = 2000 };

/* Without NOT NULL in the tables that each message writes: a statement that may fail halfway has a journal of its
 * own, a fifth of the work. */
static const char schema[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE msg (number INTEGER PRIMARY KEY, direction INTEGER, size INTEGER,"
    " sender TEXT, message_id TEXT, client TEXT, helo TEXT, tls TEXT,"
    " judged TEXT, trace TEXT, way BLOB);"
    "CREATE TABLE rcpt (id INTEGER PRIMARY KEY, outcome INTEGER, changed INTEGER,"
    " address TEXT, treatment TEXT, rule TEXT, partner TEXT,"
    " certs TEXT, signed_by TEXT, reason TEXT, remote TEXT, tls TEXT,"
    " status TEXT);"
    "CREATE INDEX rcpt_outcome ON rcpt (outcome, id);"
    "CREATE INDEX rcpt_treatment ON rcpt (treatment, id);"
    "CREATE TABLE alias (number INTEGER PRIMARY KEY, root INTEGER NOT NULL);"
    "CREATE INDEX alias_root ON alias (root);"
    "CREATE TABLE run (run INTEGER PRIMARY KEY, first INTEGER NOT NULL, last INTEGER NOT NULL);"
    "CREATE TABLE notes (bucket INTEGER NOT NULL, run INTEGER NOT NULL, v BLOB NOT NULL, PRIMARY KEY (bucket, run))"
    " WITHOUT ROWID;"
    "CREATE TABLE hour (hour INTEGER NOT NULL, what TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (hour, what))"
    " WITHOUT ROWID;"
    "CREATE TABLE left_out (minute INTEGER PRIMARY KEY, n INTEGER NOT NULL);"
    "PRAGMA application_id=1349472072; PRAGMA user_version=1; COMMIT";

static int path_of(const char *dir, const char *suffix, char out[PATH_ROOM])
{
	int n = snprintf(out, PATH_ROOM, "%s/history.db%s", dir, suffix);

	return n > 0 && n < PATH_ROOM ? 0 : -1;
}

void history_db_set_aside(const char *dir, const char *why)
{
	char path[PATH_ROOM], aside[PATH_ROOM];

	if (path_of(dir, "", path) || path_of(dir, ".damaged", aside))
		return;
	log_error(NULL, "history",
	    "alarm=history-damaged why=\"%s is damaged (%s): it is set aside as history.db.damaged, and the history "
	    "begins anew; mail is not concerned\"",
	    path, why);
	if (rename(path, aside))
		(void)unlink(path);
	if (path_of(dir, "-wal", path) == 0)
		(void)unlink(path);
	if (path_of(dir, "-shm", path) == 0)
		(void)unlink(path);
}

static sqlite3 *open_one(const char *dir, int flags, int *rc_r, struct problem *pr)
{
	char path[PATH_ROOM];
	sqlite3 *db = NULL;

	*rc_r = SQLITE_CANTOPEN;
	if (path_of(dir, "", path)) {
		problem_temp(pr, "the queue directory's name is too long");
		return NULL;
	}
	if (flags & SQLITE_OPEN_CREATE) { /* with the right mode from the start */
		int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

		if (fd >= 0)
			close(fd);
	}
	*rc_r = sqlite3_open_v2(path, &db, flags | SQLITE_OPEN_NOMUTEX, NULL);
	if (*rc_r == SQLITE_OK) {
		sqlite3_busy_timeout(db, BUSY_MS);
		return db;
	}
	problem_temp(pr, "%s cannot be opened: %s", path, sqlite3_errstr(*rc_r));
	sqlite3_close(db);
	return NULL;
}

/* A number that a pragma answers; -1 with *rc_r when it cannot be read. */
static int64_t ask(sqlite3 *db, const char *sql, int *rc_r)
{
	sqlite3_stmt *st = NULL;
	int64_t v = -1;
	int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

	if (rc == SQLITE_OK)
		rc = sqlite3_step(st);
	if (rc == SQLITE_ROW)
		v = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	*rc_r = rc == SQLITE_ROW ? SQLITE_OK : rc;
	return v;
}

/* SQLite result; SQLITE_NOTADB also for what is not a history of this version. */
static int make_ready(sqlite3 *db)
{
	static const char first[] = "PRAGMA page_size=8192; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"
				    "PRAGMA secure_delete=OFF; PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;"
				    "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;"
				    "PRAGMA wal_autocheckpoint=2000; PRAGMA journal_size_limit=33554432;";
	int rc = sqlite3_exec(db, first, NULL, NULL, NULL);
	int64_t tables = rc == SQLITE_OK ? ask(db, "SELECT count(*) FROM sqlite_master", &rc) : 0;

	if (rc == SQLITE_OK && tables == 0)
		return sqlite3_exec(db, schema, NULL, NULL, NULL);
	if (rc == SQLITE_OK && ask(db, "PRAGMA application_id", &rc) != APPLICATION_ID)
		return rc == SQLITE_OK ? SQLITE_NOTADB : rc;
	if (rc == SQLITE_OK && ask(db, "PRAGMA user_version", &rc) != VERSION)
		return rc == SQLITE_OK ? SQLITE_NOTADB : rc;
	return rc;
}

sqlite3 *history_db_open(const char *dir, struct problem *pr)
{
	for (int tries = 0;; tries++) {
		int rc;
		sqlite3 *db = open_one(dir, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, &rc, pr);

		if (db)
			rc = make_ready(db);
		if (db && rc == SQLITE_OK)
			return db;
		if (db)
			problem_temp(pr, "%s/history.db cannot be used: %s", dir, sqlite3_errmsg(db));
		sqlite3_close(db);
		if (tries > 0 || ((rc & 0xff) != SQLITE_CORRUPT && (rc & 0xff) != SQLITE_NOTADB))
			return NULL;
		history_db_set_aside(dir, sqlite3_errstr(rc));
	}
}

sqlite3 *history_db_open_reader(const char *dir, struct problem *pr)
{
	int rc;
	sqlite3 *db = open_one(dir, SQLITE_OPEN_READWRITE, &rc, pr);

	if (db && (rc = sqlite3_exec(db,
		       "PRAGMA query_only=ON; PRAGMA temp_store=MEMORY; PRAGMA cache_size=-16000;"
		       "PRAGMA trusted_schema=OFF; PRAGMA cell_size_check=ON;",
		       NULL, NULL, NULL)) != SQLITE_OK) {
		problem_temp(pr, "the history cannot be read: %s", sqlite3_errmsg(db));
		sqlite3_close(db);
		db = NULL;
	}
	return db;
}

sqlite3_stmt *history_db_prepare(sqlite3 *db, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
		log_error(NULL, "history", "statement error=\"%s\"", sqlite3_errmsg(db));
		sqlite3_finalize(st);
		return NULL;
	}
	return st;
}
