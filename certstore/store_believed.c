/* The table of what was believed last. Judge; blocks on the disk. What follows from it: trust_change.c. */
#include "certstore/store_believed.h"

#include <string.h>

#include "certstore/store_sqlite.h"

int store_believed(struct store *s, const char *owner, int use, struct store_believed *b_r, struct problem *pr)
{
	static const char sql[] = "SELECT sha256, reason, at, waiting, waiting_reason, waiting_at FROM believed"
				  " WHERE owner = ?1 AND use = ?2";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	memset(b_r, 0, sizeof *b_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "ti", owner, (int64_t)use);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	store_sqlite_copy(st, 0, b_r->sha256, sizeof b_r->sha256);
	b_r->reason = sqlite3_column_int(st, 1);
	b_r->at = sqlite3_column_int64(st, 2);
	store_sqlite_copy(st, 3, b_r->waiting, sizeof b_r->waiting);
	b_r->waiting_reason = sqlite3_column_int(st, 4);
	b_r->waiting_at = sqlite3_column_int64(st, 5);
	store_sqlite_done(st);
	return 0;
}

int store_believed_put(struct store *s, const char *owner, int use, const struct store_believed *b, const char *who,
    const char *what, const char *detail, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO believed (owner, use, sha256, reason, at, waiting, waiting_reason, waiting_at)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (owner, use) DO UPDATE SET"
	    " sha256 = ?3, reason = ?4, at = ?5, waiting = ?6, waiting_reason = ?7, waiting_at = ?8";
	sqlite3_stmt *st;
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	st = store_sqlite_stmt(s, sql, pr);
	if (st) {
		store_sqlite_bind(st, "titiitii", owner, (int64_t)use, b->sha256, (int64_t)b->reason, b->at,
		    b->waiting, (int64_t)b->waiting_reason, b->waiting_at);
		rc = store_sqlite_run(s, st, pr);
	}
	if (rc == 0 && what)
		rc = store_audit_add(s, who, what, owner, detail, pr);
	return store_end(s, rc, pr);
}
