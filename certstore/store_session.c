/* The tables user_password, user_totp and session. Judge; blocks on the disk. */
#include "certstore/store_session.h"

#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store_sqlite.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/* n octets of a column; anything else is zeros. */
static void octets(sqlite3_stmt *st, int col, uint8_t *out, size_t n)
{
	size_t have;
	uint8_t *p = store_sqlite_octets(st, col, &have);

	memset(out, 0, n);
	if (p && have == n)
		memcpy(out, p, n);
	free(p);
}

/* ---- passwords ---- */

static int write_password(struct store *s, const char *user, const struct store_password *p, struct problem *pr)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO user_password (user, salt, verifier, memory, passes, changed)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

	return store_sqlite_do(s, sql, pr, "tbbiii", user, p->salt, sizeof p->salt, p->verifier, sizeof p->verifier,
	    p->memory, p->passes, p->changed);
}

int store_password_put(
    struct store *s, const char *user, const struct store_password *p, const char *who, struct problem *pr)
{
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = write_password(s, user, p, pr);
	if (rc == 0)
		rc = store_session_end_all(s, user, pr);
	if (rc == 0)
		rc = store_audit_add(s, who, "user.password", user, "", pr);
	return store_end(s, rc, pr);
}

int store_password_get(struct store *s, const char *user, struct store_password *p_r, struct problem *pr)
{
	static const char sql[] = "SELECT salt, verifier, memory, passes, changed FROM user_password WHERE user = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	memset(p_r, 0, sizeof *p_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", user);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	octets(st, 0, p_r->salt, sizeof p_r->salt);
	octets(st, 1, p_r->verifier, sizeof p_r->verifier);
	p_r->memory = sqlite3_column_int64(st, 2);
	p_r->passes = sqlite3_column_int64(st, 3);
	p_r->changed = sqlite3_column_int64(st, 4);
	store_sqlite_done(st);
	return 0;
}

int store_password_decoy(struct store *s, uint8_t salt_r[STORE_SALT], struct problem *pr)
{
	struct store_password p;

	if (store_password_get(s, "", &p, pr) < 0)
		return -1;
	if (!p.changed) {
		if (RAND_bytes(p.salt, sizeof p.salt) != 1 || RAND_bytes(p.verifier, sizeof p.verifier) != 1)
			log_fatal("no random numbers");
		p.changed = 1;
		if (write_password(s, "", &p, pr) < 0)
			return -1;
	}
	memcpy(salt_r, p.salt, sizeof p.salt);
	return 0;
}

/* ---- one-time codes ---- */

int store_totp_put(
    struct store *s, const char *user, const uint8_t *secret, size_t n, const char *who, struct problem *pr)
{
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	if (n > 0)
		rc = store_sqlite_do(s, "INSERT OR REPLACE INTO user_totp (user, secret, step) VALUES (?1, ?2, 0)",
		    pr, "tb", user, secret, n);
	else
		rc = store_sqlite_do(s, "DELETE FROM user_totp WHERE user = ?1", pr, "t", user);
	if (rc == 0)
		rc = store_session_end_all(s, user, pr);
	if (rc == 0)
		rc = store_audit_add(s, who, "user.totp", user, n > 0 ? "codes are asked for" : "no codes", pr);
	return store_end(s, rc, pr);
}

int store_totp_get(struct store *s, const char *user, uint8_t secret_r[STORE_TOTP_MAX], size_t *n_r, int64_t *step_r,
    struct problem *pr)
{
	sqlite3_stmt *st = store_sqlite_stmt(s, "SELECT secret, step FROM user_totp WHERE user = ?1", pr);
	uint8_t *p;
	int rc;

	*n_r = 0;
	*step_r = 0;
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", user);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	p = store_sqlite_octets(st, 0, n_r);
	*step_r = sqlite3_column_int64(st, 1);
	store_sqlite_done(st);
	/* a secret that cannot be used must not turn into "no code needed" */
	if (!p || *n_r > STORE_TOTP_MAX) {
		mem_free_secret(p, p ? *n_r : 0);
		return problem_temp(pr,
		    "the secret for codes of user %s is damaged: make a new one with \"postern user "
		    "totp %s\"",
		    user, user);
	}
	memcpy(secret_r, p, *n_r);
	mem_free_secret(p, *n_r);
	return 0;
}

int store_totp_use(struct store *s, const char *user, int64_t step, struct problem *pr)
{
	if (store_sqlite_do(s, "UPDATE user_totp SET step = ?2 WHERE user = ?1 AND step < ?2", pr, "ti", user, step) <
	    0)
		return -1;
	return sqlite3_changes(s->db) > 0;
}

/* ---- sessions ---- */

static void read_session(sqlite3_stmt *st, void *row)
{
	struct store_session *n = row;

	store_sqlite_copy(st, 0, n->user, sizeof n->user);
	n->role = (enum store_user_role)sqlite3_column_int(st, 1);
	n->began = sqlite3_column_int64(st, 2);
	n->used = sqlite3_column_int64(st, 3);
	store_sqlite_copy(st, 4, n->address, sizeof n->address);
	store_sqlite_copy(st, 5, n->id, sizeof n->id);
}

int store_session_add(struct store *s, const struct store_session *n, const uint8_t hash[STORE_USER_HASH],
    const char *who, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO session (hash, user, began, used, address) VALUES (?1, ?2, ?3, ?3, ?4)";
	static const char most[] = "DELETE FROM session WHERE user = ?1 AND hash NOT IN"
				   " (SELECT hash FROM session WHERE user = ?1 ORDER BY used DESC LIMIT ?2)";
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "btit", hash, (size_t)STORE_USER_HASH, n->user, n->began, n->address);
	if (rc == 0)
		rc = store_sqlite_do(s, most, pr, "ti", n->user, (int64_t)STORE_SESSIONS_PER_USER);
	if (rc == 0)
		rc = store_audit_add(s, who, "user.signin", n->user, "", pr);
	return store_end(s, rc, pr);
}

#define SESSION_ID "lower(hex(substr(n.hash, 1, 8)))"
#define SESSION_COLUMNS                                                                                              \
	"n.user, u.role, n.began, n.used, n.address, " SESSION_ID " FROM session n JOIN user u ON u.name = n.user"

int store_session_find(struct store *s, const uint8_t hash[STORE_USER_HASH], int64_t began, int64_t used,
    struct store_session *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT " SESSION_COLUMNS " WHERE n.hash = ?1 AND n.began >= ?2 AND n.used >= ?3";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	memset(n_r, 0, sizeof *n_r);
	if (!st)
		return -1;
	store_sqlite_bind(st, "bii", hash, (size_t)STORE_USER_HASH, began, used);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	read_session(st, n_r);
	store_sqlite_done(st);
	return 0;
}

int store_session_touch(struct store *s, const uint8_t hash[STORE_USER_HASH], int64_t now, struct problem *pr)
{
	return store_sqlite_do(
	    s, "UPDATE session SET used = ?2 WHERE hash = ?1", pr, "bi", hash, (size_t)STORE_USER_HASH, now);
}

int store_session_end(struct store *s, const uint8_t hash[STORE_USER_HASH], struct problem *pr)
{
	return store_sqlite_do(s, "DELETE FROM session WHERE hash = ?1", pr, "b", hash, (size_t)STORE_USER_HASH);
}

static int end_one(struct store *s, const char *id, const char *who, struct problem *pr)
{
	static const char sql[] = "DELETE FROM session AS n WHERE " SESSION_ID " = ?1 RETURNING user, address";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	char *user, detail[STORE_ADDRESS_MAX + 40];
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "t", id);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	user = store_sqlite_text(st, 0);
	(void)snprintf(detail, sizeof detail, "session %s from %s", id, (const char *)sqlite3_column_text(st, 1));
	rc = store_sqlite_run(s, st, pr);
	if (rc == 0)
		rc = store_audit_add(s, who, "user.session-end", user, detail, pr);
	free(user);
	return rc < 0 ? -1 : 1;
}

int store_session_end_id(struct store *s, const char *id, const char *who, struct problem *pr)
{
	int n;

	if (store_begin(s, pr) < 0)
		return -1;
	n = end_one(s, id, who, pr);
	return store_end(s, n < 0 ? -1 : 0, pr) < 0 ? -1 : n;
}

int store_session_end_all(struct store *s, const char *user, struct problem *pr)
{
	return store_sqlite_do(s, "DELETE FROM session WHERE user = ?1", pr, "t", user);
}

int store_session_prune(struct store *s, int64_t began, int64_t used, struct problem *pr)
{
	return store_sqlite_do(s, "DELETE FROM session WHERE began < ?1 OR used < ?2", pr, "ii", began, used);
}

int store_sessions(struct store *s, const char *user, int64_t began, int64_t used, struct store_session **list_r,
    size_t *n_r, struct problem *pr)
{
	static const struct store_sqlite_rows rows = {sizeof(struct store_session), read_session, NULL};
	static const char sql[] =
	    "SELECT " SESSION_COLUMNS " WHERE (?1 IS NULL OR n.user = ?1) AND n.began >= ?2 AND n.used >= ?3"
	    " ORDER BY n.user, n.used DESC";
	void *list = NULL;
	int rc = store_sqlite_all(s, &rows, sql, &list, n_r, pr, "tii", user, began, used);

	*list_r = list;
	return rc;
}
