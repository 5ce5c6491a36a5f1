/* The tables of users and their tokens. Judge; blocks on the disk. */
#include "certstore/store_user.h"

#include <stdio.h>
#include <string.h>

#include "certstore/store_session.h"
#include "certstore/store_sqlite.h"

static const char *const words[] = {"nobody", "viewer", "operator", "trust-officer", "admin"};

const char *store_user_role_word(enum store_user_role r)
{
	return words[r <= STORE_USER_ADMIN ? r : STORE_USER_NOBODY];
}

enum store_user_role store_user_role_of(const char *word)
{
	for (int i = STORE_USER_VIEWER; i <= STORE_USER_ADMIN; i++)
		if (strcmp(words[i], word) == 0)
			return (enum store_user_role)i;
	return STORE_USER_NOBODY;
}

static void read_user(sqlite3_stmt *st, void *row)
{
	struct store_user *u = row;

	store_sqlite_copy(st, 0, u->name, sizeof u->name);
	u->role = (enum store_user_role)sqlite3_column_int(st, 1);
	u->added = sqlite3_column_int64(st, 2);
}

int store_user_put(struct store *s, const struct store_user *u, const char *who, struct problem *pr)
{
	static const char sql[] = "INSERT INTO user (name, role, added) VALUES (?1, ?2, ?3)"
				  " ON CONFLICT (name) DO UPDATE SET role = ?2";
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "tii", u->name, (int64_t)u->role, u->added);
	if (rc == 0) /* what they were let in for may have changed */
		rc = store_session_end_all(s, u->name, pr);
	if (rc == 0)
		rc = store_audit_add(s, who, "user.add", u->name, store_user_role_word(u->role), pr);
	return store_end(s, rc, pr);
}

int store_user_get(struct store *s, const char *name, struct store_user *u_r, struct problem *pr)
{
	sqlite3_stmt *st = store_sqlite_stmt(s, "SELECT name, role, added FROM user WHERE name = ?1", pr);
	int rc;

	memset(u_r, 0, sizeof *u_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", name);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	read_user(st, u_r);
	store_sqlite_done(st);
	return 0;
}

int store_users(struct store *s, struct store_user **list_r, size_t *n_r, struct problem *pr)
{
	static const struct store_sqlite_rows rows = {sizeof(struct store_user), read_user, NULL};
	void *list = NULL;
	int rc = store_sqlite_all(s, &rows, "SELECT name, role, added FROM user ORDER BY name", &list, n_r, pr, "");

	*list_r = list;
	return rc;
}

int store_user_remove(struct store *s, const char *name, const char *who, struct problem *pr)
{
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_session_end_all(s, name, pr);
	if (rc == 0)
		rc = store_sqlite_do(s, "DELETE FROM user_token WHERE user = ?1", pr, "t", name);
	if (rc == 0)
		rc = store_sqlite_do(s, "DELETE FROM user_password WHERE user = ?1", pr, "t", name);
	if (rc == 0)
		rc = store_sqlite_do(s, "DELETE FROM user_totp WHERE user = ?1", pr, "t", name);
	if (rc == 0)
		rc = store_sqlite_do(s, "DELETE FROM user WHERE name = ?1", pr, "t", name);
	if (rc == 0)
		rc = store_audit_add(s, who, "user.remove", name, "", pr);
	return store_end(s, rc, pr);
}

/* ---- tokens ---- */

#define TOKEN_COLUMNS "id, user, label, role, added, expires"

static void read_token(sqlite3_stmt *st, void *row)
{
	struct store_user_token *t = row;

	t->id = sqlite3_column_int64(st, 0);
	store_sqlite_copy(st, 1, t->user, sizeof t->user);
	store_sqlite_copy(st, 2, t->label, sizeof t->label);
	t->role = (enum store_user_role)sqlite3_column_int(st, 3);
	t->added = sqlite3_column_int64(st, 4);
	t->expires = sqlite3_column_int64(st, 5);
}

static int audit_token(
    struct store *s, const struct store_user_token *t, const char *what, const char *who, struct problem *pr)
{
	char detail[200];

	(void)snprintf(detail, sizeof detail, "token %lld \"%s\" as %s", (long long)t->id, t->label,
	    store_user_role_word(t->role));
	return store_audit_add(s, who, what, t->user, detail, pr);
}

int store_user_token_add(struct store *s, struct store_user_token *t, const uint8_t hash[STORE_USER_HASH],
    const char *who, struct problem *pr)
{
	static const char sql[] = "INSERT INTO user_token (user, label, role, hash, added, expires)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "ttibii", t->user, t->label, (int64_t)t->role, hash, (size_t)STORE_USER_HASH,
	    t->added, t->expires);
	if (rc == 0) {
		t->id = sqlite3_last_insert_rowid(s->db);
		rc = audit_token(s, t, "user.token", who, pr);
	}
	return store_end(s, rc, pr);
}

int store_user_tokens(struct store *s, struct store_user_token **list_r, size_t *n_r, struct problem *pr)
{
	static const struct store_sqlite_rows rows = {sizeof(struct store_user_token), read_token, NULL};
	void *list = NULL;
	int rc =
	    store_sqlite_all(s, &rows, "SELECT " TOKEN_COLUMNS " FROM user_token ORDER BY id", &list, n_r, pr, "");

	*list_r = list;
	return rc;
}

/* 1 / 0 / -1 */
static int token_by_id(struct store *s, int64_t id, struct store_user_token *t_r, struct problem *pr)
{
	sqlite3_stmt *st = store_sqlite_stmt(s, "SELECT " TOKEN_COLUMNS " FROM user_token WHERE id = ?1", pr);
	int rc;

	memset(t_r, 0, sizeof *t_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "i", id);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	read_token(st, t_r);
	store_sqlite_done(st);
	return 1;
}

int store_user_token_remove(struct store *s, int64_t id, const char *who, struct problem *pr)
{
	struct store_user_token t;
	int found, rc;

	if (store_begin(s, pr) < 0)
		return -1;
	found = token_by_id(s, id, &t, pr);
	rc = found < 0 ? -1 : 0;
	if (found == 1)
		rc = store_sqlite_do(s, "DELETE FROM user_token WHERE id = ?1", pr, "i", id);
	if (found == 1 && rc == 0)
		rc = audit_token(s, &t, "user.revoke", who, pr);
	return store_end(s, rc, pr) < 0 ? -1 : found;
}

int store_user_token_find(struct store *s, const uint8_t hash[STORE_USER_HASH], int64_t now,
    struct store_user_token *t_r, struct problem *pr)
{
	static const char sql[] = "SELECT t.id, t.user, t.label, min(t.role, u.role), t.added, t.expires"
				  " FROM user_token t JOIN user u ON u.name = t.user WHERE t.hash = ?1"
				  " AND t.expires > ?2";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	memset(t_r, 0, sizeof *t_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "bi", hash, (size_t)STORE_USER_HASH, now);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	read_token(st, t_r);
	store_sqlite_done(st);
	return 0;
}
