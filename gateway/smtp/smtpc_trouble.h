/*
 * The one place that turns what went wrong with a peer into how far it reaches (site, message, recipient) and whether
 * trying again may help (RFC 5321 4.2.1, 4.2.5, RFC 3463). Role relay. Pure: words in, words out.
 */
#ifndef POSTERN_SMTP_SMTPC_TROUBLE_H
#define POSTERN_SMTP_SMTPC_TROUBLE_H

#include <stdbool.h>

#include "gateway/base/problem.h"
#include "gateway/smtp/smtpc_chat.h"

/* What was waited for when it happened. */
enum smtpc_stage {
	SMTPC_STAGE_CONNECT,
	SMTPC_STAGE_GREETING,
	SMTPC_STAGE_EHLO,
	SMTPC_STAGE_STARTTLS,
	SMTPC_STAGE_TLS,
	SMTPC_STAGE_XSMG, /* beside the mail, whose fate it is not */
	SMTPC_STAGE_MAIL, /* first of the stages that belong to a message */
	SMTPC_STAGE_RCPT,
	SMTPC_STAGE_DATA,
	SMTPC_STAGE_CONTENT, /* content is being sent */
	SMTPC_STAGE_END,     /* the final dot was sent */
	SMTPC_STAGES,
};
enum smtpc_scope {
	SMTPC_SITE,    /* this host: another one may do; the connection is over */
	SMTPC_MESSAGE, /* every recipient that has no result yet */
	SMTPC_RCPT,    /* this one recipient */
};
struct smtpc_trouble {
	enum smtpc_stage stage;
	enum smtpc_scope scope;
	bool over;	  /* the connection is of no further use */
	bool retry_clear; /* TLS failed where clear text is allowed: worth one try without STARTTLS */
	bool unprotected; /* TLS that is demanded failed: hosts that demand less must not get the mail */
	bool unfit;	  /* this mail cannot go over this host, others can: says nothing about the destination */
	struct problem pr;
	char reply[SMTPC_CHAT_WORDS]; /* the peer's words, "" when it said none */
};
enum smtpc_demand { SMTPC_DEMAND_NONE, SMTPC_DEMAND_TLS, SMTPC_DEMAND_VERIFIED, SMTPC_DEMAND_DANE };

/* A reply of class 4 or 5. */
void smtpc_trouble_reply(
    struct smtpc_trouble *t, enum smtpc_stage s, const char *remote, const struct smtpc_reply *r);
/* Connection refused, closed, reset or "timeout". */
void smtpc_trouble_lost(struct smtpc_trouble *t, enum smtpc_stage s, const char *remote, const char *why);
/* What came is no reply, or one that cannot be at this place. */
void smtpc_trouble_malformed(struct smtpc_trouble *t, enum smtpc_stage s, const char *remote, const char *why);
/* Ours: the mail cannot be sent (content that cannot be read, too large, not deliverable as it is). */
void smtpc_trouble_ours(struct smtpc_trouble *t, enum smtpc_stage s, const struct problem *pr);
/* This mail cannot go over this host (REQUIRETLS); nothing is wrong with either. */
void smtpc_trouble_unfit(struct smtpc_trouble *t, const struct problem *pr);
/* STARTTLS not offered (r NULL) or refused where it is demanded. */
void smtpc_trouble_no_tls(
    struct smtpc_trouble *t, const char *remote, enum smtpc_demand demand, const struct smtpc_reply *r);
/* The handshake failed. cert: words about the peer's certificate, "" when there was none to speak of. */
void smtpc_trouble_tls(
    struct smtpc_trouble *t, const char *remote, enum smtpc_demand demand, const char *why, const char *cert);

#endif
