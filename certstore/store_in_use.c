/* The table of certificates of the network that are in use. Judge; blocks on the disk. */
#include "certstore/store_in_use.h"

#include <stdlib.h>

#include "certstore/store_sqlite.h"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_in_use *u = row;

	u->owner = store_sqlite_text(st, 0);
	store_sqlite_copy(st, 1, u->sha256, sizeof u->sha256);
	u->subject = store_sqlite_text(st, 2);
	u->serial = store_sqlite_text(st, 3);
	u->not_after = sqlite3_column_int64(st, 4);
	u->used = sqlite3_column_int64(st, 5);
}

static void free_list(void *list, size_t n)
{
	store_in_use_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_in_use), read_row, free_list};

void store_in_use_free(struct store_in_use *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].owner);
		free(l[i].subject);
		free(l[i].serial);
	}
	free(l);
}

enum { DAY = 86400 };

/* 1 it is there, used about then; 0, -1. */
static int is_there(struct store *s, const struct store_in_use *u, struct problem *pr)
{
	static const char sql[] = "SELECT used FROM in_use WHERE owner = ?1 AND sha256 = ?2";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "tt", u->owner, u->sha256);
	rc = store_sqlite_row(s, st, pr);
	if (rc > 0) {
		int64_t used = sqlite3_column_int64(st, 0);

		store_sqlite_done(st);
		rc = u->used - used < DAY && used - u->used < DAY;
	}
	return rc;
}

static int run(struct store *s, sqlite3_stmt *st, struct problem *pr)
{
	int rc = store_begin(s, pr);

	return rc < 0 ? -1 : store_end(s, store_sqlite_run(s, st, pr), pr);
}

int store_in_use_put(struct store *s, const struct store_in_use *u, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO in_use (owner, sha256, subject, serial, not_after, used)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6) ON CONFLICT (owner, sha256) DO UPDATE SET used = ?6";
	int there = is_there(s, u, pr);
	sqlite3_stmt *st;

	if (there != 0)
		return there < 0 ? -1 : 0;
	st = store_sqlite_stmt(s, sql, pr);
	if (!st)
		return -1;
	store_sqlite_bind(st, "ttttii", u->owner, u->sha256, u->subject, u->serial, u->not_after, u->used);
	return run(s, st, pr);
}

int store_in_use_expiring(struct store *s, int64_t used, int64_t from, int64_t before, size_t max,
    struct store_in_use **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT owner, sha256, subject, serial, not_after, used FROM in_use AS u"
	    " WHERE not_after >= ?1 AND not_after < ?2 AND used >= ?4"
	    " AND EXISTS (SELECT 1 FROM believed AS b WHERE b.owner = u.owner AND b.sha256 = u.sha256)"
	    " AND NOT EXISTS (SELECT 1 FROM cert AS c WHERE c.owner = u.owner AND c.sha256 = u.sha256)"
	    " ORDER BY not_after LIMIT ?3";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "iiii", from, before, (int64_t)max, used);
}

int store_in_use_drop(struct store *s, int64_t before, struct problem *pr)
{
#define GONE                                                                                                         \
	"not_after < ?1 OR NOT EXISTS (SELECT 1 FROM believed AS b"                                                  \
	" WHERE b.owner = in_use.owner AND (b.sha256 = in_use.sha256 OR b.waiting = in_use.sha256))"
	static const char any[] = "SELECT 1 FROM in_use WHERE " GONE " LIMIT 1";
	static const char sql[] = "DELETE FROM in_use WHERE " GONE;
	sqlite3_stmt *st = store_sqlite_stmt(s, any, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "i", before);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	store_sqlite_done(st);
	st = store_sqlite_stmt(s, sql, pr);
	if (!st)
		return -1;
	store_sqlite_bind(st, "i", before);
	return run(s, st, pr);
}

int store_in_use_drop_owner(struct store *s, const char *domain, struct problem *pr)
{
	static const char sql[] = "DELETE FROM in_use WHERE owner = ?1 OR (substr(owner, -length(?1) - 1) = '@' || ?1"
				  " AND owner NOT IN (SELECT domain FROM partner))";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

	if (!st)
		return -1;
	store_sqlite_bind(st, "t", domain);
	return store_sqlite_run(s, st, pr);
}
