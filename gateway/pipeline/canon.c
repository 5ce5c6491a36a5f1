/* Sealer. One pass to see whether it is text with LF line ends; only then it is copied, through scratch A and back.
 */
#include "gateway/pipeline/canon.h"

#include <string.h>

enum { FIRST = 1000 }; /* where the first line must end (RFC 5322 2.1.1) */

struct sighting {
	struct writer writer;
	bool lf, other; /* an LF; a CR or NUL, with which nothing is changed */
};

static int see(struct writer *wr, const void *p, size_t n, struct problem *pr)
{
	struct sighting *s = (struct sighting *)wr;

	(void)pr;
	s->lf = s->lf || memchr(p, '\n', n) != NULL;
	s->other = s->other || memchr(p, '\r', n) != NULL || memchr(p, 0, n) != NULL;
	return 0;
}

struct crlf {
	struct writer writer;
	struct writer *to;
};

static int give_crlf(struct writer *wr, const void *octets, size_t n, struct problem *pr)
{
	struct crlf *c = (struct crlf *)wr;
	const uint8_t *p = octets;

	while (n > 0) {
		const uint8_t *lf = memchr(p, '\n', n);
		size_t k = lf == NULL ? n : (size_t)(lf - p);

		if (k > 0 && stream_write(c->to, p, k, pr) != 0)
			return -1;
		if (lf == NULL)
			return 0;
		if (stream_write(c->to, "\r\n", 2, pr) != 0)
			return -1;
		p += k + 1;
		n -= k + 1;
	}
	return 0;
}

/* 1, 0, -1. Nearly always the first line says it all. */
static int is_unix_text(struct work *w)
{
	struct reader *r = spool_reader(w->plain);
	struct sighting s = {.writer.write = see};
	uint8_t first[FIRST];
	const uint8_t *lf;
	size_t n;

	if (stream_read_at(r, 0, first, sizeof(first), &n, &w->res->pr) != 0)
		return -1;
	lf = memchr(first, '\n', n);
	if (lf == NULL || (lf > first && lf[-1] == '\r'))
		return 0;
	if (stream_copy(r, 0, r->size, &s.writer, &w->res->pr) != 0)
		return -1;
	return s.lf && !s.other;
}

int canon_opened(struct work *w)
{
	struct crlf c = {.writer.write = give_crlf};
	struct spool *a, *b;
	int is = is_unix_text(w);

	if (is <= 0)
		return is;
	a = work_scratch(w, 0);
	c.to = spool_writer(a);
	if (stream_copy(spool_reader(w->plain), 0, spool_size(w->plain), &c.writer, &w->res->pr) != 0 ||
	    spool_finish(a, &w->res->pr) != 0)
		return -1;
	b = work_scratch(w, 1);
	if (stream_copy(spool_reader(a), 0, spool_size(a), spool_writer(b), &w->res->pr) != 0)
		return -1;
	return spool_finish(b, &w->res->pr);
}
