/*
 * The octets of DATA (RFC 5321 4.5.2): dot transparency, end of data only by CRLF "." CRLF, and a bare CR or LF found
 * wherever it stands (no smuggling). Pure, streaming, any split of the input gives the same result.
 */
#ifndef POSTERN_MAIL_DOT_H
#define POSTERN_MAIL_DOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

struct dot_in {
	int state;
	int bare; /* set for good once a bare CR or LF was seen: the message is refused at its end with 5.5.2 */
};
void dot_in_init(struct dot_in *d);
/* Takes up to n octets from p; appends content (dots removed) to out, which must have room for n + 4 (n + 4 below its
 * maximum: less is a bug). *used_r = octets taken. Returns 1 at end of data (what is behind *used_r is the next
 * command), 0 to go on. With bare set the content is no longer appended (it will be refused). */
int dot_in_feed(struct dot_in *d, const uint8_t *p, size_t n, size_t *used_r, struct buf *out);

/*
 * A line of NUL octets and then one dot: RFC 2045 2.8 allows no NUL, and a server that takes them out reads the end
 * of data there, and commands behind it. Streaming, of content as dot_in_feed gives it.
 */
struct dot_nul {
	int state;
};
void dot_nul_init(struct dot_nul *d);
/* 1: such a line ended within p, 0: none did. */
int dot_nul_feed(struct dot_nul *d, const uint8_t *p, size_t n);
/* Is the last line such a one, which has no end yet? */
bool dot_nul_open(const struct dot_nul *d);

struct dot_out {
	int state;
	int bare; /* set for good once the content had a bare CR or LF (written as CRLF): for the log */
};
void dot_out_init(struct dot_out *d);
/* Appends p with dots doubled to out (room for 2n + 4). A bare CR or LF leaves as CRLF: whatever is fed, the receiver
 * sees one message. */
void dot_out_feed(struct dot_out *d, const uint8_t *p, size_t n, struct buf *out);
/* Appends the end: CRLF if the content did not end with it, then "." CRLF. */
void dot_out_end(struct dot_out *d, struct buf *out);

#endif
