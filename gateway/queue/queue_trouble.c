/* Why the queue cannot be written. relay. */
#include "gateway/queue/queue_trouble.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/queue/queue_db.h"

void queue_trouble_damaged(struct queue_trouble *t, const char *dir, const char *why)
{
	t->kind = QUEUE_TROUBLE_DAMAGED;
	problem_set(&t->pr, PROBLEM_TEMP, 451, "4.3.0", NULL,
	    "the queue database %s/queue.db is damaged (%.80s): nothing is written to it any more; stop Postern, "
	    "keep a "
	    "copy of the directory, look with `postern queue check`, mend it there with " QUEUE_DB_MEND,
	    dir, why);
}

void queue_trouble_unsynced(struct queue_trouble *t, const char *dir, const char *why)
{
	t->kind = QUEUE_TROUBLE_UNSYNCED;
	problem_set(&t->pr, PROBLEM_TEMP, 451, "4.3.0", NULL,
	    "the disk of the queue %s failed to sync (%s): nothing is written to it until the relay has started "
	    "anew, "
	    "which it does by itself; look at the kernel's log for errors of the disk, keep a copy of the directory, "
	    "and put the queue on a disk that is whole",
	    dir, why);
}

static enum queue_trouble_kind full(struct queue_trouble *t, const char *dir, const char *why)
{
	t->kind = QUEUE_TROUBLE_FULL;
	problem_set(&t->pr, PROBLEM_TEMP, 452, "4.3.1", NULL,
	    "no room on the disk of the queue %s (%s): make some, or raise the quota of the user Postern's relay "
	    "runs as; mail "
	    "is taken again by itself then",
	    dir, why);
	return t->kind;
}

static enum queue_trouble_kind read_only(struct queue_trouble *t, const char *dir, const char *why)
{
	t->kind = QUEUE_TROUBLE_READONLY;
	problem_set(&t->pr, PROBLEM_TEMP, 451, "4.3.0", NULL,
	    "the queue %s cannot be written (%s): look at the kernel's log for errors of the disk, mount the file "
	    "system "
	    "read-write; mail is taken again by itself then",
	    dir, why);
	return t->kind;
}

static enum queue_trouble_kind locked(struct queue_trouble *t, const char *dir)
{
	t->kind = QUEUE_TROUBLE_LOCKED;
	problem_set(&t->pr, PROBLEM_TEMP, 451, "4.3.0", NULL,
	    "another process keeps the queue database %s/queue.db locked (`fuser` names it: a copy being made, an "
	    "sqlite3 "
	    "shell): end that; mail is taken again by itself then",
	    dir);
	return t->kind;
}

/* Errors of a write that came before any sync; after them a rollback is the whole truth. */
static bool is_write(int extended)
{
	switch (extended) {
	case SQLITE_IOERR_WRITE:
	case SQLITE_IOERR_TRUNCATE:
	case SQLITE_IOERR_SHMOPEN:
	case SQLITE_IOERR_SHMSIZE:
	case SQLITE_IOERR_SHMMAP:
	case SQLITE_IOERR_LOCK:
		return true;
	default:
		return false;
	}
}

/* sqlite3_system_errno says nothing after a COMMIT: the log's file is asked, then the database's. */
static int last_errno(sqlite3 *db)
{
	sqlite3_file *log = NULL;
	int e = 0;

	if (sqlite3_file_control(db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK && log && log->pMethods)
		log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &e);
	if (e == 0)
		sqlite3_file_control(db, "main", SQLITE_FCNTL_LAST_ERRNO, &e);
	return e;
}

enum queue_trouble_kind queue_trouble_of(struct queue_trouble *t, sqlite3 *db, const char *dir)
{
	int extended = sqlite3_extended_errcode(db), system = last_errno(db);
	const char *why = sqlite3_errmsg(db);

	memset(t, 0, sizeof *t);
	t->kind = QUEUE_TROUBLE_FATAL;
	switch (extended & 0xff) {
	case SQLITE_FULL:
		return full(t, dir, why);
	case SQLITE_READONLY:
	case SQLITE_CANTOPEN:
		return read_only(t, dir, why);
	case SQLITE_BUSY:
		return locked(t, dir);
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		queue_trouble_damaged(t, dir, why);
		return t->kind;
	case SQLITE_IOERR:
		if (extended == SQLITE_IOERR_FSYNC || extended == SQLITE_IOERR_DIR_FSYNC) {
			queue_trouble_unsynced(t, dir, system ? strerror(system) : why);
			return t->kind;
		}
		if (!is_write(extended))
			return t->kind;
		if (system == ENOSPC || system == EDQUOT)
			return full(t, dir, strerror(system));
		return read_only(t, dir, system ? strerror(system) : why);
	default:
		return t->kind;
	}
}

const char *queue_trouble_word(enum queue_trouble_kind k)
{
	static const char *const words[] = {
	    "", "queue-full", "queue-read-only", "queue-damaged", "queue-locked", "queue-unsynced", "queue-fatal"};

	return words[k];
}
