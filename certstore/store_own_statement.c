/* The tables of our own statements. Judge; blocks on the disk. What stands in one and when it is made:
 * gateway/proc/judge_xsmg_own.c. */
#include "certstore/store_own_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store_sqlite.h"

/* A partner may go on for so long with a statement that ran out; then its id says nothing any more. */
enum { KEEP_S = 30 * 86400 };

void store_own_statement_clear(struct store_own_statement *o)
{
	free(o->der);
	memset(o, 0, sizeof *o);
}

int store_own_statement(struct store *s, const char *domain, struct store_own_statement *o_r, struct problem *pr)
{
	static const char sql[] = "SELECT domain, id, serial, issued, expires, facts, der FROM own_statement"
				  " WHERE domain = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	memset(o_r, 0, sizeof *o_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", domain);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	store_sqlite_copy(st, 0, o_r->domain, sizeof o_r->domain);
	store_sqlite_copy(st, 1, o_r->id, sizeof o_r->id);
	o_r->serial = sqlite3_column_int64(st, 2);
	o_r->issued = sqlite3_column_int64(st, 3);
	o_r->expires = sqlite3_column_int64(st, 4);
	store_sqlite_copy(st, 5, o_r->facts, sizeof o_r->facts);
	o_r->der = store_sqlite_octets(st, 6, &o_r->der_len);
	store_sqlite_done(st);
	return 1;
}

int store_own_statement_serial(
    struct store *s, const char *domain, int64_t now_ms, int64_t *serial_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT max(?2, coalesce((SELECT max(serial) FROM own_statement_id WHERE domain = "
	    "?1), 0) + 1, coalesce((SELECT serial FROM own_statement WHERE domain = ?1), 0) + 1)";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

	if (!st)
		return -1;
	store_sqlite_bind(st, "ti", domain, now_ms);
	if (store_sqlite_row(s, st, pr) <= 0)
		return -1;
	*serial_r = sqlite3_column_int64(st, 0);
	store_sqlite_done(st);
	return 0;
}

static int put_row(struct store *s, const struct store_own_statement *o, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO own_statement (domain, id, serial, issued, expires, facts, der)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7) ON CONFLICT (domain) DO UPDATE SET id = ?2, serial = ?3,"
	    " issued = ?4, expires = ?5, facts = ?6, der = ?7 WHERE serial < ?3";

	return store_sqlite_do(
	    s, sql, pr, "ttiiitb", o->domain, o->id, o->serial, o->issued, o->expires, o->facts, o->der, o->der_len);
}

static int put_id(struct store *s, const struct store_own_statement *o, struct problem *pr)
{
	static const char sql[] = "INSERT INTO own_statement_id (domain, id, serial, expires) VALUES (?1, ?2, ?3, ?4)"
				  " ON CONFLICT (domain, id) DO NOTHING";
	static const char drop[] = "DELETE FROM own_statement_id WHERE domain = ?1 AND expires < ?2";

	if (store_sqlite_do(s, sql, pr, "ttii", o->domain, o->id, o->serial, o->expires) < 0)
		return -1;
	return store_sqlite_do(s, drop, pr, "ti", o->domain, o->issued - KEEP_S);
}

int store_own_statement_put(struct store *s, const struct store_own_statement *o, const char *who, struct problem *pr)
{
	char detail[160];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = put_row(s, o, pr);
	if (rc == 0)
		rc = put_id(s, o, pr);
	(void)snprintf(detail, sizeof detail, "id %s, serial %lld", o->id, (long long)o->serial);
	if (rc == 0)
		rc = store_audit_add(s, who, "statement.make", o->domain, detail, pr);
	return store_end(s, rc, pr);
}

int store_own_statement_serial_of(
    struct store *s, const char *domain, const char *id, int64_t *serial_r, struct problem *pr)
{
	static const char sql[] = "SELECT serial FROM own_statement_id WHERE domain = ?1 AND id = ?2";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "tt", domain, id);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	*serial_r = sqlite3_column_int64(st, 0);
	store_sqlite_done(st);
	return 1;
}

int store_own_statement_holders(
    struct store *s, const char *domain, int64_t serial, int64_t *all_r, int64_t *hold_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT (SELECT count(*) FROM (SELECT domain FROM statement_held WHERE ours = ?1"
	    " UNION SELECT domain FROM statement_body WHERE waiting = 0 AND length(der) > 0)), count(*) FROM "
	    "statement_held h JOIN own_statement_id i ON i.domain = h.ours AND i.id = h.id AND i.serial >= ?2"
	    " WHERE h.ours = ?1 AND h.at > 0";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

	if (!st)
		return -1;
	store_sqlite_bind(st, "ti", domain, serial);
	if (store_sqlite_row(s, st, pr) <= 0)
		return -1;
	*all_r = sqlite3_column_int64(st, 0);
	*hold_r = sqlite3_column_int64(st, 1);
	store_sqlite_done(st);
	return 0;
}

static void read_holder(sqlite3_stmt *st, void *row)
{
	struct store_own_statement_holder *h = row;

	store_sqlite_copy(st, 0, h->partner, sizeof h->partner);
	h->serial = sqlite3_column_int64(st, 1);
	h->at = sqlite3_column_int64(st, 2);
}

static const struct store_sqlite_rows holder_rows = {sizeof(struct store_own_statement_holder), read_holder, NULL};

int store_own_statement_holder_list(
    struct store *s, const char *domain, struct store_own_statement_holder **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT h.domain, coalesce(i.serial, 0), h.at FROM statement_held h"
				  " LEFT JOIN own_statement_id i ON i.domain = h.ours AND i.id = h.id"
				  " WHERE h.ours = ?1 ORDER BY h.domain";

	return store_sqlite_all(s, &holder_rows, sql, (void **)list_r, n_r, pr, "t", domain);
}
