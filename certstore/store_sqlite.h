/*
 * Inside of the store, for store*.c alone: the SQLite connection, its prepared statements, transactions. Judge;
 * blocks on the disk.
 */
#ifndef POSTERN_CERTSTORE_STORE_SQLITE_H
#define POSTERN_CERTSTORE_STORE_SQLITE_H

#include <sqlite3.h>

#include "certstore/store.h"

#define STORE_SQLITE_STATEMENTS 256

struct store {
	sqlite3 *db;
	struct {
		const char *sql; /* compared as a pointer: the caller's static text */
		sqlite3_stmt *st;
	} prepared[STORE_SQLITE_STATEMENTS];
	size_t nprepared;
	uint64_t changes; /* own commits */
	unsigned depth;	  /* of open transactions */
	bool failed;	  /* an inner part of the open transaction failed */
	char head[65];	  /* hash of the newest audit row of this transaction, "" none */
	int64_t head_id;
};

/* sql must be static: it is prepared once. NULL with pr. Afterwards: bind, run or rows, and store_sqlite_done where
 * rows are left unread. */
sqlite3_stmt *store_sqlite_stmt(struct store *s, const char *sql, struct problem *pr);
/* Binds from parameter 1 on, one letter each: 't' const char * (NULL allowed), 'i' int64_t, 'b' const void * and
 * size_t (NULL allowed). The memory must last until the statement is done. */
void store_sqlite_bind(sqlite3_stmt *st, const char *kinds, ...);
/* Runs to the end and resets. 0 / -1. */
int store_sqlite_run(struct store *s, sqlite3_stmt *st, struct problem *pr) __attribute__((warn_unused_result));
/* 1 a row, 0 no more (reset), -1 (reset). */
int store_sqlite_row(struct store *s, sqlite3_stmt *st, struct problem *pr) __attribute__((warn_unused_result));
void store_sqlite_done(sqlite3_stmt *st);
/* A column of the present row: a copy ("" for NULL); octets with their number, NULL for NULL or none. free() them. */
char *store_sqlite_text(sqlite3_stmt *st, int col);
uint8_t *store_sqlite_octets(sqlite3_stmt *st, int col, size_t *n_r);
/* Copies a column into a fixed array; what does not fit becomes "". */
void store_sqlite_copy(sqlite3_stmt *st, int col, char *dst, size_t cap);
/* Runs one statement that gives nothing back. */
int store_sqlite_exec(sqlite3 *db, const char *sql, struct problem *pr) __attribute__((warn_unused_result));
/* Sets pr from the connection's last error: what, and what to do. Returns -1. Out of memory is fatal. */
int store_sqlite_fail(sqlite3 *db, struct problem *pr);
/* Prepares sql (static), binds as store_sqlite_bind does, runs to the end. 0 / -1. */
int store_sqlite_do(struct store *s, const char *sql, struct problem *pr, const char *kinds, ...)
    __attribute__((warn_unused_result));

/* How the rows of one kind become a list. */
struct store_sqlite_rows {
	size_t size;
	void (*read)(sqlite3_stmt *st, void *row); /* into zeroed memory */
	void (*free)(void *list, size_t n);	   /* NULL: nothing hangs on a row */
};

/* Prepares sql (static), binds as store_sqlite_bind does, and reads all rows into *list_r. 0; -1 with an empty list.
 */
int store_sqlite_all(struct store *s, const struct store_sqlite_rows *rows, const char *sql, void **list_r,
    size_t *n_r, struct problem *pr, const char *kinds, ...) __attribute__((warn_unused_result));

#endif
