/* The bridge between BIO and struct writer. Sealer and tests. */
#include "gateway/cms/bio_stream.h"

#include <pthread.h>
#include <string.h>

#include "gateway/base/log.h"

static BIO_METHOD *method;
static pthread_once_t method_once = PTHREAD_ONCE_INIT;

static int bio_write_ex(BIO *b, const char *p, size_t n, size_t *done_r)
{
	struct bio_stream *s = BIO_get_data(b);

	*done_r = 0;
	/* after one failure the output is worthless: what OpenSSL still wants to say about it must not reach it */
	if (s->failed)
		return 0;
	if (stream_write(s->to, p, n, &s->why) == -1) {
		s->failed = true;
		return 0;
	}
	*done_r = n;
	return 1;
}

static long bio_ctrl(BIO *b, int cmd, long num, void *ptr)
{
	struct bio_stream *s = BIO_get_data(b);

	(void)num;
	(void)ptr;
	return cmd == BIO_CTRL_FLUSH && !s->failed ? 1 : 0;
}

static void method_make(void)
{
	method = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "stream writer");
	if (method == NULL || !BIO_meth_set_write_ex(method, bio_write_ex) || !BIO_meth_set_ctrl(method, bio_ctrl))
		log_fatal("cms: no memory for a BIO method");
}

BIO *bio_stream_new(struct bio_stream *s, struct writer *to)
{
	BIO *b;

	pthread_once(&method_once, method_make);
	b = BIO_new(method);
	if (b == NULL)
		log_fatal("cms: no memory for a BIO");
	memset(s, 0, sizeof(*s));
	s->to = to;
	BIO_set_data(b, s);
	BIO_set_init(b, 1);
	return b;
}

void bio_stream_pop(BIO *top, BIO *end)
{
	while (top != NULL && top != end) {
		BIO *next = BIO_pop(top);

		BIO_free(top);
		top = next;
	}
}
