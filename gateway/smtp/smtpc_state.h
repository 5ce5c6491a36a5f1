/* One connection of the client as smtpc.c (states, up to EHLO) and smtpc_send.c (a mail) share it; nobody else
 * includes this. Role relay. */
#ifndef POSTERN_SMTP_SMTPC_STATE_H
#define POSTERN_SMTP_SMTPC_STATE_H

#include "gateway/mail/dot.h"
#include "gateway/smtp/conn.h"
#include "gateway/smtp/smtpc.h"
#include "gateway/smtp/smtpc_chat.h"
#include "gateway/smtp/smtpc_dane.h"
#include "gateway/smtp/smtpc_ehlo.h"
#include "gateway/smtp/smtpc_settings.h"
#include "gateway/smtp/smtpc_tls.h"
#include "gateway/smtp/smtpc_trouble.h"

enum smtpc_state {
	SMTPC_CONNECTING,
	SMTPC_GREETING,
	SMTPC_EHLO,
	SMTPC_HELO,
	SMTPC_STARTTLS,
	SMTPC_HANDSHAKE,
	SMTPC_READY, /* no mail, no reply outstanding */
	SMTPC_ENVELOPE,
	SMTPC_CONTENT,
	SMTPC_END,
	SMTPC_PUT,	 /* of XSMG: 354 is awaited */
	SMTPC_PUT_LINES, /* the answer to its lines is awaited */
	SMTPC_STATES,
};

/* Commands of one transaction, in their order; RCPT i is SMTPC_STEP_RCPT + i, then DATA. */
enum { SMTPC_STEP_RSET, SMTPC_STEP_XSMG, SMTPC_STEP_MAIL, SMTPC_STEP_RCPT };

struct smtpc {
	struct loop *loop;
	const struct smtpc_settings *set;
	const char *helo;
	char host[256], remote[384];
	char session[256 + 80]; /* what its TLS sessions are kept under */
	enum smtpc_tls tls;
	SSL_CTX *ctx;
	const struct smtpc_dane *dane;
	bool name_sure;
	struct smtpc_tls_store *sessions;
	struct smtpc_tls_note note;
	const struct smtpc_ops *ops;
	void *opctx;
	struct conn *conn;
	struct smtpc_chat chat;
	struct smtpc_ehlo ehlo;
	struct loop_timer *turn; /* ready: idle time; else: go on soon */
	enum smtpc_state state;
	bool need_rset; /* a transaction was begun and not ended */
	bool taken;	/* a mail was taken over this connection */
	bool hung_up;	/* the other side closed */
	int depth;	/* inside a callback */
	bool dead;

	/* the mail under way */
	struct smtpc_mail *mail;
	size_t *batch, nbatch; /* recipients of this transaction, indices into mail->rcpts */
	bool *accepted;	       /* of batch */
	size_t naccepted;
	size_t sent, got; /* the next step to send, and to get the reply of */
	bool mail_ok;
	bool asking;		      /* SMTPC_STEP_XSMG is one of this transaction's; else it is passed over */
	struct smtpc_trouble refused; /* MAIL was refused: for the whole mail; pr.cls NONE = no */
	struct smtpc_trouble unfit;   /* the whole mail cannot go over this host; pr.cls NONE = it can */
	struct dot_out dots;
	struct {
		bool on;	  /* this transaction sends BDAT */
		bool early;	  /* the one chunk is behind the RCPT, not waiting for their replies */
		size_t sent, got; /* chunks, and replies to them */
		bool cr, line;	  /* the last octet was a CR; a line has ended or not begun */
	} bdat;
	uint64_t off; /* of front, then content, already sent */

	struct smtpc_put *put; /* to be sent when there is time; owned */
};

/* Ends the connection and tells the owner. */
void smtpc_state_end(struct smtpc *c, const struct smtpc_trouble *t);
void smtpc_state_lost(struct smtpc *c, const char *why);
void smtpc_state_malformed(struct smtpc *c, const char *why);
/* The stage that a failure now belongs to. */
enum smtpc_stage smtpc_state_stage(const struct smtpc *c);
/* Puts one command line (without CRLF) out. */
void smtpc_state_command(struct smtpc *c, const char *line);
/* State READY: tells the owner. */
void smtpc_state_ready(struct smtpc *c);
/* Sent and not yet answered, of the commands of a transaction. */
size_t smtpc_state_outstanding(const struct smtpc *c);
const char *smtpc_state_id(const struct smtpc *c); /* queue id for logs, or NULL */

#endif
