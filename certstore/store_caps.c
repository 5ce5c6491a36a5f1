/* The table of capabilities. Judge; blocks on the disk. Who may write into it: gateway/proc/judge_learn.c. */
#include "certstore/store_caps.h"

#include <stdlib.h>

#include "certstore/store_sqlite.h"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_caps *c = row;

	c->owner = store_sqlite_text(st, 0);
	store_sqlite_copy(st, 1, c->sha256, sizeof c->sha256);
	c->signer = store_sqlite_text(st, 2);
	c->caps = store_sqlite_octets(st, 3, &c->ncaps);
	c->signing_time = sqlite3_column_int64(st, 4);
	c->seen = sqlite3_column_int64(st, 5);
}

static void free_list(void *list, size_t n)
{
	store_caps_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_caps), read_row, free_list};

void store_caps_free(struct store_caps *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].owner);
		free(l[i].signer);
		free(l[i].caps);
	}
	free(l);
}

int store_caps(struct store *s, const char *owner, struct store_caps **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT owner, sha256, signer, caps, signing_time, seen FROM capabilities"
				  " WHERE owner = ?1 ORDER BY signing_time DESC, sha256";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "t", owner);
}

int store_caps_owners(struct store *s, int64_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT count(DISTINCT owner) FROM capabilities";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

	if (!st || store_sqlite_row(s, st, pr) <= 0)
		return -1;
	*n_r = sqlite3_column_int64(st, 0);
	store_sqlite_done(st);
	return 0;
}

/* The condition stands in the statement: nothing that is older ever takes the place of what is newer. */
static int upsert(struct store *s, const struct store_caps *c, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO capabilities (owner, sha256, signer, caps, signing_time, seen) VALUES (?1, ?2, ?3, ?4, ?5, "
	    "?6)"
	    " ON CONFLICT (owner, sha256) DO UPDATE SET signer = ?3, caps = ?4, signing_time = ?5, seen = ?6"
	    " WHERE ?5 > signing_time";

	return store_sqlite_do(
	    s, sql, pr, "tttbii", c->owner, c->sha256, c->signer, c->caps, c->ncaps, c->signing_time, c->seen);
}

static int keep_newest(struct store *s, const char *owner, struct problem *pr)
{
	static const char sql[] = "DELETE FROM capabilities WHERE owner = ?1 AND sha256 NOT IN (SELECT sha256 FROM"
				  " capabilities WHERE owner = ?1 ORDER BY signing_time DESC, sha256 LIMIT ?2)";

	return store_sqlite_do(s, sql, pr, "ti", owner, (int64_t)STORE_CAPS_SIGNERS);
}

int store_caps_put(struct store *s, const struct store_caps *c, const char *detail, struct problem *pr)
{
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = upsert(s, c, pr);
	if (rc == 0)
		rc = keep_newest(s, c->owner, pr);
	if (rc == 0 && detail)
		rc = store_audit_add(s, "mail", "capabilities.change", c->owner, detail, pr);
	return store_end(s, rc, pr);
}

int store_caps_again(struct store *s, const struct store_caps *c, struct problem *pr)
{
	static const char sql[] = "UPDATE capabilities SET signing_time = ?3, seen = ?4"
				  " WHERE owner = ?1 AND sha256 = ?2 AND ?3 > signing_time";

	return store_sqlite_do(s, sql, pr, "ttii", c->owner, c->sha256, c->signing_time, c->seen);
}

int store_caps_drop(struct store *s, const char *owner, const char *sha256, struct problem *pr)
{
	static const char sql[] = "DELETE FROM capabilities WHERE owner = ?1 AND (?2 IS NULL OR sha256 = ?2)";

	return store_sqlite_do(s, sql, pr, "tt", owner, sha256);
}

int store_caps_drop_domain(struct store *s, const char *domain, struct problem *pr)
{
	static const char sql[] = "DELETE FROM capabilities WHERE ?1 = '*' OR owner = ?1"
				  " OR substr(owner, -length(?1) - 1) = '@' || ?1";

	return store_sqlite_do(s, sql, pr, "t", domain);
}
