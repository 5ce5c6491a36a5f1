/* The tables of partners' statement keys. Judge; blocks on the disk. */
#include "certstore/store_statement_key.h"

#include <stdlib.h>

#include "certstore/store_sqlite.h"

static void read_key(sqlite3_stmt *q, void *row)
{
	struct store_statement_key *k = row;

	store_sqlite_copy(q, 0, k->key, sizeof k->key);
	k->announced = sqlite3_column_int64(q, 1);
	k->used = sqlite3_column_int64(q, 2);
	k->retired = sqlite3_column_int64(q, 3);
	k->bad = sqlite3_column_int64(q, 4);
	k->refused = sqlite3_column_int64(q, 5);
}

static const struct store_sqlite_rows key_rows = {sizeof(struct store_statement_key), read_key, NULL};

int store_statement_keys(
    struct store *s, const char *domain, struct store_statement_key **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT key, announced, used, retired, bad, refused FROM statement_key"
				  " WHERE domain = ?1 ORDER BY used, announced, key";

	return store_sqlite_all(s, &key_rows, sql, (void **)list_r, n_r, pr, "t", domain);
}

int store_statement_key_put(
    struct store *s, const char *domain, const struct store_statement_key *k, struct problem *pr)
{
	static const char sql[] = "INSERT OR REPLACE INTO statement_key (domain, key, announced, used, retired, bad,"
				  " refused) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";
	int rc = -1;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(
	    s, sql, pr, "ttiiiii", domain, k->key, k->announced, k->used, k->retired, k->bad, k->refused);
	return store_end(s, rc, pr);
}

/* ---- their certificates ---- */

static void read_cert(sqlite3_stmt *q, void *row)
{
	struct store_statement_key_cert *c = row;

	store_sqlite_copy(q, 0, c->key, sizeof c->key);
	c->der = store_sqlite_octets(q, 1, &c->der_len);
	c->chain = store_sqlite_octets(q, 2, &c->chain_len);
}

void store_statement_key_certs_free(struct store_statement_key_cert *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].der);
		free(l[i].chain);
	}
	free(l);
}

static void free_certs(void *list, size_t n)
{
	store_statement_key_certs_free(list, n);
}

static const struct store_sqlite_rows cert_rows = {sizeof(struct store_statement_key_cert), read_cert, free_certs};

int store_statement_key_certs(
    struct store *s, const char *domain, struct store_statement_key_cert **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] = "SELECT key, der, chain FROM statement_key_cert WHERE domain = ?1 ORDER BY key";

	return store_sqlite_all(s, &cert_rows, sql, (void **)list_r, n_r, pr, "t", domain);
}

int store_statement_key_cert_put(
    struct store *s, const char *domain, const struct store_statement_key_cert *c, struct problem *pr)
{
	static const char sql[] =
	    "INSERT OR REPLACE INTO statement_key_cert (domain, key, der, chain) VALUES (?1, ?2, ?3, ?4)";
	static const uint8_t none[1];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(
	    s, sql, pr, "ttbb", domain, c->key, c->der, c->der_len, c->chain ? c->chain : none, c->chain_len);
	return store_end(s, rc, pr);
}
