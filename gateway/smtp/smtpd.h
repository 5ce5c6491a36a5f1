/*
 * The SMTP server session (RFC 5321, 1870, 2034, 2920, 3030, 3207, 3461, 6152, 6531, 8689): syntax, order, limits,
 * replies. What a sender, a
 * recipient or a message is worth is decided by the application behind smtpd_ops, which may answer later. One file
 * per verb (smtpd_<verb>.c), dispatched by one table. Role relay; never blocks.
 */
#ifndef POSTERN_SMTP_SMTPD_H
#define POSTERN_SMTP_SMTPD_H

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stdint.h>

#include "gateway/base/loop.h"
#include "gateway/base/problem.h"
#include "gateway/mail/address.h"
#include "gateway/mail/envelope.h"

struct smtpd_settings; /* section "smtp-server": smtpd_settings.h: limits of line, command, recipients, errors, time,
			  message size */

enum smtpd_side { SMTPD_INSIDE, SMTPD_OUTSIDE };

struct smtpd_mail {
	struct address sender; /* null path allowed */
	uint64_t size;	       /* SIZE= or 0 */
	struct envelope env;   /* its strings are valid during the call */
};
struct smtpd;
/* All of them are called from the loop, never from inside a smtpd_* call of the application but smtpd_new
 * (connected). Pointers are valid during the call. */
struct smtpd_ops {
	/* Is the peer (smtpd_client) a balancer, so that its PROXY header must come first and names the client? Asked
	 * once, before connected; NULL: never. */
	bool (*proxied)(void *app, struct smtpd *s);
	/* May the session begin? 0, or -1 with pr (554/421: said in the greeting, then closed; closed() is still
	 * called). */
	int (*connected)(void *app, struct smtpd *s, struct problem *pr);
	/* Answer each of these exactly once, now or later, with the matching smtpd_*_done, unless reset or closed
	 * comes first. */
	void (*mail)(void *app, struct smtpd *s, const struct smtpd_mail *m);
	void (*rcpt)(void *app, struct smtpd *s, const struct address *rcpt, const struct envelope_rcpt *env);
	void (*data)(void *app, struct smtpd *s);
	/* Content with dots removed, CRLF lines. -1 with pr: the rest is read and thrown away, then refused with pr.
	 */
	int (*content)(void *app, struct smtpd *s, const void *p, size_t n, struct problem *pr);
	void (*end)(void *app, struct smtpd *s); /* smtpd_end_done */
	/* end-deadline is over. true: it may be given up, with 451, because nothing was decided; false: it is being
	 * stored, and smtpd_end_done comes. NULL: always true. */
	bool (*late)(void *app, struct smtpd *s);
	/* The transaction is over (accepted, refused, RSET, EHLO, lost connection): forget what belongs to it; a
	 * later *_done for it must not come. Comes exactly once for each mail(), also when that or data() was
	 * answered with a problem. */
	void (*reset)(void *app, struct smtpd *s);
	/*
	 * XSMG (docs/XSMG.md), outside, inside TLS, where the listener offers it. arg: what follows the verb, whose
	 * words are the application's. Answer with smtpd_xsmg_done, or with smtpd_xsmg_send; NULL: not known here.
	 */
	void (*xsmg)(void *app, struct smtpd *s, const char *arg, size_t n);
	/* After smtpd_xsmg_send: a line without CRLF; p NULL: one with an octet that no line may have. 0: more; 1: it
	 * was the last, xsmg_end comes next; -1 with pr: said, and the session ends. */
	int (*xsmg_line)(void *app, struct smtpd *s, const char *p, size_t n, struct problem *pr);
	void (*xsmg_end)(void *app, struct smtpd *s); /* smtpd_xsmg_done */
	/* The command is over, in whatever way; exactly once for each xsmg(). No answer must come any more. */
	void (*xsmg_over)(void *app, struct smtpd *s);
	void (*closed)(void *app, struct smtpd *s); /* last call; s is freed after it */
};
struct smtpd_listener {
	const char *name; /* for logs */
	enum smtpd_side side;
	const char *hostname; /* ours, in greeting and EHLO */
	SSL_CTX *tls;	      /* NULL: STARTTLS not offered */
	bool tls_required;    /* MAIL before TLS: 530 5.7.0 */
	bool xsmg;	      /* offered outside, inside TLS */
	const bool *busy;     /* sessions are scarce now (NULL: never): busy-timeout holds */
	const struct smtpd_settings *set;
	const struct smtpd_ops *ops;
	void *app;
};
/* Begins a session on an accepted socket (owned). The listener must outlive it. */
struct smtpd *smtpd_new(struct loop *l, int fd, const struct smtpd_listener *ls);
/* pr NULL = accepted. MAIL: 250 2.1.0; RCPT: 250 2.1.5; DATA: 354. */
void smtpd_mail_done(struct smtpd *s, const struct problem *pr);
void smtpd_rcpt_done(struct smtpd *s, const struct problem *pr);
void smtpd_data_done(struct smtpd *s, const struct problem *pr);
/* 250 2.0.0 <text>; or the problem. */
void smtpd_end_done(struct smtpd *s, const struct problem *pr, const char *text);
/* pr NULL: lines, whole reply lines with CRLF; never inside xsmg_over. */
void smtpd_xsmg_done(struct smtpd *s, const struct problem *pr, const void *lines, size_t n);
/* The same, and xsmg_line gets what the client sends then. */
void smtpd_xsmg_send(struct smtpd *s, const void *lines, size_t n);
/* Has the client closed or reset the connection, as far as the kernel knows now? To be asked right before a commit
 * (RFC 1047). One poll(2). */
bool smtpd_gone(const struct smtpd *s);
/* Shutdown: 421 4.3.2 at the next chance (at once when idle; a message whose end was already handed over still gets
 * its answer), then close. */
void smtpd_shutdown(struct smtpd *s);
/* The listener has just become busy: its deadlines are looked at again. */
void smtpd_hurry(struct smtpd *s);
/* Turns a problem into reply lines (the one place): code, enhanced code, text cut and split to 512-octet lines. */
struct buf;
int smtpd_reply(struct buf *out, int code, const char *enh, const char *text, bool utf8)
    __attribute__((warn_unused_result));

const char *smtpd_id(const struct smtpd *s);	 /* session id for logs */
const char *smtpd_client(const struct smtpd *s); /* address text */
const char *smtpd_helo(const struct smtpd *s);
bool smtpd_esmtp(const struct smtpd *s);
/* TLS facts for Received and logs, with the client's certificate if it showed one; SMTPD_TLS_WORDS suffices. */
#define SMTPD_TLS_WORDS 256
bool smtpd_tls(const struct smtpd *s, char *words, size_t cap);
const struct smtpd_listener *smtpd_where(const struct smtpd *s);
struct smtpd_client;
/* Whose rates of recipients and errors this session counts for, until it is closed (smtpd_clients.h). */
void smtpd_set_client(struct smtpd *s, struct smtpd_client *c);
bool smtpd_limited(const struct smtpd *s); /* it counts for somebody's rates */
void smtpd_set_user(struct smtpd *s, void *user);
/* Another one, for the command of XSMG under way. */
void smtpd_set_xsmg(struct smtpd *s, void *xsmg);
void *smtpd_xsmg_of(const struct smtpd *s);
void *smtpd_user(const struct smtpd *s);

#endif
