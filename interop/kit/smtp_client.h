/* The kit as an SMTP client: a session line by line, with a transcript. Blocks; each read at most its time limit. */
#ifndef INTEROP_SMTP_CLIENT_H
#define INTEROP_SMTP_CLIENT_H

#include "interop/kit/util.h"

struct smtp;

struct reply {
	int code;	 /* 0: there was none: the connection was closed, or no reply came in time, or none of SMTP */
	bool closed;	 /* with code 0: the gateway closed the connection */
	struct buf text; /* all lines with CRLF */
};

/* Connects and reads the greeting into r. NULL with why: no connection. transcript gets "S: " and "C: " lines; may be
 * NULL. */
struct smtp *smtp_open(
    const char *address, int64_t limit_ms, struct buf *transcript, struct reply *r, struct buf *why);
void smtp_close(struct smtp *s);
/* Sends octets as they stand. */
int smtp_raw(struct smtp *s, const void *p, size_t n);
/* Sends a line (CRLF is added) and reads its reply. Returns the code; 0: none. */
int smtp_command(struct smtp *s, struct reply *r, const char *format, ...) __attribute__((format(printf, 3, 4)));
int smtp_reply(struct smtp *s, struct reply *r);
/* After 354: sends octets with the final dot in them, and reads the reply. */
int smtp_content(struct smtp *s, const void *p, size_t n, struct reply *r);
/* The reply in the place of 354, when it is no refusal: code 0, since nothing was sent that could have been taken. */
void smtp_nothing_sent(struct reply *r);
int smtp_starttls(struct smtp *s, const char *name, struct buf *why);  /* after EHLO; any certificate */
int smtp_handshake(struct smtp *s, const char *name, struct buf *why); /* after STARTTLS and its reply */
/* One message: EHLO to QUIT. The first refusal or the last reply; dot-stuffs. to: n addresses; codes: what became of
 * each, or NULL. */
int smtp_send(const char *address, const char *helo, bool tls, const char *from, char **to, size_t n,
    const void *data, size_t len, struct buf *transcript, struct reply *r, int *codes, int64_t *answer_us,
    struct buf *why);

#endif
