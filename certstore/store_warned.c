/* The table of warnings that were given. Judge; blocks on the disk. No change of trust: the audit log has none of it.
 */
#include "certstore/store_warned.h"

#include "certstore/store_sqlite.h"

int store_warned(
    struct store *s, const char *sha256, const char *kind, const char *owner, int64_t *days_r, struct problem *pr)
{
	static const char sql[] = "SELECT days FROM warned WHERE sha256 = ?1 AND kind = ?2 AND owner = ?3";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	*days_r = INT64_MAX;
	if (!st)
		return -1;
	store_sqlite_bind(st, "ttt", sha256, kind, owner);
	rc = store_sqlite_row(s, st, pr);
	if (rc > 0) {
		*days_r = sqlite3_column_int64(st, 0);
		store_sqlite_done(st);
	}
	return rc < 0 ? -1 : 0;
}

int store_warned_put(
    struct store *s, const char *sha256, const char *kind, const char *owner, int64_t days, struct problem *pr)
{
	static const char sql[] = "INSERT INTO warned (sha256, kind, owner, days) VALUES (?1, ?2, ?3, ?4)"
				  " ON CONFLICT (sha256, kind, owner) DO UPDATE SET days = ?4";
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "ttti", sha256, kind, owner, days);
	return store_end(s, rc, pr);
}
