/*
 * The check. Beside a running gateway things move: a file is named before its row is committed, and removed after the
 * row has gone. So each missing piece is looked for again before it is a finding, and young files are left alone.
 */
#include "gateway/queue/queue_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "gateway/base/log.h"
#include "gateway/queue/queue_db.h"
#include "gateway/queue/queue_number.h"
#include "gateway/queue/spool.h"

enum { FINDINGS_MAX = 100, YOUNG_S = 60 };

struct check {
	sqlite3 *db;
	int spool; /* descriptor */
	json_t *findings;
};

static void find(struct check *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void find(struct check *c, const char *fmt, ...)
{
	char text[400];
	va_list ap;

	if (json_array_size(c->findings) >= FINDINGS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof text, fmt, ap);
	va_end(ap);
	json_array_append_new(c->findings, json_string(text));
}

static sqlite3_stmt *prepare(struct check *c, const char *sql)
{
	sqlite3_stmt *st = NULL;

	if (sqlite3_prepare_v2(c->db, sql, -1, &st, NULL) != SQLITE_OK)
		find(c, "the database cannot be asked (%s)", sqlite3_errmsg(c->db));
	return st;
}

static int64_t number_of(struct check *c, const char *sql)
{
	sqlite3_stmt *st = prepare(c, sql);
	int64_t n = -1;

	if (st && sqlite3_step(st) == SQLITE_ROW)
		n = sqlite3_column_int64(st, 0);
	else if (st)
		find(c, "the database cannot be read (%s)", sqlite3_errmsg(c->db));
	sqlite3_finalize(st);
	return n;
}

/* ---- the database by itself ---- */

static void integrity(struct check *c)
{
	sqlite3_stmt *st = prepare(c, "PRAGMA integrity_check(20)");
	int rc = SQLITE_DONE;

	while (st && (rc = sqlite3_step(st)) == SQLITE_ROW)
		if (strcmp(queue_db_column(st, 0), "ok") != 0)
			find(c, "the database is damaged: %s", queue_db_column(st, 0));
	if (rc != SQLITE_DONE)
		find(c, "the database is damaged: %s", sqlite3_errmsg(c->db));
	sqlite3_finalize(st);
}

/* One sentence for each number that a statement gives. */
static void orphans(struct check *c, const char *sql, const char *what)
{
	sqlite3_stmt *st = prepare(c, sql);
	char id[QUEUE_NUMBER_TEXT + 1];

	while (st && sqlite3_step(st) == SQLITE_ROW) {
		int64_t number = sqlite3_column_int64(st, 0);

		if (number >= 0 && number >> 47 == 0) {
			queue_number_text(number, id, sizeof id);
			find(c, "message %s: %s", id, what);
		} else {
			find(c, "row %lld: %s", (long long)number, what);
		}
	}
	sqlite3_finalize(st);
}

/* ---- the spool directory ---- */

/* Is there an open recipient, and no body in the database: then there must be a file. */
static bool needs_file(struct check *c, int64_t number)
{
	char sql[256];

	snprintf(sql, sizeof sql,
	    "SELECT EXISTS (SELECT 1 FROM rcpt NOT INDEXED WHERE id >= %lld AND id < %lld AND state <> 3) AND NOT "
	    "EXISTS"
	    " (SELECT 1 FROM body WHERE msg = %lld)",
	    (long long)queue_number_row(number, 0), (long long)queue_number_row(number + 1, 0), (long long)number);
	return number_of(c, sql) == 1;
}

static void look_for_file(struct check *c, int64_t number, uint64_t size)
{
	char name[QUEUE_NUMBER_TEXT + 1];
	struct stat st;

	queue_number_text(number, name, sizeof name);
	if (fstatat(c->spool, name, &st, AT_SYMLINK_NOFOLLOW)) {
		if (errno == ENOENT && needs_file(c, number))
			find(
			    c, "message %s: its content is gone: delete it, and tell the sender to send again", name);
		else if (errno != ENOENT)
			find(c, "spool/%s: %s", name, strerror(errno));
	} else if ((uint64_t)st.st_size != spool_sealed_size(size)) {
		find(c, "message %s: its content has %lld octets instead of %llu", name, (long long)st.st_size,
		    (unsigned long long)spool_sealed_size(size));
	}
}

/* Walks by number, so that no read transaction stays open over the whole of it. */
static void contents(struct check *c)
{
	sqlite3_stmt *st = prepare(c,
	    "SELECT id, size FROM msg WHERE id > ?1 AND NOT EXISTS (SELECT 1 FROM body WHERE msg = msg.id) AND EXISTS"
	    " (SELECT 1 FROM rcpt NOT INDEXED WHERE rcpt.id >= msg.id << 16 AND rcpt.id < (msg.id + 1) << 16 AND "
	    "state <> 3)"
	    " ORDER BY id LIMIT 1");
	int64_t number = -1;

	while (st) {
		sqlite3_bind_int64(st, 1, number);
		if (sqlite3_step(st) != SQLITE_ROW)
			break;
		number = sqlite3_column_int64(st, 0);

		uint64_t size = (uint64_t)sqlite3_column_int64(st, 1);

		sqlite3_reset(st);
		look_for_file(c, number, size);
	}
	sqlite3_finalize(st);
}

static void look_at_file(struct check *c, const char *name)
{
	int64_t number;
	struct stat st;

	if (queue_number_parse(name, &number)) {
		find(c, "spool/%s is no file of the queue: move it away", name);
		return;
	}
	if (fstatat(c->spool, name, &st, AT_SYMLINK_NOFOLLOW) || time(NULL) - st.st_ctime < YOUNG_S ||
	    needs_file(c, number))
		return;
	find(c, "spool/%s belongs to no waiting message: the next start removes it", name);
}

static void files(struct check *c)
{
	int fd = openat(c->spool, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;

	if (!d) {
		find(c, "the spool directory cannot be read: %s", strerror(errno));
		if (fd >= 0)
			close(fd);
		return;
	}
	for (struct dirent *e; (e = readdir(d));)
		if (e->d_name[0] != '.')
			look_at_file(c, e->d_name);
	closedir(d);
}

/* ---- all of it ---- */

static void set(json_t *o, const char *name, int64_t value)
{
	json_object_set_new(o, name, json_integer(value));
}

static json_t *report(struct check *c, const char *dir)
{
	json_t *o = json_object();

	integrity(c);
	if (json_array_size(c->findings) == 0) {
		orphans(c,
		    "SELECT DISTINCT id >> 16 FROM rcpt NOT INDEXED WHERE NOT EXISTS (SELECT 1 FROM msg WHERE msg.id "
		    "= rcpt.id >> 16)"
		    " LIMIT 100",
		    "its envelope is gone, its recipients are still there: delete it");
		orphans(c,
		    "SELECT id FROM msg WHERE NOT EXISTS (SELECT 1 FROM rcpt NOT INDEXED WHERE rcpt.id >= msg.id << "
		    "16 AND"
		    " rcpt.id < (msg.id + 1) << 16) LIMIT 100",
		    "it has no recipients");
		orphans(c,
		    "SELECT msg FROM body WHERE NOT EXISTS (SELECT 1 FROM msg WHERE msg.id = body.msg) LIMIT 100",
		    "its envelope is gone, its content is still there");
		contents(c);
		files(c);
	}
	json_object_set_new(o, "directory", json_string(dir));
	json_object_set_new(o, "good", json_boolean(json_array_size(c->findings) == 0));
	set(o, "messages", number_of(c, "SELECT count(*) FROM msg"));
	set(o, "queued", number_of(c, "SELECT count(*) FROM rcpt WHERE state = 0"));
	set(o, "held", number_of(c, "SELECT count(*) FROM rcpt WHERE state = 2"));
	set(o, "done", number_of(c, "SELECT count(*) FROM rcpt WHERE state = 3"));
	json_object_set(o, "findings", c->findings);
	return o;
}

json_t *queue_check(const char *dir, struct problem *pr)
{
	struct check c = {.findings = json_array()};
	char path[4096];
	json_t *o = NULL;

	if (snprintf(path, sizeof path, "%s/spool", dir) >= (int)sizeof path) {
		problem_temp(pr, "the queue directory's name is too long");
	} else if ((c.spool = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)) < 0) {
		problem_temp(pr, "%s: %s; is %s a queue directory?", path, strerror(errno), dir);
	} else {
		c.db = queue_db_open_reader(dir, pr);
		if (c.db && queue_db_is_queue(c.db, dir, pr) == 0) {
			/* without a gateway this is the last connection: closing it must not carry the log over */
			sqlite3_db_config(c.db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
			o = report(&c, dir);
		}
		sqlite3_close(c.db);
		close(c.spool);
	}
	json_decref(c.findings);
	return o;
}
