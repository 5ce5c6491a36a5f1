/* Anchors' table. Judge; blocks on the disk. What an anchor is good for: trust.c. */
#include "certstore/store_anchor.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/cert.h"
#include "certstore/store_sqlite.h"

static const char *const directions[] = {"both", "out", "in"};

const char *store_direction_word(enum store_direction d)
{
	return d >= STORE_BOTH && d <= STORE_IN ? directions[d] : "?";
}

int store_direction_parse(const char *w, enum store_direction *d_r)
{
	for (int i = STORE_BOTH; i <= STORE_IN; i++)
		if (strcmp(directions[i], w) == 0) {
			*d_r = (enum store_direction)i;
			return 0;
		}
	return -1;
}

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_anchor *a = row;

	a->id = sqlite3_column_int64(st, 0);
	a->scope = store_sqlite_text(st, 1);
	a->dir = (enum store_direction)sqlite3_column_int(st, 2);
	a->der = store_sqlite_octets(st, 3, &a->der_len);
	store_sqlite_copy(st, 4, a->sha256, sizeof a->sha256);
	a->added = sqlite3_column_int64(st, 5);
	a->local = store_sqlite_text(st, 6);
	a->bundle = sqlite3_column_int64(st, 7);
}

static void free_list(void *list, size_t n)
{
	store_anchors_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_anchor), read_row, free_list};

void store_anchors_free(struct store_anchor *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].scope);
		free(l[i].local);
		free(l[i].der);
	}
	free(l);
}

int store_anchors(struct store *s, const char *scope, struct store_anchor **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT id, scope, dir, der, sha256, added, local, bundle FROM anchor"
	    " WHERE ?1 IS NULL OR scope IN (?1, '*') OR scope = (SELECT '@' || family FROM partner"
	    " WHERE domain = ?1) ORDER BY scope = '*', scope, id";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "t", scope);
}

static int upsert(struct store *s, const struct store_anchor *a, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO anchor (scope, dir, der, sha256, added, local, bundle) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
	    " ON CONFLICT (scope, local, bundle, sha256) DO UPDATE SET dir = ?2";

	return store_sqlite_do(s, sql, pr, "tibtiti", a->scope, (int64_t)a->dir, a->der, a->der_len, a->sha256,
	    a->added, a->local ? a->local : "", a->bundle);
}

static void describe(
    const void *der, size_t n, const char *sha256, const char *dir, const char *local, char *out, size_t cap)
{
	struct cert_facts f;
	char words[800] = "unreadable";
	X509 *x = cert_parse(der, n, NULL);

	if (x) {
		cert_facts(x, &f);
		(void)cert_words(&f, words, sizeof words);
		X509_free(x);
	}
	(void)snprintf(out, cap, "%s, sha256 %s%s%s%s%.255s", words, sha256, dir[0] ? ", direction " : "", dir,
	    local[0] ? ", for mail of " : "", local);
}

int store_anchor_add(struct store *s, const struct store_anchor *a, const char *who, struct problem *pr)
{
	char detail[1500];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = upsert(s, a, pr);
	describe(a->der, a->der_len, a->sha256, store_direction_word(a->dir), a->local ? a->local : "", detail,
	    sizeof detail);
	if (rc == 0)
		rc = store_audit_add(s, who, "anchor.add", a->scope, detail, pr);
	return store_end(s, rc, pr);
}

static int delete_row(struct store *s, const char *scope, const char *local, const char *sha256, int64_t bundle,
    char *detail_r, size_t cap, struct problem *pr)
{
	static const char sql[] =
	    "DELETE FROM anchor WHERE scope = ?1 AND local = ?2 AND sha256 = ?3 AND bundle = ?4 RETURNING der";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	size_t n = 0;
	uint8_t *der;
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "ttti", scope, local, sha256, bundle);
	rc = store_sqlite_row(s, st, pr);
	if (rc == 0)
		return problem_set(
		    pr, PROBLEM_PERM, 0, "", "", "there is no anchor for %s with the fingerprint %s", scope, sha256);
	if (rc < 0)
		return -1;
	der = store_sqlite_octets(st, 0, &n);
	describe(der, n, sha256, "", local, detail_r, cap);
	free(der);
	return store_sqlite_run(s, st, pr);
}

static int remove_one(struct store *s, const char *scope, const char *local, const char *sha256, int64_t bundle,
    const char *who, struct problem *pr)
{
	char detail[1500];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = delete_row(s, scope, local, sha256, bundle, detail, sizeof detail, pr);
	/* some of the signers may be believed no more: what counts of it is said again by the next mail */
	if (rc == 0)
		rc = store_caps_drop_domain(s, scope[0] == '@' ? "*" : scope, pr);
	if (rc == 0)
		rc = store_audit_add(s, who, "anchor.remove", scope, detail, pr);
	return store_end(s, rc, pr);
}

int store_anchor_remove(
    struct store *s, const char *scope, const char *local, const char *sha256, const char *who, struct problem *pr)
{
	return remove_one(s, scope, local, sha256, 0, who, pr);
}

int store_anchor_remove_bundled(struct store *s, const struct store_anchor *a, const char *who, struct problem *pr)
{
	return remove_one(s, a->scope, a->local, a->sha256, a->bundle, who, pr);
}
