/* The table of what is known to be revoked. Judge; blocks on the disk. Who finds out: revoke.c. */
#include "certstore/store_revoked.h"

#include <stdlib.h>

#include "certstore/store_sqlite.h"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_revoked *r = row;

	store_sqlite_copy(st, 0, r->sha256, sizeof r->sha256);
	r->words = store_sqlite_text(st, 1);
	r->at = sqlite3_column_int64(st, 2);
}

static void free_list(void *list, size_t n)
{
	store_revoked_free(list, n);
}

void store_revoked_free(struct store_revoked *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(l[i].words);
	free(l);
}

int store_revoked(struct store *s, struct store_revoked **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT sha256, words, at FROM revoked ORDER BY sha256";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

	*list_r = NULL;
	*n_r = 0;
	if (!st)
		return -1;
	return store_sqlite_list(s, st, sizeof **list_r, read_row, (void **)list_r, n_r, free_list, pr);
}

int store_revoked_add(struct store *s, const struct store_revoked *r, const char *who, struct problem *pr)
{
	static const char sql[] = "INSERT INTO revoked (sha256, words, at) VALUES (?1, ?2, ?3)"
				  " ON CONFLICT (sha256) DO UPDATE SET words = ?2";
	sqlite3_stmt *st;
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	st = store_sqlite_stmt(s, sql, pr);
	if (st) {
		store_sqlite_bind(st, "tti", r->sha256, r->words, r->at);
		rc = store_sqlite_run(s, st, pr);
	}
	if (rc == 0)
		rc = store_audit_add(s, who, "cert.revoked", r->sha256, r->words, pr);
	return store_end(s, rc, pr);
}

int store_revoked_remove(struct store *s, const char *sha256, const char *why, const char *who, struct problem *pr)
{
	static const char sql[] = "DELETE FROM revoked WHERE sha256 = ?1";
	sqlite3_stmt *st;
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	st = store_sqlite_stmt(s, sql, pr);
	if (st) {
		store_sqlite_bind(st, "t", sha256);
		rc = store_sqlite_run(s, st, pr);
	}
	if (rc == 0)
		rc = store_audit_add(s, who, "cert.unrevoked", sha256, why, pr);
	return store_end(s, rc, pr);
}
