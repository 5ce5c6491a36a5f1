/*
 * Content by BDAT (RFC 3030 2), many chunks under way at once. Role relay. Used where a host offers CHUNKING and
 * PIPELINING. No end-of-data mark: nothing in the content can be taken for one; lines end with CRLF all the same.
 */
#ifndef POSTERN_SMTP_SMTPC_BDAT_H
#define POSTERN_SMTP_SMTPC_BDAT_H

#include "gateway/smtp/smtpc_state.h"

/* Shall this transaction use it? */
bool smtpc_bdat_fit(const struct smtpc *c);
/* All RCPT are answered and some accepted: begins to send. */
void smtpc_bdat_begin(struct smtpc *c);
/* The same with the RCPT just sent, without waiting for what is said to them (RFC 3030 4.2): octets of content, which
 * must fit into one chunk. Only its own replies are left to come. */
bool smtpc_bdat_may_early(const struct smtpc *c, uint64_t octets);
void smtpc_bdat_early(struct smtpc *c);
/* Goes on until conn has enough. */
void smtpc_bdat_send(struct smtpc *c);
/* Is a reply to a chunk that is not the last one still awaited, so that the next one is that? */
bool smtpc_bdat_between(const struct smtpc *c);
/* Such a reply. */
void smtpc_bdat_reply(struct smtpc *c, const struct smtpc_reply *r);

#endif
