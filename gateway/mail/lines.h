/*
 * The lines of a run of octets, taken from a reader in large pieces, each octet once. Pure but for what the reader
 * does.
 */
#ifndef POSTERN_MAIL_LINES_H
#define POSTERN_MAIL_LINES_H

#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/stream.h"

#define LINES_WHOLE 1024 /* a line up to that long, CRLF included, comes in one piece */

struct lines;

/* Lines of the len octets at off. Free it. Never NULL. */
struct lines *lines_new(struct reader *r, uint64_t off, uint64_t len);
void lines_free(struct lines *l);

/* A line or a piece of a long one. Lines end in CRLF alone; a bare CR or LF is content. */
struct lines_piece {
	const uint8_t *p; /* without the CRLF; valid until the next call */
	size_t n;
	uint64_t off;  /* where p lies in the reader */
	uint64_t next; /* behind the piece, and behind the CRLF when it has one */
	bool first;    /* begins a line */
	bool last;     /* ends it: CRLF, or the end of the octets */
	bool crlf;
};
/* 1 with a piece, 0 at the end, -1 with pr (the reader failed or is shorter than promised). */
int lines_next(struct lines *l, struct lines_piece *piece_r, struct problem *pr) __attribute__((warn_unused_result));

/* What stood in the octets read so far: all of it after lines_next returned 0. */
struct lines_facts {
	bool eight_bit;
	bool nul;
	bool false_end; /* a line of NULs and a dot (dot.h) */
	bool bare;	/* a CR or LF that is no half of a CRLF */
	size_t longest; /* octets of the longest line, without CRLF */
};
struct lines_facts lines_facts(const struct lines *l);

#endif
