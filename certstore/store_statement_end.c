/* Statements that run out. Judge; blocks on the disk. Answered from an index: the rows themselves are large. */
#include "certstore/store_statement_end.h"

#include <stdlib.h>

#include "certstore/store_sqlite.h"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_statement_end *e = row;

	e->domain = store_sqlite_text(st, 0);
	store_sqlite_copy(st, 1, e->id, sizeof e->id);
	e->serial = sqlite3_column_int64(st, 2);
	e->expires = sqlite3_column_int64(st, 3);
	e->ours = sqlite3_column_int(st, 4) != 0;
}

static void free_list(void *list, size_t n)
{
	store_statement_end_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_statement_end), read_row, free_list};

void store_statement_end_free(struct store_statement_end *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(l[i].domain);
	free(l);
}

int store_statement_ends(struct store *s, int64_t now, int64_t from, int64_t before, size_t max,
    struct store_statement_end **list_r, size_t *n_r, struct problem *pr)
{
#define LATE "expires >= ?2 AND expires < ?3 AND (expires - ?1) * 4 < expires - issued"
	static const char sql[] =
	    "SELECT * FROM (SELECT domain, id, serial, expires, 1 FROM own_statement WHERE " LATE
	    " ORDER BY expires LIMIT ?4)"
	    " UNION ALL SELECT * FROM (SELECT domain, id, serial, expires, 0 FROM statement_body"
	    " WHERE waiting = 0 AND withdrawn = 0 AND " LATE " ORDER BY expires LIMIT ?4)";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "iiii", now, from, before, (int64_t)max);
}
