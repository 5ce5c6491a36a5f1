/* The table of what is known to be revoked. Judge; blocks on the disk. Who finds out: revoke.c. */
#include "certstore/store_revoked.h"

#include <stdio.h>
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

static const struct store_sqlite_rows rows = {sizeof(struct store_revoked), read_row, free_list};

void store_revoked_free(struct store_revoked *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(l[i].words);
	free(l);
}

int store_revoked(struct store *s, struct store_revoked **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT sha256, words, at FROM revoked ORDER BY sha256";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "");
}

/* ---- whose they are ---- */

static void read_of(sqlite3_stmt *st, void *row)
{
	struct store_revoked_of *o = row;

	read_row(st, &o->r);
	o->owner = store_sqlite_text(st, 3);
}

static void free_of(void *list, size_t n)
{
	store_revoked_owners_free(list, n);
}

static const struct store_sqlite_rows of_rows = {sizeof(struct store_revoked_of), read_of, free_of};

void store_revoked_owners_free(struct store_revoked_of *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].r.words);
		free(l[i].owner);
	}
	free(l);
}

/* The store's own indexes hold owner and fingerprint: no certificate is read. */
/* Most are not revoked: they need not be gone through for those few that are. */
#define OF_THEM "sha256 IN (SELECT sha256 FROM revoked)"

int store_revoked_owners(
    struct store *s, size_t max, struct store_revoked_of **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT r.sha256, r.words, r.at, o.owner FROM revoked AS r JOIN (SELECT owner, sha256 FROM cert "
	    "WHERE " OF_THEM " UNION SELECT owner, sha256 FROM believed WHERE " OF_THEM
	    " UNION SELECT owner, sha256 FROM in_use WHERE " OF_THEM
	    " UNION SELECT owner, sha256 FROM revoked WHERE owner IN (SELECT domain FROM partner) OR"
	    " substr(owner, instr(owner, '@') + 1) IN (SELECT domain FROM partner UNION SELECT domain FROM seen)) AS "
	    "o"
	    " ON o.sha256 = r.sha256 ORDER BY r.at DESC, o.owner LIMIT ?1";

	return store_sqlite_all(s, &of_rows, sql, (void **)list_r, n_r, pr, "i", (int64_t)max);
}

int store_revoked_owner(struct store *s, const char *sha256, char *owner_r, size_t cap, struct problem *pr)
{
	static const char sql[] = "SELECT owner FROM cert WHERE sha256 = ?1"
				  " UNION SELECT owner FROM believed WHERE sha256 = ?1"
				  " UNION SELECT owner FROM in_use WHERE sha256 = ?1 ORDER BY 1 LIMIT 1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	owner_r[0] = '\0';
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", sha256);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	store_sqlite_copy(st, 0, owner_r, cap);
	store_sqlite_done(st);
	return 1;
}

/* ---- changes ---- */

int store_revoked_add(
    struct store *s, const struct store_revoked *r, const char *subject, const char *who, struct problem *pr)
{
	static const char sql[] = "INSERT INTO revoked (sha256, words, at, owner) VALUES (?1, ?2, ?3, ?4)"
				  " ON CONFLICT (sha256) DO UPDATE SET words = ?2, owner = ?4";
	char detail[1000];
	int rc = -1;

	(void)snprintf(detail, sizeof detail, "certificate %s: %.800s", r->sha256, r->words);
	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "ttit", r->sha256, r->words, r->at, subject);
	if (rc == 0)
		rc = store_audit_add(s, who, "cert.revoked", subject, detail, pr);
	return store_end(s, rc, pr);
}

int store_revoked_remove(
    struct store *s, const char *sha256, const char *why, const char *subject, const char *who, struct problem *pr)
{
	static const char sql[] = "DELETE FROM revoked WHERE sha256 = ?1";
	char detail[1000];
	int rc = -1;

	(void)snprintf(detail, sizeof detail, "certificate %s: %.800s", sha256, why);
	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "t", sha256);
	if (rc == 0)
		rc = store_audit_add(s, who, "cert.unrevoked", subject, detail, pr);
	return store_end(s, rc, pr);
}
