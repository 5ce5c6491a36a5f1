/*
 * The connections of one destination: which host next, which connection carries which mail, how many, and when the
 * whole destination is left alone. Role relay. RFC 5321 5.1 (order and alternatives), 4.5.4.1 (do not hammer).
 */
#ifndef POSTERN_SMTP_SMTPC_DEST_H
#define POSTERN_SMTP_SMTPC_DEST_H

#include "gateway/smtp/smtpc_pool.h"

/* Gives waiting mails to connections, opens new ones, as far as it may. Was there room for one? */
bool smtpc_dest_run(struct smtpc_site *s);
/* Ms (monotonic) until when it is backed off, 0 when it is not. */
int64_t smtpc_dest_backed_off(const struct smtpc_site *s);
/* Closes one idle connection; false when there is none. */
bool smtpc_dest_close_idle(struct smtpc_site *s);
/* Ends all connections at once; their mails stay without results (their lines are gone). */
void smtpc_dest_end(struct smtpc_site *s);

#endif
