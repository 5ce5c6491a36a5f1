/* Rules' table. Judge; blocks on the disk. Matching: gateway/proc/judge_rule.c. */
#include "certstore/store_rule.h"

#include <stdio.h>
#include <stdlib.h>

#include "certstore/store_sqlite.h"
#include "gateway/base/mem.h"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_rule *r = row;

	r->id = sqlite3_column_int64(st, 0);
	r->position = sqlite3_column_int64(st, 1);
	r->name = store_sqlite_text(st, 2);
	r->sender = store_sqlite_text(st, 3);
	r->recipient = store_sqlite_text(st, 4);
	r->treatment = store_sqlite_text(st, 5);
	r->strength = store_sqlite_text(st, 6);
	r->exempt = store_sqlite_text(st, 7);
}

static void free_list(void *list, size_t n)
{
	store_rules_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_rule), read_row, free_list};

void store_rules_free(struct store_rule *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].name);
		free(l[i].sender);
		free(l[i].recipient);
		free(l[i].treatment);
		free(l[i].strength);
		free(l[i].exempt);
	}
	free(l);
}

int store_rules(struct store *s, struct store_rule **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT id, position, name, sender, recipient, treatment, strength, exempt FROM "
				  "rule ORDER BY position, id";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "");
}

static int is_new(struct store *s, const char *name, struct problem *pr)
{
	static const char sql[] = "SELECT 1 FROM rule WHERE name = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "t", name);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	store_sqlite_done(st);
	return problem_set(pr, PROBLEM_PERM, 0, "", "",
	    "there is a rule called \"%s\" already: remove it first, or choose another name", name);
}

/* Where the new one goes; makes room there. */
static int place(struct store *s, int64_t want, int64_t *position_r, struct problem *pr)
{
	static const char last[] = "SELECT coalesce(max(position), 0) + 1 FROM rule";
	static const char shift[] = "UPDATE rule SET position = position + 1 WHERE position >= ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, last, pr);

	if (!st || store_sqlite_row(s, st, pr) <= 0)
		return -1;
	*position_r = sqlite3_column_int64(st, 0);
	store_sqlite_done(st);
	if (want < 1 || want >= *position_r)
		return 0;
	*position_r = want;
	return store_sqlite_do(s, shift, pr, "i", want);
}

static int insert(struct store *s, const struct store_rule *r, int64_t position, struct problem *pr)
{
	static const char sql[] = "INSERT INTO rule (position, name, sender, recipient, treatment, strength, exempt)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

	return store_sqlite_do(s, sql, pr, "itttttt", position, r->name, r->sender, r->recipient, r->treatment,
	    r->strength, r->exempt ? r->exempt : "");
}

int store_rule_add(struct store *s, const struct store_rule *r, const char *who, struct problem *pr)
{
	char detail[1200];
	int64_t position = 0;
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = is_new(s, r->name, pr);
	if (rc == 0)
		rc = place(s, r->position, &position, pr);
	if (rc == 0)
		rc = insert(s, r, position, pr);
	(void)snprintf(detail, sizeof detail, "position %lld, sender %s, recipient %s, treatment %s, strength %s%s%s",
	    (long long)position, r->sender, r->recipient, r->treatment, r->strength,
	    r->exempt && r->exempt[0] ? ", exempt " : "", r->exempt ? r->exempt : "");
	if (rc == 0)
		rc = store_audit_add(s, who, "rule.add", r->name, detail, pr);
	return store_end(s, rc, pr);
}

/* What it says now, for the audit log, and where it stands. */
static int find(struct store *s, const char *name, int64_t *position_r, char *was_r, size_t cap, struct problem *pr)
{
	static const char sql[] =
	    "SELECT position, sender, recipient, treatment, strength, exempt FROM rule WHERE name = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "t", name);
	rc = store_sqlite_row(s, st, pr);
	if (rc == 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "", "there is no rule called \"%s\"", name);
	if (rc < 0)
		return -1;
	*position_r = sqlite3_column_int64(st, 0);
	(void)snprintf(was_r, cap, "position %lld, sender %s, recipient %s, treatment %s, strength %s, exempt %s",
	    (long long)*position_r, (const char *)sqlite3_column_text(st, 1),
	    (const char *)sqlite3_column_text(st, 2), (const char *)sqlite3_column_text(st, 3),
	    (const char *)sqlite3_column_text(st, 4), (const char *)sqlite3_column_text(st, 5));
	store_sqlite_done(st);
	return 0;
}

static int update(struct store *s, const struct store_rule *r, int64_t position, struct problem *pr)
{
	static const char sql[] =
	    "UPDATE rule SET position = ?2, sender = ?3, recipient = ?4, treatment = ?5, strength = "
	    "?6, exempt = ?7 WHERE name = ?1";

	return store_sqlite_do(s, sql, pr, "tittttt", r->name, position, r->sender, r->recipient, r->treatment,
	    r->strength, r->exempt ? r->exempt : "");
}

int store_rule_set(struct store *s, const struct store_rule *r, const char *who, struct problem *pr)
{
	char was[1200] = "", detail[2600];
	int64_t position = 0;
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = find(s, r->name, &position, was, sizeof was, pr);
	if (rc == 0 && r->position >= 1 && r->position != position)
		rc = place(s, r->position, &position, pr);
	if (rc == 0)
		rc = update(s, r, position, pr);
	(void)snprintf(detail, sizeof detail,
	    "position %lld, sender %s, recipient %s, treatment %s, strength %s, exempt %s; was %s",
	    (long long)position, r->sender, r->recipient, r->treatment, r->strength, r->exempt ? r->exempt : "", was);
	if (rc == 0)
		rc = store_audit_add(s, who, "rule.change", r->name, detail, pr);
	return store_end(s, rc, pr);
}

static int delete_row(struct store *s, int64_t id, char **name_r, char *detail_r, size_t cap, struct problem *pr)
{
	static const char sql[] =
	    "DELETE FROM rule WHERE id = ?1 RETURNING name, position, sender, recipient, treatment, strength";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "i", id);
	rc = store_sqlite_row(s, st, pr);
	if (rc == 0)
		return problem_set(
		    pr, PROBLEM_PERM, 0, "", "", "there is no rule with the number %lld", (long long)id);
	if (rc < 0)
		return -1;
	*name_r = store_sqlite_text(st, 0);
	(void)snprintf(detail_r, cap, "position %lld, sender %s, recipient %s, treatment %s, strength %s",
	    (long long)sqlite3_column_int64(st, 1), (const char *)sqlite3_column_text(st, 2),
	    (const char *)sqlite3_column_text(st, 3), (const char *)sqlite3_column_text(st, 4),
	    (const char *)sqlite3_column_text(st, 5));
	return store_sqlite_run(s, st, pr);
}

int store_rule_remove(struct store *s, int64_t id, const char *who, struct problem *pr)
{
	char detail[1200] = "", *name = NULL;
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = delete_row(s, id, &name, detail, sizeof detail, pr);
	if (rc == 0)
		rc = store_audit_add(s, who, "rule.remove", name, detail, pr);
	free(name);
	return store_end(s, rc, pr);
}
