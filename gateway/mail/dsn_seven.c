#include "gateway/mail/dsn_seven.h"

#include <string.h>

#include "gateway/mail/sevenbit_body.h"

static const char top_cte[] = "\r\nContent-Transfer-Encoding: 8bit\r\n";
static const char before[] = "\r\nContent-Type: message/rfc822\r\nContent-Transfer-Encoding: 8bit\r\n";
static const char instead[] = "\r\nContent-Type: message/global\r\nContent-Transfer-Encoding: base64\r\n";

struct places {
	size_t cte;	   /* of the digit in the top header */
	size_t from, rest; /* the fields to be replaced, and what follows them */
	size_t body, end;
};

static size_t find(const struct buf *b, size_t from, const char *what, size_t n)
{
	const uint8_t *p = from <= b->len ? memmem(b->p + from, b->len - from, what, n) : NULL;

	return p ? (size_t)(p - b->p) : SIZE_MAX;
}

static size_t find_str(const struct buf *b, size_t from, const char *what)
{
	return find(b, from, what, strlen(what));
}

/* What stands where, in a report of ours; nothing is guessed. */
static int find_places(const struct buf *b, struct places *at)
{
	size_t head = find_str(b, 0, "\r\n\r\n"), q = find_str(b, 0, "boundary=\""), n;
	char line[160] = "\r\n--";

	at->cte = find_str(b, 0, top_cte);
	if (head == SIZE_MAX || q > head || at->cte > head)
		return -1;
	at->cte += sizeof top_cte - sizeof "8bit\r\n";
	q += sizeof "boundary=\"" - 1;
	n = find_str(b, q, "\"") - q;
	if (n > sizeof line - 4 - sizeof before)
		return -1;
	memcpy(line + 4, b->p + q, n);
	memcpy(line + 4 + n, before, sizeof before);
	at->from = find_str(b, head, line);
	if (at->from == SIZE_MAX)
		return -1;
	at->from += 4 + n;
	at->rest = at->from + sizeof before - 1;
	at->body = find_str(b, at->rest - 2, "\r\n\r\n");
	memcpy(line + 4 + n, "--", 3);
	at->end = at->body == SIZE_MAX ? SIZE_MAX : find_str(b, at->body + 2, line);
	at->body += 4;
	return at->end == SIZE_MAX || at->end < at->body ? -1 : 0;
}

static int write_seven(struct buf *b, const struct places *at, struct writer *w, struct problem *pr)
{
	struct stream_mem m;

	b->p[at->cte] = '7';
	stream_mem_init(&m, b->p, b->len);
	if (stream_write(w, b->p, at->from, pr) || stream_write(w, instead, sizeof instead - 1, pr) ||
	    stream_write(w, b->p + at->rest, at->body - at->rest, pr) ||
	    sevenbit_body_write(&m.reader, at->body, at->end - at->body, SEVENBIT_BASE64, w, pr))
		return -1;
	return stream_write(w, b->p + at->end, b->len - at->end, pr);
}

int dsn_seven(struct reader *r, struct writer *w, struct problem *pr)
{
	struct places at;
	struct buf b;
	uint8_t *to;
	int err = -1;

	if (r->size == 0 || r->size > DSN_SEVEN_MAX)
		return problem_perm(pr, "the report is too large to be put into 7 bits");
	buf_init(&b, DSN_SEVEN_MAX);
	to = buf_room(&b, (size_t)r->size);
	if (to && stream_read_full(r, 0, to, (size_t)r->size, pr) == 0) {
		buf_added(&b, (size_t)r->size);
		if (find_places(&b, &at) == 0)
			err = write_seven(&b, &at, w, pr);
		else
			problem_perm(pr, "the report has no whole message in it that could be put into 7 bits");
	}
	buf_clear(&b);
	return err;
}
