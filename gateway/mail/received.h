/* Loop detection: counts the Received fields of a message as it streams by, and those in which a host of a given name
 * took it (RFC 5321 6.3, 4.4). Pure, streaming, any split of the input gives the same result. */
#ifndef POSTERN_MAIL_RECEIVED_H
#define POSTERN_MAIL_RECEIVED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECEIVED_WORD_MAX 255

struct received {
	const char *host; /* whose "by" is counted; valid as long as this is used */
	uint64_t count;	  /* Received fields */
	uint64_t own;	  /* of them with "by host" */
	int state;
	size_t matched; /* octets of the field's name */
	size_t depth;	/* of comments */
	bool escaped;	/* behind a backslash in one */
	bool by;	/* the word before was "by" */
	bool told;	/* this field was counted as our own */
	size_t len;	/* of the word under way; RECEIVED_WORD_MAX + 1: too long to be a name */
	char word[RECEIVED_WORD_MAX];
};

void received_init(struct received *r, const char *host);
/* Content with CRLF lines. What stands behind the header is passed over at no cost. */
void received_feed(struct received *r, const void *p, size_t n);

#endif
