/* The table of partners' hosts that offered XSMG. Judge; blocks on the disk. */
#include "certstore/store_statement_host.h"

#include "certstore/store_sqlite.h"

enum { WRITE_EVERY_S = 3600 };

/* seen_r 0: never. */
static int last_seen(struct store *s, const char *domain, const char *host, int64_t *seen_r, struct problem *pr)
{
	static const char sql[] = "SELECT at FROM statement_host WHERE domain = ?1 AND host = ?2";
	sqlite3_stmt *q = store_sqlite_stmt(s, sql, pr);
	int rc;

	*seen_r = 0;
	if (!q)
		return -1;
	store_sqlite_bind(q, "tt", domain, host);
	rc = store_sqlite_row(s, q, pr);
	if (rc <= 0)
		return rc;
	*seen_r = sqlite3_column_int64(q, 0);
	store_sqlite_done(q);
	return 0;
}

int store_statement_host_note(struct store *s, const char *domain, const char *host, int64_t now, int64_t since,
    int64_t max, struct problem *pr)
{
	static const char old[] = "DELETE FROM statement_host WHERE domain = ?1 AND at < ?2";
	static const char again[] = "UPDATE statement_host SET at = ?3 WHERE domain = ?1 AND host = ?2";
	static const char first[] = "INSERT INTO statement_host (domain, host, at) SELECT ?1, ?2, ?3"
				    " WHERE (SELECT count(*) FROM statement_host WHERE domain = ?1) < ?4"
				    " ON CONFLICT (domain, host) DO UPDATE SET at = ?3";
	int64_t seen;
	int rc;

	if (last_seen(s, domain, host, &seen, pr) < 0)
		return -1;
	if (seen != 0 && now >= seen && now - seen < WRITE_EVERY_S)
		return 0;
	if (store_begin(s, pr) < 0)
		return -1;
	if (seen != 0)
		rc = store_sqlite_do(s, again, pr, "tti", domain, host, now);
	else
		rc = 0;
	if (rc == 0)
		rc = store_sqlite_do(s, old, pr, "ti", domain, since);
	if (rc == 0 && seen == 0)
		rc = store_sqlite_do(s, first, pr, "ttii", domain, host, now, max);
	return store_end(s, rc, pr);
}

int store_statement_host_known(
    struct store *s, const char *domain, const char *host, int64_t since, struct problem *pr)
{
	int64_t seen;

	if (last_seen(s, domain, host, &seen, pr) < 0)
		return -1;
	return seen != 0 && seen >= since;
}
