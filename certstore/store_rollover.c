/* The table of rollovers. Judge; blocks on the disk. */
#include "certstore/store_rollover.h"

#include <stdio.h>
#include <string.h>

#include "certstore/store_sqlite.h"

const char *store_rollover_word(enum store_rollover_step step)
{
	static const char *const words[] = {"none", "waits", "announced", "overlap", "done"};

	return step <= STORE_ROLLOVER_DONE ? words[step] : "?";
}

int store_rollover_get(struct store *s, const char *domain, enum store_rollover_kind kind, struct store_rollover *r_r,
    struct problem *pr)
{
	static const char sql[] = "SELECT step, started, switch_at, finish_at, serial, early FROM rollover"
				  " WHERE domain = ?1 AND kind = ?2";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	memset(r_r, 0, sizeof *r_r);
	(void)snprintf(r_r->domain, sizeof r_r->domain, "%s", domain);
	r_r->kind = kind;
	if (!st)
		return -1;
	store_sqlite_bind(st, "ti", domain, (int64_t)kind);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	r_r->step = (enum store_rollover_step)sqlite3_column_int(st, 0);
	r_r->started = sqlite3_column_int64(st, 1);
	r_r->switch_at = sqlite3_column_int64(st, 2);
	r_r->finish_at = sqlite3_column_int64(st, 3);
	r_r->serial = sqlite3_column_int64(st, 4);
	r_r->early = sqlite3_column_int(st, 5) != 0;
	store_sqlite_done(st);
	return 0;
}

int store_rollover_put(
    struct store *s, const struct store_rollover *r, const char *who, const char *detail, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO rollover (domain, kind, step, started, switch_at, finish_at, serial, early)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (domain, kind) DO UPDATE SET step = ?3,"
	    " started = ?4, switch_at = ?5, finish_at = ?6, serial = ?7, early = ?8";
	char what[48];
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "tiiiiiii", r->domain, (int64_t)r->kind, (int64_t)r->step, r->started,
	    r->switch_at, r->finish_at, r->serial, (int64_t)r->early);
	(void)snprintf(what, sizeof what, "rollover.%s %s", store_rollover_word(r->step),
	    r->kind == STORE_ROLLOVER_MAIL ? "mail" : "statement");
	if (rc == 0)
		rc = store_audit_add(s, who, what, r->domain, detail, pr);
	return store_end(s, rc, pr);
}
