/* Partners' states from the columns that triggers of the schema keep. Judge; blocks on the disk. */
#include "certstore/store_glance.h"

#include <stdlib.h>
#include <string.h>

#include "certstore/store_sqlite.h"
#include "gateway/base/mem.h"

static const char *const words[] = {"", "frozen", "not trusted any more", "pending", "downgraded", "withdrawn",
    "expired", "no key", "expires soon", "stale", "untried", "trusted", "listed"};

const char *store_glance_word(enum store_glance_state st)
{
	return (size_t)st < sizeof words / sizeof *words ? words[st] : NULL;
}

enum store_glance_state store_glance_of(const char *word)
{
	for (size_t i = 1; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], word) == 0)
			return (enum store_glance_state)i;
	return STORE_GLANCE_ANY;
}

/* ?1 now, ?2 soon, ?3 stale. The numbers are enum store_glance_state's. */
#define STATE                                                                                                        \
	"CASE WHEN said = 5 THEN 1 WHEN said = 3 THEN 2 WHEN said = 2 OR waits <> 0 THEN 3 WHEN said = 4 THEN 5"     \
	" WHEN missed <> 0 THEN 4 WHEN treatment <> 'seal' OR strength = 'never' THEN 12"                            \
	" WHEN known_until = 0 AND proven_until = 0 THEN 7 WHEN max(known_until, proven_until) <= ?1 THEN 6"         \
	" WHEN max(known_until, proven_until) < ?2 THEN 8"                                                           \
	" WHEN said = 1 AND (expires <= ?1 OR issued < ?3) THEN 9 WHEN proven_until > ?1 THEN 11 ELSE 10 END"
/* ?4 what is looked for, in lower case and escaped */
#define FITS "(?4 IS NULL OR domain LIKE ?4 ESCAPE '\\' OR note LIKE ?4 ESCAPE '\\' OR family LIKE ?4 ESCAPE '\\')"
/* ?5 the state, ?6 after, ?7 max, ?8 offset. Only what it is sorted by goes through the sorter. */
#define PAGE(order)                                                                                                  \
	"SELECT p.domain, treatment, strength, note, format, added, find, family, state, until, coalesce(at, 0)"     \
	" FROM (SELECT domain, " STATE " AS state, max(known_until, proven_until) AS until FROM partner"             \
	" WHERE domain > ?6 AND " FITS " AND (?5 = 0 OR " STATE " = ?5)"                                             \
	" ORDER BY " order " LIMIT ?7 OFFSET ?8) AS g CROSS JOIN partner AS p ON p.domain = g.domain"                \
	" LEFT JOIN seen AS s ON s.domain = g.domain"

static const char *const pages[][2] = {
    [STORE_GLANCE_BY_NAME] = {PAGE("domain"), PAGE("domain DESC")},
    [STORE_GLANCE_BY_STATE] = {PAGE("state, domain"), PAGE("state DESC, domain")},
    [STORE_GLANCE_BY_END] = {PAGE("until, domain"), PAGE("until DESC, domain")},
    [STORE_GLANCE_BY_ADDED] = {PAGE("added, domain"), PAGE("added DESC, domain")},
    [STORE_GLANCE_BY_TREATMENT] = {PAGE("treatment, strength, domain"),
	PAGE("treatment DESC, strength DESC, domain")},
};

static void read_row(sqlite3_stmt *st, void *row)
{
	struct store_glance *g = row;

	g->p.domain = store_sqlite_text(st, 0);
	g->p.treatment = store_sqlite_text(st, 1);
	g->p.strength = store_sqlite_text(st, 2);
	g->p.note = store_sqlite_text(st, 3);
	g->p.format = store_sqlite_text(st, 4);
	g->p.added = sqlite3_column_int64(st, 5);
	g->p.find = store_sqlite_text(st, 6);
	g->p.group = store_sqlite_text(st, 7);
	g->state = (enum store_glance_state)sqlite3_column_int(st, 8);
	g->until = sqlite3_column_int64(st, 9);
	g->p.seen_protected = sqlite3_column_int64(st, 10);
}

void store_glance_free(struct store_glance *l, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct store_partner *p = mem_new(sizeof *p);

		*p = l[i].p;
		store_partners_free(p, 1);
	}
	free(l);
}

static void free_list(void *list, size_t n)
{
	store_glance_free(list, n);
}

static const struct store_sqlite_rows rows = {sizeof(struct store_glance), read_row, free_list};

/* "%match%" for LIKE, NULL for all. free(). */
static char *pattern(const char *match)
{
	char *out, *p;

	if (!match || !match[0])
		return NULL;
	p = out = mem_new(2 * strlen(match) + 3);
	*p++ = '%';
	for (; *match; match++) {
		if (strchr("%_\\", *match))
			*p++ = '\\';
		*p++ = *match;
	}
	*p++ = '%';
	*p = '\0';
	return out;
}

int store_glance(struct store *s, const struct store_glance_query *q, struct store_glance **list_r, size_t *n_r,
    struct problem *pr)
{
	char *like = pattern(q->match);
	int rc =
	    store_sqlite_all(s, &rows, pages[q->sort][q->down], (void **)list_r, n_r, pr, "iiititii", q->now, q->soon,
		q->stale, like, (int64_t)q->state, q->after ? q->after : "", (int64_t)q->max, (int64_t)q->offset);

	free(like);
	return rc;
}

int store_glance_counts(
    struct store *s, const struct store_glance_query *q, int64_t counts_r[STORE_GLANCE_STATES], struct problem *pr)
{
	static const char sql[] = "SELECT " STATE " FROM partner WHERE " FITS;
	sqlite3_stmt *st = store_sqlite_stmt(s, sql, pr);
	char *like;
	int rc;

	memset(counts_r, 0, STORE_GLANCE_STATES * sizeof *counts_r);
	if (!st)
		return -1;
	like = pattern(q->match);
	store_sqlite_bind(st, "iiit", q->now, q->soon, q->stale, like);
	while ((rc = store_sqlite_row(s, st, pr)) > 0) {
		int state = sqlite3_column_int(st, 0);

		if (state > 0 && state < STORE_GLANCE_STATES)
			counts_r[state]++;
		counts_r[STORE_GLANCE_ANY]++;
	}
	free(like);
	return rc;
}
