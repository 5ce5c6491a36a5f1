/*
 * Message numbers. relay. 41 bits of milliseconds (until 2095), 6 bits of counter, and 16 bits for the recipient's
 * place make a row of 63 bits: the recipients of a message lie side by side in the database without an index, and
 * lists by time are lists by number.
 */
#include "gateway/queue/queue_number.h"

#include <string.h>

#include "gateway/base/log.h"

#define EPOCH INT64_C(1767225600000) /* 2026-01-01T00:00:00Z, unix ms */
#define NUMBER_MAX ((INT64_C(1) << 47) - 1)

enum { COUNTER_BITS = 6, RCPT_BITS = 16, CHAR_BITS = 5 };

/* Without I, L, O and U: nothing is misread over the telephone. In ASCII order, so that texts sort as numbers do. */
static const char alphabet[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

void queue_number_init(struct queue_number *n, int64_t last)
{
	pthread_mutex_init(&n->lock, NULL);
	n->last = last;
}

void queue_number_clear(struct queue_number *n)
{
	pthread_mutex_destroy(&n->lock);
}

int64_t queue_number_from(int64_t unix_ms)
{
	int64_t ms = unix_ms < EPOCH ? 0 : unix_ms - EPOCH;

	return ms > NUMBER_MAX >> COUNTER_BITS ? NUMBER_MAX : ms << COUNTER_BITS;
}

int64_t queue_number_next(struct queue_number *n, int64_t now_ms)
{
	int64_t number = queue_number_from(now_ms);

	pthread_mutex_lock(&n->lock);
	if (number <= n->last)
		number = n->last + 1;
	n->last = number;
	pthread_mutex_unlock(&n->lock);
	if (number > NUMBER_MAX)
		log_fatal("no message number left: set this machine's clock right");
	return number;
}

int64_t queue_number_last(struct queue_number *n)
{
	pthread_mutex_lock(&n->lock);

	int64_t last = n->last;

	pthread_mutex_unlock(&n->lock);
	return last;
}

void queue_number_text(int64_t number, char *text_r, size_t cap)
{
	REQUIRE(cap > QUEUE_NUMBER_TEXT && number >= 0 && number <= NUMBER_MAX);
	for (int i = QUEUE_NUMBER_TEXT - 1; i >= 0; i--, number >>= CHAR_BITS)
		text_r[i] = alphabet[number & 31];
	text_r[QUEUE_NUMBER_TEXT] = 0;
}

int queue_number_parse(const char *text, int64_t *number_r)
{
	int64_t number = 0;

	if (strnlen(text, QUEUE_NUMBER_TEXT + 1) != QUEUE_NUMBER_TEXT)
		return -1;
	for (int i = 0; i < QUEUE_NUMBER_TEXT; i++) {
		const char *at = memchr(alphabet, text[i], sizeof alphabet - 1);

		if (!at)
			return -1;
		number = number << CHAR_BITS | (at - alphabet);
	}
	if (number > NUMBER_MAX)
		return -1;
	*number_r = number;
	return 0;
}

int64_t queue_number_time(int64_t number)
{
	return EPOCH + (number >> COUNTER_BITS);
}

int64_t queue_number_row(int64_t number, size_t i)
{
	REQUIRE(i < (size_t)QUEUE_NUMBER_RCPTS);
	return number << RCPT_BITS | (int64_t)i;
}

int64_t queue_number_msg(int64_t row)
{
	return row >> RCPT_BITS;
}
