/*
 * A message's number and its readable form. The number is the milliseconds since 2026 and a counter of 64 a
 * millisecond: unique on the node, growing, and it says when the message came. Its text is 10 characters and sorts
 * like it. A recipient's row is the number with the recipient's place behind it. relay.
 */
#ifndef POSTERN_QUEUE_QUEUE_NUMBER_H
#define POSTERN_QUEUE_QUEUE_NUMBER_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

#define QUEUE_NUMBER_TEXT 10		  /* characters, without the NUL */
#define QUEUE_NUMBER_RCPTS INT64_C(65536) /* recipients a message can have */

struct queue_number {
	pthread_mutex_t lock;
	int64_t last;
};

/* Numbers will be larger than last (the largest one in use). */
void queue_number_init(struct queue_number *n, int64_t last);
void queue_number_clear(struct queue_number *n);
/* The next one. Any thread. With the clock set back, or more than 64 in a millisecond, it runs ahead of the clock
 * rather than repeat. */
int64_t queue_number_next(struct queue_number *n, int64_t now_ms);
/* The last one given. Any thread. */
int64_t queue_number_last(struct queue_number *n);
/* Text of a number; cap > QUEUE_NUMBER_TEXT. */
void queue_number_text(int64_t number, char *text_r, size_t cap);
/* 0, or -1 when the text is not the whole text of a number. */
int queue_number_parse(const char *text, int64_t *number_r) __attribute__((warn_unused_result));
/* When it was made, unix ms; and the least number made at or after a time. */
int64_t queue_number_time(int64_t number);
int64_t queue_number_from(int64_t unix_ms);
/* The row of recipient i; the message of a row. */
int64_t queue_number_row(int64_t number, size_t i);
int64_t queue_number_msg(int64_t row);

#endif
