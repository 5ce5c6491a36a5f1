/*
 * XSMG beside the mails of a connection (docs/XSMG.md, "The verbs"): the question in front of MAIL, the statement
 * handed over between two mails. Role relay; part of smtpc.c. The words of the commands are the application's.
 */
#ifndef POSTERN_SMTP_SMTPC_XSMG_H
#define POSTERN_SMTP_SMTPC_XSMG_H

#include "gateway/smtp/smtpc_state.h"

/* A mail begins: tells the application what the host offers. True: the mail's question is to be asked. */
bool smtpc_xsmg_begin(struct smtpc *c);
/* Is the next reply the one to the question? It may be long. */
bool smtpc_xsmg_awaited(const struct smtpc *c);
/* It came. */
void smtpc_xsmg_reply(struct smtpc *c, const struct smtpc_reply *r);
/* The connection ends. */
void smtpc_xsmg_lost(struct smtpc *c, const struct smtpc_trouble *t);
void smtpc_xsmg_end(struct smtpc *c);
/* Replies in SMTPC_PUT and SMTPC_PUT_LINES. */
void smtpc_xsmg_put_reply(struct smtpc *c, const struct smtpc_reply *r);
void smtpc_xsmg_lines_reply(struct smtpc *c, const struct smtpc_reply *r);

#endif
