/* Bundles' table. Judge; blocks on the disk. What is in one: bundle.c; when it is fetched: judge_bundle.c. */
#include "certstore/store_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store_sqlite.h"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_bundle *b = row;

	b->id = sqlite3_column_int64(st, 0);
	b->url = store_sqlite_text(st, 1);
	b->scope = store_sqlite_text(st, 2);
	b->dir = (enum store_direction)sqlite3_column_int(st, 3);
	b->local = store_sqlite_text(st, 4);
	b->signer = store_sqlite_octets(st, 5, &b->signer_len);
	b->every = sqlite3_column_int64(st, 6);
	b->added = sqlite3_column_int64(st, 7);
	b->tried = sqlite3_column_int64(st, 8);
	b->taken = sqlite3_column_int64(st, 9);
	b->sha256 = store_sqlite_text(st, 10);
	b->trouble = store_sqlite_text(st, 11);
	b->difference = store_sqlite_text(st, 12);
	b->since = sqlite3_column_int64(st, 13);
}

static void free_list(void *list, size_t n)
{
	store_bundles_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_bundle), read_row, free_list};

void store_bundles_free(struct store_bundle *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].url);
		free(l[i].scope);
		free(l[i].local);
		free(l[i].signer);
		free(l[i].sha256);
		free(l[i].trouble);
		free(l[i].difference);
	}
	free(l);
}

int store_bundles(struct store *s, struct store_bundle **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT id, url, scope, dir, local, signer, every, added, tried, taken, sha256, trouble,"
	    " difference, since FROM bundle ORDER BY id";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "");
}

/* 0, or -1 when it is there for other anchors. */
static int check_same(struct store *s, const struct store_bundle *b, bool *there_r, struct problem *pr)
{
	struct store_bundle *list;
	size_t n;
	int rc = 0;

	*there_r = false;
	if (store_bundles(s, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++) {
		if (strcmp(list[i].url, b->url) != 0)
			continue;
		*there_r = true;
		if (strcmp(list[i].scope, b->scope) != 0 || strcmp(list[i].local, b->local) != 0 ||
		    list[i].dir != b->dir)
			rc = problem_set(pr, PROBLEM_PERM, 0, "", "",
			    "the bundle %.200s is there already, for %.100s: postern bundle remove it first", b->url,
			    list[i].scope);
	}
	store_bundles_free(list, n);
	return rc;
}

static int upsert(struct store *s, const struct store_bundle *b, struct problem *pr)
{
	static const char sql[] = "INSERT INTO bundle (url, scope, dir, local, signer, every, added, tried, taken, "
				  "sha256, trouble, difference)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0, '', '', '')"
				  " ON CONFLICT (url) DO UPDATE SET signer = ?5, every = ?6, tried = 0, sha256 = ''";

	return store_sqlite_do(s, sql, pr, "ttitbii", b->url, b->scope, (int64_t)b->dir, b->local, b->signer,
	    b->signer_len, b->every, b->added);
}

int store_bundle_put(struct store *s, const struct store_bundle *b, const char *who, struct problem *pr)
{
	char detail[900];
	bool there;
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = check_same(s, b, &there, pr);
	if (rc == 0)
		rc = upsert(s, b, pr);
	(void)snprintf(detail, sizeof detail, "for %.255s, direction %s%s%.255s, %s, every %lld s", b->scope,
	    store_direction_word(b->dir), b->local[0] ? ", for mail of " : "", b->local,
	    b->signer ? "signed" : "not signed", (long long)b->every);
	if (rc == 0)
		rc = store_audit_add(s, who, there ? "bundle.change" : "bundle.add", b->url, detail, pr);
	return store_end(s, rc, pr);
}

static int run_id(struct store *s, const char *sql, int64_t id, struct problem *pr)
{
	return store_sqlite_do(s, sql, pr, "i", id);
}

static int remove_rows(struct store *s, const char *url, char *scope_r, size_t cap, struct problem *pr)
{
	static const char anchors[] = "DELETE FROM anchor WHERE bundle = ?1";
	static const char row[] = "DELETE FROM bundle WHERE id = ?1";
	struct store_bundle *list;
	size_t n;
	int64_t id = 0;

	if (store_bundles(s, &list, &n, pr) < 0)
		return -1;
	for (size_t i = 0; i < n; i++)
		if (strcmp(list[i].url, url) == 0) {
			id = list[i].id;
			(void)snprintf(scope_r, cap, "%s", list[i].scope);
		}
	store_bundles_free(list, n);
	if (id == 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "", "there is no bundle %.300s", url);
	return run_id(s, anchors, id, pr) < 0 ? -1 : run_id(s, row, id, pr);
}

int store_bundle_remove(struct store *s, const char *url, const char *who, struct problem *pr)
{
	char scope[300] = "", detail[400];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = remove_rows(s, url, scope, sizeof scope, pr);
	if (rc == 0) /* as with an anchor that goes */
		rc = store_caps_drop_domain(s, scope[0] == '@' ? "*" : scope, pr);
	(void)snprintf(detail, sizeof detail, "with its anchors for %s", scope);
	if (rc == 0)
		rc = store_audit_add(s, who, "bundle.remove", url, detail, pr);
	return store_end(s, rc, pr);
}

int store_bundle_tried(
    struct store *s, const struct store_bundle *b, bool audited, const char *who, struct problem *pr)
{
	static const char sql[] =
	    "UPDATE bundle SET tried = ?2, taken = ?3, sha256 = ?4, trouble = ?5, difference = ?6,"
	    " since = CASE WHEN ?5 = '' THEN 0 WHEN since > 0 THEN since ELSE ?2 END"
	    " WHERE id = ?1";
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "iiittt", b->id, b->tried, b->taken, b->sha256, b->trouble, b->difference);
	if (rc == 0 && audited)
		rc = store_audit_add(s, who, b->trouble[0] ? "bundle.refused" : "bundle.refresh", b->url,
		    b->trouble[0] ? b->trouble : b->difference, pr);
	return store_end(s, rc, pr);
}
