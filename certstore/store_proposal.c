/* The table of proposals. Judge; blocks on the disk. */
#include "certstore/store_proposal.h"

#include <stdlib.h>

#include "certstore/store_sqlite.h"

#define COLUMNS "id, verb, subject, what, who, at, expires, args"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_proposal *p = row;
	p->id = sqlite3_column_int64(st, 0);
	store_sqlite_copy(st, 1, p->verb, sizeof p->verb);
	store_sqlite_copy(st, 2, p->subject, sizeof p->subject);
	store_sqlite_copy(st, 3, p->what, sizeof p->what);
	store_sqlite_copy(st, 4, p->who, sizeof p->who);
	p->at = sqlite3_column_int64(st, 5);
	p->expires = sqlite3_column_int64(st, 6);
	p->args = store_sqlite_text(st, 7);
}

static void free_rows(void *list, size_t n)
{
	store_proposals_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_proposal), read_row, free_rows};

static int insert(struct store *s, struct store_proposal *p, struct problem *pr)
{
	int64_t n;

	if (store_sqlite_do(s, "DELETE FROM proposal WHERE expires <= ?1", pr, "i", p->at) < 0 ||
	    store_proposals_count(s, p->at, &n, pr) < 0)
		return -1;
	if (n >= STORE_PROPOSAL_MAX)
		return problem_perm(pr,
		    "%d changes wait for a second person already: confirm or drop some of them first",
		    STORE_PROPOSAL_MAX);
	if (store_sqlite_do(s,
		"INSERT INTO proposal (verb, subject, what, who, at, expires, args)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		pr, "ttttiit", p->verb, p->subject, p->what, p->who, p->at, p->expires, p->args) < 0)
		return -1;
	p->id = sqlite3_last_insert_rowid(s->db);
	return store_audit_add(s, p->who, "proposal.add", p->subject, p->what, pr);
}

int store_proposal_add(struct store *s, struct store_proposal *p, struct problem *pr)
{
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = insert(s, p, pr);
	return store_end(s, rc, pr);
}

int store_proposal_get(struct store *s, int64_t id, struct store_proposal **p_r, struct problem *pr)
{
	void *list = NULL;
	size_t n = 0;
	int rc = store_sqlite_all(s, &rows, "SELECT " COLUMNS " FROM proposal WHERE id = ?1", &list, &n, pr, "i", id);

	*p_r = list;
	if (rc == 0 && n == 0) {
		free(list);
		*p_r = NULL;
	}
	return rc;
}

int store_proposals(struct store *s, struct store_proposal **list_r, size_t *n_r, struct problem *pr)
{
	void *list = NULL;
	int rc = store_sqlite_all(s, &rows, "SELECT " COLUMNS " FROM proposal ORDER BY id", &list, n_r, pr, "");

	*list_r = list;
	return rc;
}

void store_proposals_free(struct store_proposal *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(list[i].args);
	free(list);
}

int store_proposals_count(struct store *s, int64_t now, int64_t *n_r, struct problem *pr)
{
	sqlite3_stmt *st = store_sqlite_stmt(s, "SELECT count(*) FROM proposal WHERE expires > ?1", pr);
	int rc;

	*n_r = 0;
	if (!st)
		return -1;
	store_sqlite_bind(st, "i", now);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	*n_r = sqlite3_column_int64(st, 0);
	store_sqlite_done(st);
	return 0;
}

int store_proposal_end(struct store *s, const struct store_proposal *p, const char *who, const char *action,
    const char *detail, struct problem *pr)
{
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, "DELETE FROM proposal WHERE id = ?1", pr, "i", p->id);
	if (rc == 0)
		rc = store_audit_add(s, who, action, p->subject, detail, pr);
	return store_end(s, rc, pr);
}
