/*
 * The syntax of the SMTP verb XSMG with its two forms GET and PUT, of its replies, and of the lines that carry a
 * statement (docs/XSMG.md, "The verbs"), both sides. Relay, tests, fuzz. Pure; knows neither sockets nor what a
 * statement means.
 */
#ifndef POSTERN_XSMG_XSMG_VERB_H
#define POSTERN_XSMG_XSMG_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "gateway/base/buf.h"
#include "gateway/base/problem.h"
#include "gateway/xsmg/statement.h"

#define XSMG_VERB_KEYWORD "XSMG"
#define XSMG_VERB_VERSION "1"

enum {
	XSMG_VERB_BODY_MAX = 90000,	  /* characters of a PUT's lines, with their ends */
	XSMG_VERB_LINE = 76,		  /* base64 in one line */
	XSMG_VERB_LINE_MAX = 400,	  /* octets of a command, more than the longest has */
	XSMG_VERB_REPLY_MAX = 128 * 1024, /* octets and */
	XSMG_VERB_REPLY_LINES = 1200,	  /* lines that the longest reply to GET stays within */
};

/* The parameter of the EHLO keyword (what follows "XSMG "): is version 1 among the versions? */
bool xsmg_verb_offered(const char *p, size_t n);

/* ---- server ---- */

enum xsmg_verb_kind { XSMG_VERB_GET, XSMG_VERB_PUT };
struct xsmg_verb {
	enum xsmg_verb_kind kind;
	char domain[256];	   /* lower case */
	char id[STATEMENT_ID + 1]; /* GET: what the client has; "" for none */
	size_t octets;		   /* PUT: of the DER */
};
/* Reads what follows "XSMG" and its blank, without CRLF. 0; -1 with pr: 501 5.5.4, or 552 5.3.4 for a PUT announced
 * above STATEMENT_MAX. */
int xsmg_verb_read(const char *p, size_t n, struct xsmg_verb *v_r, struct problem *pr)
    __attribute__((warn_unused_result));

/* Replies, whole lines with CRLF. -1: the buffer is full. */
int xsmg_verb_current(const char *id, struct buf *out) __attribute__((warn_unused_result));
int xsmg_verb_statement(const char *id, const void *der, size_t n, struct buf *out)
    __attribute__((warn_unused_result));
#define XSMG_VERB_SEND "354 send statement\r\n"
#define XSMG_VERB_RECEIVED "250 2.0.0 received\r\n"

enum xsmg_verb_no {
	XSMG_VERB_NOT_OURS,   /* 550 5.1.2 */
	XSMG_VERB_NOT_NOW,    /* 451 4.3.0 */
	XSMG_VERB_SYNTAX,     /* 501 5.5.4 */
	XSMG_VERB_TOO_LARGE,  /* 552 5.3.4 */
	XSMG_VERB_NOT_BASE64, /* 501 5.5.2 */
	XSMG_VERB_RATE,	      /* 450 4.7.1 */
	XSMG_VERB_NO_TLS,     /* 530 5.7.0 */
	XSMG_VERB_SEQUENCE,   /* 503 5.5.1 */
};
/* Sets pr to the refusal. Returns -1. */
int xsmg_verb_refuse(enum xsmg_verb_no no, struct problem *pr);

/* The lines after 354. */
struct xsmg_verb_body {
	size_t octets, seen; /* announced; characters so far, with line ends */
	bool bad;
	struct buf text; /* base64, at most what the announced octets have */
};
void xsmg_verb_body_init(struct xsmg_verb_body *b, size_t octets);
void xsmg_verb_body_clear(struct xsmg_verb_body *b);
/* Takes a line without its CRLF. 0: more; 1: "." came: xsmg_verb_body_end; -1 with pr (552 5.3.4): more than
 * XSMG_VERB_BODY_MAX, reply and close. Lines that are no base64 are read to the end all the same. */
int xsmg_verb_body_line(struct xsmg_verb_body *b, const char *p, size_t n, struct problem *pr)
    __attribute__((warn_unused_result));
/* After 1: appends the octets announced to der; -1 with pr (501 5.5.2): no base64, or not as many as announced. */
int xsmg_verb_body_end(const struct xsmg_verb_body *b, struct buf *der, struct problem *pr)
    __attribute__((warn_unused_result));

/* ---- client ---- */

/* "XSMG GET domain [id]" and "XSMG PUT domain octets" with CRLF; id "" or NULL for none. -1: the buffer is full. */
int xsmg_verb_get(const char *domain, const char *id, struct buf *out) __attribute__((warn_unused_result));
int xsmg_verb_put(const char *domain, size_t octets, struct buf *out) __attribute__((warn_unused_result));
/* The base64 lines of a statement and the line ".". */
int xsmg_verb_body(const void *der, size_t n, struct buf *out) __attribute__((warn_unused_result));

enum xsmg_verb_answer {
	XSMG_VERB_CURRENT,   /* what was asked about with its id is the newest */
	XSMG_VERB_STATEMENT, /* der_r has it */
	XSMG_VERB_TAKEN,     /* PUT: received; or 354: send it now */
	XSMG_VERB_LATER,     /* 4xx */
	XSMG_VERB_REFUSED,   /* 5xx */
	XSMG_VERB_BROKEN,    /* no reply of XSMG: pr has what is wrong with it */
};
/* The whole reply to GET: its code and its lines without codes, '\n' between them (as smtpc_chat keeps them). `held`
 * is the id that was sent ("" for none). STATEMENT: the octets are appended to der and id_r has the id that the
 * server names (id_r also after CURRENT); it is for the reader to compare. pr is set after REFUSED, LATER and BROKEN.
 */
enum xsmg_verb_answer xsmg_verb_get_answer(int code, const char *text, size_t n, const char *held, struct buf *der,
    char id_r[STATEMENT_ID + 1], struct problem *pr);
/* The reply to PUT (wanted 354), and the one after its lines (wanted 250). */
enum xsmg_verb_answer xsmg_verb_put_answer(int wanted, int code, const char *text, size_t n, struct problem *pr);

#endif
