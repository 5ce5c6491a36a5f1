/* One mail over a ready connection: envelope (pipelined where offered, RFC 2920), content, results. Role relay; part
 * of smtpc.c. */
#ifndef POSTERN_SMTP_SMTPC_SEND_H
#define POSTERN_SMTP_SMTPC_SEND_H

#include "gateway/smtp/smtpc_state.h"

/* Begins with c->mail set. */
void smtpc_send_begin(struct smtpc *c);
/* A reply came in the state. */
void smtpc_send_envelope_reply(struct smtpc *c, const struct smtpc_reply *r);
void smtpc_send_content_reply(struct smtpc *c, const struct smtpc_reply *r);
void smtpc_send_end_reply(struct smtpc *c, const struct smtpc_reply *r);
/* More content may be written. */
void smtpc_send_content(struct smtpc *c);
/* The connection fails: gives the recipients their results that have one by now (after the final dot, or a refusal of
 * content). */
void smtpc_send_failed(struct smtpc *c, const struct smtpc_trouble *t);
/* The next octets of front and content, at most cap: 1, 0 at the end, -1 with pr. */
int smtpc_send_read(struct smtpc *c, uint8_t *p, size_t cap, size_t *n_r, struct problem *pr);
/* The content cannot be read: drops the connection. */
void smtpc_send_unreadable(struct smtpc *c, const struct problem *pr);
enum smtpc_stage smtpc_send_stage(const struct smtpc *c);

#endif
