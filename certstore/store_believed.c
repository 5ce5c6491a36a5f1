/* The table of what was believed last. Judge; blocks on the disk. What follows from it: trust_change.c. */
#include "certstore/store_believed.h"

#include <stdlib.h>
#include <string.h>

#include "certstore/store_sqlite.h"

/* Columns from `at` on, as all the questions here have them. */
static void read_believed(sqlite3_stmt *st, int at, struct store_believed *b)
{
	store_sqlite_copy(st, at, b->sha256, sizeof b->sha256);
	b->reason = sqlite3_column_int(st, at + 1);
	b->at = sqlite3_column_int64(st, at + 2);
	store_sqlite_copy(st, at + 3, b->waiting, sizeof b->waiting);
	b->waiting_reason = sqlite3_column_int(st, at + 4);
	b->waiting_at = sqlite3_column_int64(st, at + 5);
}

int store_believed(
    struct store *s, const struct store_believed_key *k, struct store_believed *b_r, struct problem *pr)
{
	static const char sql[] = "SELECT sha256, reason, at, waiting, waiting_reason, waiting_at FROM believed"
				  " WHERE owner = ?1 AND use = ?2 AND local IN (?3, '') ORDER BY local DESC LIMIT 1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	memset(b_r, 0, sizeof *b_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "tit", k->owner, (int64_t)k->use, k->local);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	read_believed(st, 0, b_r);
	store_sqlite_done(st);
	return 0;
}

/* What is now known for one domain of ours takes the place of what waited for all of them. */
static int clear_common(struct store *s, const struct store_believed_key *k, struct problem *pr)
{
	static const char sql[] = "UPDATE believed SET waiting = '', waiting_reason = 0, waiting_at = 0"
				  " WHERE owner = ?1 AND use = ?2 AND local = '' AND waiting <> ''";

	return k->local[0] ? store_sqlite_do(s, sql, pr, "ti", k->owner, (int64_t)k->use) : 0;
}

int store_believed_put(struct store *s, const struct store_believed_key *k, const struct store_believed *b,
    const char *who, const char *what, const char *detail, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO believed (owner, use, sha256, reason, at, waiting, waiting_reason, waiting_at, local)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9) ON CONFLICT (owner, use, local) DO UPDATE SET"
	    " sha256 = ?3, reason = ?4, at = ?5, waiting = ?6, waiting_reason = ?7, waiting_at = ?8";
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "titiitiit", k->owner, (int64_t)k->use, b->sha256, (int64_t)b->reason, b->at,
	    b->waiting, (int64_t)b->waiting_reason, b->waiting_at, k->local);
	if (rc == 0)
		rc = clear_common(s, k, pr);
	if (rc == 0 && what)
		rc = store_audit_add(s, who, what, k->owner, detail, pr);
	return store_end(s, rc, pr);
}

/* ---- who waits ---- */

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_waiting *w = row;

	w->owner = store_sqlite_text(st, 0);
	w->local = store_sqlite_text(st, 1);
	w->use = sqlite3_column_int(st, 2);
	read_believed(st, 3, &w->b);
}

static void free_list(void *list, size_t n)
{
	store_waiting_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_waiting), read_row, free_list};

void store_waiting_free(struct store_waiting *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].owner);
		free(l[i].local);
	}
	free(l);
}

int store_believed_waiting(
    struct store *s, const char *owner, struct store_waiting **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT owner, local, use, sha256, reason, at, waiting, waiting_reason, waiting_at"
	    " FROM believed WHERE waiting <> '' AND (?1 IS NULL OR owner = ?1) ORDER BY owner, local, use LIMIT 1000";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "t", owner);
}

int store_believed_drop(struct store *s, const char *owner, struct problem *pr)
{
	static const char sql[] =
	    "DELETE FROM believed WHERE owner = ?1 OR (substr(owner, -length(?1) - 1) = '@' || ?1"
	    " AND owner NOT IN (SELECT domain FROM partner))";

	return store_sqlite_do(s, sql, pr, "t", owner);
}
