/*
 * What a reader sees of a header field's text, reduced to ASCII: encoded words (RFC 2047) decoded wherever they
 * stand, look-alikes taken for what they look like, what is not seen left out. For finding a text that somebody hid
 * from a search for its octets. Pure; sealer. Not for showing: characters beyond ASCII are not kept.
 */
#ifndef POSTERN_MAIL_SHOWN_H
#define POSTERN_MAIL_SHOWN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/arena.h"
#include "gateway/base/buf.h"

/* Octets of a value that are looked at: nobody reads further. */
#define SHOWN_MAX 8192
/* A character that looks like nothing in ASCII. */
#define SHOWN_OTHER '\x7f'

struct shown_char {
	char c;		   /* lower case; ' ' any blank; SHOWN_OTHER */
	bool drops_word;   /* cannot be taken out alone: the encoded word goes with it */
	int word;	   /* encoded word it stands in, -1: literally */
	uint32_t off, len; /* octets of the value, or of the word's decoded octets */
};
struct shown_word {
	uint32_t off, len; /* in the value */
	const char *charset;
	size_t charset_len;
	const uint8_t *octets;
	size_t n;
};
struct shown {
	struct shown_char *v;
	size_t n;
	struct shown_word *words;
	size_t nwords;
};
/* 0 / -1 past the arena. What is malformed is taken literally. */
int shown_read(struct arena *a, const char *p, size_t n, struct shown *s_r) __attribute__((warn_unused_result));
/* Reads what is shown as plain text, unseen characters left out; cut at cap. */
void shown_text(const struct shown *s, char *out, size_t cap);

/* Removes every copy of `mark` (lower case ASCII) from the value, however it is written and spaced; blanks do not
 * count. 1 with the new value appended to out, unfolded and folded anew, without a blank in front; 0 when there is
 * none (nothing appended); -1 past the arena or out's maximum. */
int shown_remove(struct arena *a, const char *p, size_t n, const char *mark, struct buf *out)
    __attribute__((warn_unused_result));

#endif
