/*
 * Opening, closing, versions, transactions and snapshots of the store. Judge (and `postern restore` off line); blocks
 * on the disk.
 *
 * Durable: WAL with synchronous=FULL, so that what was committed survives the machine. A failed commit rolls
 * everything of its transaction back, the audit row with the change. The newest audit hash goes to the log after each
 * commit: rewriting the file then shows (P8).
 */
#include "certstore/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "certstore/store_schema.h"
#include "certstore/store_sqlite.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/* Another process (an admin's tool) may hold the write lock this long. */
enum { BUSY_MS = 5000 };

static const char pragmas[] = "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;"
			      "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA temp_store = MEMORY;";

/* SQLite gives its log and index files the mode of the database: made here, all are ours alone. */
static int make_file(const char *path, struct problem *pr)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

	if (fd < 0)
		return problem_temp(pr, "%s: cannot be opened or made: %s", path, strerror(errno));
	(void)close(fd);
	return 0;
}

static int open_db(struct store *s, const char *path, struct problem *pr)
{
	int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;

	if (sqlite3_open_v2(path, &s->db, flags, NULL) != SQLITE_OK)
		return s->db ? store_sqlite_fail(s->db, pr) : problem_temp(pr, "%s: out of memory", path);
	(void)sqlite3_busy_timeout(s->db, BUSY_MS);
	(void)sqlite3_db_config(s->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
	if (store_sqlite_exec(s->db, pragmas, pr) < 0)
		return -1;
	return store_schema_migrate(s->db, pr);
}

struct store *store_open(const char *dir, struct problem *pr)
{
	char path[4096];
	struct store *s = mem_new(sizeof *s);
	int n = snprintf(path, sizeof path, "%s/store.db", dir);

	if (n < 0 || (size_t)n >= sizeof path) {
		problem_temp(pr, "the path of the store is too long: %s", dir);
		free(s);
		return NULL;
	}
	if (make_file(path, pr) < 0 || open_db(s, path, pr) < 0) {
		problem_prefix(pr, "%s: ", path);
		store_close(s);
		return NULL;
	}
	return s;
}

void store_close(struct store *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < s->nprepared; i++)
		(void)sqlite3_finalize(s->prepared[i].st);
	if (sqlite3_close(s->db) != SQLITE_OK)
		log_panic("store closed with open statements");
	free(s);
}

uint64_t store_version(struct store *s)
{
	static const char sql[] = "PRAGMA data_version";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, NULL);
	uint64_t other = 0;

	if (st && store_sqlite_row(s, st, NULL) > 0) {
		other = (uint64_t)sqlite3_column_int64(st, 0);
		store_sqlite_done(st);
	} else {
		s->changes++; /* cannot tell: whoever caches must look again */
	}
	return other << 32 ^ s->changes;
}

bool store_version_others(uint64_t before, uint64_t now)
{
	return before >> 32 != now >> 32;
}

int store_begin(struct store *s, struct problem *pr)
{
	static const char sql[] = "BEGIN IMMEDIATE";

	if (s->depth == 0) {
		sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

		if (!st || store_sqlite_run(s, st, pr) < 0)
			return -1;
		s->failed = false;
		s->head[0] = 0;
	}
	s->depth++;
	return 0;
}

static int commit(struct store *s, struct problem *pr)
{
	static const char sql[] = "COMMIT";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

	if (!st || store_sqlite_run(s, st, pr) < 0)
		return -1;
	s->changes++;
	if (s->head[0])
		log_info(NULL, "audit", "head id=%lld hash=%s", (long long)s->head_id, s->head);
	return 0;
}

int store_end(struct store *s, int rc, struct problem *pr)
{
	REQUIRE(s->depth > 0);
	if (rc < 0)
		s->failed = true;
	if (--s->depth > 0)
		return s->failed ? -1 : 0;
	if (!s->failed && commit(s, pr) == 0)
		return 0;
	/* Some errors (disk full) have rolled back by themselves: then this one fails, and nothing is open either
	 * way. */
	if (!sqlite3_get_autocommit(s->db) && sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL) != SQLITE_OK)
		log_fatal("store cannot roll back: %s", sqlite3_errmsg(s->db));
	if (rc == 0 && pr && pr->cls == PROBLEM_NONE)
		problem_temp(pr, "nothing was changed: an earlier part of the change failed");
	return -1;
}

static int sync_file(const char *path, struct problem *pr)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	int rc = fd < 0 ? -1 : fsync(fd);

	if (rc == 0)
		rc = fchmod(fd, 0600);
	if (rc < 0)
		problem_temp(pr, "%s: cannot be written to disk: %s", path, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return rc;
}

int store_snapshot(struct store *s, const char *path, struct problem *pr)
{
	static const char sql[] = "VACUUM INTO ?1";
	struct stat st;
	sqlite3_stmt *vacuum;

	if (lstat(path, &st) == 0)
		return problem_temp(pr, "%s: exists already; a snapshot never overwrites", path);
	vacuum = store_sqlite_stmt(s, sql, pr);
	if (!vacuum)
		return -1;
	store_sqlite_bind(vacuum, "t", path);
	if (store_sqlite_run(s, vacuum, pr) < 0) {
		(void)unlink(path);
		return problem_prefix(pr, "snapshot to %s: ", path);
	}
	return sync_file(path, pr);
}

int store_count(struct store *s, struct store_counts *c_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT (SELECT count(*) FROM partner), (SELECT count(*) FROM cert), (SELECT count(*) FROM anchor),"
	    " (SELECT count(*) FROM rule), (SELECT count(*) FROM identity), (SELECT count(*) FROM seen),"
	    " (SELECT count(*) FROM audit)";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int64_t *const all[] = {
	    &c_r->partners, &c_r->certs, &c_r->anchors, &c_r->rules, &c_r->identities, &c_r->seen, &c_r->audit};

	if (!st || store_sqlite_row(s, st, pr) <= 0)
		return -1;
	for (int i = 0; i < (int)(sizeof all / sizeof *all); i++)
		*all[i] = sqlite3_column_int64(st, i);
	store_sqlite_done(st);
	return 0;
}
