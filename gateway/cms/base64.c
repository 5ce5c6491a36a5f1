/*
 * Base64 of S/MIME bodies (RFC 2045 6.8). Sealer; no I/O of its own. Works on runs of octets through tables: two
 * output characters from twelve bits when encoding, one 24-bit word from four characters when decoding; whatever
 * breaks a run (line ends, padding, a group cut by the caller) goes through the slow path, one character at a time.
 */
#include "gateway/cms/base64.h"

#include <pthread.h>
#include <stdbool.h>
#include <string.h>

#include "gateway/base/log.h"
#include "gateway/base/mem.h"
#include "gateway/cms/base64_wide.h"

enum {
	LINE_IN = 57,	    /* octets of a full line */
	LINE_OUT = 78,	    /* 76 characters, CR, LF */
	LINES = 128,	    /* full lines encoded per write */
	DECODE_OUT = 12288, /* octets decoded per write */
	WORD_BAD = 1 << 24, /* in the decode tables: not one of the 64 */
};

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

static char pairs[4096][2];
static uint32_t words[4][256];
static pthread_once_t tables_once = PTHREAD_ONCE_INIT;

static void tables_make(void)
{
	for (int i = 0; i < 4096; i++) {
		pairs[i][0] = alphabet[i >> 6];
		pairs[i][1] = alphabet[i & 63];
	}
	for (int i = 0; i < 256; i++)
		for (int k = 0; k < 4; k++)
			words[k][i] = WORD_BAD;
	for (uint32_t i = 0; i < 64; i++)
		for (int k = 0; k < 4; k++)
			words[k][(uint8_t)alphabet[i]] = i << (18 - 6 * k);
}

/* ---- encode ---- */

/* n is a multiple of 3; writes n / 3 * 4 characters. */
static void encode_groups(const uint8_t *p, size_t n, char *out)
{
	size_t wide = base64_wide_encode(p, n, out);

	p += wide;
	n -= wide;
	out += wide / 3 * 4;
	for (; n >= 3; n -= 3, p += 3, out += 4) {
		uint32_t v = (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];

		memcpy(out, pairs[v >> 12], 2);
		memcpy(out + 2, pairs[v & 0xfff], 2);
	}
}

/* As many full lines as fit into one write; 0 when there is not one. */
static size_t encode_lines(struct base64_enc *e, const uint8_t *p, size_t n, struct problem *pr)
{
	char out[LINES * LINE_OUT];
	size_t lines = n / LINE_IN;

	if (lines > LINES)
		lines = LINES;
	for (size_t i = 0; i < lines; i++) {
		encode_groups(p + i * LINE_IN, LINE_IN, out + i * LINE_OUT);
		memcpy(out + i * LINE_OUT + LINE_OUT - 2, "\r\n", 2);
	}
	if (stream_write(e->to, out, lines * LINE_OUT, pr) == -1)
		return 0;
	return lines * LINE_IN;
}

/* One group of four characters, with the line end where the line is full. */
static int encode_group(struct base64_enc *e, const char group[4], struct problem *pr)
{
	char out[6];
	size_t n = 4;

	memcpy(out, group, 4);
	e->col += 4;
	if (e->col == 76) {
		out[n++] = '\r';
		out[n++] = '\n';
		e->col = 0;
	}
	return stream_write(e->to, out, n, pr);
}

/* Up to the end of the group, or of the line, in which the last write stopped. */
static int encode_few(struct base64_enc *e, const uint8_t **p, size_t *n, struct problem *pr)
{
	char group[4];

	while (*n > 0 && (e->nin > 0 || e->col > 0 || *n < LINE_IN)) {
		e->in[e->nin++] = *(*p)++;
		(*n)--;
		if (e->nin < 3)
			continue;
		encode_groups(e->in, 3, group);
		e->nin = 0;
		if (encode_group(e, group, pr) == -1)
			return -1;
	}
	return 0;
}

static int enc_write(struct writer *w, const void *octets, size_t n, struct problem *pr)
{
	struct base64_enc *e = (struct base64_enc *)w;
	const uint8_t *p = octets;

	while (n > 0) {
		size_t done;

		if (encode_few(e, &p, &n, pr) == -1)
			return -1;
		if (n == 0)
			break;
		done = encode_lines(e, p, n, pr);
		if (done == 0)
			return -1;
		p += done;
		n -= done;
	}
	return 0;
}

void base64_enc_init(struct base64_enc *e, struct writer *to)
{
	pthread_once(&tables_once, tables_make);
	memset(e, 0, sizeof(*e));
	e->writer.write = enc_write;
	e->to = to;
}

int base64_enc_end(struct base64_enc *e, struct problem *pr)
{
	char group[4];
	uint8_t in[3] = {0};
	int nin = e->nin;

	memcpy(in, e->in, (size_t)nin);
	mem_wipe(e->in, sizeof(e->in));
	if (nin > 0) {
		encode_groups(in, 3, group);
		group[3] = '=';
		if (nin == 1)
			group[2] = '=';
		e->nin = 0;
		if (encode_group(e, group, pr) == -1)
			return -1;
	}
	if (e->col == 0)
		return 0;
	e->col = 0;
	return stream_write(e->to, "\r\n", 2, pr);
}

/* ---- decode ---- */

static int decode_bad(uint8_t c, struct problem *pr)
{
	return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2045 6.8",
	    "The base64 body contains the octet 0x%02x, which is not part of base64: the message is damaged.", c);
}

/* Groups of four, with line ends between groups, until something else or out is full. Returns characters eaten;
 * *got_r octets. */
static size_t decode_run(const uint8_t *p, size_t n, uint8_t *out, size_t cap, size_t *got_r)
{
	const uint8_t *s = p, *end = p + n;
	size_t got = 0;

	while (end - s >= 4 && cap - got >= 3) {
		size_t wide = base64_wide_decode(s, (size_t)(end - s), out + got, cap - got);

		s += wide;
		got += wide / 4 * 3;
		while (end - s >= 4 && cap - got >= 3) {
			uint32_t v = words[0][s[0]] | words[1][s[1]] | words[2][s[2]] | words[3][s[3]];

			if (v & WORD_BAD)
				break;
			out[got] = (uint8_t)(v >> 16);
			out[got + 1] = (uint8_t)(v >> 8);
			out[got + 2] = (uint8_t)v;
			got += 3;
			s += 4;
		}
		if (s == end || (*s != '\r' && *s != '\n'))
			break;
		while (s < end && (*s == '\r' || *s == '\n'))
			s++;
	}
	*got_r = got;
	return (size_t)(s - p);
}

/* A '=': closes a group that holds two or three characters. */
static int decode_pad(struct base64_dec *d, uint8_t *out, size_t *got_r, struct problem *pr)
{
	*got_r = 0;
	if (d->n < 2 || d->pad + d->n >= 4)
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2045 6.8",
		    "The base64 body has a padding character in a wrong place: the message is damaged.");
	d->pad++;
	if (d->n + d->pad < 4)
		return 0;
	out[0] = (uint8_t)(d->acc >> 16);
	out[1] = (uint8_t)(d->acc >> 8);
	*got_r = (size_t)d->n - 1;
	d->n = 0;
	d->acc = 0;
	return 0;
}

/* One character: blanks vanish, the rest fills the group. */
static int decode_one(struct base64_dec *d, uint8_t c, uint8_t *out, size_t *got_r, struct problem *pr)
{
	*got_r = 0;
	if (c == '\n' || c == '\r' || c == ' ' || c == '\t')
		return 0;
	if (c == '=')
		return decode_pad(d, out, got_r, pr);
	if (words[3][c] & WORD_BAD)
		return decode_bad(c, pr);
	if (d->pad > 0)
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2045 6.8",
		    "The base64 body goes on behind its padding: the message is damaged.");
	d->acc |= words[3][c] << (18 - 6 * d->n);
	if (++d->n < 4)
		return 0;
	out[0] = (uint8_t)(d->acc >> 16);
	out[1] = (uint8_t)(d->acc >> 8);
	out[2] = (uint8_t)d->acc;
	*got_r = 3;
	d->n = 0;
	d->acc = 0;
	return 0;
}

static int dec_write(struct writer *w, const void *octets, size_t n, struct problem *pr)
{
	struct base64_dec *d = (struct base64_dec *)w;
	const uint8_t *p = octets;
	uint8_t out[DECODE_OUT];
	size_t have = 0;

	while (n > 0) {
		size_t eaten = 0, got = 0;

		if (d->n == 0 && d->pad == 0)
			eaten = decode_run(p, n, out + have, sizeof(out) - have, &got);
		if (eaten == 0) {
			if (sizeof(out) - have < 3) {
				if (stream_write(d->to, out, have, pr) == -1)
					return -1;
				have = 0;
			}
			if (decode_one(d, *p, out + have, &got, pr) == -1)
				return -1;
			eaten = 1;
		}
		p += eaten;
		n -= eaten;
		have += got;
	}
	return have > 0 ? stream_write(d->to, out, have, pr) : 0;
}

void base64_dec_init(struct base64_dec *d, struct writer *to)
{
	pthread_once(&tables_once, tables_make);
	memset(d, 0, sizeof(*d));
	d->writer.write = dec_write;
	d->to = to;
}

int base64_dec_end(struct base64_dec *d, struct problem *pr)
{
	if (d->n > 0)
		return problem_set(pr, PROBLEM_PERM, 554, "5.6.0", "RFC 2045 6.8",
		    "The base64 body ends inside a group of four characters: the message was cut off.");
	return 0;
}
