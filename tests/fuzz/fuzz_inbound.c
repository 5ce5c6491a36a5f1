/*
 * The whole open path with a fixed key: any octets as a message from outside, and inside an envelope and a signature
 * that are good, so that what lies behind them is reached. The first octet says where the others go:
 * 0 the message itself, 1 encrypted, 2 signed and encrypted (so is everything that begins otherwise), 3 CMS octets
 * as the encrypted content, 4 CMS octets as the message.
 */
#include "tests/fuzz/fuzz_pipes.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct buf sign(const void *p, size_t n)
{
	struct cms_signer s = {.cert = w.hospital.x, .key = hospital_key, .domain = true};
	struct stream_mem in;
	struct stream_buf to;
	struct problem pr = {0};
	struct buf der, out;

	stream_mem_init(&in, p, n);
	buf_init(&der, PIPES_MAX);
	stream_buf_init(&to, &der);
	REQUIRE(cms_sign(&in.reader, &s, NULL, &to.writer, &pr) == 0);
	pipes_wrap("", "signed-data", &der, &out);
	buf_clear(&der);
	return out;
}

static void open_both(const struct buf *b)
{
	enum job_status s;

	s = fuzz_pipes_open(JOB_CHECK, b->p, b->len);
	if (s == JOB_DONE)
		fuzz_pipes_check(0);
	if (s != JOB_AS_IT_CAME)
		return;
	s = fuzz_pipes_open(JOB_OPEN, b->p, b->len);
	REQUIRE(s == JOB_DONE || s == JOB_HOLD); /* promise P10: nothing shows outside any more */
	if (s == JOB_DONE)
		fuzz_pipes_check(0);
	pipes_job(&w, JOB_OPEN);
	w.rq.released = true;
	s = pipes_run(&w, b->p, b->len);
	REQUIRE(s == JOB_DONE || s == JOB_NEEDS_TRUST || s == JOB_NEEDS_DSN);
}

/* What is encrypted and not signed is held, whatever it says of itself. */
static void open_unsigned(const struct buf *b)
{
	pipes_job(&w, JOB_OPEN);
	REQUIRE(pipes_run(&w, b->p, b->len) != JOB_DONE);
	open_both(b);
}

static void encrypted_cms(const uint8_t *p, size_t n)
{
	struct buf der, inner, b;

	buf_init(&der, PIPES_MAX);
	REQUIRE(buf_add(&der, p, n) == 0);
	pipes_wrap("", "signed-data", &der, &inner);
	b = pipes_sealed(w.lab.x, inner.p, inner.len);
	open_both(&b);
	buf_clear(&der);
	buf_clear(&inner);
	buf_clear(&b);
}

static void cms_message(const uint8_t *p, size_t n)
{
	struct buf der, b;

	buf_init(&der, PIPES_MAX);
	REQUIRE(buf_add(&der, p, n) == 0);
	pipes_wrap(PIPES_FIELDS, "enveloped-data", &der, &b);
	open_both(&b);
	buf_clear(&der);
	buf_clear(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf b, inner;

	fuzz_pipes_start();
	if (size == 0)
		return 0;
	switch (data[0]) {
	case '0':
		buf_init(&b, PIPES_MAX);
		REQUIRE(buf_add(&b, data + 1, size - 1) == 0);
		open_both(&b);
		break;
	case '1':
		b = pipes_sealed(w.lab.x, data + 1, size - 1);
		open_unsigned(&b);
		break;
	case '3':
		encrypted_cms(data + 1, size - 1);
		return 0;
	case '4':
		cms_message(data + 1, size - 1);
		return 0;
	default:
		inner = data[0] == '2' ? sign(data + 1, size - 1) : sign(data, size);
		b = pipes_sealed(w.lab.x, inner.p, inner.len);
		buf_clear(&inner);
		open_both(&b);
		break;
	}
	buf_clear(&b);
	return 0;
}
