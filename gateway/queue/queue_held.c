/*
 * What is held, seen from the loop's thread. relay.
 *
 * A change of trust writes nothing: it begins a walk through those that wait for it, in the order of the index
 * (waits, waits_for, row). A walk lives in memory; the relay begins one for everybody when it starts, so that none is
 * lost with it. As many claims as there are held recipients of that domain, each a few look-ups; without any, one
 * look-up.
 */
#include "gateway/queue/queue_held.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_parts.h"
#include "gateway/queue/queue_schedule.h"

#define COLUMNS "SELECT held.rcpt, rcpt.nexthop, held.waits, held.waits_for, held.again_at FROM held "
#define JOIN " CROSS JOIN rcpt ON rcpt.id = held.rcpt AND rcpt.state = 2 "

void queue_held_init(struct queue_held *h, sqlite3 *db)
{
	*h = (struct queue_held){0};
	h->again = queue_db_prepare(
	    db, COLUMNS "INDEXED BY held_again" JOIN "WHERE held.again_at > 0 ORDER BY held.again_at");
	h->stale =
	    queue_db_prepare(db, COLUMNS "INDEXED BY held_since" JOIN "WHERE held.since <= ?1 ORDER BY held.since");
	h->one = queue_db_prepare(db,
	    COLUMNS "INDEXED BY held_waits" JOIN
		    "WHERE held.waits = ?1 AND held.waits_for = ?2 AND held.rcpt > ?3 ORDER BY held.rcpt LIMIT 1");
	h->next_domain = queue_db_prepare(db,
	    "SELECT waits_for FROM held INDEXED BY held_waits WHERE waits = ?1 AND waits_for > ?2"
	    " ORDER BY waits_for LIMIT 1");
	/* as queue_reader's, and how often they were judged */
	h->rcpts = queue_db_prepare(db,
	    "SELECT id, address, attempts, treatment, warned, released, notify, orcpt, held.tries"
	    " FROM rcpt NOT INDEXED CROSS JOIN held ON held.rcpt = rcpt.id"
	    " WHERE id >= ?1 AND id < ?2 AND state = 2 AND nexthop = ?3 AND held.waits = ?4 AND held.waits_for = ?5"
	    " AND held.since <= ?6 ORDER BY id");
	h->client = queue_db_prepare(
	    db, "SELECT count(*) FROM (SELECT 1 FROM held INDEXED BY held_client WHERE client = ?1 LIMIT ?2)");
	h->domain = queue_db_prepare(
	    db, "SELECT count(*) FROM (SELECT 1 FROM held INDEXED BY held_domain WHERE domain = ?1 LIMIT ?2)");
}

void queue_held_clear(struct queue_held *h)
{
	sqlite3_stmt *all[] = {h->again, h->stale, h->one, h->next_domain, h->rcpts, h->client, h->domain};

	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		sqlite3_finalize(all[i]);
	*h = (struct queue_held){0};
}

struct queue_held_row queue_held_read(sqlite3_stmt *st)
{
	return (struct queue_held_row){
	    .row = sqlite3_column_int64(st, 0),
	    .nexthop = queue_db_column(st, 1),
	    .waits = (enum queue_waits)sqlite3_column_int(st, 2),
	    .waits_for = queue_db_column(st, 3),
	    .again_at = sqlite3_column_int64(st, 4),
	};
}

/* Behind the last "@", in lower case, as queue_held_store.c keeps it; "" for the null sender. */
static void domain_of(const char *sender, char out[256])
{
	const char *at = sender ? strrchr(sender, '@') : NULL;
	size_t n = 0;

	for (at = at ? at + 1 : sender ? sender : ""; at[n] && n < 255; n++)
		out[n] = (char)tolower((unsigned char)at[n]);
	out[n] = '\0';
}

/* ---- walks ---- */

static bool covers(const struct queue_held_walk *w, enum queue_waits waits, const char *domain)
{
	return w->waits == waits && w->row == 0 &&
	       (w->all ? w->domain[0] == '\0' : domain && strcmp(w->domain, domain) == 0);
}

static void add_walk(struct queue_held *h, enum queue_waits waits, const char *domain)
{
	struct queue_held_walk w = {.waits = waits, .all = domain == NULL};

	for (size_t i = 0; i < h->nwalks; i++)
		if (covers(&h->walks[i], waits, domain))
			return;
	if (domain)
		snprintf(w.domain, sizeof w.domain, "%s", domain);
	h->walks[h->nwalks++] = w;
}

static void end_walk(struct queue_held *h)
{
	memmove(h->walks, h->walks + 1, --h->nwalks * sizeof h->walks[0]);
}

void queue_held_mended(struct queue *q)
{
	if (q->held.nwalks < QUEUE_HELD_WALKS)
		add_walk(&q->held, QUEUE_WAITS_SERVICE, NULL);
}

void queue_held_changed(struct queue *q, const char *domain)
{
	static const enum queue_waits kinds[] = {QUEUE_WAITS_TRUST, QUEUE_WAITS_KEY};
	const size_t n = sizeof kinds / sizeof kinds[0];
	char lower[256];

	domain_of(domain, lower);
	domain = lower[0] ? lower : NULL;
	if (q->held.nwalks + 2 * n > QUEUE_HELD_WALKS) { /* more domains than are kept apart: everybody, once more */
		q->held.nwalks = 0;
		domain = NULL;
		queue_held_mended(q); /* it may have been among them */
	}
	for (size_t i = 0; i < n; i++)
		add_walk(&q->held, kinds[i], domain);
}

/* The next row of this domain after the walk's. */
static int next_of_domain(struct queue_held *h, struct queue_held_walk *w, struct queue_held_row *r_r)
{
	sqlite3_bind_int(h->one, 1, (int)w->waits);
	queue_db_text(h->one, 2, w->domain);
	sqlite3_bind_int64(h->one, 3, w->row);

	int rc = sqlite3_step(h->one);

	if (rc == SQLITE_ROW)
		*r_r = queue_held_read(h->one);
	return rc;
}

/* To the next domain of a walk through all. SQLITE_DONE: that was the last. */
static int next_domain(struct queue_held *h, struct queue_held_walk *w)
{
	sqlite3_bind_int(h->next_domain, 1, (int)w->waits);
	queue_db_text(h->next_domain, 2, w->domain);

	int rc = sqlite3_step(h->next_domain);
	char name[sizeof w->domain];

	if (rc == SQLITE_ROW)
		snprintf(name, sizeof name, "%s", queue_db_column(h->next_domain, 0));
	sqlite3_reset(h->next_domain);
	if (rc == SQLITE_ROW) {
		memcpy(w->domain, name, sizeof name);
		w->row = 0;
	}
	return rc;
}

int queue_held_next(struct queue_held *h, const struct queue_active *active, struct queue_held_row *r_r)
{
	while (h->nwalks > 0) {
		struct queue_held_walk *w = &h->walks[0];
		int rc;

		sqlite3_reset(h->one);
		rc = next_of_domain(h, w, r_r);
		if (rc == SQLITE_ROW && queue_active_has(active, r_r->row)) {
			sqlite3_reset(h->one);
			return SQLITE_DONE;
		}
		if (rc == SQLITE_ROW) {
			w->row =
			    queue_number_row(queue_number_msg(r_r->row) + 1, 0) - 1; /* with all of the message */
			return rc;
		}
		sqlite3_reset(h->one);
		if (rc == SQLITE_DONE && w->all)
			rc = next_domain(h, w);
		if (rc == SQLITE_DONE)
			end_walk(h);
		else if (rc != SQLITE_ROW)
			return rc;
	}
	return SQLITE_DONE;
}

/* ---- when, and how many ---- */

int64_t queue_held_again(const struct queue *q, enum queue_waits waits, int tries)
{
	return queue_schedule_held(&q->set, waits, tries, queue_now(q));
}

/* At least `max` rows of the index have this key? What cannot be read is not full: held-max stands behind it. */
static bool has_many(sqlite3_stmt *st, const char *key, int64_t max)
{
	queue_db_text(st, 1, key);
	sqlite3_bind_int64(st, 2, max);

	bool many = sqlite3_step(st) == SQLITE_ROW && sqlite3_column_int64(st, 0) >= max;

	sqlite3_reset(st);
	return many;
}

enum queue_room queue_held_room(struct queue *q, const char *sender, const char *client)
{
	int64_t share = q->set.held_max * q->set.held_share / 100;
	char domain[256];

	pthread_mutex_lock(&q->due.lock);

	int64_t held = q->due.tally[QUEUE_HELD];

	pthread_mutex_unlock(&q->due.lock);
	if (q->set.held_max == 0)
		return QUEUE_ROOM;
	if (held >= q->set.held_max)
		return QUEUE_ROOM_FULL;
	share = share > 0 ? share : 1;
	if (held < share || q->set.held_share >= 100)
		return QUEUE_ROOM;
	domain_of(sender, domain);
	pthread_mutex_lock(&q->reader.lock);

	bool over = (domain[0] && has_many(q->held.domain, domain, share)) ||
		    (client && client[0] && has_many(q->held.client, client, share));

	pthread_mutex_unlock(&q->reader.lock);
	return over ? QUEUE_ROOM_NO_SHARE : QUEUE_ROOM;
}
