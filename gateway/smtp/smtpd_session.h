/*
 * What the verbs of the SMTP server share: the session, its replies, errors, waits and the end of a transaction.
 * Private to smtpd*.c. Role relay.
 *
 * The application is only called from process() in smtpd.c (or from a timer, or when the connection is lost), never
 * from inside one of its own calls to smtpd_*: those leave a mark and the loop goes on from there.
 */
#ifndef POSTERN_SMTP_SMTPD_SESSION_H
#define POSTERN_SMTP_SMTPD_SESSION_H

#include "gateway/base/buf.h"
#include "gateway/base/loop.h"
#include "gateway/mail/dot.h"
#include "gateway/mail/received.h"
#include "gateway/smtp/conn.h"
#include "gateway/smtp/smtpd.h"
#include "gateway/smtp/smtpd_clients.h"
#include "gateway/smtp/smtpd_line.h"
#include "gateway/smtp/smtpd_settings.h"

/* Who says what the next octets mean. */
enum smtpd_phase {
	SMTPD_PROXY,	/* a balancer's word on who the client is */
	SMTPD_GREETING, /* the client has to wait for it */
	SMTPD_COMMAND,
	SMTPD_CONTENT,
	SMTPD_CHUNK,
	SMTPD_STATEMENT, /* of XSMG */
	SMTPD_HANDSHAKE,
	SMTPD_CLOSING,
	SMTPD_PHASES
};
/* Which answer of the application is awaited; meanwhile no input is interpreted. */
enum smtpd_wait {
	SMTPD_WAIT_NONE,
	SMTPD_WAIT_MAIL,
	SMTPD_WAIT_RCPT,
	SMTPD_WAIT_DATA,
	SMTPD_WAIT_END,
	SMTPD_WAIT_XSMG
};

struct smtpd {
	struct loop *loop;
	struct conn *conn;
	struct loop_timer *timer;
	const struct smtpd_listener *ls;
	const struct smtpd_settings *set;
	void *user, *xsmg;
	struct smtpd_client *client; /* whose rates count; NULL: nobody's */
	char id[24];
	char peer[64]; /* address text of the client */
	char helo[ADDRESS_DOMAIN_MAX + 1];
	char why[96]; /* why the session ends, for the log */

	enum smtpd_phase phase;
	enum smtpd_wait wait;
	struct smtpd_line line;
	size_t off;    /* octets of the input already taken, dropped together after a round */
	bool busy;     /* inside process() */
	bool known;    /* connected() was called */
	bool greeted;  /* EHLO or HELO was accepted */
	bool esmtp;    /* it was EHLO */
	bool stuffed;  /* output is full: no more input until it drains */
	bool stopping; /* 421 at the next chance */
	bool gone;     /* the connection is dead */

	bool in_mail; /* the application has a transaction */
	bool late;    /* its end-deadline is over, and its commit has begun */
	bool over;    /* it has ended; the application is told at the next step */
	bool mail_ok; /* MAIL was answered 250 */
	bool utf8;    /* with SMTPUTF8 */
	bool chunked; /* BDAT has begun */
	int64_t rcpts, rcpts_refused;

	struct dot_in dot; /* from here: the content */
	struct dot_nul nul;
	struct buf content;
	struct received trace;
	bool bare;	     /* it has a bare CR or LF */
	uint64_t chunk_size; /* of BDAT */
	uint64_t chunk_left;
	bool chunk_last;
	bool chunk_eat;	   /* is thrown away: its answer was given before */
	bool chunk_cr;	   /* the octet before was a CR */
	uint64_t received; /* octets of content */
	uint64_t raw;	   /* octets taken, with dots, also of what is thrown away */
	size_t line_len;
	struct problem *refusal; /* the first thing wrong with it; NULL = none */
	int64_t data_began;

	bool in_xsmg;	  /* the application has a command of XSMG */
	bool xsmg_over;	  /* it is over; told at the next step */
	bool xsmg_ends;	  /* it is one behind which nothing may be pipelined */
	size_t xsmg_read; /* octets of its lines */

	int64_t began, since;	  /* the session; the wait under way (loop_now_ms) */
	int64_t progress;	  /* when it began, a content began, or a message was accepted */
	int64_t armed_for;	  /* when the timer rings, 0: off */
	int64_t errors, commands; /* since the last accepted message */
	int64_t mails;		  /* accepted */
};

/* Queues a reply. enh "" only where RFC 2034 wants none. */
void smtpd_session_say(struct smtpd *s, int code, const char *enh, const char *text);
void smtpd_session_problem(struct smtpd *s, const struct problem *pr);
/* As above for what the client did wrong: counted, and the last one of errors-max ends the session. */
void smtpd_session_error(struct smtpd *s, int code, const char *enh, const char *text);
void smtpd_session_error_problem(struct smtpd *s, const struct problem *pr);
/* Says code (421 or another last word) and ends the session. why is for the log. */
void smtpd_session_bye(struct smtpd *s, int code, const char *enh, const char *text, const char *why);
/* One more for the client's rate of errors; too many end the session. */
void smtpd_session_count_error(struct smtpd *s);
/* Nothing is interpreted until the application answers. */
void smtpd_session_wait(struct smtpd *s, enum smtpd_wait w);
/* The application answered w. 0, or -1: the session is ending and its answer no longer matters. */
int smtpd_session_answered(struct smtpd *s, enum smtpd_wait w) __attribute__((warn_unused_result));
/* Sessions are scarce: who does not come forward has less time. */
bool smtpd_session_busy(const struct smtpd *s);
/* Octets came that were sent before the last answer. */
bool smtpd_session_input_waits(struct smtpd *s);
/* Ends the transaction, if there is one, and tells the application. */
void smtpd_session_end_mail(struct smtpd *s);
/* The same for a command of XSMG. */
void smtpd_session_end_xsmg(struct smtpd *s);
/* DSN (RFC 3461) is for our own servers: who offers it must report (5.2), and nobody outside is ever told what
 * becomes of mail inside. */
bool smtpd_session_dsn(const struct smtpd *s);
/* What EHLO established is forgotten (RFC 3207 4.2). */
void smtpd_session_forget(struct smtpd *s);

#endif
