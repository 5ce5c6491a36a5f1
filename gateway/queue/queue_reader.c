/* The reading connection. relay. It never writes (query_only); its transactions are short, so that the writer's log
 * can start anew. */
#include "gateway/queue/queue_reader.h"

#include "gateway/base/log.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_files.h"
#include "gateway/queue/queue_number.h"
#include "gateway/queue/queue_sealed.h"

void queue_reader_init(struct queue_reader *r, sqlite3 *db)
{
	pthread_mutex_init(&r->lock, NULL);
	r->db = db;
	r->due = queue_db_prepare(db,
	    "SELECT id, next_at FROM rcpt INDEXED BY rcpt_due WHERE state = 0 AND nexthop = ?1 ORDER BY next_at, id");
	r->msg = queue_db_prepare(db,
	    "SELECT kind, size, sender, trace, facts, message_id, wrapped, flags, ret, envid FROM msg WHERE id = ?1");
	r->rcpts = queue_db_prepare(db,
	    "SELECT id, address, attempts, treatment, warned, released, notify, orcpt FROM rcpt NOT INDEXED"
	    " WHERE id >= ?1 AND id < ?2 AND state = ?3 AND nexthop = ?4 AND next_at <= ?5 ORDER BY id");
	r->content = queue_db_prepare(
	    db, "SELECT msg.size, body.sealed FROM msg LEFT JOIN body ON body.msg = msg.id WHERE msg.id = ?1");
	r->sealed = queue_db_prepare(db, "SELECT 1 FROM sealed WHERE hash = ?1 AND at >= ?2");
	r->oldest = queue_db_prepare(db, "SELECT min(id) FROM rcpt INDEXED BY rcpt_due WHERE state = 0");
}

void queue_reader_clear(struct queue_reader *r)
{
	sqlite3_stmt *all[] = {r->due, r->msg, r->rcpts, r->content, r->sealed, r->oldest};

	if (!r->db)
		return;
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
		sqlite3_finalize(all[i]);
	REQUIRE(sqlite3_close(r->db) == SQLITE_OK);
	r->db = NULL;
	pthread_mutex_destroy(&r->lock);
}

int queue_reader_problem(struct queue_reader *r, struct problem *pr)
{
	return problem_temp(pr, "the queue database cannot be read: %s", sqlite3_errmsg(r->db));
}

static struct spool *open_body(struct queue_reader *r, const uint8_t key[SPOOL_KEY], int64_t msg, struct problem *pr)
{
	char id[QUEUE_ID_MAX];
	size_t n = (size_t)sqlite3_column_bytes(r->content, 1);

	if (n == spool_sealed_size((uint64_t)sqlite3_column_int64(r->content, 0)))
		return spool_open_mem(key, sqlite3_column_blob(r->content, 1), n);
	queue_number_text(msg, id, sizeof id);
	problem_set(pr, PROBLEM_PERM, 554, "5.3.0", NULL,
	    "the content of message %s in the queue database has not the length it was stored with", id);
	return NULL;
}

static struct spool *open_file(
    struct queue_reader *r, int spool_fd, const uint8_t key[SPOOL_KEY], int64_t msg, struct problem *pr)
{
	int fd = queue_files_read(spool_fd, msg, pr);

	return fd < 0 ? NULL
		      : spool_open_fd(key, fd, spool_sealed_size((uint64_t)sqlite3_column_int64(r->content, 0)));
}

struct spool *queue_reader_content(
    struct queue_reader *r, int spool_fd, int64_t msg, const uint8_t key[SPOOL_KEY], struct problem *pr)
{
	struct spool *s = NULL;

	pthread_mutex_lock(&r->lock);
	sqlite3_bind_int64(r->content, 1, msg);

	int rc = sqlite3_step(r->content);

	if (rc == SQLITE_DONE)
		problem_set(
		    pr, PROBLEM_PERM, 554, "5.3.0", NULL, "there is no message %lld in the queue", (long long)msg);
	else if (rc != SQLITE_ROW)
		queue_reader_problem(r, pr);
	else if (sqlite3_column_type(r->content, 1) == SQLITE_BLOB)
		s = open_body(r, key, msg, pr);
	else
		s = open_file(r, spool_fd, key, msg, pr);
	sqlite3_reset(r->content);
	pthread_mutex_unlock(&r->lock);
	return s;
}

int queue_reader_was_sealed(struct queue_reader *r, const char *const *ids, size_t n, int64_t since_ms)
{
	int found = 0;

	pthread_mutex_lock(&r->lock);
	for (size_t i = 0; i < n && found == 0; i++) {
		sqlite3_bind_int64(r->sealed, 1, queue_sealed_hash(ids[i]));
		sqlite3_bind_int64(r->sealed, 2, since_ms);

		int rc = sqlite3_step(r->sealed);

		found = rc == SQLITE_ROW ? 1 : rc == SQLITE_DONE ? 0 : -1;
		sqlite3_reset(r->sealed);
	}
	pthread_mutex_unlock(&r->lock);
	return found;
}

int64_t queue_reader_oldest(struct queue_reader *r)
{
	int64_t at = -1;

	pthread_mutex_lock(&r->lock);
	if (sqlite3_step(r->oldest) == SQLITE_ROW)
		at = sqlite3_column_type(r->oldest, 0) == SQLITE_NULL
			 ? 0
			 : queue_number_time(queue_number_msg(sqlite3_column_int64(r->oldest, 0)));
	sqlite3_reset(r->oldest);
	pthread_mutex_unlock(&r->lock);
	return at;
}
