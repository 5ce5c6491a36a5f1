/* Partners' statements' tables. Judge; blocks on the disk. A change of trust and its audit row are one transaction
 * (P8). */
#include "certstore/store_statement.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "certstore/store_sqlite.h"
#include "gateway/base/mem.h"

#define COLUMNS                                                                                                      \
	"domain, through, established, pin, follow, frozen, frozen_why, fetched, probed, url, offered_since, "       \
	"offered,"                                                                                                   \
	" missed, local_parts, decided, decision, alarmed, weighed, version"

/* ---- rows ---- */

void store_statement_body_clear(struct store_statement_body *b)
{
	free(b->der);
	free(b->content);
	free(b->how);
	free(b->why);
	*b = (struct store_statement_body){.level = 0};
}

void store_statement_body_copy(struct store_statement_body *to, const struct store_statement_body *from)
{
	struct store_statement_body b = *from;

	b.der = from->der ? (uint8_t *)mem_dup(from->der, from->der_len) : NULL;
	b.content = from->content ? (uint8_t *)mem_dup(from->content, from->content_len) : NULL;
	b.how = mem_str(from->how ? from->how : "");
	b.why = mem_str(from->why ? from->why : "");
	store_statement_body_clear(to);
	*to = b;
}

static void row_clear(struct store_statement *st)
{
	store_statement_body_clear(&st->trusted);
	store_statement_body_clear(&st->waiting);
	free(st->domain);
	free(st->frozen_why);
	free(st->url);
	free(st->local_parts);
	free(st->decision);
}

void store_statements_free(struct store_statement *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		row_clear(&l[i]);
	free(l);
}

static void free_list(void *list, size_t n)
{
	store_statements_free(list, n);
}

struct store_statement *store_statement_new(const char *domain)
{
	struct store_statement *st = mem_new(sizeof *st);

	st->domain = mem_str(domain);
	st->frozen_why = mem_str("");
	st->url = mem_str("");
	st->local_parts = mem_str("");
	st->decision = mem_str("");
	return st;
}

static void note_heard(struct store_statement *st)
{
	st->heard = (struct store_statement_heard){.fetched = st->fetched,
	    .probed = st->probed,
	    .offered_since = st->offered_since,
	    .offered = st->offered,
	    .missed = st->missed,
	    .alarmed = st->alarmed,
	    .weighed = st->weighed};
}

static void read_row(sqlite3_stmt *q, void *row)
{
	struct store_statement *st = row;

	st->domain = store_sqlite_text(q, 0);
	store_sqlite_copy(q, 1, st->through, sizeof st->through);
	st->established = sqlite3_column_int(q, 2);
	store_sqlite_copy(q, 3, st->pin, sizeof st->pin);
	st->follow = sqlite3_column_int(q, 4) != 0;
	st->frozen = sqlite3_column_int64(q, 5);
	st->frozen_why = store_sqlite_text(q, 6);
	st->fetched = sqlite3_column_int64(q, 7);
	st->probed = sqlite3_column_int64(q, 8);
	st->url = store_sqlite_text(q, 9);
	st->offered_since = sqlite3_column_int64(q, 10);
	st->offered = sqlite3_column_int64(q, 11);
	st->missed = sqlite3_column_int64(q, 12);
	st->local_parts = store_sqlite_text(q, 13);
	st->decided = sqlite3_column_int64(q, 14);
	st->decision = store_sqlite_text(q, 15);
	st->alarmed = sqlite3_column_int64(q, 16);
	st->weighed = sqlite3_column_int64(q, 17);
	st->version = sqlite3_column_int64(q, 18);
	note_heard(st);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_statement), read_row, free_list};

static void read_body(sqlite3_stmt *q, struct store_statement_body *b)
{
	b->der = store_sqlite_octets(q, 1, &b->der_len);
	b->content = store_sqlite_octets(q, 2, &b->content_len);
	store_sqlite_copy(q, 3, b->id, sizeof b->id);
	b->serial = sqlite3_column_int64(q, 4);
	b->issued = sqlite3_column_int64(q, 5);
	b->expires = sqlite3_column_int64(q, 6);
	b->withdrawn = sqlite3_column_int(q, 7) != 0;
	store_sqlite_copy(q, 8, b->key, sizeof b->key);
	store_sqlite_copy(q, 9, b->cert, sizeof b->cert);
	b->level = sqlite3_column_int(q, 10);
	b->how = store_sqlite_text(q, 11);
	b->why = store_sqlite_text(q, 12);
	b->since = sqlite3_column_int64(q, 13);
}

static int read_bodies(struct store *s, struct store_statement *st, struct problem *pr)
{
	static const char sql[] = "SELECT waiting, der, content, id, serial, issued, expires, withdrawn, key, cert,"
				  " level, how, why, since FROM statement_body WHERE domain = ?1";
	sqlite3_stmt *q = store_sqlite_stmt(s, sql, pr);
	int rc;

	if (!q)
		return -1;
	store_sqlite_bind(q, "t", st->domain);
	while ((rc = store_sqlite_row(s, q, pr)) > 0)
		read_body(q, sqlite3_column_int(q, 0) ? &st->waiting : &st->trusted);
	return rc;
}

/* ---- reading ---- */

int store_statement_get(struct store *s, const char *domain, struct store_statement **st_r, struct problem *pr)
{
	static const char sql[] = "SELECT " COLUMNS " FROM statement WHERE domain = ?1";
	sqlite3_stmt *q = store_sqlite_stmt(s, sql, pr);
	int rc;

	*st_r = NULL;
	if (!q)
		return -1;
	store_sqlite_bind(q, "t", domain);
	rc = store_sqlite_row(s, q, pr);
	if (rc <= 0)
		return rc;
	*st_r = mem_new(sizeof **st_r);
	read_row(q, *st_r);
	store_sqlite_done(q);
	if (read_bodies(s, *st_r, pr) == 0)
		return 0;
	store_statements_free(*st_r, 1);
	*st_r = NULL;
	return -1;
}

int store_statements(struct store *s, const char *after, bool pending, size_t max, struct store_statement **list_r,
    size_t *n_r, struct problem *pr)
{
	static const char all[] = "SELECT " COLUMNS " FROM statement WHERE domain > ?1 ORDER BY domain LIMIT ?2";
	static const char some[] = "SELECT " COLUMNS " FROM statement t WHERE domain > ?1 AND (frozen <> 0 OR EXISTS"
				   " (SELECT 1 FROM statement_body b WHERE b.domain = t.domain AND b.waiting = 1)"
				   " OR (established <> 0 AND NOT EXISTS (SELECT 1 FROM statement_body b"
				   " WHERE b.domain = t.domain AND b.waiting = 0 AND length(b.der) > 0)))"
				   " ORDER BY domain LIMIT ?2";

	if (store_sqlite_all(
		s, &rows, pending ? some : all, (void **)list_r, n_r, pr, "ti", after ? after : "", (int64_t)max) < 0)
		return -1;
	for (size_t i = 0; i < *n_r; i++)
		if (read_bodies(s, &(*list_r)[i], pr) < 0) {
			store_statements_free(*list_r, *n_r);
			*list_r = NULL;
			*n_r = 0;
			return -1;
		}
	return 0;
}

int store_statement_count(struct store *s, int64_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT count(*) FROM statement";
	sqlite3_stmt *q = store_sqlite_stmt(s, sql, pr);

	*n_r = 0;
	if (!q || store_sqlite_row(s, q, pr) <= 0)
		return -1;
	*n_r = sqlite3_column_int64(q, 0);
	store_sqlite_done(q);
	return 0;
}

/* ---- writing ---- */

static int put_body(
    struct store *s, const char *domain, int waiting, const struct store_statement_body *b, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO statement_body (domain, waiting, der, content, id, serial, issued, expires, withdrawn, key,"
	    " cert, level, how, why, since) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, "
	    "?15)";
	static const uint8_t none[1];

	if (!b->der && b->serial == 0)
		return 0;
	return store_sqlite_do(s, sql, pr, "tibbtiiiittitti", domain, (int64_t)waiting, b->der ? b->der : none,
	    b->der_len, b->content ? b->content : none, b->content_len, b->id, b->serial, b->issued, b->expires,
	    (int64_t)b->withdrawn, b->key, b->cert, (int64_t)b->level, b->how ? b->how : "", b->why ? b->why : "",
	    b->since);
}

/* What is written of what was only heard: others may have heard something else meanwhile. */
#define HEARD(col, now, before) col " = iif(?" #now " = ?" #before ", " col ", ?" #now ")"
#define ALL_HEARD                                                                                                    \
	HEARD("fetched", 2, 3)                                                                                       \
	", " HEARD("probed", 4, 5) ", " HEARD("offered_since", 6, 7) ", " HEARD("offered", 8, 9) ", " HEARD(         \
	    "missed", 10, 11) ", " HEARD("alarmed", 12, 13) ", " HEARD("weighed", 14, 15)
#define HEARD_KINDS "iiiiiiiiiiiiii"
#define HEARD_VALUES(st)                                                                                             \
	(st)->fetched, (st)->heard.fetched, (st)->probed, (st)->heard.probed, (st)->offered_since,                   \
	    (st)->heard.offered_since, (st)->offered, (st)->heard.offered, (st)->missed, (st)->heard.missed,         \
	    (st)->alarmed, (st)->heard.alarmed, (st)->weighed, (st)->heard.weighed

/* A row that was removed and made again never has a version that somebody still holds. */
static int64_t first_version(void)
{
	uint64_t v;

	arc4random_buf(&v, sizeof v);
	return (int64_t)(v >> 2) + 1;
}

static int add_row(struct store *s, const struct store_statement *st, int64_t version, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO statement (" COLUMNS
	    ") VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19)"
	    " ON CONFLICT DO NOTHING";

	return store_sqlite_do(s, sql, pr, "ttitiitiitiiititiii", st->domain, st->through, (int64_t)st->established,
	    st->pin, (int64_t)st->follow, st->frozen, st->frozen_why ? st->frozen_why : "", st->fetched, st->probed,
	    st->url ? st->url : "", st->offered_since, st->offered, st->missed,
	    st->local_parts ? st->local_parts : "", st->decided, st->decision ? st->decision : "", st->alarmed,
	    st->weighed, version);
}

static int change_row(struct store *s, const struct store_statement *st, struct problem *pr)
{
	static const char sql[] =
	    "UPDATE statement SET " ALL_HEARD
	    ", through = ?16, established = ?17, pin = ?18, follow = ?19, frozen = ?20,"
	    " frozen_why = ?21, url = ?22, local_parts = ?23, decided = ?24, decision = ?25, version = version + 1"
	    " WHERE domain = ?1 AND version = ?26";

	return store_sqlite_do(s, sql, pr, "t" HEARD_KINDS "titiitttiti", st->domain, HEARD_VALUES(st), st->through,
	    (int64_t)st->established, st->pin, (int64_t)st->follow, st->frozen, st->frozen_why ? st->frozen_why : "",
	    st->url ? st->url : "", st->local_parts ? st->local_parts : "", st->decided,
	    st->decision ? st->decision : "", st->version);
}

/* The row, when it is still the one that was read. */
static int put_row(struct store *s, struct store_statement *st, struct problem *pr)
{
	int64_t version = st->version ? st->version + 1 : first_version();
	int rc = st->version ? change_row(s, st, pr) : add_row(s, st, version, pr);

	if (rc < 0)
		return -1;
	if (sqlite3_changes(s->db) == 0) {
		st->stale = true;
		return problem_temp(
		    pr, "the statements of %s were changed by somebody else at the same time", st->domain);
	}
	st->version = version;
	note_heard(st);
	return 0;
}

int store_statement_save(struct store *s, struct store_statement *st, const char *who, const char *what,
    const char *detail, struct problem *pr)
{
	static const char bodies[] = "DELETE FROM statement_body WHERE domain = ?1";
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = put_row(s, st, pr);
	if (rc == 0)
		rc = store_sqlite_do(s, bodies, pr, "t", st->domain);
	if (rc == 0)
		rc = put_body(s, st->domain, 0, &st->trusted, pr);
	if (rc == 0)
		rc = put_body(s, st->domain, 1, &st->waiting, pr);
	if (rc == 0 && what)
		rc = store_audit_add(s, who, what, st->domain, detail ? detail : "", pr);
	return store_end(s, rc, pr);
}

int store_statement_note(struct store *s, struct store_statement *st, struct problem *pr)
{
	static const char sql[] = "UPDATE statement SET " ALL_HEARD " WHERE domain = ?1";
	int64_t version = st->version;
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = 0;
	if (version == 0) {
		version = first_version();
		rc = add_row(s, st, version, pr);
		version = rc == 0 && sqlite3_changes(s->db) > 0 ? version : 0;
	}
	if (rc == 0)
		rc = store_sqlite_do(s, sql, pr, "t" HEARD_KINDS, st->domain, HEARD_VALUES(st));
	rc = store_end(s, rc, pr);
	if (rc == 0) {
		st->version = version;
		note_heard(st);
	}
	return rc;
}

int store_statement_remove(struct store *s, const char *domain, const char *who, struct problem *pr)
{
	static const char *const sql[] = {"DELETE FROM statement_body WHERE domain = ?1",
	    "DELETE FROM statement_key WHERE domain = ?1", "DELETE FROM statement_key_cert WHERE domain = ?1",
	    "DELETE FROM statement_cert WHERE domain = ?1", "DELETE FROM statement_host WHERE domain = ?1",
	    "DELETE FROM statement WHERE domain = ?1"};
	int rc = 0;

	if (store_begin(s, pr) < 0)
		return -1;
	for (size_t i = 0; rc == 0 && i < sizeof sql / sizeof *sql; i++)
		rc = store_sqlite_do(s, sql[i], pr, "t", domain);
	if (rc == 0 && sqlite3_changes(s->db) > 0)
		rc = store_audit_add(s, who, "statement.remove", domain, "its statements and keys are forgotten", pr);
	return store_end(s, rc, pr);
}

/* ---- certificates ---- */

static void read_cert(sqlite3_stmt *q, void *row)
{
	struct store_statement_cert *c = row;

	c->der = store_sqlite_octets(q, 0, &c->der_len);
	store_sqlite_copy(q, 1, c->sha256, sizeof c->sha256);
	c->use = sqlite3_column_int(q, 2);
	c->from = sqlite3_column_int64(q, 3);
	c->until = sqlite3_column_int64(q, 4);
}

void store_statement_certs_free(struct store_statement_cert *l, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(l[i].der);
	free(l);
}

static void free_certs(void *list, size_t n)
{
	store_statement_certs_free(list, n);
}

static const struct store_sqlite_rows cert_rows = {sizeof(struct store_statement_cert), read_cert, free_certs};

int store_statement_certs(
    struct store *s, const char *domain, struct store_statement_cert **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT der, sha256, use, begins, ends FROM statement_cert WHERE domain = ?1"
				  " ORDER BY begins DESC, sha256, use";

	return store_sqlite_all(s, &cert_rows, sql, (void **)list_r, n_r, pr, "t", domain);
}

static int put_cert(struct store *s, const char *domain, const struct store_statement_cert *c, struct problem *pr)
{
	static const char sql[] = "INSERT OR REPLACE INTO statement_cert (domain, sha256, use, der, begins, ends)"
				  " VALUES (?1, ?2, ?3, ?4, ?5, ?6)";

	return store_sqlite_do(
	    s, sql, pr, "ttibii", domain, c->sha256, (int64_t)c->use, c->der, c->der_len, c->from, c->until);
}

int store_statement_certs_put(
    struct store *s, const char *domain, const struct store_statement_cert *l, size_t n, struct problem *pr)
{
	static const char sql[] = "DELETE FROM statement_cert WHERE domain = ?1";
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "t", domain);
	for (size_t i = 0; rc == 0 && i < n; i++)
		rc = put_cert(s, domain, &l[i], pr);
	return store_end(s, rc, pr);
}

/* ---- what partners hold of ours ---- */

int store_statement_held(
    struct store *s, const char *domain, const char *ours, char id_r[STORE_STATEMENT_ID], struct problem *pr)
{
	static const char sql[] = "SELECT id FROM statement_held WHERE ours = ?1 AND domain = ?2";
	sqlite3_stmt *q = store_sqlite_stmt(s, sql, pr);
	int rc;

	id_r[0] = 0;
	if (!q)
		return -1;
	store_sqlite_bind(q, "tt", ours, domain);
	rc = store_sqlite_row(s, q, pr);
	if (rc <= 0)
		return rc;
	store_sqlite_copy(q, 0, id_r, STORE_STATEMENT_ID);
	store_sqlite_done(q);
	return 0;
}

int store_statement_held_put(
    struct store *s, const char *domain, const char *ours, const char *id, int64_t now, struct problem *pr)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO statement_held (ours, domain, id, at) VALUES (?1, ?2, ?3, ?4)";
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "ttti", ours, domain, id, now);
	return store_end(s, rc, pr);
}

static void read_held(sqlite3_stmt *q, void *row)
{
	struct store_statement_held *h = row;

	store_sqlite_copy(q, 0, h->domain, sizeof h->domain);
	store_sqlite_copy(q, 1, h->id, sizeof h->id);
	h->at = sqlite3_column_int64(q, 2);
}

static const struct store_sqlite_rows held_rows = {sizeof(struct store_statement_held), read_held, NULL};

int store_statement_held_list(
    struct store *s, const char *ours, struct store_statement_held **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT domain, id, at FROM statement_held WHERE ours = ?1 ORDER BY domain";

	return store_sqlite_all(s, &held_rows, sql, (void **)list_r, n_r, pr, "t", ours);
}
