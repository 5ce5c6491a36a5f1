/* Our identities' table. Judge; blocks on the disk. Whether a certificate is any good is looked at before it comes
 * here (judge_admin). */
#include "certstore/store_identity.h"

#include <stdio.h>
#include <stdlib.h>

#include "certstore/cert.h"
#include "certstore/store_sqlite.h"

const char *store_use_word(enum store_use u)
{
	switch (u) {
	case STORE_SIGN:
		return "sign";
	case STORE_DECRYPT:
		return "decrypt";
	case STORE_TLS:
		return "tls";
	case STORE_ENCRYPT:
		return "encrypt";
	case STORE_STATEMENT:
		return "statement";
	}
	return "?";
}

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_identity *i = row;

	i->id = sqlite3_column_int64(st, 0);
	i->domain = store_sqlite_text(st, 1);
	i->use = (enum store_use)sqlite3_column_int(st, 2);
	i->key_id = store_sqlite_text(st, 3);
	i->cert = store_sqlite_octets(st, 4, &i->cert_len);
	i->chain = store_sqlite_octets(st, 5, &i->chain_len);
	i->spki = store_sqlite_octets(st, 6, &i->spki_len);
	i->active = sqlite3_column_int(st, 7) != 0;
	i->added = sqlite3_column_int64(st, 8);
	i->retired = sqlite3_column_int64(st, 9);
	i->from = sqlite3_column_int64(st, 10);
	i->until = sqlite3_column_int64(st, 11);
}

static void free_list(void *list, size_t n)
{
	store_identities_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_identity), read_row, free_list};

void store_identities_free(struct store_identity *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].domain);
		free(l[i].key_id);
		free(l[i].cert);
		free(l[i].chain);
		free(l[i].spki);
	}
	free(l);
}

int store_identities(
    struct store *s, const char *domain, struct store_identity **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT id, domain, use, key_id, cert, chain, spki, active, added, retired, "
				  "from_at, until_at FROM identity"
				  " WHERE ?1 IS NULL OR domain = ?1 ORDER BY domain, use, id DESC";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "t", domain);
}

/* "sign key lab.example-sign-..., certificate CN=..., serial ..., valid ..." for the audit log. */
static void describe(const char *key_id, const void *der, size_t n, char *out, size_t cap)
{
	struct cert_facts f;
	char words[800];
	X509 *x = der ? cert_parse(der, n, NULL) : NULL;

	if (!x) {
		(void)snprintf(out, cap, "key %s, %s", key_id, der ? "certificate unreadable" : "no certificate yet");
		return;
	}
	cert_facts(x, &f);
	(void)snprintf(out, cap, "key %s, %s, sha256 %s", key_id, cert_words(&f, words, sizeof words), f.sha256);
	X509_free(x);
}

static int insert(struct store *s, const struct store_identity *i, struct problem *pr)
{
	static const char sql[] = "INSERT INTO identity (domain, use, key_id, cert, chain, spki, active, added,"
				  " from_at, until_at) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)";

	return store_sqlite_do(s, sql, pr, "titbbbiiii", i->domain, (int64_t)i->use, i->key_id, i->cert, i->cert_len,
	    i->chain, i->chain_len, i->spki, i->spki_len, (int64_t)i->active, i->added, i->from, i->until);
}

int store_identity_add(struct store *s, const struct store_identity *i, const char *who, struct problem *pr)
{
	char detail[1200], what[32];

	if (store_begin(s, pr) < 0)
		return -1;

	int rc = insert(s, i, pr);

	describe(i->key_id, i->cert, i->cert_len, detail, sizeof detail);
	(void)snprintf(what, sizeof what, "identity.add %s", store_use_word(i->use));
	if (rc == 0)
		rc = store_audit_add(s, who, what, i->domain, detail, pr);
	return store_end(s, rc, pr);
}

static int update_cert(struct store *s, const char *key_id, const void *cert, size_t n, const void *chain,
    size_t chain_n, char *domain_r, size_t cap, struct problem *pr)
{
	static const char sql[] = "UPDATE identity SET cert = ?2, chain = ?3 WHERE key_id = ?1 RETURNING domain";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "tbb", key_id, cert, n, chain, chain_n);
	rc = store_sqlite_row(s, st, pr);
	if (rc == 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "", "no key of ours is called %s", key_id);
	if (rc < 0)
		return -1;
	store_sqlite_copy(st, 0, domain_r, cap);
	return store_sqlite_run(s, st, pr);
}

int store_identity_cert(struct store *s, const char *key_id, const void *cert, size_t n, const void *chain,
    size_t chain_n, const char *who, struct problem *pr)
{
	char detail[1200], domain[256] = "";

	if (store_begin(s, pr) < 0)
		return -1;

	int rc = update_cert(s, key_id, cert, n, chain, chain_n, domain, sizeof domain, pr);

	describe(key_id, cert, n, detail, sizeof detail);
	if (rc == 0)
		rc = store_audit_add(s, who, "identity.cert", domain, detail, pr);
	return store_end(s, rc, pr);
}

/* ---- the end of a key ---- */

/* The row as the audit log names it. 1 found, 0, -1. */
static int find(
    struct store *s, const char *key_id, struct store_identity *i_r, char *detail, size_t cap, struct problem *pr)
{
	static const char sql[] = "SELECT domain, use, retired, cert FROM identity WHERE key_id = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "t", key_id);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	i_r->domain = store_sqlite_text(st, 0);
	i_r->use = (enum store_use)sqlite3_column_int(st, 1);
	i_r->retired = sqlite3_column_int64(st, 2);
	i_r->cert = store_sqlite_octets(st, 3, &i_r->cert_len);
	store_sqlite_done(st);
	describe(key_id, i_r->cert, i_r->cert_len, detail, cap);
	free(i_r->cert);
	i_r->cert = NULL;
	return 1;
}

static int change(struct store *s, const char *sql, const char *key_id, int64_t at, struct problem *pr)
{
	return store_sqlite_do(s, sql, pr, "ti", key_id, at);
}

int store_identity_retire(struct store *s, const char *key_id, int64_t at, const char *who, struct problem *pr)
{
	static const char sql[] = "UPDATE identity SET active = 0, retired = ?2 WHERE key_id = ?1";
	struct store_identity i = {.domain = NULL};
	char detail[1200], what[32];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = find(s, key_id, &i, detail, sizeof detail, pr);
	if (rc == 0)
		rc = problem_set(pr, PROBLEM_PERM, 0, "", "", "no key of ours is called %s", key_id);
	(void)snprintf(what, sizeof what, "identity.retire %s", store_use_word(i.use));
	if (rc > 0 && i.retired)
		rc = 0;
	else if (rc > 0)
		rc = change(s, sql, key_id, at, pr) < 0 || store_audit_add(s, who, what, i.domain, detail, pr) < 0
			 ? -1
			 : 0;
	free(i.domain);
	return store_end(s, rc, pr);
}

int store_identity_forget(struct store *s, const char *key_id, const char *who, struct problem *pr)
{
	static const char sql[] = "DELETE FROM identity WHERE key_id = ?1 AND retired > ?2";
	struct store_identity i = {.domain = NULL};
	char detail[1200];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = find(s, key_id, &i, detail, sizeof detail, pr);
	if (rc > 0 && i.retired)
		rc = change(s, sql, key_id, 0, pr) < 0 ||
			     store_audit_add(s, who, "identity.forgotten", i.domain, detail, pr) < 0
			 ? -1
			 : 0;
	free(i.domain);
	return store_end(s, rc < 0 ? -1 : 0, pr);
}

/* ---- keys that change at a time ---- */

int store_identity_times(struct store *s, const char *key_id, int64_t from, int64_t until, struct problem *pr)
{
	static const char sql[] = "UPDATE identity SET from_at = ?2, until_at = ?3 WHERE key_id = ?1";

	return store_sqlite_do(s, sql, pr, "tii", key_id, from, until);
}

int store_identity_replaced(struct store *s, const char *key_id, const char *who, struct problem *pr)
{
	static const char sql[] = "UPDATE identity SET active = ?2 WHERE key_id = ?1";
	struct store_identity i = {.domain = NULL};
	char detail[1200];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = find(s, key_id, &i, detail, sizeof detail, pr);
	if (rc > 0)
		rc = change(s, sql, key_id, 0, pr) < 0 ||
			     store_audit_add(s, who, "identity.replaced", i.domain, detail, pr) < 0
			 ? -1
			 : 0;
	free(i.domain);
	return store_end(s, rc, pr);
}
