/*
 * The audit log: each row's hash covers the hash before it and every field of its own, each with its length in front,
 * so that no two different rows hash alike. Judge; blocks on the disk. Triggers refuse changes (store_schema.c); who
 * writes to the file past SQLite is found by store_audit_verify, and who rewrites the whole chain by the head in the
 * log.
 */
#include "certstore/store_audit.h"

#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "certstore/store_sqlite.h"
#include "gateway/base/encode.h"
#include "gateway/base/log.h"
#include "gateway/base/mem.h"

/* What stands before the first row. */
static const char genesis[] = "0000000000000000000000000000000000000000000000000000000000000000";

static void put_number(EVP_MD_CTX *c, uint64_t v)
{
	uint8_t p[8];

	for (int i = 0; i < 8; i++)
		p[i] = (uint8_t)(v >> (56 - 8 * i));
	REQUIRE(EVP_DigestUpdate(c, p, sizeof p) == 1);
}

static void put_text(EVP_MD_CTX *c, const char *t)
{
	put_number(c, strlen(t));
	REQUIRE(EVP_DigestUpdate(c, t, strlen(t)) == 1);
}

static void hash_row(const char *before, const struct store_audit *r, char hash_r[65])
{
	uint8_t md[EVP_MAX_MD_SIZE];
	unsigned n = 0;
	EVP_MD_CTX *c = EVP_MD_CTX_new();

	if (!c || EVP_DigestInit_ex(c, EVP_sha256(), NULL) != 1)
		log_fatal("audit: no SHA-256");
	put_text(c, before);
	put_number(c, (uint64_t)r->id);
	put_number(c, (uint64_t)r->at);
	put_text(c, r->who);
	put_text(c, r->what);
	put_text(c, r->subject);
	put_text(c, r->detail);
	REQUIRE(EVP_DigestFinal_ex(c, md, &n) == 1 && n == 32);
	EVP_MD_CTX_free(c);
	encode_hex(md, n, hash_r);
}

int store_audit_head(struct store *s, int64_t *id_r, char hash_r[65], struct problem *pr)
{
	static const char sql[] = "SELECT id, hash FROM audit ORDER BY id DESC LIMIT 1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	*id_r = 0;
	memcpy(hash_r, genesis, sizeof genesis);
	if (!st)
		return -1;
	rc = store_sqlite_row(s, st, pr);
	if (rc > 0) {
		*id_r = sqlite3_column_int64(st, 0);
		store_sqlite_copy(st, 1, hash_r, 65);
		store_sqlite_done(st);
	}
	return rc < 0 ? -1 : 0;
}

int store_audit_find(struct store *s, const char *hash, int64_t *id_r, struct problem *pr)
{
	static const char sql[] = "SELECT id FROM audit WHERE hash = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	*id_r = 0;
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", hash);
	rc = store_sqlite_row(s, st, pr);
	if (rc > 0) {
		*id_r = sqlite3_column_int64(st, 0);
		store_sqlite_done(st);
	}
	return rc < 0 ? -1 : 0;
}

static int add_row(struct store *s, struct store_audit *r, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO audit (id, at, who, what, subject, detail, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	char before[65], hash[65];
	int64_t last;

	if (!st || store_audit_head(s, &last, before, pr) < 0)
		return -1;
	r->id = last + 1;
	hash_row(before, r, hash);
	store_sqlite_bind(st, "iittttt", r->id, r->at, r->who, r->what, r->subject, r->detail, hash);
	if (store_sqlite_run(s, st, pr) < 0)
		return -1;
	memcpy(s->head, hash, sizeof hash);
	s->head_id = r->id;
	return 0;
}

int store_audit_add(
    struct store *s, const char *who, const char *what, const char *subject, const char *detail, struct problem *pr)
{
	struct store_audit r = {.at = time(NULL)};

	if (store_begin(s, pr) < 0)
		return -1;
	r.who = mem_str(who);
	r.what = mem_str(what);
	r.subject = mem_str(subject);
	r.detail = mem_str(detail);

	int rc = add_row(s, &r, pr);

	free(r.who);
	free(r.what);
	free(r.subject);
	free(r.detail);
	return store_end(s, rc, pr);
}

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_audit *r = row;

	r->id = sqlite3_column_int64(st, 0);
	r->at = sqlite3_column_int64(st, 1);
	r->who = store_sqlite_text(st, 2);
	r->what = store_sqlite_text(st, 3);
	r->subject = store_sqlite_text(st, 4);
	r->detail = store_sqlite_text(st, 5);
	r->hash = store_sqlite_text(st, 6);
}

static void clear_row(struct store_audit *r)
{
	free(r->who);
	free(r->what);
	free(r->subject);
	free(r->detail);
	free(r->hash);
}

static void free_list(void *list, size_t n)
{
	store_audit_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_audit), read_row, free_list};

void store_audit_free(struct store_audit *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		clear_row(&l[i]);
	free(l);
}

int store_audit_list(
    struct store *s, int64_t before, size_t max, struct store_audit **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT id, at, who, what, subject, detail, hash FROM audit WHERE ?1 = 0 OR id < ?1"
				  " ORDER BY id DESC LIMIT ?2";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "ii", before, (int64_t)max);
}

/* By the indexes of schema 18, whose conditions stand here word for word. */
int store_audit_of(struct store *s, const char *partner, int64_t before, size_t max, struct store_audit **list_r,
    size_t *n_r, struct problem *pr)
{
	static const char domain[] = "SELECT id, at, who, what, subject, detail, hash FROM audit WHERE "
				     "substr(subject, instr(subject, '@') + 1) ="
				     " ?1 AND substr(what, 1, 5) NOT IN ('rule.', 'user.') AND subject <> '' AND id "
				     "< ?2 ORDER BY id DESC LIMIT ?3";
	static const char person[] =
	    "SELECT id, at, who, what, subject, detail, hash FROM audit WHERE subject = ?1 AND"
	    " instr(subject, '@') > 1 AND id < ?2 ORDER BY id DESC LIMIT ?3";

	if (before <= 0)
		before = INT64_MAX;
	return store_sqlite_all(s, &rows, strchr(partner, '@') ? person : domain, (void **)list_r, n_r, pr, "tii",
	    partner, before, (int64_t)max);
}

/* One row against what must stand there. */
static int check_row(
    const struct store_audit *r, int64_t want_id, const char *before, char hash_r[65], struct problem *pr)
{
	if (r->id != want_id)
		return problem_set(pr, PROBLEM_PERM, 0, "", "",
		    "audit row %lld is missing (row %lld follows row %lld)", (long long)want_id, (long long)r->id,
		    (long long)want_id - 1);
	hash_row(before, r, hash_r);
	if (strcmp(hash_r, r->hash) == 0)
		return 0;
	return problem_set(pr, PROBLEM_PERM, 0, "", "",
	    "audit row %lld (%s %s by %s) does not carry the hash of its content and the row before: it was changed "
	    "afterwards",
	    (long long)r->id, r->what, r->subject, r->who);
}

int store_audit_verify(struct store *s, struct problem *pr)
{
	static const char sql[] = "SELECT id, at, who, what, subject, detail, hash FROM audit ORDER BY id";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	char before[65];
	int64_t id = 0;
	int rc = -1;

	memcpy(before, genesis, sizeof genesis);
	while (st && (rc = store_sqlite_row(s, st, pr)) > 0) {
		struct store_audit r;
		char hash[65];

		read_row(st, &r);
		rc = check_row(&r, ++id, before, hash, pr);
		clear_row(&r);
		if (rc < 0) {
			store_sqlite_done(st);
			break;
		}
		memcpy(before, hash, sizeof hash);
	}
	return rc;
}
