/* Partners' table and the memory of who was seen protected (P9). Judge; blocks on the disk. */
#include "certstore/store_partner.h"

#include <stdio.h>
#include <stdlib.h>

#include "certstore/store_in_use.h"
#include "certstore/store_sqlite.h"
#include "gateway/base/encode.h"
#include "gateway/base/mem.h"

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_partner *p = row;

	p->domain = store_sqlite_text(st, 0);
	p->treatment = store_sqlite_text(st, 1);
	p->strength = store_sqlite_text(st, 2);
	p->note = store_sqlite_text(st, 3);
	p->format = store_sqlite_text(st, 4);
	p->added = sqlite3_column_int64(st, 5);
	p->seen_protected = sqlite3_column_int64(st, 6);
	p->find = store_sqlite_text(st, 7);
	p->group = store_sqlite_text(st, 8);
}

static void free_list(void *list, size_t n)
{
	store_partners_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_partner), read_row, free_list};

void store_partners_free(struct store_partner *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(l[i].domain);
		free(l[i].treatment);
		free(l[i].strength);
		free(l[i].note);
		free(l[i].format);
		free(l[i].find);
		free(l[i].group);
	}
	free(l);
}

int store_partner_get(struct store *s, const char *domain, struct store_partner **p_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT p.domain, treatment, strength, note, format, added, coalesce(at, 0), find, family FROM partner p"
	    " LEFT JOIN seen s ON s.domain = p.domain WHERE p.domain = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	int rc;

	*p_r = NULL;
	if (!st)
		return -1;
	store_sqlite_bind(st, "t", domain);
	rc = store_sqlite_row(s, st, pr);
	if (rc <= 0)
		return rc;
	*p_r = mem_new(sizeof **p_r);
	read_row(st, *p_r);
	store_sqlite_done(st);
	return 0;
}

int store_partners(
    struct store *s, const char *after, size_t max, struct store_partner **list_r, size_t *n_r, struct problem *pr)
{
	static const char sql[] =
	    "SELECT p.domain, treatment, strength, note, format, added, coalesce(at, 0), find, family FROM partner p"
	    " LEFT JOIN seen s ON s.domain = p.domain WHERE p.domain > ?1 ORDER BY p.domain LIMIT ?2";

	return store_sqlite_all(s, &rows, sql, (void **)list_r, n_r, pr, "ti", after ? after : "", (int64_t)max);
}

static int upsert(struct store *s, const struct store_partner *p, struct problem *pr)
{
	static const char sql[] =
	    "INSERT INTO partner (domain, treatment, strength, note, added, format, find, family)"
	    " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT (domain) DO UPDATE"
	    " SET treatment = ?2, strength = ?3, note = ?4, format = ?6, find = ?7, family = ?8";

	return store_sqlite_do(s, sql, pr, "ttttittt", p->domain, p->treatment, p->strength, p->note ? p->note : "",
	    p->added, p->format ? p->format : "", p->find ? p->find : "", p->group ? p->group : "");
}

/* For the audit log: what is said now, and what of it was said before. */
static void describe(const struct store_partner *p, const struct store_partner *old, char *out, size_t cap)
{
	const char *note = p->note ? p->note : "", *format = p->format ? p->format : "";
	const char *find = p->find ? p->find : "", *group = p->group ? p->group : "";
	int n = snprintf(out, cap, "treatment %s, strength %s%s%s%s%s%s%s%s%s", p->treatment, p->strength,
	    format[0] ? ", format " : "", format, find[0] ? ", find " : "", find, group[0] ? ", group " : "", group,
	    note[0] ? ", note " : "", note);

	if (old && n > 0 && (size_t)n < cap)
		(void)snprintf(out + n, cap - (size_t)n, "; was %s, %s%s%s%s%s%s%s", old->treatment, old->strength,
		    old->format[0] ? ", format " : "", old->format, old->find[0] ? ", find " : "", old->find,
		    old->group[0] ? ", group " : "", old->group);
}

int store_partner_put(struct store *s, const struct store_partner *p, const char *who, struct problem *pr)
{
	struct store_partner *old = NULL;
	char detail[6000];
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_partner_get(s, p->domain, &old, pr);
	if (rc == 0)
		rc = upsert(s, p, pr);
	describe(p, old, detail, sizeof detail);
	if (rc == 0)
		rc = store_audit_add(s, who, old ? "partner.change" : "partner.add", p->domain, detail, pr);
	if (old)
		store_partners_free(old, 1);
	return store_end(s, rc, pr);
}

static int remove_rows(struct store *s, const char *domain, int *certs_r, int *anchors_r, struct problem *pr)
{
	static const char certs[] = "DELETE FROM cert WHERE owner = ?1";
	static const char anchors[] = "DELETE FROM anchor WHERE scope = ?1";
	static const char partner[] = "DELETE FROM partner WHERE domain = ?1";

	if (store_sqlite_do(s, certs, pr, "t", domain) < 0)
		return -1;
	*certs_r = sqlite3_changes(s->db);
	if (store_sqlite_do(s, anchors, pr, "t", domain) < 0)
		return -1;
	*anchors_r = sqlite3_changes(s->db);
	/* What its people's readers can was believed by the anchors that went. */
	if (store_caps_drop_domain(s, domain, pr) < 0 || store_believed_drop(s, domain, pr) < 0 ||
	    store_in_use_drop_owner(s, domain, pr) < 0 || store_sqlite_do(s, partner, pr, "t", domain) < 0)
		return -1;
	if (sqlite3_changes(s->db) == 0)
		return problem_set(pr, PROBLEM_PERM, 0, "", "", "%s is not a listed partner", domain);
	return 0;
}

int store_partner_remove(struct store *s, const char *domain, const char *who, struct problem *pr)
{
	char detail[160];
	int certs = 0, anchors = 0, rc;

	if (store_begin(s, pr) < 0)
		return -1;
	rc = remove_rows(s, domain, &certs, &anchors, pr);
	(void)snprintf(detail, sizeof detail, "with %d certificates and %d anchors of its own", certs, anchors);
	if (rc == 0)
		rc = store_audit_add(s, who, "partner.remove", domain, detail, pr);
	return store_end(s, rc, pr);
}

int64_t store_was_protected(struct store *s, const char *domain)
{
	static const char sql[] = "SELECT at FROM seen WHERE domain = ?1";
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, NULL);
	int64_t at;
	int rc;

	if (!st)
		return -1;
	store_sqlite_bind(st, "t", domain);
	rc = store_sqlite_row(s, st, NULL);
	if (rc <= 0)
		return rc;
	at = sqlite3_column_int64(st, 0);
	store_sqlite_done(st);
	return at;
}

int store_seen_protected(struct store *s, const char *domain, int64_t now, struct problem *pr)
{
	static const char sql[] = "INSERT INTO seen (domain, at) VALUES (?1, ?2) ON CONFLICT (domain) DO NOTHING";
	int rc;

	if (store_was_protected(s, domain) > 0)
		return 0;
	if (store_begin(s, pr) < 0)
		return -1;
	rc = store_sqlite_do(s, sql, pr, "ti", domain, now > 0 ? now : (int64_t)1);
	return store_end(s, rc, pr);
}

int store_release(struct store *s, const char *domain, const char *who, struct problem *pr)
{
	static const char sql[] = "DELETE FROM seen WHERE domain = ?1";
	char detail[96], since[21] = "never";
	int64_t at;
	int rc;

	if (store_begin(s, pr) < 0)
		return -1;
	at = store_was_protected(s, domain);
	if (at > 0)
		encode_time(at, since);
	rc = store_sqlite_do(s, sql, pr, "t", domain);
	if (rc == 0 && sqlite3_changes(s->db) == 0)
		rc = problem_set(
		    pr, PROBLEM_PERM, 0, "", "", "%s was never seen protected: there is nothing to release", domain);
	(void)snprintf(detail, sizeof detail, "first seen protected %s", since);
	if (rc == 0)
		rc = store_audit_add(s, who, "partner.release", domain, detail, pr);
	return store_end(s, rc, pr);
}
