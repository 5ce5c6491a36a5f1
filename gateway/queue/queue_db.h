/* The queue's database file: opening with its checks, schema and migrations, statements. relay; blocks on the disk.
 */
#ifndef POSTERN_QUEUE_QUEUE_DB_H
#define POSTERN_QUEUE_QUEUE_DB_H

#include <sqlite3.h>

#include "gateway/base/problem.h"

/* Takes the directory for this process: two relays on one queue would deliver everything twice. A descriptor that
 * holds the lock (caller closes), or -1 with pr. Makes the directory when it is missing. */
int queue_db_lock(const char *dir, struct problem *pr) __attribute__((warn_unused_result));
#define QUEUE_DB_APPLICATION "1349472081" /* "PoSQ" */
/* How to mend a damaged database, in the queue directory, with a shell of SQLite that was built without .recover, as
 * Debian's is: there .recover leaves an empty file. What was there is moved into a directory, nothing is removed;
 * where no message can be read, or no new database written, it changes nothing. */
#define QUEUE_DB_MEND                                                                                                \
	"`v=$(sqlite3 queue.db 'PRAGMA user_version') && rm -f new.db && { { sqlite3 queue.db .dump | sed "          \
	"'s/^ROLLBACK.*/COMMIT;/'; echo 'PRAGMA application_id=" QUEUE_DB_APPLICATION                                \
	"; PRAGMA user_version='$v';'; } | sqlite3 new.db; sqlite3 new.db 'SELECT 1 FROM msg, rcpt LIMIT 1' | grep " \
	"1; } && chown --reference=queue.db new.db && mkdir damaged.$$ && mv queue.db* damaged.$$ && mv new.db "     \
	"queue.db`"

/* The writing connection to dir/queue.db: made when missing, migrated when older. NULL with pr: unreadable,
 * read-only, damaged, newer, of another program. Belongs to one thread at a time. */
sqlite3 *queue_db_open(const char *dir, struct problem *pr);
/* A second connection that only reads; after queue_db_open. */
sqlite3 *queue_db_open_reader(const char *dir, struct problem *pr);
/* Is it a queue of this version? 0, or -1 with pr. */
int queue_db_is_queue(sqlite3 *db, const char *dir, struct problem *pr) __attribute__((warn_unused_result));
/* A statement of ours, to be used many times; one that does not compile is a bug. */
sqlite3_stmt *queue_db_prepare(sqlite3 *db, const char *sql);
/* Runs a statement that gives no rows and makes it ready for the next time. The SQLite result, SQLITE_OK for done. */
int queue_db_run(sqlite3_stmt *st);
/* The same for a text of ours. */
int queue_db_exec(sqlite3 *db, const char *sql);
/* Octets of a page of the database, which its file keeps from when it was made. */
int queue_db_page(sqlite3 *db);
/* Binding of text: NULL stays NULL. The text must live until the statement has run. */
void queue_db_text(sqlite3_stmt *st, int i, const char *s);
/* A column as text, "" for NULL; valid until the next step. */
const char *queue_db_column(sqlite3_stmt *st, int i);

#endif
