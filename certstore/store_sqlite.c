/*
 * The SQLite connection behind the store: statements prepared once, binding, rows, errors as sentences. Judge; blocks
 * on the disk. What is in the tables is the business of store_<entity>.c; the schema stands in store_schema.c.
 */
#include "certstore/store_sqlite.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"

int store_sqlite_fail(sqlite3 *db, struct problem *pr)
{
	int rc = sqlite3_errcode(db);

	switch (rc & 0xff) {
	case SQLITE_NOMEM:
		log_fatal("out of memory in the store");
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return problem_temp(pr,
		    "the store (store.db) is damaged (%s): stop postern and bring back the last backup with "
		    "\"postern restore\"",
		    sqlite3_errmsg(db));
	case SQLITE_FULL:
		return problem_temp(pr, "the store (store.db) cannot grow: the disk is full");
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return problem_temp(pr,
		    "the store (store.db) cannot be opened for writing (%s): check owner and mode of its directory",
		    sqlite3_errmsg(db));
	default:
		return problem_temp(pr, "the store (store.db) failed: %s (SQLite %d)", sqlite3_errmsg(db),
		    sqlite3_extended_errcode(db));
	}
}

int store_sqlite_exec(sqlite3 *db, const char *sql, struct problem *pr)
{
	return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : store_sqlite_fail(db, pr);
}

sqlite3_stmt *store_sqlite_stmt(struct store *s, const char *sql, struct problem *pr)
{
	sqlite3_stmt *st = NULL;

	for (size_t i = 0; i < s->nprepared; i++)
		if (s->prepared[i].sql == sql)
			return s->prepared[i].st;
	REQUIRE(s->nprepared < STORE_SQLITE_STATEMENTS);
	if (sqlite3_prepare_v3(s->db, sql, -1, SQLITE_PREPARE_PERSISTENT, &st, NULL) != SQLITE_OK) {
		store_sqlite_fail(s->db, pr);
		return NULL;
	}
	s->prepared[s->nprepared].sql = sql;
	s->prepared[s->nprepared].st = st;
	s->nprepared++;
	return st;
}

static int bind_octets(sqlite3_stmt *st, int i, const void *p, size_t n)
{
	return p ? sqlite3_bind_blob64(st, i, p, n, SQLITE_STATIC) : sqlite3_bind_null(st, i);
}

static void bind(sqlite3_stmt *st, const char *kinds, va_list ap)
{
	for (int i = 1; kinds[i - 1]; i++) {
		int rc;

		if (kinds[i - 1] == 't') {
			rc = sqlite3_bind_text(st, i, va_arg(ap, const char *), -1, SQLITE_STATIC);
		} else if (kinds[i - 1] == 'i') {
			rc = sqlite3_bind_int64(st, i, va_arg(ap, int64_t));
		} else {
			const void *p = va_arg(ap, const void *);

			rc = bind_octets(st, i, p, va_arg(ap, size_t));
		}
		REQUIRE(rc == SQLITE_OK);
	}
}

void store_sqlite_bind(sqlite3_stmt *st, const char *kinds, ...)
{
	va_list ap;

	va_start(ap, kinds);
	bind(st, kinds, ap);
	va_end(ap);
}

void store_sqlite_done(sqlite3_stmt *st)
{
	(void)sqlite3_reset(st); /* repeats the error that the step already told */
	(void)sqlite3_clear_bindings(st);
}

int store_sqlite_row(struct store *s, sqlite3_stmt *st, struct problem *pr)
{
	int rc = sqlite3_step(st);

	if (rc == SQLITE_ROW)
		return 1;
	if (rc != SQLITE_DONE)
		store_sqlite_fail(s->db, pr);
	store_sqlite_done(st);
	return rc == SQLITE_DONE ? 0 : -1;
}

int store_sqlite_run(struct store *s, sqlite3_stmt *st, struct problem *pr)
{
	int rc;

	while ((rc = store_sqlite_row(s, st, pr)) > 0)
		;
	return rc;
}

char *store_sqlite_text(sqlite3_stmt *st, int col)
{
	const char *t = (const char *)sqlite3_column_text(st, col);

	return mem_str(t ? t : "");
}

uint8_t *store_sqlite_octets(sqlite3_stmt *st, int col, size_t *n_r)
{
	const void *p = sqlite3_column_blob(st, col);
	int n = sqlite3_column_bytes(st, col);

	*n_r = 0;
	if (!p || n <= 0)
		return NULL;
	*n_r = (size_t)n;
	return (uint8_t *)mem_dup(p, (size_t)n);
}

void store_sqlite_copy(sqlite3_stmt *st, int col, char *dst, size_t cap)
{
	const char *t = (const char *)sqlite3_column_text(st, col);

	if (mem_copy_str(dst, cap, t ? t : "") < 0)
		dst[0] = 0;
}

int store_sqlite_do(struct store *s, const char *sql, struct problem *pr, const char *kinds, ...)
{
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	va_list ap;

	if (!st)
		return -1;
	va_start(ap, kinds);
	bind(st, kinds, ap);
	va_end(ap);
	return store_sqlite_run(s, st, pr);
}

static void free_plain(void *list, size_t n)
{
	(void)n;
	free(list);
}

static int read_all(struct store *s, sqlite3_stmt *st, const struct store_sqlite_rows *rows, void **list_r,
    size_t *n_r, struct problem *pr)
{
	char *list = NULL;
	size_t n = 0, cap = 0;
	int rc;

	while ((rc = store_sqlite_row(s, st, pr)) > 0) {
		if (n == cap) {
			cap = cap ? cap * 2 : 4;
			list = mem_resize(list, cap * rows->size);
		}
		memset(list + n * rows->size, 0, rows->size);
		rows->read(st, list + n * rows->size);
		n++;
	}
	if (rc < 0) {
		(rows->free ? rows->free : free_plain)(list, n);
		return -1;
	}
	*list_r = list;
	*n_r = n;
	return 0;
}

int store_sqlite_all(struct store *s, const struct store_sqlite_rows *rows, const char *sql, void **list_r,
    size_t *n_r, struct problem *pr, const char *kinds, ...)
{
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	va_list ap;

	*list_r = NULL;
	*n_r = 0;
	if (!st)
		return -1;
	va_start(ap, kinds);
	bind(st, kinds, ap);
	va_end(ap);
	return read_all(s, st, rows, list_r, n_r, pr);
}
