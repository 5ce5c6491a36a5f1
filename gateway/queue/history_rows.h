/* Rows of the history as JSON. relay, the history's reader thread. */
#ifndef POSTERN_QUEUE_HISTORY_ROWS_H
#define POSTERN_QUEUE_HISTORY_ROWS_H

#include <jansson.h>
#include <sqlite3.h>
#include <stdint.h>

enum history_rows_statement {
	HISTORY_ROWS_MSG,
	HISTORY_ROWS_RCPTS,
	HISTORY_ROWS_CHILDREN,
	HISTORY_ROWS_ROOT,
	HISTORY_ROWS_STATEMENTS
};
struct history_rows {
	sqlite3 *db;
	sqlite3_stmt *st[HISTORY_ROWS_STATEMENTS];
	int rc; /* the first failure; SQLITE_OK */
};
/* Begins a reading transaction: what is read belongs together. False when the file is not what it should be. */
int history_rows_init(struct history_rows *r, sqlite3 *db);
void history_rows_clear(struct history_rows *r);

/* Which message it is a child of, else itself. */
int64_t history_rows_root(struct history_rows *r, int64_t number);
/* {id, at, direction, from, message_id, size, client, helo, tls, judged, trace} and, with `way`, events; NULL: none.
 */
enum history_rows_how { HISTORY_ROWS_SHORT, HISTORY_ROWS_WHOLE };
json_t *history_rows_msg(struct history_rows *r, int64_t number, enum history_rows_how how);
/* Recipients of a message and of its children: [{row, address, outcome, treatment, reason, status, remote, changed,
 * tls, rule, partner, certificates, signed_by, message}]; those that were replaced by their opened form are left out.
 */
json_t *history_rows_rcpts(struct history_rows *r, int64_t number);
/* "" when it is missing. */
const char *history_rows_str(const json_t *o, const char *name);
void history_rows_set(json_t *o, const char *name, json_t *v);

#endif
