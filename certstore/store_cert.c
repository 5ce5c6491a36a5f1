/* Partners' certificates' table. Judge; blocks on the disk. Which of them is used, and whether any is good:
 * gateway/proc/judge_resolve.c. */
#include "certstore/store_cert.h"

#include <stdio.h>
#include <stdlib.h>

#include "certstore/cert.h"
#include "certstore/store_sqlite.h"

#define COLUMNS "SELECT id, owner, der, sha256, source, pinned, added, not_after FROM cert "

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_cert *c = row;

	c->id = sqlite3_column_int64(st, 0);
	c->owner = store_sqlite_text(st, 1);
	c->der = store_sqlite_octets(st, 2, &c->der_len);
	store_sqlite_copy(st, 3, c->sha256, sizeof c->sha256);
	c->source = store_sqlite_text(st, 4);
	c->pinned = sqlite3_column_int(st, 5) != 0;
	c->added = sqlite3_column_int64(st, 6);
	c->not_after = sqlite3_column_int64(st, 7);
}

static void free_list(void *list, size_t n)
{
	store_certs_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_cert), read_row, free_list};

void store_certs_free(struct store_cert *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].owner);
		free(l[i].der);
		free(l[i].source);
	}
	free(l);
}

int store_certs(struct store *s, const char *owner, struct store_cert **list_r, size_t *n_r, struct problem *pr)
{
	static const char all[] = COLUMNS "ORDER BY owner, id";
	static const char one[] = COLUMNS "WHERE owner = ?1 ORDER BY id";

	return store_sqlite_all(s, &rows, owner ? one : all, (void **)list_r, n_r, pr, owner ? "t" : "", owner);
}

int store_certs_page(
    struct store *s, int64_t after, size_t max, struct store_cert **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = COLUMNS "WHERE id > ?1 ORDER BY id LIMIT ?2";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "ii", after, (int64_t)max);
}

int store_certs_named(
    struct store *s, const char *sha256, size_t max, struct store_cert **list_r, size_t *n_r, struct problem *pr)
{
	/* the inner question is answered by the index of owner and fingerprint: no certificate is read for it */
	static const char sql[] =
	    COLUMNS "WHERE id IN (SELECT id FROM cert WHERE substr(sha256, 1, length(?1)) = ?1 LIMIT ?2)"
		    " ORDER BY owner, id";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "ti", sha256, (int64_t)max);
}

int store_certs_expiring(
    struct store *s, int64_t before, size_t max, struct store_cert **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = COLUMNS "WHERE not_after < ?1 ORDER BY not_after LIMIT ?2";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "ii", before, (int64_t)max);
}

static int upsert(struct store *s, const struct store_cert *c, struct problem *pr)
{
	static const char sql[] = "INSERT INTO cert (owner, der, sha256, source, pinned, added, not_after)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)"
				  " ON CONFLICT (owner, sha256) DO UPDATE SET source = ?4, pinned = ?5";

	return store_sqlite_do(s, sql, pr, "tbttiii", c->owner, c->der, c->der_len, c->sha256,
	    c->source ? c->source : "", (int64_t)c->pinned, c->added, c->not_after);
}

/* The words for the audit log; a certificate that cannot be read is named by its hash alone. */
static void describe(const void *der, size_t n, const char *sha256, const char *how, char *out, size_t cap)
{
	struct cert_facts f;
	char words[800] = "unreadable";
	X509 *x = cert_parse(der, n, NULL);

	if (x) {
		cert_facts(x, &f);
		(void)cert_words(&f, words, sizeof words);
		X509_free(x);
	}
	(void)snprintf(out, cap, "%s, sha256 %s%s", words, sha256, how);
}

int store_cert_add(struct store *s, const struct store_cert *c, const char *who, struct problem *pr)
{
	char detail[1200];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = upsert(s, c, pr);
	describe(c->der, c->der_len, c->sha256, c->pinned ? ", pinned" : ", not pinned", detail, sizeof detail);
	if (rc == 0)
		rc = store_audit_add(s, who, "cert.add", c->owner, detail, pr);
	return store_end(s, rc, pr);
}

static int insert_new(struct store *s, const struct store_cert *c, struct problem *pr)
{
	static const char sql[] = "INSERT INTO cert (owner, der, sha256, source, pinned, added, not_after)"
				  " VALUES (?1, ?2, ?3, ?4, 0, ?5, ?6) ON CONFLICT (owner, sha256) DO NOTHING";

	return store_sqlite_do(
	    s, sql, pr, "tbttii", c->owner, c->der, c->der_len, c->sha256, STORE_HARVESTED, c->added, c->not_after);
}

static int drop_oldest(struct store *s, const char *owner, unsigned most, struct problem *pr)
{
	static const char sql[] = "DELETE FROM cert WHERE id IN (SELECT id FROM cert WHERE owner = ?1 AND source = ?2"
				  " ORDER BY id DESC LIMIT -1 OFFSET ?3)";

	return store_sqlite_do(s, sql, pr, "tti", owner, STORE_HARVESTED, (int64_t)most);
}

int store_cert_harvest(
    struct store *s, const struct store_cert *c, unsigned most, const char *detail, struct problem *pr)
{
	int rc, changes;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = insert_new(s, c, pr);
	changes = sqlite3_changes(s->db);
	if (rc == 0 && changes > 0)
		rc = drop_oldest(s, c->owner, most, pr);
	if (rc == 0 && changes > 0)
		rc = store_audit_add(s, "mail", "cert.harvest", c->owner, detail, pr);
	rc = store_end(s, rc, pr);
	return rc < 0 ? -1 : changes > 0;
}

int store_cert_harvested(struct store *s, int64_t *owners_r, struct problem *pr)
{
	static const char sql[] = "SELECT count(DISTINCT owner) FROM cert WHERE source = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);

	*owners_r = 0;
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", STORE_HARVESTED);
	if (store_sqlite_row(s, st, pr) < 0)
		return -1;
	*owners_r = sqlite3_column_int64(st, 0);
	store_sqlite_done(st);
	return 0;
}

static int delete_row(
    struct store *s, const char *owner, const char *sha256, char *detail_r, size_t cap, struct problem *pr)
{
	static const char sql[] = "DELETE FROM cert WHERE owner = ?1 AND sha256 = ?2 RETURNING der";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	size_t n = 0;
	uint8_t *der;
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "tt", owner, sha256);
	rc = store_sqlite_row(s, st, pr);
	if (rc == 0)
		return problem_set(
		    pr, PROBLEM_PERM, 0, "", "", "%s has no certificate with the fingerprint %s", owner, sha256);
	if (rc < 0)
		return -1;
	der = store_sqlite_octets(st, 0, &n);
	describe(der, n, sha256, "", detail_r, cap);
	free(der);
	return store_sqlite_run(s, st, pr);
}

int store_cert_remove(struct store *s, const char *owner, const char *sha256, const char *who, struct problem *pr)
{
	char detail[1200];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = delete_row(s, owner, sha256, detail, sizeof detail, pr);
	if (rc == 0) /* whoever is believed no more has said nothing */
		rc = store_caps_drop(s, owner, sha256, pr);
	if (rc == 0)
		rc = store_audit_add(s, who, "cert.remove", owner, detail, pr);
	return store_end(s, rc, pr);
}
