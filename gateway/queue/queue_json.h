/* A message as the JSON object that the CLI and the UI show. relay. */
#ifndef POSTERN_QUEUE_QUEUE_JSON_H
#define POSTERN_QUEUE_QUEUE_JSON_H

#include <jansson.h>
#include <stdbool.h>

#include "gateway/queue/queue_parts.h"

/* Reads messages with the reading connection; the reader's lock is held for as long as it lives. */
struct queue_json {
	struct queue *q;
	sqlite3_stmt *msg, *rcpts, *reports, *about, *of;
};
void queue_json_init(struct queue_json *j, struct queue *q);
void queue_json_clear(struct queue_json *j);
/* {id, kind, state, sender, recipients: [{address, nexthop, state, attempts, next_at, changed, reason, remote,
 * status, treatment, outcome}], size, arrived, message_id}; times in unix ms. Caller decrefs. NULL: no such message
 * or not readable. */
json_t *queue_json_msg(struct queue_json *j, int64_t number);
/* trace, facts (as JSON when they are), where the content is, about (ids of the messages that a notice or a report is
 * about), notices (ids of those about it), and in each recipient reports [{at, action, mta, status, diagnostic,
 * message}], put into an object of queue_json_msg. */
void queue_json_more(struct queue_json *j, int64_t number, json_t *o);
/* Does a recipient have this state; does an id, address or Message-ID contain the words in any case. */
bool queue_json_has_state(const json_t *o, const char *state);
bool queue_json_matches(const json_t *o, const char *words);
/* As text; free() it. */
char *queue_json_text(const json_t *o);

#endif
