/*
 * One command, one reply (RFC 5321 4.2): the reply parser with its limits, and the transcript in the log. Role relay.
 * Pure but for the log. It does not know what a reply means; smtpc_trouble.c does.
 */
#ifndef POSTERN_SMTP_SMTPC_CHAT_H
#define POSTERN_SMTP_SMTPC_CHAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"

#define SMTPC_CHAT_TEXT_MAX (32 * 1024) /* all lines of one reply */
/* of one that may be long: 64 KiB in base64, in lines of 44 characters and more */
#define SMTPC_CHAT_LONG_MAX (128 * 1024)
#define SMTPC_CHAT_LONG_LINES 2048
#define SMTPC_CHAT_WORDS 256

struct smtpc_reply {
	int code; /* 200..559 */
	char
	    enh[12]; /* enhanced status code of the first line (RFC 2034), "" where none or not of the code's class */
	struct buf text; /* the lines without codes, '\n' between them; printable ASCII, the rest is '?' */
	size_t lines;
};
struct smtpc_chat {
	size_t line_max, lines_max;
	bool may_be_long;	  /* the reply being read: set by the caller before it begins */
	struct smtpc_reply reply; /* being read, or the last one */
	char why[96];		  /* after -1: what is wrong with it */
	int complete;
};

void smtpc_chat_init(struct smtpc_chat *h, size_t line_max, size_t lines_max);
void smtpc_chat_clear(struct smtpc_chat *h);
/*
 * Takes lines from p. 1: h->reply is complete (until the next call), *used_r octets belong to it; 0: needs more,
 * *used_r were taken; -1: not an SMTP reply (h->why), the connection is of no use any more. Lines end with CRLF only.
 */
int smtpc_chat_feed(struct smtpc_chat *h, const uint8_t *p, size_t n, size_t *used_r)
    __attribute__((warn_unused_result));
/* "550 5.1.1 no such user" in one line, cut to the array. */
const char *smtpc_chat_words(const struct smtpc_reply *r, char out[SMTPC_CHAT_WORDS]);
/* Transcript: one line of the log at level debug. */
void smtpc_chat_log_command(const char *id, const char *remote, const char *line);
void smtpc_chat_log_reply(const char *id, const char *remote, const struct smtpc_reply *r);

#endif
